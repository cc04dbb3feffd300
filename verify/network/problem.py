"""The words that everything else speaks: Problem, Chain, LINKS, Implementation.

Shapes  X (N, D) inputs; W (D, K) weights; P (N, K) labels; h a scalar, the step size. A stack of B
        problems has a first axis more: X (B, N, D), W (B, D, K), P (B, N, K), h (B, 1, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from verify.errors import UsageError
from verify.numbers.rounding import Array

DTYPES = ("float32", "float64")

NK = (-2, -1)  # the axes of the rows and the classes, in a problem and in a stack of them

# Link -> its axes. The order is the post's: a link is computed from those before it.
SHAPES = {
    "y": "NK",
    "y_o": "NK",
    "C": "",
    "dC_dy_o": "NK",
    "dy_o_dy": "NK",
    "dC_dy": "NK",
    "dC_dW": "DK",
    "W_next": "DK",
}
LINKS = tuple(SHAPES)


@dataclass(frozen=True, eq=False)
class Problem:
    """Inputs, weights, labels and step size, all of one dtype; or a stack of such problems.

    Shapes  X (N, D), W (D, K), P (N, K), h (); of a stack (B, N, D), (B, D, K), (B, N, K),
            (B, 1, 1).
    Raises  UsageError when shapes do not fit together or the dtypes are not one of DTYPES.
    """

    X: Array
    W: Array
    P: Array
    h: Any

    def __post_init__(self) -> None:
        X, W, P = (np.shape(a) for a in (self.X, self.W, self.P))
        fit = len(X) == len(W) == len(P) in (2, 3) and X[:-2] == W[:-2] == P[:-2]
        if not fit or X[-1] != W[-2] or (X[-2], W[-1]) != P[-2:] or 0 in X + W:
            raise UsageError(
                f"X {X}, W {W} and P {P} do not fit; X is (N, D), W (D, K), P (N, K), no size 0"
            )
        dtypes = {str(np.asarray(a).dtype) for a in (self.X, self.W, self.P, self.h)}
        if len(dtypes) > 1 or not dtypes <= set(DTYPES):
            raise UsageError(
                f"X, W, P and h have dtypes {', '.join(sorted(dtypes))}; all four share one of"
                f" {', '.join(DTYPES)}"
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.X.dtype

    @property
    def sizes(self) -> dict[str, int]:
        return {"N": self.X.shape[-2], "D": self.X.shape[-1], "K": self.W.shape[-1]}

    @property
    def work(self) -> int:
        """Multiplications in one of the two matrix products: N D K."""
        return int(self.X.size * self.W.shape[-1])

    def shape(self, link: str) -> tuple[int, ...]:
        return (*self.X.shape[:-2], *(self.sizes[axis] for axis in SHAPES[link]))

    def at(self, i: int) -> Problem:
        """Problem i of a stack.

        Shapes  as one problem.
        """
        return Problem(self.X[i], self.W[i], self.P[i], self.h[i, 0, 0])


@dataclass(frozen=True, eq=False)
class Chain:
    """The links of one evaluation; None for a link that its maker does not give.

    Shapes  y, y_o, dC_dy_o, dy_o_dy, dC_dy (N, K); dC_dW, W_next (D, K); C ().
    Units   C in nats a row.
    """

    y: Any = None
    y_o: Any = None
    C: Any = None
    dC_dy_o: Any = None
    dy_o_dy: Any = None
    dC_dy: Any = None
    dC_dW: Any = None
    W_next: Any = None

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """The given links with their names, in the post's order."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value

    def at(self, i: int) -> Chain:
        """The links of problem i of a stack.

        Shapes  as one problem's.
        """
        return Chain(**{link: value[i] for link, value in self})


Implementation: TypeAlias = Callable[[Problem], Chain]
