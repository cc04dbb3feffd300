"""A CSV file beside the scenarios -> named columns of text; strict, and only in their folder."""

from __future__ import annotations

import csv
import io
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from verify.errors import FileFault, ScenarioError

MAX_BYTES = 64 * 2**20
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\.csv")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Table:
    """Columns of equal length, as the text of the file; row i stands on line i + 2."""

    path: str
    columns: Mapping[str, tuple[str, ...]]
    _read: dict[str, list[float]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def numbers(self, column: str) -> list[float]:
        """One column as numbers.

        Raises  ScenarioError with the line of every cell that is not a decimal number.
        """
        if column in self._read:  # the check of the file, and every case, ask for the same
            return self._read[column]
        index = list(self.columns).index(column) + 1
        faults = [
            FileFault(self.path, i + 2, 0, column, "not a number", repr(text[:40]),
                  f"column {index} holds decimal numbers with a point")
            for i, text in enumerate(self.columns[column])
            if not _NUMBER.fullmatch(text)
        ]  # fmt: skip
        if faults:
            raise ScenarioError(faults)
        self._read[column] = [float(text) for text in self.columns[column]]
        return self._read[column]

    def classes(self, column: str) -> tuple[list[int], int]:
        """One column as class indices and their number: the sorted distinct texts, from 0."""
        names = sorted(
            set(self.columns[column]), key=lambda t: (len(t), t) if t.isdigit() else (0, t)
        )
        index = {name: k for k, name in enumerate(names)}
        return [index[text] for text in self.columns[column]], len(names)


def read(folder: Path, name: str) -> Table:
    """The table `name` under `folder`.

    Raises  ScenarioError for a name that is not plain and relative, a file that is not regular,
            too large, not UTF-8, ragged, quoted, or has an empty cell; with line numbers.
    """
    path = folder / name
    if not _PLAIN.fullmatch(name):
        raise _error(
            path.name if "/" not in name else name, 0, "not a plain relative name", repr(name[:80]),
            "letters, digits, _ - . and / below the scenario's folder, ending in .csv"
        )  # fmt: skip
    shown = str(path)
    for part in (path, *path.parents[: name.count("/")]):
        if part.is_symlink():
            raise _error(shown, 0, "a symbolic link", part.name, "data files are regular files")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _error(shown, 0, "not a regular file", "", "data files are regular files")
        if status.st_size > MAX_BYTES:
            raise _error(
                shown, 0, "too large", f"{status.st_size} bytes", f"at most {MAX_BYTES} bytes"
            )
        text = path.read_bytes().decode()
    except OSError as error:
        raise _error(shown, 0, "cannot be read", str(error.strerror), "a readable file") from None
    except UnicodeDecodeError as error:
        raise _error(shown, 0, "not UTF-8", f"byte {error.start}", "UTF-8 without a mark") from None
    return _parse(shown, text)


def _parse(shown: str, text: str) -> Table:
    if text.startswith("\ufeff"):
        raise _error(shown, 1, "a byte order mark", "U+FEFF", "UTF-8 without a mark")
    faults = [
        FileFault(shown, i, line.index(c) + 1, "", f"{what} in a cell", repr(c), "plain cells only")
        for i, line in enumerate(text.split("\n"), 1)
        for c, what in (('"', "a quote"), ("\0", "a null byte"), ("\t", "a tab"))
        if c in line
    ]  # fmt: skip
    rows = list(csv.reader(io.StringIO(text, newline=""), quoting=csv.QUOTE_NONE))
    header = rows[0] if rows else []
    if len(rows) < 2:
        faults.append(
            FileFault(shown, 1, 0, "", "no rows", "", "a line of column names and lines of data")
        )
    if len(set(header)) < len(header):
        faults.append(
            FileFault(
                shown, 1, 0, "", "a column name twice", ",".join(header)[:80], "distinct names"
            )
        )
    for i, row in enumerate(rows, 1):
        if len(row) != len(header):
            faults.append(
                FileFault(
                    shown, i, 0, "", "a ragged row", f"{len(row)} cells", f"{len(header)} cells"
                )
            )
        elif any(cell != cell.strip() or not cell for cell in row):
            faults.append(
                FileFault(shown, i, 0, "", "an empty or padded cell", "", "a value in every cell")
            )
    if faults:
        raise ScenarioError(faults)
    columns = zip(*rows[1:], strict=True)
    return Table(shown, dict(zip(header, columns, strict=True)))


def _error(path: str, line: int, what: str, found: str, allowed: str) -> ScenarioError:
    return ScenarioError([FileFault(path, line, 0, "", what, found, allowed)])
