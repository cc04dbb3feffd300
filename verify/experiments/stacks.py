"""Random problems by the thousand, all of one shape, as one stack.

Bits come from Philox with a key of SHAKE-256, values from them by whole numbers and powers of two
alone, so that a seed and a number are the same problems on every machine and in every version.
Unlike a scenario's draws they fill the significands of their dtype: products and sums do round.

X, W and P are each of several families, with scales over many powers of two, so that the stacks
reach zeros, sparse rows, saturated and hardly used sigmoids, and what lies beyond the post form.

Source  Philox4x64-10: J. K. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3",
        SC 2011; its 64-bit words, which no version of NumPy may change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from verify.network.problem import Problem
from verify.numbers.dtypes import nearest
from verify.scenario import draw

Shape: TypeAlias = tuple[int, int, int]
Bits: TypeAlias = npt.NDArray[np.uint64]
Family: TypeAlias = Callable[[Bits], Any]

STACK = 1024  # problems of one stack: the arrays of the usual sizes stay in cache
_SIZES = (1, 2, 3, 5, 8, 13, 21, 32)
_CLASSES = (1, 2, 3, 5, 8)


def drawn(seed: int, number: int, dtype: str, shape: Shape | None = None) -> Problem:
    """Stack `number` of a seed: STACK problems of one shape, which is drawn too if not given.

    Shapes  X (STACK, N, D), W (STACK, D, K), P (STACK, N, K), h (STACK, 1, 1).
    """
    stream = np.random.Philox(key=draw.key("stack", f"{seed} {number}"))
    N, D, K = shape or _shape(_bits(stream, (3,)))
    kind = _bits(stream, (6, STACK, 1, 1))
    X = _of_kind(kind[0], VALUES, _bits(stream, (STACK, N, D)))
    W = _of_kind(kind[1], VALUES[:2], _bits(stream, (STACK, D, K)))
    P = _of_kind(kind[2], LABELS, _bits(stream, (STACK, N, K)))
    a = _exponents(kind[3], -6, 6)
    y = _exponents(kind[4], -6, 11)  # |y| < 2^11: beyond what exp can do in either dtype
    h = np.ldexp(1.0, _exponents(kind[5], -10, 2) - 2 * np.maximum(a, 0))
    X, W = np.ldexp(X, a), np.ldexp(W, y - a - (D - 1).bit_length())
    return Problem(*(nearest(array, dtype) for array in (X, W, P, h)))


def _bits(stream: np.random.Philox, shape: tuple[int, ...]) -> Bits:
    """64 random bits for every entry."""
    words: Bits = stream.random_raw(math.prod(shape))
    return words.reshape(shape)


def _shape(bits: Bits) -> Shape:
    N, D, K = (int(b) for b in bits)
    return _SIZES[N % len(_SIZES)], _SIZES[D % len(_SIZES)], _CLASSES[K % len(_CLASSES)]


def _exponents(bits: Bits, low: int, high: int) -> npt.NDArray[np.int64]:
    """Whole numbers from `low` to `high`."""
    return (bits % np.uint64(high - low + 1)).astype(np.int64) + low


def _of_kind(kind: Bits, families: Sequence[Family], bits: Bits) -> Any:
    """Each problem's numbers by the family that is its kind."""
    which = kind[:, 0, 0] % np.uint64(len(families))
    made = np.empty(bits.shape)
    for i, family in enumerate(families):
        mine = which == np.uint64(i)
        made[mine] = family(bits[mine])
    return made


def _full(bits: Bits) -> Any:
    """All 53 bits, in (-1, 1)."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1


def _sparse(bits: Bits) -> Any:
    return np.where(bits & np.uint64(3), 0.0, _full(bits))


def _eighths(bits: Bits) -> Any:
    return np.rint(_full(bits) * 8) / 8


def _of_many_sizes(bits: Bits) -> Any:
    return np.ldexp(_full(bits), -(bits & np.uint64(15)).astype(np.int64))


def _classes(bits: Bits) -> Any:
    """One class a row."""
    K = bits.shape[-1]
    return np.eye(K)[(bits[..., 0] % np.uint64(K)).astype(np.int64)]


def _multi_hot(bits: Bits) -> Any:
    return (bits >> np.uint64(63)).astype(np.float64)


def _shares(bits: Bits) -> Any:
    """Rows that sum to about 1."""
    dealt = (bits >> np.uint64(56)).astype(np.float64)
    return dealt / np.maximum(dealt.sum(axis=-1, keepdims=True), 1)


def _any(bits: Bits) -> Any:
    """Whatever is 0 or more."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


VALUES: tuple[Family, ...] = (_full, _sparse, _eighths, _of_many_sizes)
LABELS: tuple[Family, ...] = (_classes, _multi_hot, _shares, _any)
