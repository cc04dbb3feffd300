"""`verify faults`: which scenario file catches which planted fault; other checks beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.experiments import peers
from verify.experiments.kinds import KINDS, kinds_of
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS, Fault
from verify.judge import compare
from verify.judge.result import Finding
from verify.judge.selftest import caught_by
from verify.scenario.collection import collect
from verify.threads import one_thread, processes

CASE_BUDGET = 2.0**23  # of each case's truth
LARGEST_CASE = 2**22  # N D K of the cases in which faults are planted: 90 of them, three calls each


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

    def text(self) -> str:
        """Faults by link with what catches them, then what each file is needed for, in lines."""
        names = {path: path.rsplit("/", 1)[-1].removesuffix(".toml") for path in self.kinds}
        lines = [f"{'fault':<30} {'link':<8} {'caught by':>9}  first seen as, mistake"]
        for name, fault in FAULTS.items():
            by = self.kills[name]
            how = Counter(by.values()).most_common(1)
            first = how[0][0] if how else "SURVIVES" if fault.visible else "invisible, by design"
            count = f"{len(by)}/{len(names)}"
            lines.append(f"{name:<30} {fault.link:<8} {count:>9}  {first}: {fault.mistake}")
        caught = sum(bool(by) for by in self.kills.values())
        lines += ["", f"{caught} of {len(self.kills)} faults caught by {len(names)} scenario files"]
        lines.append("survivors: " + (", ".join(self.survivors) or "none"))
        for path, name in names.items():
            if self.alone(path):
                lines.append(f"only {name} catches {', '.join(self.alone(path))}")
        idle = [name for path, name in names.items() if not self.alone(path)]
        lines.append(f"catch nothing that another does not: {', '.join(idle) or 'none'}")
        for times, word in ((1, "once"), (2, "twice")):
            chosen = ", ".join(names[path] for path in self.minimal(times))
            lines.append(f"enough to catch everything {word}: {chosen}")
        lines.append("kinds of case that faults need and no file has: "
                     + (", ".join(self.missing_kinds) or "none"))  # fmt: skip
        return "\n".join(lines)

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
                if problem.work > LARGEST_CASE or not left:
                    continue
                ref = compare.reference(problem, CASE_BUDGET)
                found = {f.name: caught_by(f, ref) for f in left if ref.bounds.fits}
            caught |= {name: check_and_link(how) for name, how in found.items() if how is not None}
    return caught, kinds


def check_and_link(finding: Finding) -> str:
    """The check and the link, as `bound dC_dW`."""
    return " ".join([finding.check, *([finding.link] if finding.link else [])])


def _hits(by: Mapping[str, str], chosen: Sequence[str]) -> int:
    return sum(path in by for path in chosen)


@dataclass(frozen=True)
class Comparison:
    """How many faults, and how many correct implementations, each check reports; of how many."""

    reported: Mapping[str, int]
    alarms: Mapping[str, int]
    faults: int
    cases: int

    def text(self) -> str:
        """What each check reports of the same faults, and of what is right."""
        lines = [f"{'check':<34} {'faults seen':>11} {'false alarms':>13}"]
        for name, count in self.reported.items():
            alarms = f"{self.alarms[name]}/{self.cases}"
            lines.append(f"{name:<34} {f'{count}/{self.faults}':>11} {alarms:>13}")
        return "\n".join(lines)

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
                ref = compare.reference(case.batches[0], CASE_BUDGET)
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
