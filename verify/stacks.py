"""Random problems by the thousand, all of one shape, as one stack.

They come from the frozen stream of `draw`, by whole numbers and powers of two alone, so that a seed
and a number are the same problems on every machine and in every version. Unlike a scenario's draws
they fill the significands of their dtype: products and sums do round.

X, W and P are each of several families, with scales over many powers of two, so that the stacks
reach zeros, sparse rows, saturated and hardly used sigmoids, and what lies beyond the post form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from verify import draw
from verify.chain import Problem

Shape: TypeAlias = tuple[int, int, int]
Bits: TypeAlias = npt.NDArray[np.uint64]

COUNT = 1024  # problems of one stack: the arrays of the usual sizes stay in cache
_SIZES = (1, 2, 3, 5, 8, 13, 21, 32)
_CLASSES = (1, 2, 3, 5, 8)


def drawn(seed: int, number: int, dtype: str, shape: Shape | None = None) -> Problem:
    """Stack `number` of a seed: COUNT problems of one shape, which is drawn too if not given.

    Shapes  X (COUNT, N, D), W (COUNT, D, K), P (COUNT, N, K), h (COUNT, 1, 1).
    """
    key = f"{seed} {number}"
    N, D, K = shape or _shape(key)
    kind = draw.bits("kinds", key, (8, COUNT, 1, 1))
    X = _values(draw.bits("X", key, (COUNT, N, D)), kind[0])
    W = _values(draw.bits("W", key, (COUNT, D, K)), kind[1] & np.uint64(1))
    P = _labels(draw.bits("P", key, (COUNT, N, K)), kind[2])
    a = _exponents(kind[3], -6, 6)
    y = _exponents(kind[4], -6, 11)  # |y| < 2^11: beyond what exp can do in either dtype
    h = np.ldexp(1.0, _exponents(kind[5], -10, 2) - 2 * np.maximum(a, 0))
    X, W = np.ldexp(X, a), np.ldexp(W, y - a - (D - 1).bit_length())
    return Problem(*(array.astype(dtype) for array in (X, W, P, h)))


def _shape(key: str) -> Shape:
    first, second, third = (int(b) for b in draw.bits("shape", key, (3,)))
    sizes = _SIZES[first % len(_SIZES)], _SIZES[second % len(_SIZES)]
    return *sizes, _CLASSES[third % len(_CLASSES)]


def _exponents(bits: Bits, low: int, high: int) -> npt.NDArray[np.int64]:
    """Whole numbers from `low` to `high`."""
    return (bits % np.uint64(high - low + 1)).astype(np.int64) + low


def _values(bits: Bits, kind: Bits) -> Any:
    """Numbers in (-1, 1) of a family per problem: all 53 bits, sparse, whole eighths, decades."""
    full = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1
    last = bits & np.uint64(15)  # bits that took no part in the number
    return _of_kind(kind, [
        lambda: full,
        lambda: np.where(last < 4, full, 0.0),
        lambda: np.rint(full * 8) / 8,
        lambda: np.ldexp(full, -last.astype(np.int64)),
    ])  # fmt: skip


def _labels(bits: Bits, kind: Bits) -> Any:
    """Labels of a family per problem: one class a row, several, shares of 1, any numbers >= 0."""
    K = bits.shape[-1]
    dealt = (bits >> np.uint64(56)).astype(np.float64)
    return _of_kind(kind, [
        lambda: np.eye(K)[(bits[..., 0] % np.uint64(K)).astype(np.int64)],
        lambda: (bits >> np.uint64(63)).astype(np.float64),
        lambda: dealt / np.maximum(dealt.sum(axis=-1, keepdims=True), 1),
        lambda: (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53,
    ])  # fmt: skip


def _of_kind(kind: Bits, families: Sequence[Callable[[], Any]]) -> Any:
    """The family of each problem."""
    which = kind % np.uint64(len(families))
    return np.select([which == np.uint64(i) for i in range(len(families))],
                     [family() for family in families])  # fmt: skip
