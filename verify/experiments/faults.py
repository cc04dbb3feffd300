"""`verify faults`: which scenario file catches which planted fault; other checks beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from verify.experiments import peers
from verify.experiments.kinds import KINDS, kinds_of
from verify.experiments.planting import ALL, GROUPS, OTHERS, POSTS, Planting
from verify.faults.networks import NETWORK_FAULTS
from verify.faults.where import words
from verify.judge.result import Finding
from verify.network.twin import one_thread
from verify.numbers.dtypes import SIXTEEN
from verify.scenario.cases import Case
from verify.scenario.collection import collect
from verify.threads import processes

CASE_BUDGET = 2.0**23  # of each case's truth
LARGEST_CASE = {POSTS: 2**22, OTHERS: 2**16}
"""N D K of the cases in which faults are planted: three calls each, or one at every layer."""

NEEDED = {POSTS: tuple(KINDS), OTHERS: tuple(
    dict.fromkeys(word for fault in NETWORK_FAULTS.values() for word in fault.where))}  # fmt: skip
"""The kinds of case that the faults of each group need."""


@dataclass(frozen=True)
class Sight:
    """Which scenario file catches which fault, and by what.

    `kills` maps a fault to the files that catch it, each with the check and the first link of the
    first finding; `kinds` maps a file to what its cases are, `groups` to which faults it is for.
    """

    kills: Mapping[str, Mapping[str, str]]
    kinds: Mapping[str, frozenset[str]]
    groups: Mapping[str, str]

    @property
    def survivors(self) -> list[str]:
        """Visible faults that nothing catches."""
        return [name for name, by in self.kills.items() if not by and ALL[name].visible]

    @property
    def missing_kinds(self) -> list[str]:
        """Kinds of cases that faults need and no file is of."""
        present = frozenset().union(*self.kinds.values())
        needed = (kind for group in self._groups for kind in NEEDED[group])
        return [kind for kind in dict.fromkeys(needed) if kind not in present]

    @property
    def _groups(self) -> list[str]:
        return [group for group in GROUPS if group in self.groups.values()]

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
        lines = [line for group in self._groups for line in self._of(group)]
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

    def _of(self, group: str) -> Iterator[str]:
        """The faults of a group, a line each, and how many of them are caught."""
        files = sum(of == group for of in self.groups.values())
        planted = [name for name in GROUPS[group] if name in self.kills]
        yield f"{'fault':<32} {'link':<8} {'caught by':>9}  first seen as, mistake"
        for name in planted:
            fault, by = ALL[name], self.kills[name]
            how = Counter(by.values()).most_common(1)
            first = how[0][0] if how else "SURVIVES" if fault.visible else "invisible, by design"
            count = f"{len(by)}/{files}"
            yield f"{name:<32} {fault.link:<8} {count:>9}  {first}: {fault.mistake}"
        caught = sum(bool(self.kills[name]) for name in planted)
        yield ""
        yield f"{caught} of {len(planted)} faults {group} caught by {files} scenario files"

    def to_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "format": 1,
            "faults": {n: {"link": f.link, "mistake": f.mistake, "visible": f.visible,
                           "killed_by": dict(self.kills[n])} for n, f in ALL.items()
                       if n in self.kills},
            "kinds": {path: sorted(kinds) for path, kinds in self.kinds.items()},
            "survivors": self.survivors,
            "missing_kinds": self.missing_kinds,
            "alone": {path: self.alone(path) for path in self.kinds},
            "minimal_once": self.minimal(1),
            "minimal_twice": self.minimal(2),
        }  # fmt: skip


class _Seen(NamedTuple):
    """What catches each fault in one file, and what the file's cases are."""

    caught: Mapping[str, str]
    kinds: frozenset[str]
    group: str


def sight(
    paths: Sequence[str], faults: Sequence[str] = tuple(ALL), workers: int = 1,
    progress: Callable[[Sequence[str]], Iterable[str]] | None = None,
) -> Sight:  # fmt: skip
    """Plant every fault in every scenario file of its group, until a case of the file catches it.

    `workers` processes share the files; `progress` may wrap them.

    Raises  ScenarioError for a bad file.
    """
    with processes(workers) as pool:
        seen = {path: pool.submit(_in_file, path, tuple(faults)) for path in paths}
        found = {path: seen[path].result() for path in (progress or iter)(paths)}
    groups = {path: file.group for path, file in found.items()}
    planted = [n for g in GROUPS if g in groups.values() for n in GROUPS[g] if n in faults]
    kills = {
        name: {path: file.caught[name] for path, file in found.items() if name in file.caught}
        for name in planted
    }
    return Sight(kills, {path: file.kinds for path, file in found.items()}, groups)


