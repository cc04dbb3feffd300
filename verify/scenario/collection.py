"""Paths -> Cases: what there is to judge, as it was locked, and nothing beside it."""

from __future__ import annotations

import difflib
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from verify.errors import FileFault, ScenarioError, UsageError, printable
from verify.network.problem import Problem
from verify.scenario.cases import Case, cases, of_problem, on_device
from verify.scenario.folder import (
    MANIFEST,
    entries,
    is_known,
    is_scenario,
    packaged,
    relative,
    stranger,
)
from verify.scenario.limits import Limits
from verify.scenario.load import Scenario, load
from verify.scenario.locked import changed, differences, manifest_above, with_pins

S = TypeVar("S")
T = TypeVar("T")
Source = str | os.PathLike[str] | Scenario | Case | Problem
"""What can be run: a file, a folder, file::case, a packaged name, a Scenario, Case or Problem."""


@dataclass(frozen=True)
class Collection:
    """The cases to judge; and which files are not those of the manifest of their folder."""

    cases: tuple[Case, ...]
    unlocked: tuple[str, ...]


def collect(
    paths: Source | Iterable[Source] | None = None,
    *,
    keyword: str = "",
    device: str | None = None,
    limits: Limits | None = None,
) -> list[Case]:
    """The cases of the given sources, in the order of names.

    Raises  as run.
    """
    return list(collection(paths, keyword=keyword, device=device, limits=limits).cases)


def collection(
    paths: Source | Iterable[Source] | None = None,
    *,
    keyword: str = "",
    device: str | None = None,
    limits: Limits | None = None,
) -> Collection:
    """The cases of the given sources with their pins, and what the manifests miss.

    Raises  as run.
    """
    limits = limits or Limits()
    sources = [usual()] if paths is None else _listed(paths)
    unlocked: dict[str, None] = {}
    numbers = itertools.count(1)

    def of(subject: Source) -> list[Case]:
        if isinstance(subject, Case):
            return [subject]
        if isinstance(subject, Scenario):
            return cases(subject)
        if isinstance(subject, Problem):
            return [of_problem(subject, f"problem-{next(numbers)}", limits=limits)]
        if not isinstance(subject, str | os.PathLike):
            raise _unknown(subject)
        name, separator, wanted = str(subject).partition("::")
        path = _found(name)
        if path.is_dir() and not path.is_symlink():
            if separator:
                raise UsageError(
                    f"{printable(name)} is a folder, which has no case of its own; give FILE::CASE,"
                    " or -k EXPR to choose"
                )
            made = of_folder(path, limits)
            unlocked.update(dict.fromkeys(made.unlocked))
            return list(made.cases)
        scenario = load(path, limits)
        folder, locked = manifest_above(path)
        if locked and (what := changed(locked, scenario, folder)):
            unlocked[what] = None
        return _wanted(with_pins(scenario, folder, locked), name, wanted)

    chosen = gathered(sources, of)
    if device is not None:
        chosen = [on_device(c, device) for c in chosen]
    once = {case.id: case for case in chosen}
    selected = _selected(list(once.values()), keyword)
    return Collection(tuple(without_copies(selected)), tuple(unlocked))


def usual() -> Path:
    """What is judged if nothing is named: the folder of scenarios here, or the packaged ones."""
    here = Path("scenarios")
    return here if here.is_dir() else packaged()


def _found(name: str) -> Path:
    """A file or folder by its path, or a packaged scenario by its name.

    Raises  UsageError for what is neither.
    """
    path = Path(name)
    if path.exists() or path.is_symlink():
        return path
    short = packaged() / f"{name}.toml"
    if "/" not in name and short.is_file():
        return relative(short)
    near = difflib.get_close_matches(name, [p.stem for p in packaged().glob("*.toml")], 1)
    guess = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(
        f"{printable(name)}: no such file or folder, and no packaged scenario of that name; give"
        f" scenario files or folders of them{guess}"
    )


def without_copies(cases: Sequence[Case]) -> Iterator[Case]:
    """The cases, of which those of a file with the bytes of an earlier one say whose they are."""
    first: dict[str, Case] = {}
    for case in cases:
        one = first.setdefault(case.origin.digest or case.id, case)
        yield case if one.path == case.path else replace(case, same_as=one.path)


def one_of(
    subject: str, limits: Limits | None = None, device: str | None = None
) -> tuple[Case, list[str]]:
    """The case that a `file::case` names, or the first of a file; and the names of the others.

    Raises  UsageError for a folder; and as run.
    """
    if Path(subject).is_dir() and "::" not in subject:
        raise UsageError(f"{printable(subject)} is a folder; give one file, or FILE::CASE")
    first, *others = collect(subject, limits=limits, device=device)
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


def _listed(paths: Source | Iterable[Source]) -> list[Source]:
    if isinstance(paths, str | os.PathLike | Scenario | Case | Problem):
        return [paths]
    if isinstance(paths, bytes) or not isinstance(paths, Iterable):
        raise _unknown(paths)
    return list(paths)


def _unknown(thing: object) -> UsageError:
    return UsageError(
        f"{type(thing).__name__} {thing!r} cannot be run; give files, folders, FILE::CASE, names of"
        " packaged scenarios, Scenarios, Cases or Problems"
    )


def of_folder(folder: Path, limits: Limits) -> Collection:
    """The cases of a folder, and how it differs from its manifest, if it has one.

    Raises  ScenarioError with all faults of all files.
    """
    found = scenarios(folder, limits)
    above, locked = manifest_above(folder / MANIFEST)
    made = [case for scenario in found.values() for case in with_pins(scenario, above, locked)]
    inside = folder.absolute().relative_to(above.absolute()).as_posix()
    below = "" if inside == "." else f"{inside}/"
    named = {f"{below}{name}": scenario for name, scenario in found.items()}
    differ = differences(locked, named, below) if locked else ()
    return Collection(tuple(made), tuple(f"{above.as_posix()}/{what}" for what in differ))


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
    matches = matching(expression)
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


def matching(expression: str) -> Callable[[str], bool]:
    """A predicate on ids, without regard to case.

    Raises  UsageError where the expression does not read.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    words = {"and", "or", "not", "(", ")"}
    position = 0

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1] if position <= len(tokens) else ""

    def peek() -> str:
        return tokens[position] if position < len(tokens) else ""

    def alternatives() -> Callable[[str], bool]:
        parts = [conjunction()]
        while peek() == "or":
            take()
            parts.append(conjunction())
        return lambda text: any(part(text) for part in parts)

    def conjunction() -> Callable[[str], bool]:
        parts = [atom()]
        while peek() == "and":
            take()
            parts.append(atom())
        return lambda text: all(part(text) for part in parts)

    def atom() -> Callable[[str], bool]:
        token = take()
        if token == "not":
            negated = atom()
            return lambda text: not negated(text)
        if token == "(":
            inner = alternatives()
            if take() == ")":
                return inner
        elif token and token not in words:
            return lambda text: token.lower() in text.lower()
        raise UsageError(f"-k {expression!r} does not read; words, and, or, not and brackets do")

    predicate = alternatives()
    if peek():
        raise UsageError(f"-k {expression!r} does not read after {' '.join(tokens[:position])!r}")
    return predicate
