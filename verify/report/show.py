"""The post's walk on one case: link by link, manual, twin and truth beside each other, in lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.candidate.candidate import Candidate
from verify.errors import UsageError, printable
from verify.judge import compare
from verify.judge.asked import Asked
from verify.judge.result import Figure, Result
from verify.judge.rows import in_a_batch
from verify.judge.runner import judged
from verify.judge.sides import both_sides
from verify.network.network import POST
from verify.network.problem import Chain, Problem
from verify.network.truth import Enclosure
from verify.network.twin import one_thread
from verify.report.formulas import drawing, formulas
from verify.scenario.cases import Case

_WHAT = {
    "X": "inputs", "W": "weights", "b": "bias", "P": "labels", "G": "upstream gradient",
    "gamma": "of the norm", "beta": "of the norm", **dict.fromkeys("mv", "kept by the update"),
}  # fmt: skip
_LISTED = 12  # entries of a link that are listed one by one
_TERMS = 4  # rows up to which the element-wise sums are written out
_STEPS = 6  # of a training, that are shown
_WIDEST = 100  # characters of a line


@dataclass(frozen=True, eq=False)
class Walk:
    """One case with what each side computed in its first step, by the side's short name.

    Shapes  of the chains: Problem.shape; `exact` is empty where the truth judges only some rows.
    """

    case: Case
    problem: Problem
    result: Result
    form: str
    chains: Mapping[str, Chain]
    names: Mapping[str, str]
    exact: Mapping[str, Enclosure]
    sampled: str


def walk(case: Case, asked: Asked, candidate: Candidate | None = None) -> Walk:
    """Judge a case and keep every link of its first step, in the form of the post where it holds.

    Raises  UsageError for a case that is judged by blocks of rows; EnvironmentUnfit.
    """
    if case.large:
        raise UsageError(
            f"{printable(case.id)} is judged by blocks of rows and too large to be shown; verify"
            " run judges it"
        )
    with one_thread(), np.errstate(all="ignore"):
        made, problem = judged(case, asked, candidate), case.batches[0]
        first = made.first
        given = dict(first.given) if first else {}
        # Where it is not run, as without such a device, what manual says is shown all the same.
        ref = first.ref if first and first.kept else compare.reference(problem, asked.work)
        post = ref.bounds.post_holds and case.expect.post_form != "nonfinite"
        form = "post" if post else "stable"
        sides = both_sides(form, case.device, asked.twin, case.network)
        if not given:
            given[sides[0].name] = compare.evaluate(sides[0], problem)[0]
    names = dict(zip(("manual", "twin"), (side.name for side in sides), strict=True))
    chains = {side: given.get(name, Chain()) for side, name in names.items()}
    if candidate is not None:
        names["candidate"] = f"candidate {candidate.name}"
        chains["candidate"] = made.chain or Chain()
    exact = dict(ref.truth.chain) if ref.truth else {}
    some = f"the truth judges {in_a_batch(ref)}" if ref.sample else ""
    return Walk(case, problem, made.result, form, chains, names, exact, some)


def text(seen: Walk) -> str:
    """The walk, to be read from the first line to the last."""
    return "\n".join(line.rstrip() for line in _lines(seen))


def _lines(seen: Walk) -> Iterator[str]:
    yield from _head(seen)
    for link, (formula, meaning) in formulas(seen.problem.network, seen.form).items():
        shape = f" {seen.problem.shape(link)}" if seen.problem.shape(link) else ""
        told = f"{formula:<39} {meaning}{shape}"
        yield from [told] if len(told) <= _WIDEST else [formula, f"    {meaning}{shape}"]
        yield from _link(seen, link)
        yield ""
    yield from _element_wise(seen)
    yield from _steps(seen.result)


def _head(seen: Walk) -> Iterator[str]:
    origin, problem = seen.case.origin, seen.problem
    yield printable(seen.case.id)
    yield from (printable(text) for text in (origin.title, origin.source) if text)
    yield ""
    sizes = ", ".join(f"{axis} = {size}" for axis, size in problem.sizes.items())
    step = f", h = {problem.h!s}" * problem.network.trains
    form = seen.form if problem.network == POST else {"post": "literal"}.get(seen.form, seen.form)
    yield f"{sizes}{step}, {problem.dtype}, {form} form"
    if len(seen.case.batches) > 1:
        yield f"the first of {len(seen.case.batches)} batches"
    if seen.sampled:
        yield seen.sampled
    if problem.network != POST:
        yield ""
        yield from (f"    {line}" for line in drawing(problem))
    for name, array in problem.arrays.items():
        if name in problem.state and not np.any(array):
            continue
        yield ""
        yield f"{name:<40}{_WHAT[name.rstrip('0123456789')]} {array.shape}"
        yield from _matrix(array)
    yield ""


def _matrix(array: Any) -> Iterator[str]:
    made = np.array2string(
        np.asarray(array), precision=6, threshold=48, edgeitems=3, max_line_width=_WIDEST
    )
    yield from (f"    {row}" for row in made.split("\n"))


def _link(seen: Walk, link: str) -> Iterator[str]:
    """A link's entries, or its matrix and its worst entries; and how near each side is."""
    figures = {side: _figure(seen, name, link) for side, name in seen.names.items()}
    shape = seen.problem.shape(link)
    if math.prod(shape) <= _LISTED:
        entries = list(np.ndindex(shape))
    else:
        first = seen.chains["manual"].get(link)
        yield from _matrix("not reached" if first is None else first)
        entries = sorted({figure.entry for figure in figures.values() if figure})
    yield from _rows(seen, link, entries)
    told = (
        f"{side} {figure.ratio:.3g}" + f" at {list(figure.entry)}" * bool(shape)
        for side, figure in figures.items()
        if figure
    )
    near = ", ".join(told)
    if near:
        yield f"    error / bound (limit 1): {near}"


