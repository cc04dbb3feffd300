"""Likenesses of a wrong answer: the right one or a planted fault's, times a factor.

A likeness is found on one case and says nothing yet: it may be a coincidence of its sizes. Only one
that holds in every failing case of a run names a cause (see causes).

Of 16 bits a link may be like what it is when its sums accumulate in 16 bits, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from verify.faults.networks import NETWORK_FAULTS, planted
from verify.faults.table import FAULTS
from verify.judge.compare import Reference
from verify.judge.result import Likeness
from verify.network import manual
from verify.network.local import local
from verify.network.problem import LINKS, Chain, Problem
from verify.network.step import on as step_on
from verify.numbers.dtypes import SIXTEEN
from verify.numbers.narrow import Narrow
from verify.numbers.rounding import MODELS

_WORK = 2**21  # N D K up to which a wrong answer is held against every planted fault
_SMALL = 2**14  # the same of a network, whose faults are planted at every layer
_OF_A_SUM = 0.25  # of a sum's error that may be left unexplained: its operands are not known
RIGHT = ""  # the name of the right chain among those of the faults
ACCUMULATED = "accumulated-in-16-bits"  # the name of sums that round on the way, no planted fault


class _Tolerance(NamedTuple):
    """Up to where numbers are the same: of a gradient, a factor and a size; a factor and 1; and the
    share of the error that may be left unexplained."""

    gradient: float
    word: float
    one: float
    share: float


_TOLERANCE = _Tolerance(1e-4, 2.0**-10, 2.0**-20, 0.01)


def _tolerance(problem: Problem) -> _Tolerance:
    """Of 16 bits right answers differ by several roundings."""
    if str(problem.dtype) not in SIXTEEN:
        return _TOLERANCE
    some = 16 * MODELS[str(problem.dtype)].u
    return _Tolerance(some, some, some, 0.1)


def likenesses(chain: Chain, ref: Reference, broken: str = "") -> tuple[Likeness, ...] | None:
    """All that the first wrong link of a chain is like, what is nearest to its links first.

    That is the first that is far off the right one from X on; else the line that is `broken`. None
    where nothing is compared: the link is not finite, or the problem too large.

    Shapes  as Chain.
    """
    problem, given = ref.problem, dict(chain)
    with np.errstate(all="ignore"):
        right = dict(manual.stable(problem))
        link = _first_wrong(given, right, ref) or (broken if broken in given else None)
        if link is None or not np.isfinite(given[link]).all():
            return None
        off = np.abs(np.float64(given[link]) - right[link])
        held = _Held(given, right, link, off, problem)
        found = list(_accumulated(held))
        found += _of(RIGHT, right, held)
        if not problem.of_post:
            found += _of_a_network(held) if problem.work <= _SMALL else ()
            return tuple(found) or None
        if problem.work > _WORK:
            return tuple(found) or None
        of_post = [name for name, fault in FAULTS.items() if fault.formula and fault.visible]
        for name in sorted(of_post, key=lambda name: _distance(FAULTS[name].link, given)):
            found += _of(name, _answer(name, problem), held)
    return tuple(found)


def _accumulated(held: _Held) -> Iterator[Likeness]:
    """That the link is what its own line gives where sums accumulate in 16 bits."""
    problem, link = held.problem, held.link
    dtype, step = str(problem.dtype), next(s for s in problem.network.steps if s.name == link)
    if dtype not in SIXTEEN or problem.work > _WORK:
        return
    known = {**problem.numbers, **held.right, **held.given}
    off = np.abs(np.float64(held.given[link]) - local(problem, Chain(**held.given))[link].value)
    for form, products in itertools.product(step.forms, (False, True)):
        of = {name: Narrow(known[name], dtype, products) for name in form.of}
        made = step_on(form, of)
        rest = np.abs(np.float64(held.given[link]) - made.numbers)
        if rest.max() <= _OF_A_SUM * off.max():
            yield Likeness(ACCUMULATED, "1", link)
            return


def _of_a_network(held: _Held) -> Iterator[Likeness]:
    """The faults of any network that the link is like: its own first, then those nearest before."""
    order, problem = held.problem.network.links, held.problem
    right = Chain(**held.right)
    places = [
        made
        for fault in NETWORK_FAULTS.values()
        if fault.visible and not fault.kept
        for made in planted(fault, problem, right)
        if made.link in order[: order.index(held.link) + 1]
    ]
    for made in sorted(places, key=lambda made: -order.index(made.link)):
        try:
            answer = made(problem)
        except (ValueError, IndexError):  # of a wrong shape
            continue
        of_shape = {n: a for n, a in answer.items() if np.shape(a) == problem.shape(n)}
        yield from _of(made.fault.name, of_shape, held)


class _Held(NamedTuple):
    """A wrong answer: its links, the right ones, the first that is wrong and how far it is off."""

    given: Mapping[str, Any]
    right: Mapping[str, Any]
    link: str
    off: Any
    problem: Problem


def _distance(link: str, given: Mapping[str, Any]) -> tuple[bool, int]:
    """Faults of a link that is given come first, then those nearest to the end of the chain."""
    return link not in given, -LINKS.index(link)


def _first_wrong(given: Mapping[str, Any], right: Mapping[str, Any], ref: Reference) -> str | None:
    """The first link that has its shape and is beyond twice its bound of manual's."""
    for link in (link for link in ref.problem.network.links if link in right):
        value = given.get(link)
        if value is None or np.shape(value) != ref.problem.shape(link):
            continue
        limit = ref.bounds.wider[link]
        if not (np.abs(np.float64(value) - right[link]) <= 2 * limit).all():
            return link
    return None


