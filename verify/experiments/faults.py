"""Faults x scenarios: who catches whom, which scenarios are needed, and what kinds they must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.experiments import peers
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS, Fault
from verify.judge import compare
from verify.judge.proof import caught_by
from verify.judge.result import Finding
from verify.network.problem import Problem
from verify.scenario.cases import Case
from verify.scenario.collection import collect
from verify.threads import one_thread, processes

BUDGET = 2.0**23  # of each case's truth
WORK = 2**22  # N D K of the cases in which faults are planted: 90 of them, three calls each


@dataclass(frozen=True)
class Sight:
    """Which scenario file catches which fault, and by what.

    `kills` maps a fault to the files that catch it, each with the check and the first link of the
    first finding; `kinds` maps a file to what its cases are.
    """

    kills: Mapping[str, Mapping[str, str]]
    kinds: Mapping[str, frozenset[str]]

    @property
    def survivors(self) -> list[str]:
        """Visible faults that nothing catches."""
        return [name for name, by in self.kills.items() if not by and FAULTS[name].visible]

    @property
    def missing_kinds(self) -> list[str]:
        """Kinds of cases that faults need and no file is of."""
        present = frozenset().union(*self.kinds.values()) if self.kinds else frozenset()
        return [kind for kind in KINDS if kind not in present]

    def alone(self, path: str) -> list[str]:
        """The faults that only this file catches."""
        return [name for name, by in self.kills.items() if set(by) == {path}]

    def minimal(self, times: int) -> list[str]:
        """A set of files that catches every fault `times` times, as far as the files do at all.

        None of them could be left out.
        """
        need = {name: min(times, len(by)) for name, by in self.kills.items()}
        chosen: list[str] = []
        while missing := [n for n, k in need.items() if _hits(self.kills[n], chosen) < k]:
            left = [path for path in self.kinds if path not in chosen]
            chosen.append(max(left, key=lambda p: sum(p in self.kills[n] for n in missing)))
        for path in list(chosen):
            rest = [p for p in chosen if p != path]
            if all(_hits(self.kills[n], rest) >= k for n, k in need.items()):
                chosen = rest
        return sorted(chosen)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "format": 1,
            "faults": {n: {"link": f.link, "mistake": f.mistake, "visible": f.visible,
                           "killed_by": dict(self.kills[n])} for n, f in FAULTS.items()
                       if n in self.kills},
            "kinds": {path: sorted(kinds) for path, kinds in self.kinds.items()},
            "survivors": self.survivors,
            "missing_kinds": self.missing_kinds,
            "alone": {path: self.alone(path) for path in self.kinds},
            "minimal_once": self.minimal(1),
            "minimal_twice": self.minimal(2),
        }  # fmt: skip


def sight(
    paths: Sequence[str], faults: Sequence[str] = tuple(FAULTS), workers: int = 1,
    progress: Callable[[Sequence[str]], Iterable[str]] | None = None,
) -> Sight:  # fmt: skip
    """Plant every fault in every scenario file, until a case of the file catches it.

    `workers` processes share the files; `progress` may wrap them.

    Raises  ScenarioError for a bad file.
    """
    kills: dict[str, dict[str, str]] = {name: {} for name in faults}
    kinds: dict[str, frozenset[str]] = {}
    with processes(workers) as pool:
        seen = {path: pool.submit(_in_file, path, tuple(faults)) for path in paths}
        for path in (progress or iter)(paths):
            caught, kinds[path] = seen[path].result()
            for name, how in caught.items():
                kills[name][path] = how
    return Sight(kills, kinds)


def _in_file(path: str, faults: Sequence[str]) -> tuple[dict[str, str], frozenset[str]]:
    """What catches each fault in one file, and the kinds of the file's cases."""
    caught: dict[str, str] = {}
    kinds: frozenset[str] = frozenset()
    with one_thread():
        for case in (c for c in collect(path) if not c.large):
            problem = case.batches[0]
            with np.errstate(all="ignore"):
                kinds |= kinds_of(problem, case)
                left = [FAULTS[name] for name in faults if name not in caught]
                if problem.work > WORK or not left:
                    continue
                ref = compare.reference(problem, BUDGET)
                found = {f.name: caught_by(f, ref) for f in left if ref.bounds.fits}
            caught |= {name: told(how) for name, how in found.items() if how is not None}
    return caught, kinds


