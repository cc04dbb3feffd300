"""Files that a command is told to read or to write: their troubles are errors of usage."""

from __future__ import annotations

from pathlib import Path

from verify.errors import UsageError, printable


def contents(path: Path) -> bytes:
    """The bytes of a file.

    Raises  UsageError where it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{printable(str(path))} cannot be read: {error.strerror}") from None


def destination(name: str) -> Path:
    """Where something is to be written; asked before the work whose outcome it is.

    Raises  UsageError for a folder, or a file in a folder that is not there.
    """
    path = Path(name)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(
            f"{printable(name)} cannot be written: give a file in a folder that exists"
        )
    return path


def write(path: Path, data: bytes | str) -> None:
    """Write a file, text as UTF-8.

    Raises  UsageError where that fails.
    """
    try:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise UsageError(f"{printable(str(path))} cannot be written: {error.strerror}") from None
