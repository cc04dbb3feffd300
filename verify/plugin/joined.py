"""What pytest's items told, from every worker -> one Report of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from verify.judge.result import Finding, Report, Result, Verdict
from verify.judge.runner import environment
from verify.report import read

_UNKNOWN = "unknown"


def joined(
    found: Iterable[str],
    told: Mapping[str, str],
    verdicts: Mapping[str, tuple[str, str]],
    seconds: float,
    candidate: str = "",
    signal: int = 0,
) -> Report:
    """The report of the items that were `found`, in that order.

    `told` maps an item to the JSON of a report of it alone, `verdicts` to pytest's word and reason,
    which stand in for an item that could not tell itself. One that has neither is lost: it is
    counted and has no result.
    """
    results: list[Result] = []
    parts = {item: read.report(text, item) for item, text in told.items()}
    count = 0
    for item in found:
        part = parts.get(item)
        if part is not None:
            results += part.results
        elif item in verdicts:
            results.append(_from_outside(item, *verdicts[item]))
        count += part.found if part else 1
    return Report(
        tuple(results), count, tuple(f for p in parts.values() for f in p.faults), seconds,
        environment(), candidate, "", tuple(u for p in parts.values() for u in p.unlocked), signal,
    )  # fmt: skip


def _from_outside(item: str, verdict: str, why: str) -> Result:
    """A case of which only pytest can say what became of it."""
    path, _, name = item.partition("::")
    known = Verdict(verdict) if verdict in set(Verdict) else Verdict.ERROR
    finding = Finding("pytest", known, why)
    return Result(path, name, 1, _UNKNOWN, _UNKNOWN, findings=(finding,))
