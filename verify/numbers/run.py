"""A run of a program on shadows: what it is asked for, what it met, and where it is.

While a run records, every shadow remembers what it was made of.
"""

from __future__ import annotations

import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from verify.numbers.constant import precision
from verify.numbers.rounding import MODELS, Model

_HERE = Path(__file__).parents[1]
_LIBRARIES = (
    *(str(_HERE / family) + os.sep for family in ("numbers", "candidate", "judge", "report")),
    str(Path(np.__file__).parent),
)


MOST = 5_000_000  # numbers of one run: some twenty seconds


class Unfollowed(Exception):
    """A step that leaves exact arithmetic; says which, and the place in the program."""


class Undecided(Exception):
    """A comparison that the balls leave open; says where."""


class Loss(NamedTuple):
    """The step that lost most digits on the way to a number.

    Units   factor: relative error that came out by that which went in.
    """

    factor: float
    step: str
    place: str


@dataclass
class Run:
    """What a program's run on shadows is asked for, and what it met.

    `ties` are places where equal numbers were compared, `close` those where rounding may have
    decided otherwise; `side` says in which direction its inputs lean at a tie, `leans` how fast
    numbers grow in it.
    """

    dtype: str = "float64"
    bits: int = 212
    recording: bool = False
    side: int = 0
    ties: dict[str, None] = field(default_factory=dict)
    close: dict[str, None] = field(default_factory=dict)
    leans: dict[int, float] = field(default_factory=dict)
    directions: Any = None
    made: int = 0

    @property
    def model(self) -> Model:
        """What floats of the dtype may do."""
        return MODELS[self.dtype]

    def next(self) -> int:
        """The number of a shadow, in the order in which they are made.

        Raises  Unfollowed after MOST: what waits for floats to settle may never end.
        """
        self.made += 1
        if self.made > MOST:
            raise unfollowed(f"is still at work after {MOST:,} numbers")
        return self.made


_now = Run()


def now() -> Run:
    """The run that is under way."""
    return _now


@contextmanager
def running(run: Run) -> Iterator[Run]:
    """Shadows that are made inside are of this run."""
    global _now
    before, _now = _now, run
    try:
        with precision(run.bits):
            yield run
    finally:
        _now = before


def place() -> tuple[str, str]:
    """("file.py:12", the expression there) of the program's own line that is under way."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    code, path = frame.f_code, Path(frame.f_code.co_filename)
    line, end, column, end_column = list(code.co_positions())[frame.f_lasti // 2]
    text = ""
    if line is not None and line == end:
        text = linecache.getline(code.co_filename, line).rstrip("\n")
        text = text.encode()[column:end_column].decode(errors="replace")
    return f"{path.name}:{frame.f_lineno}", text


def place_of(error: BaseException) -> str:
    """ "file.py:12" of the program's last line that an error went through; empty where none did."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith(_LIBRARIES)]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""


def unfollowed(what: str) -> Unfollowed:
    """What to raise for a step that leaves exact arithmetic."""
    return Unfollowed(f"{place()[0]} {what}")
