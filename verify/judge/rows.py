"""Where the rows of a part, or of a batch of some rows, are among all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from verify.errors import number
from verify.judge.compare import Reference
from verify.judge.result import Figure, Finding
from verify.network.problem import Problem


def among_all(figure: Figure, rows: int | Sequence[int], problem: Problem) -> Figure:
    """The figure of a part, or of some rows, with its entry among all."""
    if "N" not in problem.network.axes(figure.link):
        return figure
    n, *rest = figure.entry
    return replace(figure, entry=(rows + n if isinstance(rows, int) else rows[n], *rest))


def in_rows(finding: Finding, first: int, problem: Problem) -> Finding:
    """The finding of a part, with where its rows are among all."""
    figure = finding.figure and among_all(finding.figure, first, problem)
    where = f"{finding.message}, in rows {first} to {first + len(problem.X) - 1}"
    return replace(finding, message=where, figure=figure)


def of_some_rows(finding: Finding, ref: Reference) -> Finding:
    """The finding of a batch of some rows, with which these are."""
    figure = finding.figure and among_all(finding.figure, ref.rows, ref.problem)
    return replace(finding, message=f"{finding.message}, {in_a_batch(ref)}", figure=figure)


def in_a_batch(ref: Reference) -> str:
    """Which rows the truth judges, where it cannot judge all."""
    listed = ", ".join(map(str, ref.rows[:3])) + ", ..." * (len(ref.rows) > 3)
    return f"in a batch of {number(len(ref.rows), 'row')}: {listed}"
