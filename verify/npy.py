"""A .npy file -> its array: little-endian numbers in C order, never an object.

Source  the format's description, versions 1 to 3: numpy.lib.format.
"""

from __future__ import annotations

import math
import re
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
    """(shape, dtype, where the numbers begin).

    Read here and not by NumPy, whose reader mends what Python 2 wrote and evaluates the rest.
    """
    magic, version = content[:6], content[6:8]
    if magic != b"\x93NUMPY" or version not in _LENGTHS:
        raise refusal(path, 0, "not a .npy file", ascii(content[:8]), "what numpy.save writes")
    start = 8 + _LENGTHS[version]
    end = start + int.from_bytes(content[8:start], "little")
    header = _HEADER.fullmatch(content[start:end])
    if header is None or len(content[start:end]) < end - start:
        found = ascii(content[start : min(end, start + 60)])
        raise refusal(path, 0, "a header that is none", found, "what numpy.save writes")
    dtype, fortran, sizes = (group.decode("latin-1") for group in header.groups(b""))
    shape = tuple(int(size) for size in sizes.split(",") if size.strip())
    if dtype not in DTYPES or (fortran == "True" and len(shape) > 1):
        order = "Fortran order" if fortran == "True" else "C order"
        raise refusal(path, 0, "of another kind", f"{dtype[:20]!a}, {order}", _ALLOWED)
    return shape, np.dtype(dtype), end


_LENGTHS = {b"\1\0": 2, b"\2\0": 4, b"\3\0": 4}
_HEADER = re.compile(
    rb"\{\s*'descr'\s*:\s*'([^'\\]*)'\s*,\s*'fortran_order'\s*:\s*(True|False)\s*,"
    rb"\s*'shape'\s*:\s*\(([0-9]{1,18}(?:\s*,\s*[0-9]{1,18})*)?\s*,?\s*\)\s*,?\s*\}\s*"
)
