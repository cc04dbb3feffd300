"""A data file beside the scenarios -> its bytes, or the rows of a .npy file; only plain names.

The numbers of a .npy file stay in it: what is larger than memory is read, checked and judged by
blocks of rows.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from verify.errors import FileFault, ScenarioError

Numbers: TypeAlias = npt.NDArray[Any]

_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_DTYPES = ("<f4", "<f8", "<i4", "<i8")
_TAKEN = "float32, float64, or int32 or int64 for classes, little-endian, in C order"
_BLOCK = 2**20  # numbers read at once, where only looked at
_PLAIN = re.compile(rf"{_NAME}(/{_NAME})*\.(csv|npy)")


def located(folder: Path, name: str, most: str, limit: int) -> Path:
    """Where `name` under `folder` is; `most` says what the limit of its bytes is.

    Raises  ScenarioError for a name that is not plain and relative, for a file that is not regular,
            is larger than `limit` or cannot be read.
    """
    path = folder / name
    if not _PLAIN.fullmatch(name):
        allowed = "letters, digits, _ - . and / below the scenario's folder, ending in .csv or .npy"
        raise refusal(name, "not a plain relative name", found=ascii(name[:80]), allowed=allowed)
    for part in (path, *path.parents[: name.count("/")]):
        if part.is_symlink():
            raise refusal(
                str(path), "a symbolic link", found=part.name, allowed="data files are no links"
            )
    _regular(path, most, limit)
    return path


def regular(path: Path, most: str, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes.

    Raises  ScenarioError for a link, a pipe, a device, a folder, a file too large or unreadable.
    """
    _regular(path, most, limit)
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise unreadable(path, error) from None


def _regular(path: Path, most: str, limit: int) -> None:
    try:
        status = path.lstat()
    except OSError as error:
        raise unreadable(path, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise refusal(str(path), "not a regular file", allowed="a regular file, no link")
    if status.st_size > limit:
        raise refusal(str(path), "too large", found=f"{status.st_size} bytes", allowed=most)


def unreadable(path: Path, error: OSError) -> ScenarioError:
    """What the system says about a file that it does not give."""
    return refusal(
        str(path), "cannot be read", found=str(error.strerror), allowed="a readable file"
    )


def refusal(path: str, what: str, *, line: int = 0, found: str = "", allowed: str) -> ScenarioError:
    """One fault of a whole file or of one of its lines."""
    return ScenarioError([FileFault(path, line, 0, "", what, found=found, allowed=allowed)])


def decoded(path: str, content: bytes) -> str:
    """The text of a file.

    Raises  ScenarioError when it is not UTF-8, or begins with a byte order mark.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        found = f"byte {error.start}"
        raise refusal(path, "not UTF-8", found=found, allowed="UTF-8 without a mark") from None
    if text.startswith("\ufeff"):
        raise refusal(
            path, "a byte order mark", line=1, found="U+FEFF", allowed="UTF-8 without a mark"
        )
    return text


@dataclass(frozen=True, eq=False)
class Rows:
    """The array in a .npy file; rows[a:b] reads these rows, all of them finite.

    `digest` is the SHA-256 of the file, and `stamp` what would be another had it changed since.

    Shapes  (rows,) or (rows, columns).
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
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
                file.seek(self.offset + first * width)
                # Not from a map: a file that is cut while it is read would end this process.
                read = np.fromfile(file, self.dtype, math.prod(shape))
        except OSError as error:
            raise unreadable(self.path, error) from None
        if changed or read.size != math.prod(shape):
            found = "another than the one that was checked"
            raise refusal(
                str(self.path), "changed during the run", found=found, allowed="one file for a run"
            )
        return read.reshape(shape)

    def blocks(self) -> Iterator[tuple[int, Numbers]]:
        """All rows, in blocks of modest size, each with the number of its first row."""
        rows = max(1, _BLOCK // math.prod(self.shape[1:]))
        for first in range(0, len(self), rows):
            yield first, self[first : first + rows]


def opened(path: Path) -> Rows:
    """The array of a .npy file, which is read once from end to end, and not kept.

    Raises  ScenarioError for what numpy.load does not read, for a file of another size than its
            header says, other dtypes, Fortran order, a size of 0, and numbers that are not finite.
    """
    try:
        with path.open("rb") as file:
            stamp = _stamp(file)
            magic = file.read(6)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise unreadable(path, error) from None
    if magic != b"\x93NUMPY":
        raise refusal(
            str(path), "not a .npy file", found=ascii(magic), allowed="what numpy.save writes"
        )
    shape, dtype, offset = _described(path)
    if 0 in shape or not 1 <= len(shape) <= 2:
        raise refusal(
            str(path), "not a matrix or vector", found=f"shape {shape}", allowed="(rows, columns)"
        )
    size = offset + math.prod(shape) * dtype.itemsize
    if size != stamp[0]:
        found = f"{stamp[0]} bytes for shape {shape} of {dtype}"
        raise refusal(
            str(path), "of another size than its header says", found=found, allowed=f"{size}"
        )
    rows = Rows(path, shape, dtype, offset, stamp, digest)
    for first, block in rows.blocks():
        wrong = np.argwhere(~np.isfinite(block))
        if len(wrong):
            entry = tuple(int(i) for i in wrong[0])
            what = f"entry {[first + entry[0], *entry[1:]]} is not finite"
            raise refusal(str(path), what, found=str(block[entry]), allowed="numbers")
    return rows


def _described(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """(shape, dtype, where the numbers begin) of a .npy file of a kind that is taken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy warns where it mends what Python 2 wrote
            array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # whatever NumPy makes of such bytes; nothing of them is run
        why = (str(error) or type(error).__name__).split("\n")[0]
        if "mmap length" in why:
            size = f"{path.stat().st_size} bytes"
            told = "of another size than its header says"
            allowed = "the whole file, as it was written"
            raise refusal(str(path), told, found=size, allowed=allowed) from None
        told = "not readable as a .npy array"
        raise refusal(str(path), told, found=ascii(why[:80]), allowed=_TAKEN) from None
    if array.dtype.str not in _DTYPES or not array.flags.c_contiguous:
        found = f"{array.dtype}, {'C' if array.flags.c_contiguous else 'Fortran'} order"
        raise refusal(str(path), "of another kind", found=found[:80], allowed=_TAKEN)
    return array.shape, array.dtype, array.offset


def _stamp(file: BufferedReader) -> tuple[int, int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ino
