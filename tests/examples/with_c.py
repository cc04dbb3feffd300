"""A candidate in C, called through ctypes; the library lies where VERIFY_EXAMPLE_LIBRARY says."""

import ctypes
import os

import numpy as np

library = ctypes.CDLL(os.environ["VERIFY_EXAMPLE_LIBRARY"])


def gradient(X, W, P, h):
    """C takes contiguous doubles, so anything else is converted first."""
    N, D = X.shape
    K = W.shape[1]
    given = [np.ascontiguousarray(a, np.float64) for a in (X, W, P)]
    result = np.empty((D, K))
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*given, result)]
    sizes = [ctypes.c_long(n) for n in (N, D, K)]
    library.gradient(*pointers[:3], *sizes, pointers[3])
    return result.astype(X.dtype)
