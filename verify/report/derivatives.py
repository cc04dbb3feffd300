"""What a check of a function's derivatives found: a line each, and what is wrong."""

from __future__ import annotations

from pathlib import Path

from verify.errors import printable
from verify.judge.result import Figure, Result
from verify.report.text import folded


def derivatives(result: Result) -> str:
    """A verdict, each derivative with its worst entry, findings and notes; 80 columns.

    Shapes  as Result.
    """
    where = f"{Path(result.path).name}:{result.line}, " if result.path else ""
    lines = [f"{result.verdict}  {result.case}  ({where}{result.dtype})"]
    wide = max((len(f.link) for f in result.figures), default=0)
    lines += [_line(figure, wide) for figure in result.figures]
    for finding in result.findings:
        lines += folded(f"  {finding.check}: {finding.message}")
    for note in result.notes:
        lines += folded(f"  note: {note}")
    return "\n".join(printable(line) for line in lines)


def _line(figure: Figure, wide: int) -> str:
    """How near a derivative comes to its bound; of one beyond it, what was found there."""
    told = f"  {figure.link:<{wide}}  error/bound {figure.ratio:<8.3g}"
    if figure.holds:
        sees = figure.bound / abs(figure.truth) if figure.truth else float("inf")
        return f"{told}  sees {sees:.1e} of the worst entry"
    entry = f"at {list(figure.entry)}: " if figure.entry else ""
    return f"{told}  {entry}found {figure.found:.6g}, right {figure.truth:.6g}"
