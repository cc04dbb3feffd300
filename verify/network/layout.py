"""How the same numbers can lie in memory, and what they are to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.numbers.rounding import Array

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
