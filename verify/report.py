"""Results -> what a person or a program reads: lines, a table, JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from os.path import commonpath
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from verify.chain import LINKS
from verify.diagnosis import across, repeating
from verify.errors import number, printable
from verify.result import Finding, Report, Result, Verdict, worst_of

if TYPE_CHECKING:
    from rich.table import Table


STYLES = {
    Verdict.ERROR: "bold magenta",
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.CANNOT_JUDGE: "yellow",
    Verdict.NOT_RUN: "dim",
}
SAID = 4


def line(result: Result) -> str:
    """One result on one line, with its full id."""
    parts = [f"{result.verdict:<12}", printable(result.id)]
    worst = result.worst
    if worst is not None:
        parts.append(f"error/bound {worst.ratio:.3g} at {worst.link}")
        parts.append(f"resolution {result.resolution:.2g}")
    return "  ".join(parts)


def block(result: Result, candidate: str = "") -> str:
    """What is wrong with one case, in aligned columns; the same in terminal, pytest and page."""
    rows = [f"{result.verdict}  {result.id}"]
    link, leading = result.first_broken_link, _leading(result)
    if link and leading:
        right = _right_before(link, leading.subject, result)
        told = f"({', '.join(right)} {'are' if len(right) > 1 else 'is'} right)" if right else ""
        rows.append(_row("first broken link", f"{link:<14} {told}"))
    if leading and leading.figure:
        figure = leading.figure
        truth = "other side" if " against " in figure.subject else "truth"
        rows += [
            _row("subject", figure.subject),
            _row("worst entry", str(list(figure.entry)) if figure.entry else "the scalar"),
            _row("found", _both(figure.found)),
            _row(truth, _both(figure.truth)),
            _row("error", f"{figure.error:<24.4g} {figure.ulps:.3g} ulp"),
            _row("bound", f"{figure.bound:.4g}"),
            _row("error / bound", f"{figure.ratio:<24.4g} (limit 1)"),
        ]
    shown = sorted(result.findings, key=lambda f: f is not leading)[:SAID]
    rows += [_row(f.check, f"{f.subject}: {f.message}".removeprefix(": ")) for f in shown]
    more = len(result.findings) - len(shown)
    if more:
        rows.append(_row("", f"and {more} more findings; --json FILE has them all"))
    if not math.isnan(result.resolution):
        rows.append(_row("resolution", f"{result.resolution:.3g}"))
    rows += [_row("note", note) for note in result.notes]
    rows.append(_row("to repeat it", repeating(result, candidate)))
    rows.append(_row("to see it", repeating(result, candidate, "show")))
    return "\n".join(printable(row.rstrip()) for row in rows)


def summary(report: Report) -> str:
    """The counts, on one line; and what was not run, because green must not hide it."""
    counts = report.counts
    verdicts = {
        "passed": counts["PASS"],
        "failed": counts["FAIL"],
        "cannot judge": counts["CANNOT JUDGE"],
        "not run": counts["NOT RUN"],
        "errors": counts["errors"],
    }
    parts = [f"{number(counts['found'], 'case')} found", f"{counts['judged']} judged"]
    parts += [f"{n} {word}" for word, n in verdicts.items() if n or word in ("passed", "failed")]
    parts += [f"{counts['locked']} as locked"] if counts["locked"] and report.ok else []
    lines = [", ".join(parts) + f" in {report.seconds:.1f} s"]
    if report.candidate:
        told = f"candidate {report.candidate}, beside manual and twin"
        lines.append("; ".join(part for part in (told, report.proof) if part))
        lines += [f"  {pattern}" for pattern in across(report.results, report.candidate)]
        notes = Counter(
            n for r in report.results if r.ok for n in r.notes if n.startswith("candidate")
        )
        lines += [f"  in {number(count, 'passed case')}: {note}" for note, count in notes.items()]
    skipped = [r for r in report.results if r.verdict is Verdict.NOT_RUN]
    for why, group in groupby(skipped, key=lambda r: r.findings[0].message):
        lines.append(f"NOT VERIFIED: {number(len(list(group)), 'case')}: {why}")
    lines += [f"NOT AS LOCKED: {what}" for what in report.unlocked]
    if report.signal:
        lines.append(f"INTERRUPTED: {len(report.results)} of {counts['found']} cases were judged")
    lost = counts["found"] - len(report.results)
    if lost and not report.signal:
        lines.append(f"ERROR: {lost} cases were found and have no result: the run lost them")
    if not counts["judged"]:
        lines.append("nothing was judged")
    return "\n".join(map(printable, lines))


def table(report: Report) -> Table:
    """One row a scenario file: its cases, its verdict, and its nearest approach to a bound."""
    from rich.markup import escape
    from rich.table import Table

    folder = common_folder({result.path for result in report.results})
    made = Table(
        box=None, pad_edge=False, header_style="bold",
        title=escape(printable(folder)), title_justify="left", title_style="",
    )  # fmt: skip
    made.add_column("scenario", overflow="fold")
    for name in ("cases", "verdict", "error / bound", "at", "resolution", "ms a case"):
        number = name not in ("verdict", "at")
        made.add_column(name, justify="right" if number else "left", no_wrap=True)
    for path, group in groupby(report.results, key=lambda r: r.path):
        made.add_row(*_summarised(path.removeprefix(folder), list(group)))
    return made


def common_folder(paths: Collection[str]) -> str:
    """The folder that all paths lie in, with its slash; empty where there is none."""
    parents = {str(PurePath(path).parent) for path in paths}
    if len({PurePath(parent).is_absolute() for parent in parents}) != 1:
        return ""
    folder = commonpath(parents)
    return f"{folder}/" if folder not in ("", ".", "/") else ""


def as_json(report: Report) -> str:
    """The whole report; `format` changes when the layout does."""
    return json.dumps(report.to_dict(), indent=1, allow_nan=False)


def _summarised(path: str, results: Sequence[Result]) -> Iterator[Any]:
    from rich.markup import escape
    from rich.text import Text

    verdict = min((r.verdict for r in results), key=list(Verdict).index)
    worst = worst_of(r.worst for r in results if r.worst is not None)
    seen = [r.resolution for r in results if not math.isnan(r.resolution)]
    yield escape(printable(path))
    yield str(len(results))
    yield Text(str(verdict), STYLES[verdict])
    yield f"{worst.ratio:.3g}" if worst else ""
    yield worst.link if worst else ""
    yield f"{min(seen):.1g}" if seen else ""
    yield f"{1000 * sum(r.seconds for r in results) / len(results):.1f}"


def _leading(result: Result) -> Finding | None:
    """The finding that the block is about: the first that fails, at the first broken link."""
    link = result.first_broken_link
    failed = [f for f in result.findings if f.verdict is Verdict.FAIL and f.link == link]
    with_figure = [f for f in failed if f.figure is not None]
    return next(iter(with_figure or failed or result.findings), None)


def _right_before(link: str, subject: str, result: Result) -> list[str]:
    """The links before the broken one that this subject gave, and gave rightly."""
    name = subject.split(" against ")[0]
    held = {f.link for f in result.figures if f.subject == name and f.holds}
    return [other for other in LINKS[: LINKS.index(link)] if other in held]


def _row(name: str, value: str) -> str:
    return f"  {name:<18}  {value}"


def _both(value: float) -> str:
    return f"{value.hex():<24} {value!r}"