def _answer(name: str, problem: Problem) -> Mapping[str, Any]:
    """What a planted fault gives; nothing where it raises, as by a wrong shape."""
    copies = problem.X.copy(), problem.W.copy(), problem.P.copy()
    try:
        found = FAULTS[name].make()(*copies, problem.h)
    except (ValueError, IndexError):
        return {}
    return {link: value for link, value in found.items() if np.shape(value) == problem.shape(link)}


def _of(name: str, made: Mapping[str, Any], held: _Held) -> Iterator[Likeness]:
    """By which factors the link is the one that was made, and what dC_dW is then."""
    link, problem = held.link, held.problem
    if link not in made:
        return
    found, like = (np.asarray(a[link], np.float64) for a in (held.given, made))
    if name != RIGHT and _same(found, like, held.off, problem):
        later = _later(held, made, 1.0)
        if later:
            yield Likeness(name, "1", link, later)
            ones = [word for word, value in _words(problem).items() if value == 1]
            yield from (Likeness(name, word, link, later) for word in ones)
        return
    if not like.any() or not like.ndim:
        return
    near = _tolerance(problem)
    at = np.unravel_index(np.argmax(np.abs(like)), like.shape)
    factor = float(found[at] / like[at])
    if not _same(found, factor * like, held.off, problem) or abs(factor - 1) <= near.one:
        return
    later = _later(held, made, factor)
    if later:
        for word, value in _words(problem).items():
            meant = abs(factor - value) <= near.word * abs(value) and value != 1
            if meant and _same(found, value * like, held.off, problem):
                yield Likeness(name, word, link, later)
        if name == RIGHT:
            yield Likeness(name, f"{factor:.5g}", link, later)


def _same(found: Any, like: Any, off: Any, problem: Problem) -> bool:
    """Within rounding on the whole, and so near that hardly any of the error is left."""
    N, D, _ = problem.sizes.values()
    m, share = MODELS[str(problem.dtype)], _tolerance(problem).share
    rounding = 16 * m.u if m.sums else min(1e-3, 64 * (N + D + 8) * 2 * m.u)
    rest, size = np.abs(found - like), np.max(np.abs(like), initial=0.0)
    return bool((rest <= rounding * max(size, 1e-300)).all() and rest.max() <= share * off.max())


def _later(held: _Held, made: Mapping[str, Any], factor: float) -> str:
    """What becomes of the gradient: the "same" factor, or "right"; empty where it is neither."""
    g = held.given.get("dC_dW")
    if g is None or held.link in ("dC_dW", "W_next") or np.shape(g) != held.right["dC_dW"].shape:
        return "same"
    near = _tolerance(held.problem).gradient
    if "dC_dW" in made and _alike(g, factor * np.float64(made["dC_dW"]), near):
        return "same"
    return "right" if _alike(g, held.right["dC_dW"], near) else ""


def _alike(one: Any, other: Any, near: float) -> bool:
    one, other = np.float64(one), np.float64(other)
    return bool((np.abs(one - other) <= near * np.max(np.abs(other), initial=0.0)).all())


def _words(problem: Problem) -> dict[str, float]:
    """What a factor may be by the sizes of the problem."""
    sizes = {name: float(size) for name, size in problem.sizes.items()}
    N, K = sizes["N"], sizes["K"]
    words = {"0": 0.0, "-1": -1.0, "2": 2.0, "1/2": 0.5, "h": float(problem.h),
             "N K": N * K, "1/(N K)": 1 / (N * K), "2/N": 2 / N, "N/K": N / K, "2 N": 2 * N,
             "N/2": N / 2, "1/(2 N)": 1 / (2 * N), "2/K": 2 / K, "1/(2 K)": 1 / (2 * K),
             "2/(N K)": 2 / (N * K)}  # fmt: skip
    for name, size in sizes.items():
        words |= {name: size, f"1/{name}": 1 / size, f"-{name}": -size, f"-1/{name}": -1 / size}
    return words
