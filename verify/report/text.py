"""Results -> what a person or a program reads: lines, a table, JSON."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from os.path import commonpath
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from verify.errors import number, printable
from verify.judge.asked import Asked
from verify.judge.causes import SHOWN, UNKNOWN, causes, remarks
from verify.judge.result import Finding, Report, Result, Verdict, worst_of
from verify.network.problem import DTYPES
from verify.numbers.dtypes import SIXTEEN
from verify.report.apart import apart

if TYPE_CHECKING:
    from rich.table import Table


STYLES = {
    Verdict.ERROR: "bold magenta",
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.CANNOT_JUDGE: "yellow",
    Verdict.NOT_RUN: "dim",
}
SAID = 4  # findings of one case
_CAUSES = 8
_WIDTH = 80


def line(result: Result) -> str:
    """One result on one line, with its full id."""
    parts = [f"{result.verdict:<12}", printable(result.id)]
    worst = result.worst
    if worst is not None:
        parts.append(f"error/bound {worst.ratio:.3g} at {worst.link}")
        parts.append(f"resolution {result.resolution:.2g}")
    of_twin = [f"\n  {note}" for note in result.notes if note.startswith("twin in ")]
    return "  ".join(parts) + "".join(of_twin)


def block(result: Result, asked: Asked | None = None, cause: str = "") -> str:
    """What is wrong with one case, in aligned columns; the same in terminal, pytest and page.

    `cause` is what a run has found to be behind it. No command is broken over lines.
    """
    asked = asked or Asked()
    rows = [f"{result.verdict}  {result.id}"]
    link, leading = result.first_broken_link, _leading(result)
    if link and leading:
        right = _right_before(link, leading.subject, result)
        told = f"({', '.join(right)} {'are' if len(right) > 1 else 'is'} right)" if right else ""
        rows += _row("first broken link", f"{link}   {told}".rstrip())
    broken = [n for n in result.broken_links if n != link]
    rows += _row("also broken", ", ".join(broken)) if len(broken) >= SAID else []
    if leading and leading.figure:
        figure = leading.figure
        truth = "other side" if " against " in figure.subject else "truth"
        rows += _row("subject", figure.subject)
        rows += _row("worst entry", str(list(figure.entry)) if figure.entry else "the scalar")
        rows += _row("found", _both(figure.found))
        rows += _row(truth, _both(figure.truth))
        rows += _row("error", f"{figure.error:<24.4g} {figure.ulps:.3g} ulp")
        rows += _row("bound", f"{figure.bound:.4g}")
        rows += _row("error / bound", f"{figure.ratio:<24.4g} (limit 1)")
    shown = sorted(result.findings, key=lambda f: f is not leading)[:SAID]
    if leading and leading.figure and leading.check == "bound":
        shown.remove(leading)  # the rows above are all that it says
    said = [f"{f.check}: {_who(f, leading)}{f.message}" for f in shown]
    if len(result.findings) > SAID:
        said.append(f"and {len(result.findings) - SAID} more; --json FILE has them all")
    rows += _row("findings" if len(said) > 1 else "finding", *said)
    rows += _row("cause", cause) if cause else []
    if not math.isnan(result.resolution):
        rows += _row("resolution", f"{result.resolution:.3g}")
    rows += _row("notes" if len(result.notes) > 1 else "note", *result.notes)
    if result.after == UNKNOWN:
        rows += _row("state", "it passes alone: earlier cases of the run left the state for it")
    elif result.after:
        rows += _row(
            "state", "it passes alone: the first of these two cases leaves the state for it"
        )
    ids = [result.after, result.id] if result.after else [result.id]
    rows.append(f"  {'to repeat it':<18}  {asked.command([] if result.after == UNKNOWN else ids)}")
    if asked.named or not asked.candidate:
        rows.append(f"  {'to see it':<18}  {asked.command([result.id], 'show')}")
    return "\n".join(printable(row.rstrip()) for row in rows)


def summary(report: Report) -> str:
    """Who was judged, the counts, the causes; and what was not run, which green must not hide."""
    counts = report.counts
    verdicts = {
        "passed": counts["PASS"],
        "failed": counts["FAIL"],
        "cannot judge": counts["CANNOT JUDGE"],
        "not run": counts["NOT RUN"],
        "errors": counts["errors"],
    }
    lines = [_judged(report)]
    parts = [f"{number(counts['found'], 'case')} found", f"{counts['judged']} judged"]
    parts += [f"{n} {word}" for word, n in verdicts.items() if n or word in ("passed", "failed")]
    parts += [f"{counts['locked']} as locked"] if counts["locked"] and report.ok else []
    lines.append(", ".join(parts) + f" in {report.seconds:.1f} s")
    lines += folded(report.proof) if report.proof else []
    lines += _causes(report)
    lines += apart(report.results)
    lines += _notes(report)
    skipped = sorted(
        (r for r in report.results if r.verdict is Verdict.NOT_RUN),
        key=lambda r: r.findings[0].message,
    )
    for why, group in groupby(skipped, key=lambda r: r.findings[0].message):
        lines.append(f"NOT VERIFIED: {number(len(list(group)), 'case')}: {why}")
    lines += [f"NOT AS LOCKED: {what}" for what in report.unlocked]
    done = f"{len(report.results)} of {counts['found']} cases were judged"
    if report.signal:
        lines.append(f"INTERRUPTED: {done}")
    if report.stopped:
        lines.append(f"STOPPED: {report.stopped}; {done}")
    lost = counts["found"] - len(report.results)
    if lost and not (report.signal or report.stopped):
        lines.append(f"ERROR: {lost} cases were found and have no result: the run lost them")
    if not counts["judged"]:
        lines.append("nothing was judged")
    return "\n".join(map(printable, lines))


def _judged(report: Report) -> str:
    if report.candidate:
        return f"judged: candidate {report.candidate}, beside manual and twin"
    return "judged: manual and twin; your own: verify run --candidate FILE.py:FUNCTION"


def _causes(report: Report) -> Iterator[str]:
    """What is behind the failures, most cases first, each with its smallest case."""
    found = causes(report.results)
    bad = sum(len(cause.results) for cause in found)
    for cause in found[:_CAUSES]:
        share = f"{len(cause.results)} of {bad}" if bad > 1 else "it fails"
        yield from folded(f"  {share}: {cause.text}")
        if len(cause.results) > 1:
            yield f"    the smallest: {cause.smallest.id}"
    if len(found) > _CAUSES:
        yield f"  and {len(found) - _CAUSES} more kinds; --json FILE has them all"
    for remark in remarks(report.results):
        yield from folded(f"  {remark}")


def _notes(report: Report) -> Iterator[str]:
    """What is said of a candidate in cases that passed, and in how many; its numbers at most."""
    told: dict[str, list[str]] = {}
    for note in (n for r in report.results if r.ok for n in r.notes if n.startswith("candidate")):
        told.setdefault(_MEASURE.sub("up to _ bounds", note), []).append(note)
    for notes in told.values():
        most = max(notes, key=lambda note: max(map(float, _MEASURE.findall(note)), default=0.0))
        yield from folded(f"  in {number(len(notes), 'passed case')}: {most}")


_MEASURE = re.compile(r"up to ([\d.e+-]+) bounds(?:, at \w+)?")


def folded(line: str) -> list[str]:
    """A line of prose, in as many as fit the width; what goes on is indented."""
    inner = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False,
        drop_whitespace=True, replace_whitespace=False,
    ) or [line]  # fmt: skip


def worth_showing(report: Report, everything: bool = False) -> tuple[list[tuple[Result, str]], int]:
    """The results that are shown in full, each with its cause; and how many more there are."""
    found = causes(report.results)
    of = {id(r): cause.text for cause in found for r in cause.results}
    bad = [r for r in report.results if id(r) in of]
    first = bad if everything else [cause.smallest for cause in found[:SHOWN]]
    return [(r, of[id(r)]) for r in first], len(bad) - len(first)


def table(report: Report) -> Table:
    """One row a scenario file: its cases, its verdict, and by dtype the case nearest to a bound.

    Beside that case's error over bound stands its own resolution.
    """
    from rich.markup import escape
    from rich.table import Table

    folder = common_folder({result.path for result in report.results})
    made = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0), expand=False,
        title=escape(printable(folder)), title_justify="left", title_style="",
    )  # fmt: skip
    made.add_column("scenario", overflow="fold")
    for name in ("cases", "verdict"):
        made.add_column(name, justify="right" if name == "cases" else "left", no_wrap=True)
    dtypes = (*DTYPES, *(d for d in SIXTEEN if any(r.dtype == d for r in report.results)))
    for dtype in dtypes:
        made.add_column(f"{dtype}\n/bound", justify="right", no_wrap=True)
        made.add_column("\nsees", justify="right", no_wrap=True)
    for path, group in groupby(report.results, key=lambda r: r.path):
        name = path.removeprefix(folder).removesuffix(".toml")
        made.add_row(*_summarised(name, list(group), dtypes))
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


def _summarised(path: str, results: Sequence[Result], dtypes: Sequence[str]) -> Iterator[Any]:
    from rich.markup import escape
    from rich.text import Text

    verdict = min((r.verdict for r in results), key=list(Verdict).index)
    yield escape(printable(path))
    yield str(len(results))
    yield Text(str(verdict), STYLES[verdict])
    for dtype in dtypes:
        worst = _nearest([r for r in results if r.dtype == dtype])
        yield f"{worst.worst.ratio:.3g}" if worst and worst.worst else ""
        yield f"{worst.resolution:.0e}" if worst and not math.isnan(worst.resolution) else ""


def _nearest(results: Sequence[Result]) -> Result | None:
    """The result whose worst figure is nearest to its bound, or farthest beyond it."""
    by_figure = {id(r.worst): r for r in results if r.worst is not None}
    worst = worst_of(r.worst for r in by_figure.values() if r.worst is not None)
    return next((r for r in by_figure.values() if r.worst is worst or r.worst == worst), None)


def _who(finding: Finding, leading: Finding | None) -> str:
    """Whom a finding is about, where that is not who is named above it."""
    above = leading.subject if leading and leading.figure else ""
    return "" if not finding.subject or finding.subject == above else f"{finding.subject}: "


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
    order = (*result.links, "dC_dX")
    return [other for other in order[: order.index(link)] if other in held]


def _row(name: str, *values: str) -> list[str]:
    """A row of each value, named once; what is longer than a line goes on below itself."""
    lines: list[str] = []
    for value in values:
        wide = len(value) > _WIDTH - 22
        lines += textwrap.wrap(value, _WIDTH - 22, break_long_words=False) if wide else [value]
    return [f"  {name if n == 0 else '':<18}  {text}" for n, text in enumerate(lines)]


def _both(value: float) -> str:
    return f"{value!r:<24} {value.hex()}"
