"""One derivative of a function, held against the exact one: its floats, entry by entry.

A float entry may be off by what the chain rule through the function, as people apply it, may be; or
by what the steps of the program itself may be, as long as these keep half of the digits, or lose no
more than 2^10 times what the chain rule does. Where neither is known, as where floats overflow on
the way, half of the digits must be right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.candidate.exact import Exact
from verify.judge import exactly
from verify.judge.result import Figure, Finding, Verdict
from verify.numbers.rounding import MODELS

_KEEPS = 2.0**10  # times the chain rule's error that steps of another order may have
_THAN = "the derivative of forward"
_UNKNOWN = 4.0  # times the chain rule's error, where the program's own steps cannot be followed


@dataclass(frozen=True, eq=False)
class Right:
    """The exact derivative; on both sides of a kink, where there is one."""

    sides: tuple[Exact, ...]

    @property
    def first(self) -> Exact:
        return self.sides[0]

    def off(self, found: Any) -> Any:
        """How far numbers are from what is right: between the sides of a kink all is.

        Shapes  those of the derivative.
        """
        offs = [side.off(found) for side in self.sides]
        low, high = self._ends()
        between = (low < found) & (found < high)
        return np.where(between, 0.0, np.minimum.reduce(offs))

    def nearest(self, own: Exact) -> Exact:
        """What is right and nearest to an exact run: between the sides of a kink, itself.

        Shapes  those of the derivative.
        """
        first = self.first
        low, high = self._ends()
        one = low == high
        hi = np.where(one, first.hi, np.clip(own.hi, low, high))
        return Exact(hi, np.where(one, first.lo, own.lo), first.rad, first.error)

    def _ends(self) -> tuple[Any, Any]:
        sides = [side.hi for side in self.sides]
        return np.min(sides, axis=0), np.max(sides, axis=0)

    def parts_ways(self, found: Any, limit: Any) -> str:
        """Along which axes sums that all sides of a kink agree on are others; empty where none.

        The gradients at a kink are mixtures of those of its sides, in all entries together.

        Shapes  those of the derivative.
        """
        for axis in (None, *range(np.ndim(found))) if len(self.sides) > 1 else ():
            sums = [side.hi.sum(axis=axis) for side in self.sides]
            size = np.abs(self.first.hi).sum(axis=axis)
            agree = np.ptp(sums, axis=0) <= 2.0**-40 * size
            off = np.abs(np.sum(found, axis=axis, dtype=np.float64) - sums[0])
            if (agree & (off > np.sum(limit, axis=axis) + 2.0**-40 * size)).any():
                return "all entries" if axis is None else f"axis {axis}"
        return ""


@dataclass(frozen=True, eq=False)
class Derivative:
    """What a program gives for one derivative, and its own exact run, if there is one.

    Shapes  found: that of the derivative.
    """

    subject: str
    link: str
    found: Any
    right: Right
    own: Exact | None
    dtype: str

    def figure(self) -> Figure:
        """How near the floats come to their bound, at the worst entry.

        A NaN is worse than any number.
        """
        with np.errstate(all="ignore"):
            off, limit, wanted = self.right.off(self.found), self.limit(), self.right.first.hi
            ratio = np.where(off == 0, 0.0, off / limit)
            worst = int(np.argmax(np.where(np.isnan(ratio), np.inf, ratio)))
            entry = tuple(int(i) for i in np.unravel_index(worst, ratio.shape))
            ulp = np.spacing(np.dtype(self.dtype).type(abs(wanted[entry])))
            return Figure(
                self.subject, self.link, entry, float(self.found[entry]), float(wanted[entry]),
                float(off[entry]), float(limit[entry]), float(ratio[entry]),
                float(off[entry] / ulp),
            )  # fmt: skip

    def limit(self) -> Any:
        """How far a float entry may be off.

        Shapes  those of the derivative.
        """
        m, right, own = MODELS[self.dtype], self.right.first, self.own
        rounding = m.u * np.abs(right.hi) + m.tiny
        half = np.sqrt(m.u) * np.abs(right.hi)
        if own is None:
            most = m.u * np.abs(right.hi).max(initial=0.0)  # as a transform errs
            unknown = _UNKNOWN * (right.error + most)
            return np.where(np.isfinite(right.error), unknown, half) + rounding
        keeps = own.error <= np.maximum(half, _KEEPS * right.error)
        wider = np.where(keeps, np.maximum(right.error, own.error), right.error)
        by_own = np.where(np.isfinite(own.error), own.error, half)
        return np.where(np.isfinite(right.error), wider, by_own) + rounding

    def sees(self) -> float:
        """The smallest relative error of one entry that is beyond its bound."""
        with np.errstate(all="ignore"):
            share = self.limit() / np.abs(self.right.first.hi)
        return float(np.nanmin(np.where(self.right.first.hi == 0, np.inf, share), initial=np.inf))

    def are_alike(self, one: Any, other: Any) -> bool:
        """Whether two answers differ by no more than both may be off.

        Shapes  those of the derivative.
        """
        with np.errstate(all="ignore"):
            near = np.abs(np.subtract(one, other, dtype=np.float64)) <= 2 * self.limit()
        return bool((near | (np.isnan(one) & np.isnan(other))).all())

    def findings(self, figure: Figure) -> Iterator[Finding]:
        """What is wrong: formula, arithmetic or both; the floats, where neither is known."""
        wrong = list(self._formula())
        yield from wrong
        along = self.right.parts_ways(self.found, self.limit()) if figure.holds else ""
        if along:
            told = f"{self.link} is no gradient at this kink: its sums over {along} are not right"
            yield Finding("bound", Verdict.FAIL, told, self.subject, self.link)
        if figure.holds:
            return
        if self.own is not None:
            least = np.sqrt(MODELS[self.dtype].u) * np.abs(self.own.hi)  # half of its own digits
            lost = self.own.off(self.found) > np.maximum(self.limit(), least)
            if not wrong or bool(np.any(lost)):
                entry = figure.entry if not wrong else _first(lost)
                yield exactly.arithmetic(
                    self.subject, self.link, self.own, self.found, entry, self.dtype, not wrong
                )
            return
        what = "is not finite" if not np.isfinite(figure.found) else "is beyond its bound"
        told = f"{self.link} {what}: error / bound {figure.ratio:.3g}, limit 1"
        yield Finding("bound", Verdict.FAIL, told, self.subject, self.link, figure)

    def _formula(self) -> Iterator[Finding]:
        """That the formula is another."""
        if self.own is not None:
            right = self.right.nearest(self.own)
            yield from exactly.formula(self.subject, self.link, self.own, right, self.dtype, _THAN)

    def patterns(self) -> Iterator[str]:
        """That what is wrong is a multiple of the right one, or its transpose."""
        right = self.right.first.hi
        with np.errstate(all="ignore"):
            square = right.ndim == 2 and right.shape[0] == right.shape[1]
            turned = square and np.allclose(self.found, right.T, 1e-4)
            if turned and not np.allclose(right, right.T):
                yield f"{self.link} is transposed"
                return
            ratio = (np.asarray(self.found, np.float64) / right)[right != 0]
        if ratio.size < 2 or not np.isfinite(ratio).all():
            return
        if np.ptp(ratio) <= 1e-4 * abs(ratio[0]) and abs(ratio[0] - 1) > 1e-4:
            yield f"{self.link} is {ratio[0]:.5g} times the right one"


def _first(where: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(where)[0])
