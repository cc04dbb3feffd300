"""`verify faults --functions`: what checks see of functions whose backward pass is by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from verify.experiments.checks import BOTH, CHECKS, Trial
from verify.experiments.peers import notices
from verify.faults.functions import FUNCTIONS
from verify.threads import one_thread

Asked: TypeAlias = tuple[str, str]
"""The name of a check, and a dtype."""


@dataclass(frozen=True)
class Row:
    """What one check sees in one dtype: as FUNCTION/MISTAKE, and the right ones that it blames."""

    check: str
    dtype: str
    seen: tuple[str, ...]
    alarms: tuple[str, ...]
    seconds: float
    """Of CPU time, for the right backward pass of a function."""


@dataclass(frozen=True)
class Comparison:
    """Of each check a row; of how many functions, and mistakes in them."""

    rows: tuple[Row, ...]
    mistakes: tuple[str, ...]
    functions: int

    def text(self) -> str:
        """A line for each check."""
        lines = [f"{'check':<38} {'dtype':<8} {'mistakes seen':>13} {'false alarms':>13}"
                 f" {'CPU s a function':>17}"]  # fmt: skip
        for row in self.rows:
            seen = f"{len(row.seen)}/{len(self.mistakes)}"
            alarms = f"{len(row.alarms)}/{self.functions}"
            lines.append(
                f"{row.check:<38} {row.dtype:<8} {seen:>13} {alarms:>13} {row.seconds:>17.3g}"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "format": 1,
            "functions": self.functions,
            "mistakes": list(self.mistakes),
            "checks": [
                {"check": row.check, "dtype": row.dtype, "seen": list(row.seen),
                 "missed": [name for name in self.mistakes if name not in row.seen],
                 "false_alarms": list(row.alarms), "seconds_a_function": row.seconds}
                for row in self.rows
            ],
        }  # fmt: skip


def comparison(
    progress: Callable[[Sequence[Asked]], Iterable[Asked]] | None = None,
    names: Sequence[str] = tuple(FUNCTIONS),
    checks: Sequence[str] = tuple(CHECKS),
) -> Comparison:
    """These checks on these functions, each in the dtypes that it is meant for.

    A check sees a mistake if it notices that backward pass and does not notice the right one,
    which is a false alarm.
    """
    asked = [(check, dtype) for dtype in BOTH for check in checks if dtype in CHECKS[check][0]]
    with one_thread(), np.errstate(all="ignore"):
        rows = tuple(_row(check, dtype, names) for check, dtype in (progress or iter)(asked))
    mistakes = [f"{name}/{m[0]}" for name in names for m in FUNCTIONS[name].mistakes]
    return Comparison(rows, tuple(mistakes), len(names))


def _row(name: str, dtype: str, names: Sequence[str]) -> Row:
    _, check = CHECKS[name]
    trials = [Trial(FUNCTIONS[function], FUNCTIONS[function].inputs(dtype)) for function in names]
    notices(check, trials[0].function.backward, trials[0])  # loads what it needs
    before = time.process_time()
    alarms = [t.function.name for t in trials if notices(check, t.function.backward, t)]
    seconds = (time.process_time() - before) / len(trials)
    seen = [
        f"{trial.function.name}/{mistake}"
        for trial in trials
        if trial.function.name not in alarms
        for mistake, backward in trial.function.mistaken().items()
        if notices(check, backward, trial)
    ]
    return Row(name, dtype, tuple(seen), tuple(alarms), seconds)
