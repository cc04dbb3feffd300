"""Problem, Chain, and the names and shapes of the links; and how the numbers lie in memory.

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


PAGE = 4096  # bytes: what begins at one is aligned for every kernel
_ALIGNED = 64  # bytes: kernels choose their order of summation by it, and bits are compared


def laid_out(X: Array, layout: str) -> Array:
    """A copy of X in C order, in Fortran order, or as every second column of a wider array.

    Shapes  X (N, D) gives (N, D).
    """
    if layout == "strided":
        wide = np.zeros((X.shape[0], 2 * X.shape[1]), X.dtype)
        wide[:, ::2] = X
        return wide[:, ::2]
    return np.array(X, order="F" if layout == "F" else "C")


def same_layout(values: Array, like: Array) -> Array:
    """A copy of `values` with the strides of `like` and its alignment to 64 bytes.

    Kernels choose their order of summation by both, and bits are compared.

    Shapes  values and like have the same.
    """
    place, reach = placed(like, "", 0)
    memory = np.empty(reach + _ALIGNED, np.uint8)
    start = (like.ctypes.data - place.offset - memory.ctypes.data) % _ALIGNED
    copy = place.of(memory[start:].data)
    copy[...] = values
    return copy


def bits(array: Any) -> tuple[Any, ...]:
    """What two arrays have in common only if they are the same to the last bit."""
    array = np.asarray(array)
    return array.dtype, array.shape, array.tobytes()


@dataclass(frozen=True)
class Place:
    """Where an array lies in a block of memory; a block may hold several.

    Units   offset and strides in bytes, from the block's first.
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    writeable: bool = True

    def of(self, memory: Any) -> Array:
        """The array there."""
        array: Array = np.ndarray(self.shape, self.dtype, memory, self.offset, self.strides)
        array.flags.writeable = self.writeable
        return array


def placed(like: Array, layout: str, start: int) -> tuple[Place, int]:
    """A place for an array from `start` on, and the end of what it reaches over.

    "F" is Fortran order, "strided" every second column of a wider array, "slice" the columns from
    the second on of a wider one, "reversed" rows and columns from the last to the first,
    "read-only" and "" the strides of `like` itself.

    Shapes  like (n, m).
    Units   start, end in bytes.
    """
    (n, m), size = like.shape, like.itemsize
    strides, first, numbers = {
        "F": ((size, n * size), 0, n * m),
        "strided": ((2 * m * size, 2 * size), 0, 2 * n * m),
        "slice": (((m + 3) * size, size), size, n * (m + 3)),
        "reversed": ((-m * size, -size), (n * m - 1) * size, n * m),
    }.get(layout, (like.strides, 0, 0))
    if not numbers:
        reach = [(k - 1) * s for k, s in zip(like.shape, like.strides, strict=True)]
        first = -sum(r for r in reach if r < 0)
        numbers = sum(map(abs, reach)) // size + 1
    start = -(-start // _ALIGNED) * _ALIGNED
    place = Place(like.dtype.str, (n, m), strides, start + first, layout != "read-only")
    return place, start + numbers * size
