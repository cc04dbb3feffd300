"""Paths -> Cases: what there is to judge, as it was locked, and nothing beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from verify import manifest, selection
from verify.cases import Case, cases
from verify.document import Limits
from verify.errors import FileFault, ScenarioError, UsageError, printable
from verify.folder import MANIFEST, entries, is_known, is_scenario, stranger
from verify.manifest import AGAIN, Manifest
from verify.scenario import Scenario, load

S = TypeVar("S")
T = TypeVar("T")
Subject = str | os.PathLike[str] | Scenario | Case
"""What can be run: a file, a folder, a file::case, a Scenario, a Case."""


def packaged() -> Path:
    """The scenarios that the installed package carries; in a checkout, those beside it."""
    package = Path(__file__).parent
    inside = package / "scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"


@dataclass(frozen=True)
class Collection:
    """The cases to judge; and which files are not those of the manifest of their folder."""

    cases: tuple[Case, ...]
    unlocked: tuple[str, ...]


def collect(
    paths: Subject | Iterable[Subject] | None = None,
    *,
    keyword: str = "",
    device: str | None = None,
    limits: Limits | None = None,
) -> list[Case]:
    """The cases of the given subjects, in the order of names.

    Raises  as run.
    """
    return list(collection(paths, keyword=keyword, device=device, limits=limits).cases)


def collection(
    paths: Subject | Iterable[Subject] | None = None,
    *,
    keyword: str = "",
    device: str | None = None,
    limits: Limits | None = None,
) -> Collection:
    """The cases of the given subjects with their pins, and what the manifests miss.

    Raises  as run.
    """
    limits = limits or Limits()
    subjects = [shown(packaged())] if paths is None else _listed(paths)
    unlocked: list[str] = []

    def of(subject: Subject) -> list[Case]:
        if isinstance(subject, Case):
            return [subject]
        if isinstance(subject, Scenario):
            return cases(subject)
        name, _, wanted = str(subject).partition("::")
        path = Path(name)
        if path.is_dir() and not path.is_symlink():
            made = of_folder(path, limits)
            unlocked.extend(made.unlocked)
            return list(made.cases)
        if not path.exists():
            raise UsageError(
                f"{printable(name)}: no such file or folder; give scenario files or folders of them"
            )
        scenario = load(path, limits)
        return _wanted(pinned(scenario, path.parent, manifest_of(path.parent)), name, wanted)

    chosen = gathered(subjects, of)
    if device is not None:
        chosen = [replace(c, parameters={**c.parameters, "device": device}) for c in chosen]
    once = {case.id: case for case in chosen}
    return Collection(tuple(_selected(list(once.values()), keyword)), tuple(unlocked))


def one_of(subject: str, limits: Limits | None = None) -> tuple[Case, list[str]]:
    """The case that a `file::case` names, or the first of a file; and the names of the others.

    Raises  UsageError for a folder; and as run.
    """
    if Path(subject).is_dir():
        raise UsageError(f"{printable(subject)} is a folder; give one file, or FILE::CASE")
    first, *others = collect(subject, limits=limits)
    return first, [case.name for case in others]


def scenarios(folder: Path, limits: Limits) -> dict[str, Scenario]:
    """The scenarios of a folder by their names below it.

    Raises  ScenarioError with all faults of all files.
    """

    def of(path: Path) -> list[Scenario]:
        if is_scenario(path):
            return [load(path, limits)]
        if not is_known(path):
            raise ScenarioError([stranger(path)])
        return []

    found = gathered(entries(folder, limits), of)
    return {scenario.path.relative_to(folder).as_posix(): scenario for scenario in found}


def pinned(scenario: Scenario, folder: Path, locked: Manifest | None) -> list[Case]:
    """The cases of a scenario, with their pins if it is as it was locked."""
    name = scenario.path.absolute().relative_to(folder.absolute()).as_posix()
    entry = locked.scenarios.get(name) if locked else None
    held = entry.cases if entry and entry.content == scenario.digest else {}
    return [replace(case, pin=held.get(case.name)) for case in cases(scenario)]


def manifest_of(folder: Path) -> Manifest | None:
    """The manifest of a folder; None where there is none.

    Raises  ScenarioError for a malformed one.
    """
    path = folder / MANIFEST
    return manifest.read(path) if os.path.lexists(path) else None


def shown(path: Path) -> Path:
    """The path as ids spell it: relative to the working folder where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _listed(paths: Subject | Iterable[Subject]) -> list[Subject]:
    if isinstance(paths, str | os.PathLike | Scenario | Case):
        return [paths]
    return list(paths)


def of_folder(folder: Path, limits: Limits) -> Collection:
    """The cases of a folder, and how it differs from its manifest, if it has one.

    Raises  ScenarioError with all faults of all files.
    """
    found = scenarios(folder, limits)
    first: dict[str, Scenario] = {}
    for scenario in found.values():
        first.setdefault(scenario.digest, scenario)
    locked = manifest_of(folder)
    made = [
        case
        if (one := first[scenario.digest]) is scenario
        else replace(case, same_as=str(one.path))
        for scenario in found.values()
        for case in pinned(scenario, folder, locked)
    ]
    differ = differences(locked, found) if locked else ()
    return Collection(tuple(made), tuple(f"{folder.as_posix()}/{what}" for what in differ))


def differences(manifest: Manifest, found: Mapping[str, Scenario]) -> Iterator[str]:
    """Which files are not those of the manifest; `found` maps names below its folder."""
    for name in sorted({*manifest.scenarios, *found}):
        locked, scenario = manifest.scenarios.get(name), found.get(name)
        if scenario is None:
            yield f"{name} was locked and is not here; {AGAIN}"
        elif locked is None:
            yield f"{name} is not locked yet; `verify lock` pins it"
        elif locked.content != scenario.digest:
            yield f"{name}, or its data, has changed since it was locked; {AGAIN}"
        elif locked.cases.keys() != {case.name for case in cases(scenario)}:
            yield f"{name} makes other cases than those {locked.count} that were locked; {AGAIN}"


def _wanted(found: list[Case], name: str, wanted: str) -> list[Case]:
    """All cases, or the one of that name."""
    chosen = [case for case in found if wanted in ("", case.name)]
    if not chosen:
        names = ", ".join(case.name for case in found[:8]) + ", ..." * (len(found) > 8)
        raise UsageError(f"{printable(name)} has no case {wanted!r}; it has {names}")
    return chosen


def _selected(chosen: list[Case], expression: str) -> list[Case]:
    if not expression:
        return chosen
    matches = selection.matching(expression)
    return [case for case in chosen if matches(case.id)]


def gathered(things: Iterable[S], made_of: Callable[[S], list[T]]) -> list[T]:
    """What is made of all things, or the faults of all: none hides another's.

    Raises  ScenarioError with all faults.
    """
    found: list[T] = []
    faults: list[FileFault] = []
    for thing in things:
        try:
            found += made_of(thing)
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(dict.fromkeys(faults))
    return found