def told(finding: Finding) -> str:
    """The check and the link, as `bound dC_dW`."""
    return " ".join([finding.check, *([finding.link] if finding.link else [])])


def _hits(by: Mapping[str, str], chosen: Sequence[str]) -> int:
    return sum(path in by for path in chosen)


KINDS: Mapping[str, Callable[[Problem, Case], Any]] = {
    "more than one row": lambda p, c: len(p.X) > 1,
    "one row": lambda p, c: len(p.X) == 1,
    "more than one class": lambda p, c: p.W.shape[1] > 1,
    "one class": lambda p, c: p.W.shape[1] == 1,
    "one feature": lambda p, c: p.X.shape[1] == 1,
    "three distinct sizes above 1": lambda p, c: len({*p.sizes.values(), 1}) == 4,
    "soft labels": lambda p, c: ((p.P > 0) & (p.P < 1)).any(),
    "several labels in a row": lambda p, c: (p.P.sum(axis=1) > 1.5).any(),
    "labels above 1": lambda p, c: (p.P > 1).any(),
    "rows without a label": lambda p, c: (p.P.sum(axis=1) == 0).any(),
    "inputs with fractions": lambda p, c: (np.trunc(p.X) != p.X).any(),
    "large gradients": lambda p, c: _steepest(p) > 1,
    "y below -30": lambda p, c: (p.X @ p.W).min() < -30,
    "y above 7 at a label": lambda p, c: ((p.X @ p.W)[p.P > 0] > 7).any(),
    "beyond the post form": lambda p, c: c.expect.post_form == "nonfinite",
    "y below -1000 at a label": lambda p, c: (p.X @ p.W)[p.P > 0].min() < -1000,
    "y of -36 to -20 at a label, float64": lambda p, c: (
        c.dtype == "float64" and _between(-36, p.X @ p.W, -20)[p.P > 0].any()
    ),
    "y of 64 to 500 at a label": lambda p, c: _between(64, p.X @ p.W, 500)[p.P > 0].any(),
    "y above 500 at a label": lambda p, c: ((p.X @ p.W)[p.P > 0] > 500).any(),
    "weights of 0": lambda p, c: not p.W.any(),
    "rows of zeros": lambda p, c: not p.X.any(axis=1).all(),
    "inputs mostly 0": lambda p, c: 10 * np.count_nonzero(p.X) <= p.X.size,
    "an input of -0": lambda p, c: (np.signbit(p.X) & (p.X == 0)).any(),
    "inputs below 1e-12": lambda p, c: np.abs(p.X[p.X != 0]).min(initial=1) < 1e-12,
    "inputs above 1e8": lambda p, c: np.abs(p.X).max() > 1e8,
    "labels below 1e-5": lambda p, c: p.P[p.P > 0].min(initial=1) < 1e-5,
    "labels above 100": lambda p, c: p.P.max() > 100,
    "gradients below 1e-12": lambda p, c: _steepest(p) < 1e-12,
    "gradients above 1e8": lambda p, c: _steepest(p) > 1e8,
    "rows that are no blocks of 2,048": lambda p, c: len(p.X) > 2048 and len(p.X) % 2048,
    "rows that are no chunks of 5,000": lambda p, c: len(p.X) > 5000 and len(p.X) % 5000,
    "more than 65,535 rows": lambda p, c: len(p.X) > 65535,
    "features that leave 7 of 8": lambda p, c: p.X.shape[1] > 8 and p.X.shape[1] % 8 == 7,
    "features by a power of two": lambda p, c: p.X.shape[1] in (16, 32, 64, 128, 256, 512),
    "more than 1,024 features": lambda p, c: p.X.shape[1] > 1024,
    "more than 50 features a row": lambda p, c: p.X.shape[1] > 50 * len(p.X),
    "eight classes": lambda p, c: p.W.shape[1] == 8,
    "11 to 63 classes, no blocks of 8": lambda p, c: 10 < p.W.shape[1] < 64 and p.W.shape[1] % 8,
    "more than 128 classes": lambda p, c: p.W.shape[1] > 128,
    "blind for the post form": lambda p, c: c.expect.post_form == "blind",
    "strided inputs": lambda p, c: c.layout == "strided",
    "Fortran order": lambda p, c: c.layout == "F",
    "several steps": lambda p, c: c.steps > 1,
    "uneven batches": lambda p, c: c.sizes.N % c.sizes.batch != 0,
    "a step of 1 or more": lambda p, c: p.h >= 1,
    "float32": lambda p, c: c.dtype == "float32",
    "float64": lambda p, c: c.dtype == "float64",
}


