"""A data file beside the scenarios -> its place and bytes; only plain names, in their folder."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from verify.errors import FileFault, ScenarioError

_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PLAIN = re.compile(rf"{_NAME}(/{_NAME})*\.(csv|npy)")


def located(folder: Path, name: str, most: str, limit: int) -> Path:
    """Where `name` under `folder` is; `most` says what the limit of its bytes is.

    Raises  ScenarioError for a name that is not plain and relative, for a file that is not regular,
            is larger than `limit` or cannot be read.
    """
    path = folder / name
    if not _PLAIN.fullmatch(name):
        raise refusal(
            name, 0, "not a plain relative name", ascii(name[:80]),
            "letters, digits, _ - . and / below the scenario's folder, ending in .csv or .npy"
        )  # fmt: skip
    for part in (path, *path.parents[: name.count("/")]):
        if part.is_symlink():
            raise refusal(str(path), 0, "a symbolic link", part.name, "data files are no links")
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
        raise refusal(str(path), 0, "not a regular file", "", "a regular file, no link")
    if status.st_size > limit:
        raise refusal(str(path), 0, "too large", f"{status.st_size} bytes", most)


def unreadable(path: Path, error: OSError) -> ScenarioError:
    """What the system says about a file that it does not give."""
    return refusal(str(path), 0, "cannot be read", str(error.strerror), "a readable file")


def refusal(path: str, line: int, what: str, found: str, allowed: str) -> ScenarioError:
    """One fault of a whole file or of one of its lines."""
    return ScenarioError([FileFault(path, line, 0, "", what, found, allowed)])


def decoded(path: str, content: bytes) -> str:
    """The text of a file.

    Raises  ScenarioError when it is not UTF-8, or begins with a byte order mark.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        found = f"byte {error.start}"
        raise refusal(path, 0, "not UTF-8", found, "UTF-8 without a mark") from None
    if text.startswith("\ufeff"):
        raise refusal(path, 1, "a byte order mark", "U+FEFF", "UTF-8 without a mark")
    return text
