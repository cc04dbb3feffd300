"""Case: one thing to judge, as data; made from a scenario file, or from a Problem in memory."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from verify.errors import FileFault, ScenarioError
from verify.network.problem import Problem
from verify.scenario.arrays import WHOLE, Combination
from verify.scenario.document import (
    ArrayFile,
    Expect,
    Limits,
)
from verify.scenario.folder import spelled
from verify.scenario.load import Scenario
from verify.scenario.manifest import Pin
from verify.scenario.sizes import Sizes, sizes
from verify.scenario.values import representable

HELD = 2**24  # numbers of X that a case may hold in memory, where they could stay in their file
_BLOCK = 2**19  # numbers of X and y in a block, about what a processor's caches hold


@dataclass(frozen=True)
class Origin:
    """Where a case is from.

    `path` is the file as ids spell it, or a name for what lies in memory; `digest` the SHA-256 of
    the file with its data, empty in memory; `line` that of the title.
    """

    path: str
    stem: str
    digest: str = ""
    line: int = 1
    title: str = ""
    source: str = ""


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of one step, in parts that memory holds; iterating gives each with its share."""

    N: int
    D: int
    K: int
    parts: Callable[[], Iterable[Problem]]

    @classmethod
    def of(cls, problem: Problem) -> Batch:
        """The batch of one part."""
        N, D, K = problem.sizes.values()
        return cls(N, D, K, lambda: [problem])

    def __iter__(self) -> Iterator[tuple[float, Problem]]:
        """Each part with its share of all rows.

        Shapes  X (n, D), W (D, K), P (n, K), with n the rows of a part.
        """
        for part in self.parts():
            yield len(part.X) / self.N, part

    @cached_property
    def first(self) -> Problem:
        """The first part."""
        return next(iter(self.parts()))

    @property
    def several(self) -> bool:
        return len(self.first.X) < self.N


