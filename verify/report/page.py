"""Results -> one page to look at: a file that needs no network, and hardly a script."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from verify import files
from verify.errors import printable
from verify.judge.asked import Asked
from verify.judge.result import Figure, Report, Result, Verdict, worst_of
from verify.numbers.rounding import MODELS
from verify.report import plots
from verify.report.read import Matrix
from verify.report.text import SAID, block, common_folder, summary

# Upper ends of error / bound, and a colour for each: cividis up to the bound, then vermillion,
# which a sign repeats for whoever does not see it. The last three have no ratio.
_ENDS = (0.01, 0.1, 0.18, 0.32, 0.56, 1.0, math.inf)
_COLOURS = ("#fee838", "#d9c55c", "#a69d75", "#7c7b78", "#51576b", "#00224e", "#d55e00",
            "#d55e00", "#888888", "#cccccc")  # fmt: skip
_SIGNS = ("", "", "", "", "", "", "✕", "!", "?", "-")
_LEGEND = ("≤ 0.01", "≤ 0.1", "≤ 0.18", "≤ 0.32", "≤ 0.56", "≤ 1: the bound", "beyond its bound",
           "failed otherwise", "cannot judge", "not run")  # fmt: skip
_WITHOUT_RATIO = {Verdict.ERROR: 7, Verdict.FAIL: 7, Verdict.CANNOT_JUDGE: 8, Verdict.NOT_RUN: 9}

_FILTERS = {"t": "dtype", "e": "device", "v": "verdict"}
_CURVES = 2**19  # bytes of a page that may go to curves of the loss
_FULL = 2**11  # figures of cases that are not green, up to which these are shown in full


@dataclass(frozen=True)
class _Shown:
    """A case as the template reads it."""

    n: int
    id: str
    verdict: str
    red: bool
    heat: int
    label: str
    classes: str
    facts: str
    text: str
    figures: Sequence[Figure]
    lines: Sequence[str]
    repeat: str
    curve: Markup | None


def destination_of(name: str) -> Path:
    """Where the page is to be written, before anything is judged for it.

    Raises  UsageError where it cannot be drawn or has no folder to lie in.
    """
    plots.require_matplotlib()
    return files.destination(name)


def page(report: Report, command: str = "", matrix: Matrix | None = None) -> str:
    """The whole page; the same text for the same arguments.

    `matrix` is what `verify faults --json` found.
    """
    text = resources.files("verify.report").joinpath("page.html").read_text(encoding="utf-8")
    html = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=_plain,
    )  # fmt: skip
    html.filters["short"] = lambda number: f"{number:.3g}"
    filters = {name: _values(report.results, kind) for name, kind in _FILTERS.items()}
    cases = _cases(report, filters)
    folder = common_folder({result.path for result in report.results})
    return html.from_string(text).render(
        word=_word(report),
        summary=summary(report),
        faults=[str(fault) for fault in report.faults],
        command=command,
        environment=report.environment,
        filters=filters,
        titles=_FILTERS,
        colours=_COLOURS,
        glyphs=_SIGNS,
        legend=_LEGEND,
        folder=folder,
        rows=[(path.removeprefix(folder), list(group)) for path, group in _by_path(report, cases)],
        cases=cases,
        pictures=_pictures(report.results) if cases else {},
        matrix=matrix and _planted(matrix),
    )


def _plain(value: Any) -> Any:
    """What the template shows, without anything that a reader could not see."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(map(printable, value.split("\n")))


def _word(report: Report) -> str:
    """The verdict of a run."""
    words = {0: "PASS", 1: "FAIL", 2: "MALFORMED FILES", 3: "ERROR", 5: "NOTHING WAS JUDGED"}
    return words.get(report.exit_code, "INTERRUPTED")


def _values(results: Sequence[Result], kind: str) -> list[str]:
    return sorted({str(getattr(result, kind)) for result in results})


def _by_path(report: Report, cases: Sequence[_Shown]) -> Iterator[tuple[str, Iterator[_Shown]]]:
    pairs = zip(report.results, cases, strict=True)
    for path, group in groupby(pairs, key=lambda pair: pair[0].path):
        yield path, (case for _, case in group)


def _cases(report: Report, filters: Mapping[str, Sequence[str]]) -> list[_Shown]:
    """Every case; while there is room with a curve and, if it is not green, with every figure."""
    curves: dict[int, Markup] = {}
    room = _CURVES
    several = [n for n, result in enumerate(report.results) if len(result.steps) > 1]
    for n in sorted(several, key=lambda n: report.results[n].ok):
        if room > 0:
            curves[n] = _curve(report.results[n], n)
            room -= len(curves[n])
    listed = accumulate(0 if r.ok else len(r.figures) for r in report.results)
    return [
        _shown(n, result, report.asked, filters, curves.get(n), in_full=so_far <= _FULL)
        for n, (result, so_far) in enumerate(zip(report.results, listed, strict=True))
    ]