def _in_file(path: str, faults: Sequence[str]) -> _Seen:
    caught: dict[str, str] = {}
    kinds: frozenset[str] = frozenset()
    group = ""
    with one_thread(), np.errstate(all="ignore"):
        for case in (c for c in collect(path) if not c.large):
            planting = Planting(case.batches[0], CASE_BUDGET)
            problem = planting.problem
            if planting.group != (group := group or planting.group):
                continue  # of the post's network those of 16 bits are bounded as other networks are
            kinds |= _kinds(planting, case)
            left = [name for name in faults if name in GROUPS[group] and name not in caught]
            if problem.work > LARGEST_CASE[group] or not left or not planting.ref.bounds.fits:
                continue
            found = {name: planting.caught(name) for name in left}
            caught |= {name: check_and_link(how) for name, how in found.items() if how is not None}
    return _Seen(caught, kinds, group or POSTS)


def _kinds(planting: Planting, case: Case) -> frozenset[str]:
    if planting.group == POSTS:
        return kinds_of(planting.problem, case)
    return words(planting.problem, planting.right)


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
    others: Comparison | None = None  # of the faults of other networks, in their cases

    def text(self) -> str:
        """What each check reports of the same faults, and of what is right."""
        lines = [f"{'check':<34} {'faults seen':>11} {'false alarms':>13}"]
        for name, count in self.reported.items():
            alarms = f"{self.alarms[name]}/{self.cases}"
            lines.append(f"{name:<34} {f'{count}/{self.faults}':>11} {alarms:>13}")
        if self.others:
            lines += ["", f"{OTHERS}, at any layer", self.others.text()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only."""
        own = {"reported": dict(self.reported), "false_alarms": dict(self.alarms),
               "faults": self.faults, "cases": self.cases}  # fmt: skip
        return own | ({"networks": self.others.to_dict()} if self.others else {})


def comparison(
    paths: Sequence[str], progress: Callable[[Sequence[str]], Iterable[str]] | None = None
) -> Comparison:
    """This suite and other checks side by side: the same faults, the same small cases.

    A check sees a fault if it notices it, at any layer of any case in which it does not notice the
    right chain as well: that is a false alarm. Cases are those within PEER_WORK and inside the post
    form's domain, since the others cannot compare anything beyond it; faults those of NumPy
    functions.

    Raises  ScenarioError for a bad file.
    """
    found = {POSTS: _Reports(peers.CHECKS), OTHERS: _Reports(peers.OF_NETWORKS)}
    for path in (progress or iter)(paths):
        with one_thread(), np.errstate(all="ignore"):
            # What is compared are float32 and float64.
            cases = (c for c in collect(path) if not c.large and c.dtype not in SIXTEEN)
            for case in cases:
                planting = Planting(case.batches[0], CASE_BUDGET)
                if planting.problem.work <= PEER_WORK:
                    bounds = planting.ref.bounds
                    if bounds.post_holds and bounds.fits:
                        found[planting.group].take(planting)
    others = found[OTHERS].told() if found[OTHERS].cases else None
    return found[POSTS].told(others)


class _Reports:
    """What each check reports, counted case by case."""

    def __init__(self, checks: Mapping[str, peers.Check]) -> None:
        self.checks = checks
        self.seen: dict[str, set[str]] = {name: set() for name in (OURS, *checks)}
        self.alarms = dict.fromkeys(self.seen, 0)
        self.planted = set[str]()
        self.cases = 0

    def take(self, planting: Planting) -> None:
        """One case more."""
        self.cases += 1
        faults = [name for name in GROUPS[planting.group] if planting.holds(name)]
        self.planted |= {*faults}
        for check, seen in self.seen.items():
            if self._notices(check, "", planting):
                self.alarms[check] += 1
            else:
                left = (name for name in faults if name not in seen)
                seen |= {name for name in left if self._notices(check, name, planting)}

    def _notices(self, check: str, name: str, planting: Planting) -> bool:
        """Whether a check notices a fault, or without a name the right chain."""
        if check == OURS:
            return planting.caught(name) is not None
        return any(
            peers.notices(self.checks[check], function, planting.problem)
            for function in planting.functions(name)
        )

    def told(self, others: Comparison | None = None) -> Comparison:
        """The counts of all cases."""
        reported = {check: len(faults) for check, faults in self.seen.items()}
        return Comparison(reported, self.alarms, len(self.planted), self.cases, others)


OURS = "this suite"
PEER_WORK = 2**9  # N D K that slow gradcheck can do for every fault
