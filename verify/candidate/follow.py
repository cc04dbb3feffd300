"""A stranger's program in exact arithmetic: run on numbers that carry their exact values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from verify.numbers.balls import Balls, enclosed
from verify.numbers.followed import followed, plain
from verify.numbers.run import Loss, Run, Undecided, Unfollowed, running

BITS = (212, 424, 848, 1696)
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Exact:
    """What a program computes in exact arithmetic, and how far its floats may be off that.

    The exact numbers lie within `rad` of hi + lo. `losses` are the steps that lost most digits;
    `lost_by` says for each number which of them, -1 where none did.

    Shapes  of all but losses those of the program's array.
    Units   absolute.
    """

    hi: Any
    lo: Any
    rad: Any
    error: Any
    losses: tuple[Loss, ...] = ()
    lost_by: Any = -1

    def off(self, found: Any) -> Any:
        """How far numbers are from the exact ones, at least; NaN where they are none.

        Shapes  those of the numbers.
        """
        with np.errstate(all="ignore"):
            far = np.abs((np.asarray(found, np.float64) - self.hi) - self.lo) - self.rad
            return np.maximum(far, 0.0)

    def loss(self, entry: tuple[int, ...]) -> Loss | None:
        """The step that lost most digits of one number."""
        at = int(self.lost_by[entry]) if self.losses else -1
        return self.losses[at] if at >= 0 else None


def exact_of(numbers: Any) -> Exact:
    """An array of shadows as floats, which another process can be told.

    Shapes  any; the same.
    """
    objects = np.asarray(plain(followed(numbers)), object)
    shadows = list(objects.flat)
    balls = np.empty(objects.shape, object)
    balls[...] = np.array([s.ball for s in shadows], object).reshape(objects.shape)
    hi, lo, rad = enclosed(Balls(balls))
    losses = list(dict.fromkeys(s.loss for s in shadows if s.loss is not None))
    lost_by = [-1 if s.loss is None else losses.index(s.loss) for s in shadows]
    error = np.array([s.error for s in shadows]).reshape(objects.shape)
    return Exact(hi, lo, rad, error, tuple(losses), np.array(lost_by, int).reshape(objects.shape))


def follow(call: Callable[[Run], T], dtype: str = "float64", **how: Any) -> tuple[Run, T]:
    """What `call` gives, in which programs are called with exact numbers; and the run.

    Bits are added until every comparison is decided. `how` are words of Run.

    Raises  Unfollowed, with the program's line, where it leaves exact arithmetic or stumbles over
            exact numbers.
    """
    place = ""
    for bits in BITS:
        with running(Run(dtype, bits, **how)) as run:
            try:
                return run, call(run)
            except Undecided as undecided:
                place = str(undecided)
            except Unfollowed:
                raise
            except Exception as error:  # what runs on floats may stumble over exact numbers
                raise Unfollowed(f"{type(error).__name__} on exact numbers: {error}") from error
    raise Unfollowed(f"{place} compares numbers that may be equal, with {BITS[-1]} bits too")
