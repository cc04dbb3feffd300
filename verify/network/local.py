"""The bound of every link that somebody gives, from the links that are given before it.

Local judging says that a line does what it says at the operands that it had, whatever became of
those before; so it fades with no depth, and names every line that is wrong and none that inherits.
Each of a link's forms is evaluated at the given links, and the entry may come from any. A link that
is not given is computed from those that are, with its error; one that is given may have been
rounded from what the next line was computed with, as where a program works in more precision than
it returns: it counts as off by one rounding.

A value here is a float64 evaluation, which errs in float64 as a right answer may: in the dtype by
the bound, in float64 by the bound's share of the two roundings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from verify.network.composed import given
from verify.network.problem import Problem
from verify.network.step import Step, on
from verify.numbers.bounded import Bounded
from verify.numbers.rounding import MODELS, Array, Float64, Model


class Local(NamedTuple):
    """What a link is by the links before it, and how far a right answer may be off.

    An infinite bound judges nothing: no form holds there.

    Shapes  those of the link.
    """

    value: Float64
    bound: Float64


def local(
    problem: Problem, chain: Mapping[str, Any], numbers: Mapping[str, Bounded] | None = None
) -> dict[str, Local]:
    """Every link of a chain that has its shape, held against a form that it is within, or nearest.

    `numbers` are those of the problem, where they are bounded already.

    Shapes  as Problem.shape.
    """
    m = MODELS[str(problem.dtype)]
    known: dict[str, Bounded] = dict(numbers or given(problem, m))
    found = {}
    with np.errstate(all="ignore"):
        for step in problem.network.every_step:
            link = chain.get(step.name)
            if link is None or np.shape(link) != problem.shape(step.name):
                known[step.name] = step.bounded("wider", known)
                continue
            found[step.name] = _nearest(step, known, np.asarray(link, np.float64), m)
            known[step.name] = _as_given(link, m)
    return found


def _as_given(link: Array, m: Model) -> Bounded:
    size = np.abs(np.asarray(link, np.float64))
    return Bounded(m, link, np.where(size > 0, m.u * size + m.lost, 0.0))


def _nearest(step: Step, known: Mapping[str, Bounded], link: Float64, m: Model) -> Local:
    """Entry by entry the form that the link is nearest to, up to where all are within theirs."""
    value, bound = np.full(link.shape, np.nan), np.full(link.shape, np.inf)
    least = np.full(link.shape, np.inf)
    inherited = np.zeros(link.shape, bool)  # from what is no number nothing follows
    for form in step.forms:
        made = on(form, known)
        limit = made.bound() * (1 + MODELS["float64"].u / m.u)
        off = np.abs(link - made.value)
        ratio = np.where(off == 0, 0.0, off / limit)
        if not all(np.isfinite(known[name].value).all() for name in form.of):
            inherited |= ~np.isfinite(made.value)
        nearer = np.isfinite(limit) & ((ratio < least) | np.isinf(bound))
        value, bound = np.where(nearer, made.value, value), np.where(nearer, limit, bound)
        least = np.where(nearer, ratio, least)
        if (inherited | (least <= 1)).all():
            break
    return Local(value, np.where(inherited, np.inf, bound))
