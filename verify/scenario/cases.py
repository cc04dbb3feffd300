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
from verify.network.costs import COSTS
from verify.network.network import POST, Network
from verify.network.problem import Problem, of_post
from verify.scenario.arrays import WHOLE, Combination
from verify.scenario.document import ArrayFile, Expect
from verify.scenario.folder import spelled
from verify.scenario.limits import Limits
from verify.scenario.load import Scenario
from verify.scenario.manifest import Pin
from verify.scenario.sizes import Sizes, sizes
from verify.scenario.values import LABELS, SOME, representable

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
    cases are the evidence. `network` is that of its problems, known before they are made.
    `in_files`: X and P can stay in their files.
    """

    origin: Origin
    name: str
    rows: Callable[[slice], Problem]
    sizes: Sizes
    dtype: str
    network: Network = POST
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
    def of_post(self) -> bool:
        """As Problem.of_post."""
        return of_post(self.network, self.dtype)

    @property
    def large(self) -> bool:
        """Whether X and P stay in their files, and are judged by blocks of rows.

        It takes all rows in every step; their order is that of the file, which changes no sum. The
        C of its blocks add up by their shares of the rows, which those of a "sum" do not, nor those
        of rows that depend on each other; what an update keeps is of all rows.
        """
        at = self.sizes
        whole = at.batch == at.N and self.network.reduction != "sum"
        whole &= not (self.network.mixes_rows or self.network.state)
        return self.in_files and whole and at.N * at.D > HELD

    @property
    def work(self) -> int:
        """Multiplications of one pass through the weights: N D K of one layer."""
        return self.sizes.work

    @cached_property
    def in_parts(self) -> list[Batch]:
        """The rows of each step; of a large case, in blocks that are read when they are needed."""
        if not self.large:
            return [Batch.of(problem) for problem in self.batches]
        N, D, K = self.sizes.N, self.sizes.D, self.sizes.K
        units = sum(columns for _, columns in self.sizes.weights.values())
        rows = max(1, _BLOCK // (D + 2 * units))
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
        return [whole.rows(slice(start, start + size)) for start in starts]


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
        name = "-".join(f"{name}={values[name]}" for name in scenario.named)
        own = {key: values[key] for key in ("dtype", "device", "layout", "steps")}
        return Case(
            origin, name, numbers.rows, numbers.sizes, network=scenario.network,
            expect=scenario.expect, in_files=in_files, **own,
        )  # fmt: skip

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
    nothing = Expect(loss="any", post_form=None)
    return Case(
        Origin(name, name),
        f"dtype={problem.dtype}",
        lambda rows: problem if rows == WHOLE else problem.rows(rows),
        _sizes(problem),
        str(problem.dtype),
        problem.network,
        expect=expect or nothing,
    )


def _sizes(problem: Problem) -> Sizes:
    arrays = {"X": problem.X, **problem.parameters, "P": problem.P}
    return Sizes({name: np.shape(a) for name, a in arrays.items()}, len(problem.X))


def _unfit(problem: Problem, name: str, limits: Limits) -> Iterator[FileFault]:
    """What of a problem no scenario may have: of each array the first such entry."""
    low, high = representable(str(problem.dtype))
    most, taken = min(high, 1.797e308), LABELS[COSTS[problem.network.cost].labels]
    allowed = f"0 or {low:.3g} to {most:.3g} in size"
    of_P = allowed if taken.low < 0 else f"0 or {low:.3g} to {min(most, taken.high):.3g}"
    of_P = taken.allowed if taken.no_row else of_P
    special = {
        "P": (taken.refuses(np.asarray(problem.P)), of_P),
        "h": (np.asarray(problem.h) <= 0, f"{low:.3g} to {most:.3g}"),
    }
    arrays = {"X": problem.X, **problem.parameters, "P": problem.P, "h": problem.h}
    for array, given in arrays.items():
        values = np.asarray(given, np.float64)
        size = np.abs(values)
        also, within = special.get(array, (False, allowed))
        wrong = ~((size == 0) | ((size >= low) & (size < high))) | also
        if wrong.any():
            entry = [int(i) for i in np.argwhere(wrong)[0]]
            key, found = f"{array}{entry or ''}", repr(float(values[tuple(entry)]))
            what = f"not a number of a {problem.dtype} case"
            yield FileFault(name, 0, 0, key, what, found=found, allowed=within)
    if taken.some and not np.any(problem.P):
        yield FileFault(name, 0, 0, "P", "all labels are 0", found="", allowed=SOME)
    for limit in ("work", "numbers"):
        much = getattr(_sizes(problem), limit)
        if much > getattr(limits, limit):
            yield FileFault(
                name, 0, 0, "X", "too large", found=f"{limit} = {much}", allowed=limits.allow(limit)
            )