def kinds_of(problem: Problem, case: Case) -> frozenset[str]:
    """What a case is, computed from its data.

    Shapes  as Problem.
    """
    return frozenset(kind for kind, holds in KINDS.items() if holds(problem, case))


def _between(low: float, y: Any, high: float) -> Any:
    return (low < y) & (y < high)


def _steepest(problem: Problem) -> float:
    dC_dy = problem.P / (1 + np.exp(np.minimum(problem.X @ problem.W, 80))) / len(problem.X)
    return float(np.abs(problem.X.T @ dC_dy).max())


@dataclass(frozen=True)
class Comparison:
    """How many faults, and how many correct implementations, each check reports; of how many."""

    reported: Mapping[str, int]
    alarms: Mapping[str, int]
    faults: int
    cases: int

    def to_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return {"reported": dict(self.reported), "false_alarms": dict(self.alarms),
                "faults": self.faults, "cases": self.cases}  # fmt: skip


def comparison(
    paths: Sequence[str], progress: Callable[[Sequence[str]], Iterable[str]] | None = None
) -> Comparison:
    """This suite and other checks side by side: the same faults, the same small cases.

    A check sees a fault if it notices it in any case in which it does not notice the right chain
    as well: that is a false alarm. Cases are those within PEER_WORK and inside the post form's
    domain, since the others cannot compare anything beyond it; faults those of NumPy functions.

    Raises  ScenarioError for a bad file.
    """
    right = Fault("right", "y", "none", with_formulas())
    faults = [fault for fault in FAULTS.values() if fault.arrays == "numpy"]
    seen: dict[str, set[str]] = {name: set() for name in (OURS, *peers.CHECKS)}
    alarms = dict.fromkeys(seen, 0)
    count = 0
    for path in (progress or iter)(paths):
        with one_thread(), np.errstate(all="ignore"):
            for case in (c for c in collect(path) if not c.large):
                if case.batches[0].work > PEER_WORK:
                    continue
                ref = compare.reference(case.batches[0], BUDGET)
                if ref.bounds.post_holds and ref.bounds.fits:
                    count += 1
                    for name, found in seen.items():
                        alarm = _notices(name, right, ref)
                        alarms[name] += alarm
                        if not alarm:
                            left = (f for f in faults if f.name not in found)
                            found |= {f.name for f in left if _notices(name, f, ref)}
    return Comparison({n: len(s) for n, s in seen.items()}, alarms, len(faults), count)


def _notices(check: str, fault: Fault, ref: compare.Reference) -> bool:
    if check == OURS:
        return caught_by(fault, ref) is not None
    return peers.notices(peers.CHECKS[check], fault.make(), ref.problem)


OURS = "this suite"
PEER_WORK = 2**9  # N D K that slow gradcheck can do for every fault
