"""Files that a command reads or writes: their troubles are errors of usage."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from verify.errors import UsageError, printable

_PACKAGE = Path(__file__).resolve().parent


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

    Raises  UsageError for a folder, or a file in a folder that is not there or takes no files.
    """
    path = Path(name)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(
            f"{printable(name)} cannot be written: give a file in a folder that exists"
        )
    if not path.exists():
        writable(path.absolute().parent)
    elif not os.access(path, os.W_OK):
        raise UsageError(f"{printable(name)} cannot be written: it is read-only")
    return path


def writable(folder: Path) -> Path:
    """A folder in which files can be made.

    Raises  UsageError where they cannot: it is not there, or read-only.
    """
    if not folder.is_dir():
        raise UsageError(f"{printable(str(folder))}: no such folder; make it, or name another")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{printable(str(folder))} takes no files: it is read-only")
    return folder


def write(path: Path, data: bytes | str) -> None:
    """Write a file, text as UTF-8: the whole of it, or, where that fails, none of it.

    Raises  UsageError where that fails.
    """
    content = data.encode() if isinstance(data, str) else data
    at = path.resolve() if path.is_symlink() else path
    new = at.with_name(f".{at.name}.{uuid.uuid4().hex[:8]}")
    whole = not at.exists() or (at.is_file() and os.access(at.parent, os.W_OK))
    try:
        if not whole:  # a device, a pipe, or a file in a folder that takes no other
            at.write_bytes(content)
            return
        try:
            new.write_bytes(content)
            new.replace(at)
        except OSError:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise cannot_be_written(path, error) from None


def create(path: Path, text: str) -> None:
    """Write a new file, as `write` does; one that is there is left alone.

    Raises  UsageError where that fails.
    """
    try:
        with path.open("x"):
            pass
    except FileExistsError:
        raise UsageError(f"{printable(str(path))} exists already; choose another name") from None
    except OSError as error:
        raise cannot_be_written(path, error) from None
    try:
        write(path, text)
    except UsageError:
        path.unlink(missing_ok=True)
        raise


def cannot_be_written(path: Path, error: OSError) -> UsageError:
    """What the system says about a file that it does not take."""
    return UsageError(f"{printable(str(path))} cannot be written: {error.strerror}")


def shadowed(folder: Path | None = None) -> str:
    """That a checkout in the working folder is not what runs; empty where it is, or is none."""
    checkout = (folder or Path.cwd()) / "verify"
    if not (checkout / "network").is_dir() or checkout.resolve() == _PACKAGE:
        return ""
    return (
        f"note: this is the verify of {_PACKAGE}, not of ./verify: what you change here is not what"
        " runs; `pip install -e .` installs the checkout itself"
    )
