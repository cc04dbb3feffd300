"""A CSV text -> named columns of text; strict."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from verify.errors import FileFault, ScenarioError
from verify.scenario.data import decoded, refusal

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FORBIDDEN = (('"', "a quote"), ("\0", "a null byte"), ("\t", "a tab"), ("\r", "a lone return"))


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
        index, cells = list(self.columns).index(column) + 1, self.columns[column]
        allowed = f"column {index} holds decimal numbers with a point, within float64"
        known = {text: _number(text) for text in set(cells)}  # of pixels there are few
        read = [known[text] for text in cells]
        faults = [
            FileFault(
                self.path, i + 2, 0, column, what, found=ascii(cells[i][:40]), allowed=allowed
            )
            for i, (what, _) in enumerate(read)
            if what
        ]
        if faults:
            raise ScenarioError(faults)
        self._read[column] = [value for _, value in read]
        return self._read[column]

    def classes(self, column: str) -> tuple[list[int], int]:
        """One column as class indices and their number: the sorted distinct texts, from 0."""
        names = sorted(
            set(self.columns[column]), key=lambda t: (len(t), t) if t.isdigit() else (0, t)
        )
        index = {name: k for k, name in enumerate(names)}
        return [index[text] for text in self.columns[column]], len(names)


def _number(text: str) -> tuple[str, float]:
    """What is wrong with a cell, and its value."""
    if not _NUMBER.fullmatch(text):
        return "not a number", 0.0
    value = float(text)
    if math.isinf(value):
        return "beyond float64", value
    lost = not value and re.search("[1-9]", text.lower().split("e")[0])
    return "rounds to zero" if lost else "", value


def parsed(shown: str, content: bytes, limit: int, most: str) -> Table:
    """The table in the bytes of a file, of at most `limit` cells; `most` says so.

    Raises  ScenarioError for what is not UTF-8, ragged, quoted, or has an empty cell; with lines.
    """
    cells = content.count(b",") + content.count(b"\n")
    if cells > limit:
        raise refusal(shown, "too large", found=f"{cells} cells", allowed=most)
    return _parse(shown, decoded(shown, content))


def _parse(shown: str, text: str) -> Table:
    text, faults = text.replace("\r\n", "\n"), list[FileFault]()

    def complain(line: int, what: str, *, column: int = 0, found: str = "", allowed: str) -> None:
        faults.append(FileFault(shown, line, column, "", what, found=found, allowed=allowed))

    for i, line in enumerate(text.split("\n"), 1):
        for c, what in _FORBIDDEN:
            if c in line:
                column = line.index(c) + 1
                told = f"{what} in a cell"
                complain(i, told, column=column, found=ascii(c), allowed="plain cells")
    reader = csv.reader(io.StringIO(text, newline=""), quoting=csv.QUOTE_NONE)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise refusal(
            shown, "not CSV", line=reader.line_num, found=str(error), allowed="short cells"
        ) from None
    header = rows[0] if rows else []
    if len(rows) < 2:
        complain(1, "no rows", allowed="a line of column names and lines of data")
    if len(set(header)) < len(header):
        names = ",".join(header)[:80]
        complain(1, "a column name twice", found=names, allowed="distinct names")
    for i, row in enumerate(rows, 1):
        if len(row) != len(header):
            count = f"{len(header)} cells"
            complain(i, "a ragged row", found=f"{len(row)} cells", allowed=count)
        elif any(cell != cell.strip() or not cell for cell in row):
            complain(i, "an empty or padded cell", allowed="a value in every cell")
    if faults:
        raise ScenarioError(faults)
    columns = zip(*rows[1:], strict=True)
    return Table(shown, dict(zip(header, columns, strict=True)))
