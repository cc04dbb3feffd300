"""The frozen stream of random numbers: the same on every machine, in every version, for ever.

Bytes come from SHAKE-256 of a name and a seed, values from integer arithmetic on them. No library's
random generator and no exp or log takes part, and nothing here may change: tests/golden holds the
digests. Every value of a scenario has at most 8 significant bits, so float32, float64 and the
16-bit types hold it exactly, and most are short in print. A larger batch begins with the rows of a
smaller one.

Source  SHAKE-256: FIPS 202. The normal is a sum of twelve uniforms (Irwin and Hall).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_BITS = 8
_UNITS = 64  # values are multiples of 1/64


def values(kind: str, stream: str, seed: int, shape: tuple[int, ...], scale: float) -> Any:
    """Random inputs or parameters: `kind` is one of VALUES, times `scale`, rounded to 8 bits.

    Shapes  shape (rows, columns), or (units,) of a bias; float64.
    """
    units = VALUES[kind](_Stream(stream, seed), math.prod(shape))
    return of_8_bits(units.astype(np.float64) / _UNITS * scale).reshape(shape)


def labels(kind: str, stream: str, seed: int, shape: tuple[int, int]) -> Any:
    """Random labels: `kind` is one of LABELS; but for "normal" ones and "signs", p >= 0.

    Every row but of "multi-hot" and "normal" labels and of "signs" sums to about 1.

    Shapes  shape (N, K), float64.
    """
    return LABELS[kind](_Stream(stream, seed), *shape)


def order(stream: str, seed: int, count: int) -> npt.NDArray[np.int64]:
    """A permutation of `count` rows."""
    return np.argsort(_Stream(stream, seed).integers(count, "<u8"), kind="stable")


def key(stream: str, seed: int | str) -> int:
    """128 bits for another generator, of a name and a seed."""
    return int.from_bytes(_Stream(stream, seed).integers(16, "<u1").tobytes(), "little")


def of_8_bits(a: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The nearest numbers with 8 significant bits."""
    significand, exponent = np.frexp(a)
    return np.asarray(np.ldexp(np.rint(significand * 2**_BITS), exponent - _BITS))


class _Stream:
    """The bytes that belong to one name and seed."""

    def __init__(self, stream: str, seed: int | str) -> None:
        self.key = f"verify 1 {stream} {seed}".encode()

    def integers(self, count: int, dtype: str) -> npt.NDArray[Any]:
        size = np.dtype(dtype).itemsize
        return np.frombuffer(hashlib.shake_256(self.key).digest(count * size), dtype)


def indices(stream: str, seed: int, shape: tuple[int, ...], below: int) -> Any:
    """Whole numbers from 0 on, below a limit.

    Shapes  shape (N, D); int64.
    """
    drawn = _Stream(stream, seed).integers(math.prod(shape), "<u8")
    return (drawn % np.uint64(below)).astype(np.int64).reshape(shape)


def _normal(stream: _Stream, count: int) -> npt.NDArray[np.int64]:
    sums = stream.integers(12 * count, "<u2").reshape(count, 12).sum(axis=1, dtype=np.int64)
    # 2^16 is one standard deviation; 1/64 of it is 2^10.
    return np.asarray(np.clip((sums - 6 * 2**16 + 2**9) >> 10, -255, 255))


def _uniform(stream: _Stream, count: int) -> npt.NDArray[np.int64]:
    return stream.integers(count, "<u2").astype(np.int64) % (2 * _UNITS + 1) - _UNITS


def _integers(stream: _Stream, count: int) -> npt.NDArray[np.int64]:
    return (stream.integers(count, "<u2").astype(np.int64) % 17 - 8) * _UNITS


def _classes(stream: _Stream, N: int, K: int) -> npt.NDArray[np.float64]:
    return np.eye(K)[stream.integers(N, "<u8") % np.uint64(K)]


def _soft(stream: _Stream, N: int, K: int) -> npt.NDArray[np.float64]:
    """256 units dealt to K classes by K - 1 cuts; some classes get none."""
    cuts = np.sort(stream.integers(N * K, "<u2").reshape(N, K)[:, 1:].astype(np.int64) % 257)
    edges = np.concatenate([np.zeros((N, 1)), cuts, np.full((N, 1), 256)], axis=1)
    return np.diff(edges) / 256


def _multi_hot(stream: _Stream, N: int, K: int) -> npt.NDArray[np.float64]:
    """Each class with probability 1/2, and one class for certain."""
    bits = stream.integers(N * (K + 1), "<u2").reshape(N, K + 1).astype(np.int64)
    hot = (bits[:, 1:] % 2).astype(np.float64)
    hot[np.arange(N), bits[:, 0] % K] = 1
    return hot


def _even(_stream: _Stream, N: int, K: int) -> npt.NDArray[np.float64]:
    return of_8_bits(np.full((N, K), 1 / K))


def _signs(stream: _Stream, N: int, K: int) -> npt.NDArray[np.float64]:
    """-1 or 1, each with probability 1/2."""
    bits = stream.integers(N * K, "<u2").reshape(N, K)
    return np.where(bits % 2, 1.0, -1.0)


def _of_any_sign(stream: _Stream, N: int, K: int) -> npt.NDArray[np.float64]:
    return of_8_bits(_normal(stream, N * K) / _UNITS).reshape(N, K)


VALUES: Mapping[str, Callable[[_Stream, int], npt.NDArray[np.int64]]] = {
    "normal": _normal,
    "uniform": _uniform,
    "integers": _integers,
}
LABELS: Mapping[str, Callable[[_Stream, int, int], npt.NDArray[np.float64]]] = {
    "classes": _classes,
    "soft": _soft,
    "multi-hot": _multi_hot,
    "uniform": _even,
    "normal": _of_any_sign,
    "signs": _signs,
}