def _shown(
    n: int, result: Result, asked: Asked, filters: Mapping[str, Sequence[str]],
    curve: Markup | None, *, in_full: bool,
) -> _Shown:  # fmt: skip
    red = not result.ok and result.verdict is not Verdict.NOT_RUN
    in_full = in_full and red
    classes = (f"{name}{values.index(str(getattr(result, _FILTERS[name])))}"
               for name, values in filters.items())  # fmt: skip
    worst = result.worst
    told = f"error/bound {worst.ratio:.3g} at {worst.link}" if worst else "no figure"
    return _Shown(
        n,
        result.id,
        str(result.verdict),
        red,
        _heat(result),
        f"{result.verdict} {result.case}: {told}",
        " ".join(classes),
        _facts(result),
        block(result, asked) if in_full else "",
        list(result.figures) if in_full else _worst(result),
        list(_lines(result, curve is None, in_full)),
        asked.command([result.id]),
        curve,
    )


def _heat(result: Result) -> int:
    """The place of a result's colour: what is beyond its bound, then what failed otherwise."""
    worst = result.worst
    if worst is not None and not worst.holds:
        return len(_ENDS) - 1
    if result.verdict in _WITHOUT_RATIO:
        return _WITHOUT_RATIO[result.verdict]
    return bisect_left(_ENDS, worst.ratio) if worst else 0


def _facts(result: Result) -> str:
    facts = {
        "dtype": result.dtype,
        "device": result.device,
        "layout of X": result.layout,
        "N D K": f"{result.work:,}" if result.work else "",
        "resolution": f"{result.resolution:.3g}" if not math.isnan(result.resolution) else "",
        "ms": f"{1000 * result.seconds:.1f}",
        "SHA-256 of the file": result.digest[:12],
        "twin": result.twin,
        "network": result.network,
    }
    return f"{result.path}:{result.line}; " + ", ".join(f"{k} {v}" for k, v in facts.items() if v)


def _worst(result: Result) -> list[Figure]:
    """The worst of each link: of the candidate if it was judged, and before those of agreement."""
    judged = [f for f in result.figures if f.subject.startswith("candidate ")] or result.figures
    against_truth = [f for f in judged if " against " not in f.subject]
    worst = (
        worst_of(f for f in against_truth or judged if f.link == link) for link in result.links
    )
    return [f for f in worst if f is not None]


def _lines(result: Result, in_words: bool, in_full: bool) -> Iterator[str]:
    """What there is to say in words, besides a curve and the full text of what is not green."""
    if not math.isnan(result.loss_before):
        yield f"C {result.loss_before:.6g} before, {result.loss_after:.6g} after"
    if result.steps and in_words:
        last = result.steps[-1]
        allowed = (
            f"; convexity and smoothness allow {last.lowest:.10g} to {last.highest:.10g}"
            if math.isfinite(last.lowest) else ""
        )  # fmt: skip
        yield f"step {last.step} of C from {last.before:.10g} to {last.after:.10g}{allowed}"
    if not in_full:
        yield from (finding.message for finding in result.findings[:SAID])
        yield from result.notes


def _curve(result: Result, n: int) -> Markup:
    parts = plots.over_steps(result)
    return Markup(plots.inline(parts, f"c{n}", (5, 1.6 * len(parts))))


def _pictures(results: Sequence[Result]) -> dict[str, Markup]:
    """The two that are of all cases, with their captions."""
    judged = [r for r in results if r.figures]
    parts = {
        "The distribution of errors: the worst of each link of each case, in ulps": plots.ulps,
        "The resolution: which relative error of one gradient entry would be noticed":
            plots.resolution,
    }  # fmt: skip
    return {
        caption: Markup(plots.inline([partial(part, results=judged)], part.__name__))
        for caption, part in parts.items()
        if any(r.dtype in MODELS for r in judged)
    }


def _planted(matrix: Matrix) -> dict[str, Any]:
    total = len(matrix.kinds)
    rows = [
        {"name": name, "link": fault.link, "mistake": fault.mistake,
         "count": f"{len(fault.killed_by)}/{total}", "by": sorted(fault.killed_by.items()),
         "survives": fault.visible and not fault.killed_by}
        for name, fault in matrix.faults.items()
    ]  # fmt: skip
    caught = sum(bool(fault.killed_by) for fault in matrix.faults.values())
    return {"files": total, "caught": caught, "faults": rows}
