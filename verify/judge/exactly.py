"""A program's formula and its arithmetic, told apart: its exact run held against what is right.

    formula      what it computes in exact arithmetic is not what is right: a mistake of mathematics
    arithmetic   it is, but its floats are farther from it than right arithmetic may be

Neither is said unless the floats are what the exact run says that they may be: a program that does
one thing on floats and another on exact numbers is not followed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from verify.candidate.exact import Exact
from verify.judge.result import Finding, Verdict
from verify.numbers.rounding import MODELS

UNFOLLOWED = "the formula could not be followed: {why}; its floats are judged"
OTHERWISE = (
    "{link}: in exact arithmetic other numbers come out than in floats; is something done otherwise"
    " there? Its floats are judged"
)
SAME = 8.0  # roundings of an entry: what differs by less is the same formula


def is_followed(found: Any, exact: Exact) -> bool:
    """Whether floats are what the exact run says that they may be.

    Shapes  both those of one array.
    """
    with np.errstate(all="ignore"):
        numbers, judged = np.isfinite(exact.hi), np.isfinite(exact.error)
        holds = exact.off(found) <= exact.error * (1 + 1e-9)
        return bool(holds[judged & numbers].all() and not (np.isfinite(found) & ~numbers).any())


def other_formula(exact: Exact, right: Any, dtype: str) -> tuple[float, tuple[int, ...]] | None:
    """By how much, and where, an exact run differs most from what is right; None where it does not.

    Not a number differs by infinity.

    Shapes  right: hi, lo and rad of one shape, that of the exact run.
    """
    if not exact.hi.size:
        return None
    with np.errstate(all="ignore"):
        off = np.abs((exact.hi - right.hi) + (exact.lo - right.lo)) - exact.rad - right.rad
        off = np.where(np.isnan(off) & np.isfinite(right.hi), np.inf, off)
        off = np.where(off > SAME * MODELS[dtype].u * np.abs(right.hi), off, 0.0)
    worst = np.unravel_index(int(np.argmax(off)), off.shape)
    return (float(off[worst]), tuple(int(i) for i in worst)) if off[worst] > 0 else None


def formula(
    subject: str, link: str, exact: Exact, right: Any, dtype: str, than: str
) -> Iterator[Finding]:
    """That an exact run differs from what is right, which `than` calls by a name.

    Shapes  as other_formula.
    """
    other = other_formula(exact, right, dtype)
    if other is not None:
        most, entry = other
        size = "is not a number" if math.isinf(most) else f"differs from {than} by {most:.2g}"
        told = f"{link} {size} in exact arithmetic{at(entry)}"
        told = f"{told}: this is a mistake of mathematics, not of rounding"
        yield Finding("formula", Verdict.FAIL, told, subject, link)


def arithmetic(
    subject: str,
    link: str,
    exact: Exact,
    found: Any,
    entry: tuple[int, ...],
    dtype: str,
    is_right: bool = True,
) -> Finding:
    """That the floats of a formula lose digits, how many, and at which step most of them.

    `is_right` says whether the formula is.

    Shapes  those of the link.
    """
    u = MODELS[dtype].u
    all_digits = int(-math.log10(2 * u))
    with np.errstate(all="ignore"):
        size = abs(float(exact.hi[entry]))
        off = float(exact.off(found)[entry])
    share = off / size if size else 1.0
    lost = all_digits if not share < 1 else max(0, round(math.log10(max(share / u, 1.0))))
    what = "all digits" if lost >= all_digits else f"{lost} of {all_digits} digits"
    whose = f"the formula of {link} is right; its" if is_right else f"besides, {link}'s"
    told = f"{whose} arithmetic loses {what}{at(entry)}"
    loss = exact.loss(entry)
    if loss is not None:
        told += f": {loss.step}, {loss.place}"
    return Finding("arithmetic", Verdict.FAIL, told, subject, link)


def at(entry: tuple[int, ...]) -> str:
    """Where an entry is, in words; empty of a single number."""
    return f", at [{', '.join(map(str, entry))}]" if entry else ""
