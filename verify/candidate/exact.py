"""What a program computes in exact arithmetic, as floats: data for any process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.numbers.run import Loss


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