@dataclass(frozen=True, eq=False)
class Case:
    """One thing to judge: the rows of a problem, how they are taken, and what is expected of C.

    `rows` gives some of the rows, with the first weights, when they are needed. `pin` is what a
    manifest says that the case was; `same_as` an earlier file of the run with the same bytes, whose
    cases are the evidence. `in_files`: X and P can stay in their files.
    """

    origin: Origin
    name: str
    rows: Callable[[slice], Problem]
    sizes: Sizes
    dtype: str
    device: str = "cpu"
    layout: str = "C"
    steps: int = 1
    expect: Expect = field(default_factory=Expect)
    in_files: bool = False
    pin: Pin | None = None
    same_as: str = ""

    @property
    def path(self) -> str:
        return self.origin.path

    @property
    def id(self) -> str:
        return f"{self.path}::{self.name}"

    @property
    def large(self) -> bool:
        """Whether X and P stay in their files, and are judged by blocks of rows.

        It takes all rows in every step; their order is that of the file, which changes no sum.
        """
        at = self.sizes
        return self.in_files and at.batch == at.N and at.N * at.D > HELD

    @cached_property
    def in_parts(self) -> list[Batch]:
        """The rows of each step; of a large case, in blocks that are read when they are needed."""
        if not self.large:
            return [Batch.of(problem) for problem in self.batches]
        N, D, K = self.sizes.N, self.sizes.D, self.sizes.K
        rows = max(1, _BLOCK // (D + 2 * K))
        blocks = [slice(start, start + rows) for start in range(0, N, rows)]
        return [Batch(N, D, K, lambda: map(self.rows, blocks))]

    @cached_property
    def problem(self) -> Problem:
        """All rows, with the first weights.

        Shapes  X (N, D), W (D, K), P (N, K).
        """
        return self.rows(WHOLE)

    @cached_property
    def batches(self) -> list[Problem]:
        """The rows of each step, taken in turn; the last batch may be smaller."""
        whole, size = self.problem, self.sizes.batch
        if size == len(whole.X):
            return [whole]
        starts = range(0, len(whole.X), size)
        return [
            Problem(whole.X[s : s + size], whole.W, whole.P[s : s + size], whole.h) for s in starts
        ]


def cases(scenario: Scenario) -> list[Case]:
    """Every combination of the scenario's parameters, in the order of the file's values."""
    document, path = scenario.document, scenario.path
    origin = Origin(
        spelled(path), path.stem, scenario.digest, scenario.line,
        document.title or "", document.source or "",
    )  # fmt: skip
    # Drawn and written numbers are in memory anyway; a table is read as text, as a whole.
    in_files = isinstance(document.inputs, ArrayFile) and isinstance(document.labels, ArrayFile)

    def made(values: Mapping[str, Any]) -> Case:
        numbers = Combination(scenario, values, sizes(document, scenario.data, values))
        return Case(
            origin,
            "-".join(f"{name}={values[name]}" for name in scenario.named),
            numbers.rows,
            numbers.sizes,
            values["dtype"],
            values["device"],
            values["layout"],
            values["steps"],
            scenario.expect,
            in_files,
        )

    combinations = itertools.product(*scenario.axes.values())
    return [made(dict(zip(scenario.axes, values, strict=True))) for values in combinations]


def on_device(case: Case, device: str) -> Case:
    """The case on another device, by which its name tells it where devices vary."""
    name = re.sub(r"\bdevice=[a-z0-9:]+", f"device={device}", case.name)
    return replace(case, name=name, device=device)


def of_problem(
    problem: Problem,
    name: str = "problem",
    expect: Expect | None = None,
    limits: Limits | None = None,
) -> Case:
    """The case of one problem in memory, of which nothing is expected unless it is said.

    Raises  ScenarioError for numbers that no scenario may have, and for more than `limits` allow.
    """
    faults = tuple(_unfit(problem, name, limits or Limits()))
    if faults:
        raise ScenarioError(faults)
    N, D, K = problem.sizes.values()

    def rows(some: slice) -> Problem:
        return problem if some == WHOLE else Problem(
            problem.X[some], problem.W, problem.P[some], problem.h
        )  # fmt: skip

    dtype = str(problem.dtype)
    nothing = Expect(loss="any", post_form=None)
    return Case(
        Origin(name, name),
        f"dtype={dtype}",
        rows,
        Sizes(N, D, K, N),
        dtype,
        expect=expect or nothing,
    )


def _unfit(problem: Problem, name: str, limits: Limits) -> Iterator[FileFault]:
    """What of a problem no scenario may have: of each array the first such entry."""
    low, high = representable(str(problem.dtype))
    for array in "XWPh":
        values = np.asarray(getattr(problem, array), np.float64)
        size = np.abs(values)
        wrong = ~((size == 0) | ((size >= low) & (size < high)))
        wrong |= {"P": values < 0, "h": values <= 0}.get(array, False)
        if wrong.any():
            entry = [int(i) for i in np.argwhere(wrong)[0]]
            most = f"{low:.3g} to {min(high, 1.797e308):.3g}"
            allowed = {"P": f"0 or {most}", "h": most}.get(array, f"0 or {most} in size")
            key, found = f"{array}{entry or ''}", repr(float(values[tuple(entry)]))
            what = f"not a number of a {problem.dtype} case"
            yield FileFault(name, 0, 0, key, what, found=found, allowed=allowed)
    if not np.any(problem.P):
        allowed = "at least one label above 0, else nothing is learnt"
        yield FileFault(name, 0, 0, "P", "all labels are 0", found="", allowed=allowed)
    asked = {"work": problem.work, "numbers": problem.X.size + problem.W.size + problem.P.size}
    for limit, much in asked.items():
        if much > getattr(limits, limit):
            yield FileFault(
                name, 0, 0, "X", "too large", found=f"{limit} = {much}", allowed=limits.allow(limit)
            )
