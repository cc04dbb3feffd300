"""Case -> JSON for other languages: numbers as hexadecimal floats, exact links, bound per entry.

No bit is lost on the way, and an implementation is right where |found - exact| <= bound.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pydantic import ConfigDict, Field

from verify import files
from verify.candidate.json_lines import Described, described
from verify.errors import UsageError
from verify.judge import pins
from verify.network import truth
from verify.network.bounds import bounds
from verify.scenario.cases import Case

FORMAT = 2

Values: TypeAlias = str | list[str] | list[list[str]]
"""A number, a vector or rows of numbers; each a C99 hexadecimal float as "0x1.8p+1", or "inf"."""


class Exported(Described):
    """One case: the problem of its first step, what every link is there, and how near is right.

    Besides the fields that are listed it has every array by its name: X, the parameters (W, or W1,
    b1, W2, ...) in the order of `gradients`, and P, or G of one operation. An answer is right where
    |found - exact| <= bound, entry by entry; "inf" bounds nothing. `exact` is rounded to the
    nearest float64, for which the bound has room.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Values]

    format: int = FORMAT
    id: str
    title: str
    problem: str = Field(description="SHA-256 of all arrays and h, of all rows, as in the manifest")
    sizes: dict[str, int] = Field(description="N rows, D features, K classes")
    h: str | None = Field(description="null where there is no step")
    exact: dict[str, Values] = Field(description="every link, in the order of the computation")
    bound: dict[str, Values]


def export(cases: Iterable[Case], folder: Path) -> tuple[list[Path], list[Case]]:
    """Write FOLDER/SCENARIO/CASE.json for every case; the files, and the cases too large for truth.

    Raises  UsageError when the folder is there and not empty, so that nothing old stays in it, or
            cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: not an empty folder; name a new one")
    written, left = [], []
    for case in cases:
        made = exported(case)
        if made is None:
            left.append(case)
            continue
        path = folder / case.origin.stem / f"{case.name}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise files.cannot_be_written(path.parent, error) from None
        files.write(path, json.dumps(made.model_dump(), indent=1) + "\n")
        written.append(path)
    return written, left


def exported(case: Case) -> Exported | None:
    """One case as data; None where its truth is too much work."""
    if case.large:
        return None
    problem = case.batches[0]
    exact = truth.nearest_chain(problem, pins.LOCK_BUDGET)
    if exact is None:
        return None
    with np.errstate(all="ignore"):
        bound = bounds(problem).wider
    network = problem.network
    return Exported(
        **described(network, case.dtype, problem.t),
        id=case.id,
        title=case.origin.title,
        problem=pins.problem_digest(case),
        sizes=problem.sizes,
        h=_hex(problem.h) if network.trains else None,
        exact={link: _hex(exact[link]) for link in network.links},
        bound={link: _hex(bound[link]) for link in network.links},
        **{name: _hex(array) for name, array in problem.arrays.items()},
    )


def _hex(values: Any) -> Any:
    """Numbers, in the nesting of the array, as hexadecimal text."""
    if np.ndim(values):
        return [_hex(row) for row in values]
    return float(values).hex()
