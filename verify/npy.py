"""A .npy file -> its array: little-endian numbers in C order, never an object.

Source  the format's versions 1 to 3: numpy.lib.format.
"""

from __future__ import annotations

import io
import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from verify.datafile import refusal

Numbers: TypeAlias = npt.NDArray[Any]
DTYPES = ("<f4", "<f8", "<i4", "<i8")
_ALLOWED = "float32, float64, or int32 or int64 for classes, little-endian, in C order"


def parsed(path: str, content: bytes) -> Numbers:
    """The array in the bytes of a file; read-only.

    Raises  ScenarioError for a header that is none or does not tell the file's size, for other
            dtypes, Fortran order, a size of 0, and numbers that are not finite.
    """
    shape, dtype, start = _header(path, content)
    if 0 in shape or not 1 <= len(shape) <= 2:
        raise refusal(path, 0, "not a matrix or vector", f"shape {shape}", "(rows, columns)")
    size = math.prod(shape) * dtype.itemsize
    if start + size != len(content):
        found = f"{len(content)} bytes for shape {shape} of {dtype}"
        raise refusal(path, 0, "of another size than its header says", found, f"{start + size}")
    array: Numbers = np.frombuffer(content, dtype, offset=start).reshape(shape)
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        entry = tuple(int(i) for i in wrong[0])
        raise refusal(path, 0, f"entry {list(entry)} is not finite", str(array[entry]), "numbers")
    return array


def _header(path: str, content: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """(shape, dtype, where the numbers begin)."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(file)
    except KeyError:
        raise refusal(path, 0, "of an unknown version", str(version), "1.0 or 2.0") from None
    except ValueError as error:
        raise refusal(path, 0, "not a .npy file", str(error)[:60], "numpy.save's") from None
    if dtype.str not in DTYPES or (fortran and len(shape) > 1):
        order = "Fortran order" if fortran else "C order"
        raise refusal(path, 0, "of another kind", f"{ascii(dtype.str)[:40]}, {order}", _ALLOWED)
    return shape, dtype, file.tell()
