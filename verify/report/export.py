"""Case -> JSON for other languages: numbers as hexadecimal floats, exact links, bound per entry.

No bit is lost on the way, and an implementation is right where |found - exact| <= bound.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from verify import files
from verify.errors import UsageError
from verify.judge import pins
from verify.network import truth
from verify.network.bounds import bounds
from verify.network.problem import SHAPES
from verify.scenario.cases import Case

FORMAT = 1


class Links(BaseModel):
    """One value a link: a number for C, else rows of numbers; (N, K), and (D, K) for dC_dW, W_next.

    Every number is a C99 hexadecimal float as "0x1.8p+1", or "inf".
    """

    model_config = ConfigDict(extra="forbid")

    y: list[list[str]]
    y_o: list[list[str]]
    C: str
    dC_dy_o: list[list[str]]
    dy_o_dy: list[list[str]]
    dC_dy: list[list[str]]
    dC_dW: list[list[str]]
    W_next: list[list[str]]


class Exported(BaseModel):
    """One case: the problem of its first step, what every link is there, and how near is right.

    An answer is right where |found - exact| <= bound, entry by entry; "inf" bounds nothing. `exact`
    is rounded to the nearest float64, for which the bound has room.
    """

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    id: str
    title: str
    dtype: str = Field(description="float32 or float64: what the answer is computed in")
    problem: str = Field(description="SHA-256 of X, W, P and h of all rows, as in the manifest")
    sizes: dict[str, int] = Field(description="N rows, D features, K classes")
    h: str
    X: list[list[str]]
    W: list[list[str]]
    P: list[list[str]]
    exact: Links
    bound: Links


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
    return Exported(
        id=case.id,
        title=case.origin.title,
        dtype=case.dtype,
        problem=pins.problem_digest(case),
        sizes=problem.sizes,
        h=_hex(problem.h),
        X=_hex(problem.X),
        W=_hex(problem.W),
        P=_hex(problem.P),
        exact=Links(**{link: _hex(getattr(exact, link)) for link in SHAPES}),
        bound=Links(**{link: _hex(getattr(bound, link)) for link in SHAPES}),
    )


def _hex(values: Any) -> Any:
    """Numbers, in the nesting of the array, as hexadecimal text."""
    if np.ndim(values):
        return [_hex(row) for row in values]
    return float(values).hex()
