"""two_layers.c through ctypes: two_layers_float64.so and two_layers_float32.so lie beside this
file, or in the folder VERIFY_EXAMPLE_LIBRARIES: verify run --candidate two_layers_in_c.py:gradient
"""

import ctypes
import os
from pathlib import Path

import numpy as np

FOLDER = Path(os.environ.get("VERIFY_EXAMPLE_LIBRARIES", Path(__file__).parent))
LIBRARIES = {
    name: ctypes.CDLL(str(FOLDER / f"two_layers_{name}.so")) for name in ("float64", "float32")
}


def gradient(X, W1, b1, W2, b2, P):
    """C takes contiguous arrays of one dtype, that of X."""
    sizes = [ctypes.c_long(n) for n in (*X.shape, *W2.shape)]
    given = [np.ascontiguousarray(a, X.dtype) for a in (X, W1, b1, W2, b2, P)]
    C = np.zeros(1, X.dtype)
    gradients = [np.zeros(a.shape, X.dtype) for a in (W1, b1, W2, b2)]
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*given, C, *gradients)]
    LIBRARIES[X.dtype.name].gradient(*sizes, *pointers)
    names = ("dC_dW1", "dC_db1", "dC_dW2", "dC_db2")
    return {"C": C[0], **dict(zip(names, gradients, strict=True))}
