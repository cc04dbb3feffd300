"""How the same numbers can lie in memory."""

from __future__ import annotations

import numpy as np

from verify.chain import Array


def laid_out(X: Array, layout: str) -> Array:
    """A copy of X in C order, in Fortran order, or as every second column of a wider array.

    Shapes  X (N, D) gives (N, D).
    """
    if layout == "strided":
        wide = np.zeros((X.shape[0], 2 * X.shape[1]), X.dtype)
        wide[:, ::2] = X
        return wide[:, ::2]
    return np.array(X, order="F" if layout == "F" else "C")


def layout_of(X: Array) -> str:
    """The layout that laid_out would have to be asked for."""
    return "C" if X.flags.c_contiguous else "F" if X.flags.f_contiguous else "strided"


def same_layout(values: Array, like: Array) -> Array:
    """A copy of `values` with the strides of `like` and its alignment to 64 bytes.

    Kernels choose their order of summation by both, and bits are compared.

    Shapes  values and like have the same.
    """
    reach = sum((n - 1) * s for n, s in zip(like.shape, like.strides, strict=True)) + like.itemsize
    memory = np.empty(reach + 64, np.uint8)
    offset = (like.ctypes.data - memory.ctypes.data) % 64
    copy = np.ndarray(like.shape, like.dtype, memory.data, offset, like.strides)
    copy[...] = values
    return copy
