"""A failing case of a report -> a scenario file of it alone, with every number written out."""

from __future__ import annotations

from typing import Any

from verify.errors import UsageError, printable
from verify.judge.asked import Asked
from verify.judge.result import Report, Result, Verdict
from verify.scenario.cases import Case
from verify.scenario.collection import collect
from verify.scenario.document import LONGEST
from verify.scenario.limits import Limits
from verify.scenario.write import explicit

_FAILED = (Verdict.FAIL, Verdict.CANNOT_JUDGE, Verdict.ERROR)


def scenario_of(report: Report, limits: Limits | None = None) -> tuple[Result, str]:
    """The smallest case of a report that is not green, and the text of a scenario of it.

    Raises  UsageError where none failed, its file has changed since, or it is too large to be
            written out; ScenarioError for a file that has become malformed.
    """
    limits = limits or Limits()
    failed = [r for r in report.results if r.verdict in _FAILED]
    if not failed:
        raise UsageError("no case of this report failed; `verify new NAME` alone starts a new file")
    result = min(failed, key=lambda r: (list(Verdict).index(r.verdict), r.work))
    of_file = collect(result.path, limits=limits)
    case = next((c for c in of_file if c.name == result.case), None)
    if case is None:
        raise UsageError(
            f"{printable(result.path)} has no case {result.case!r}; judge it again, and give the"
            " report of that"
        )
    if case.origin.digest != result.digest:
        raise UsageError(
            f"{printable(result.path)}, or its data, has changed since the report was written; run"
            " it again"
        )
    if case.large:
        raise _too_large(result)
    text = _text(case, result, report.asked)
    if len(text.encode()) > limits.file_bytes:
        raise _too_large(result)
    return result, text


def _text(case: Case, result: Result, asked: Asked) -> str:
    usual = {"steps": 1, "batch_size": case.sizes.N, "layout": "C", "device": "cpu"}
    own: dict[str, Any] = {
        "steps": case.steps, "batch_size": case.sizes.batch, "layout": case.layout,
        "device": result.device,
    }  # fmt: skip
    title = _short(f"{case.origin.title or case.origin.stem}: {case.name}")
    source = _short(asked.command([result.id]))
    expect = case.expect.model_dump(exclude_none=True, exclude_defaults=True)
    parameters = {name: value for name, value in own.items() if value != usual[name]}
    return explicit(case.problem, title, source, expect, **parameters)


def _short(title: str) -> str:
    text = printable(title)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _too_large(result: Result) -> UsageError:
    again = printable(Asked().command([result.id]))
    return UsageError(
        f"{printable(result.id)} has too many numbers to be written out; repeat it with"
        f" `{again}`, or allow more with --scenario-limit file_bytes=N"
    )
