"""A .npy file -> its numbers, by blocks of rows: little-endian, in C order, never an object.

The numbers stay in the file: what is larger than memory is read, checked and judged block by block.

Source  the format's description, versions 1 to 3: numpy.lib.format.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from verify.scenario.data import refusal, unreadable

Numbers: TypeAlias = npt.NDArray[Any]
DTYPES = ("<f4", "<f8", "<i4", "<i8")
_ALLOWED = "float32, float64, or int32 or int64 for classes, little-endian, in C order"
_BLOCK = 2**20  # numbers read at once, where only looked at


@dataclass(frozen=True, eq=False)
class Rows:
    """The array in a .npy file; rows[a:b] reads these rows, all of them finite.

    `digest` is the SHA-256 of the file, and `stamp` what would be another had it changed since.

    Shapes  (rows,) or (rows, columns).
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    stamp: tuple[int, int, int]
    digest: bytes

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Numbers:
        """The rows from rows.start to rows.stop.

        Raises  ScenarioError when the file is no longer the one that was checked.
        """
        first, last, _ = rows.indices(len(self))
        shape = (max(0, last - first), *self.shape[1:])
        width = math.prod(self.shape[1:]) * self.dtype.itemsize
        try:
            with self.path.open("rb") as file:
                changed = _stamp(file) != self.stamp
                file.seek(self.start + first * width)
                read = np.fromfile(file, self.dtype, math.prod(shape))
        except OSError as error:
            raise unreadable(self.path, error) from None
        if changed or read.size != math.prod(shape):
            found = "another than the one that was checked"
            raise refusal(str(self.path), 0, "changed during the run", found, "one file for a run")
        return read.reshape(shape)

    def blocks(self) -> Iterator[tuple[int, Numbers]]:
        """All rows, in blocks of modest size, each with the number of its first row."""
        rows = max(1, _BLOCK // math.prod(self.shape[1:]))
        for first in range(0, len(self), rows):
            yield first, self[first : first + rows]


def opened(path: Path) -> Rows:
    """The array of a file, which is read once from end to end, and not kept.

    Raises  ScenarioError for a header that is none or does not tell the file's size, for other
            dtypes, Fortran order, a size of 0, and numbers that are not finite.
    """
    try:
        with path.open("rb") as file:
            stamp = _stamp(file)
            shape, dtype, start = _header(str(path), file.read(_LONGEST))
            digest = _digest(file)
    except OSError as error:
        raise unreadable(path, error) from None
    if 0 in shape or not 1 <= len(shape) <= 2:
        raise refusal(str(path), 0, "not a matrix or vector", f"shape {shape}", "(rows, columns)")
    size = start + math.prod(shape) * dtype.itemsize
    if size != stamp[0]:
        found = f"{stamp[0]} bytes for shape {shape} of {dtype}"
        raise refusal(str(path), 0, "of another size than its header says", found, f"{size}")
    rows = Rows(path, shape, dtype, start, stamp, digest)
    for first, block in rows.blocks():
        wrong = np.argwhere(~np.isfinite(block))
        if len(wrong):
            entry = tuple(int(i) for i in wrong[0])
            what = f"entry {[first + entry[0], *entry[1:]]} is not finite"
            raise refusal(str(path), 0, what, str(block[entry]), "numbers")
    return rows


def _stamp(file: BufferedReader) -> tuple[int, int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ino


def _digest(file: BufferedReader) -> bytes:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").digest()


def _header(path: str, content: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """(shape, dtype, where the numbers begin), of the first bytes of a file.

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
_LONGEST = 2**16 + 12  # of what stands before the numbers
_HEADER = re.compile(
    rb"\{\s*'descr'\s*:\s*'([^'\\]*)'\s*,\s*'fortran_order'\s*:\s*(True|False)\s*,"
    rb"\s*'shape'\s*:\s*\(([0-9]{1,18}(?:\s*,\s*[0-9]{1,18})*)?\s*,?\s*\)\s*,?\s*\}\s*"
)
