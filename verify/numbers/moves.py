"""How the errors of inputs become the errors of a result, and how its own rounding joins them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from verify.numbers.rounding import Float64, Model

if TYPE_CHECKING:
    from verify.numbers.bounded import Bounded

Partial: TypeAlias = Callable[[Float64], Any]  # the error of an input -> how far the result moves


def plus(*errors: Any) -> Any:
    """The sum of what is not None; None where nothing is left.

    Shapes  those that broadcast.
    """
    total = None
    for error in errors:
        if error is not None:
            total = error if total is None else total + error
    return total


def moved(*moves: tuple[Bounded, Partial]) -> tuple[Any, Any]:
    """(inherited, own) of a result, from those of its inputs.

    Shapes  those of the result.
    """
    inherited = own = None
    for a, move in moves:
        if a.inherited is not None:
            inherited = plus(inherited, move(a.inherited))
        if a.own is not None:
            own = plus(own, move(a.own))
    return inherited, own


def exact(value: Any, *moves: tuple[Bounded, Partial]) -> Bounded:
    """The result of an operation that does not round.

    Shapes  those of value.
    """
    return moves[0][0].of(value, *moved(*moves))


def rounded(
    value: Any, *moves: tuple[Bounded, Partial], k: float = 1, zero: Sequence[Bounded] = ()
) -> Bounded:
    """The result of an operation that rounds by k u of what is computed, op(x^).

    |op(x^)| is within 2 errors of |value|; k u times these is of second order, and `settled` makes
    up for it, but of 16 bits, where it is taken at once. Where one of `zero` is exactly 0 so is the
    result.

    Shapes  those of value.
    Source  Higham, 2.2.
    """
    inherited, own = moved(*moves)
    a = moves[0][0]
    found = a.of(value, inherited)
    found.own = with_roundings(a.model, own, k, found.magnitude, a.model.lost, found)
    if zero and not found.magnitude.all():
        exactly = np.logical_or.reduce([np.broadcast_to(n.most == 0, found.shape) for n in zero])
        found.own = np.where(exactly & np.isfinite(value), 0.0, found.own)
    return found


def with_roundings(
    m: Model, own: Any, k: float, size: Any, lost: Any, result: Bounded | None = None
) -> Any:
    """own, with k u of a size, and what is lost where the least result underflows; infinite where
    a result may come near the largest number of the dtype.

    Shapes  those of size.
    Units   k in u; lost and size absolute.
    """
    unit = k * m.u
    most = size if m.sums is None or result is None else computed(size, result.inherited, own)
    rounding = unit * most
    if result is None:
        rounding = rounding + lost
    elif not size.min(initial=np.inf) >= m.tiny / m.u:
        error = plus(result.inherited, own)
        least = size if error is None else size - 4 * error
        lost = np.where(least >= m.tiny, 0.0, lost)
        # By a power of two nothing is rounded but what underflows, and 0 does not.
        rounding = rounding + (lost if unit else np.where(computed(size, error) > 0, lost, 0.0))
    own = rounding if own is None else own + rounding
    if m.sums is not None:
        return np.where(most < m.largest / 2, own, np.inf)
    if unit and not own.max(initial=0) < unit * m.largest / 64:
        own = np.where(own < unit * m.largest / 64, own, np.inf)
    if result is not None and result.inherited is not None:
        far = m.largest / 64
        if not result.inherited.max(initial=0) < far:
            own = np.where(result.inherited < far, own, np.inf)
    return own


def computed(size: Any, *errors: Any) -> Any:
    """What is computed for a number of a size and with some errors, at most.

    Shapes  those of size.
    """
    error = plus(*errors)
    return size if error is None else size + 2 * error


def same(e: Any) -> Any:
    """A movement by as much as the input's own error.

    Shapes  any; the same.
    """
    return e