def _figure(seen: Walk, subject: str, link: str) -> Figure | None:
    return next((f for f in seen.result.figures if (f.subject, f.link) == (subject, link)), None)


def _rows(seen: Walk, link: str, entries: Sequence[tuple[int, ...]]) -> Iterator[str]:
    """A row an entry: the value of each side that gives the link, and the truth."""
    given = {side: chain.get(link) for side, chain in seen.chains.items()}
    sides = {side: value for side, value in given.items() if value is not None}
    table = [["", *sides, "truth"]]
    for entry in entries:
        values = (_value(value, entry, seen.problem.shape(link)) for value in sides.values())
        table.append([str(list(entry)) if entry else "", *values, _exact(seen, link, entry)])
    widths = [max(map(len, column)) + 2 for column in zip(*table, strict=True)]
    for row in table if entries else ():
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "    " + "".join(cells).rstrip()


def _value(array: Any, entry: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """In the fewest digits that are this number in its dtype."""
    found = np.shape(array)
    return str(np.asarray(array)[entry]) if found == shape else f"of shape {found}"


def _exact(seen: Walk, link: str, entry: tuple[int, ...]) -> str:
    """The float64 nearest to the truth, where it judges all rows."""
    return str(np.asarray(seen.exact[link].hi)[entry]) if link in seen.exact else "-"


def _element_wise(seen: Walk) -> Iterator[str]:
    """The chain rule as the post writes it, each entry of the gradient of a small case."""
    N, D, K = seen.problem.sizes.values()
    chain, X = seen.chains["manual"], seen.problem.X
    if seen.problem.network != POST or N > _TERMS or D * K > _LISTED or seen.form != "post":
        return
    links = ("dC_dy_o", "dy_o_dy", "dC_dW")
    if any(np.shape(getattr(chain, link)) != seen.problem.shape(link) for link in links):
        return
    yield "dC/dw_dk = sum_n dC/dy_o_nk dy_o_nk/dy_nk dy_nk/dw_dk, with dy_nk/dw_dk = x_nd"
    for d, k in np.ndindex(D, K):
        factors = ((chain.dC_dy_o[n, k], chain.dy_o_dy[n, k], X[n, d]) for n in range(N))
        products = ("".join(f"({factor:.6g})" for factor in term) for term in factors)
        yield f"    dC/dw_{d}{k} = {' + '.join(products)} = {chain.dC_dW[d, k]:.6g}"
    yield ""


def _steps(result: Result) -> Iterator[str]:
    """Where the cost went, and where it might have gone."""
    if math.isnan(result.loss_before):
        return
    yield f"C of all rows: {result.loss_before!r} before, {result.loss_after!r} after"
    steps = result.steps
    shown = steps if len(steps) <= _STEPS else (*steps[: _STEPS - 1], steps[-1])
    bounded = any(math.isfinite(s.lowest) for s in steps)
    if shown and not bounded:
        yield "C of a step's own batch:"
    if shown and bounded:
        yield "a step changes C as far as convexity and smoothness allow:"
    for s in shown:
        yield (
            f"    step {s.step:<6} {s.before:<14.8g} to {s.after:<14.8g}"
            + f" allowed {s.lowest:.8g} to {s.highest:.8g}" * bounded
        ).rstrip()
