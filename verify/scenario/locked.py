"""Files held against the manifest of their folder: pins of cases, and what has changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from verify.errors import ScenarioError
from verify.scenario import manifest
from verify.scenario.cases import Case, cases
from verify.scenario.folder import MANIFEST, is_folder, relative
from verify.scenario.load import Scenario
from verify.scenario.manifest import AGAIN, Manifest


def with_pins(scenario: Scenario, folder: Path, locked: Manifest | None) -> list[Case]:
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


def manifest_above(path: Path) -> tuple[Path, Manifest | None]:
    """The folder whose manifest a file is in, and the manifest; its own folder where there is none.

    It is that of the file's folder, or of a folder around it in which folders of scenarios may lie.

    Raises  ScenarioError for a malformed one.
    """
    own = manifest_of(path.parent)
    if own is not None:
        return path.parent, own
    folder = Path(os.path.abspath(path.parent))  # noqa: PTH100 links are not followed
    while is_folder(folder) and folder != folder.parent:
        folder = folder.parent
        with contextlib.suppress(ScenarioError):  # another program's, of the same name
            found = manifest_of(folder)
            if found is not None:
                return relative(folder), found
    return path.parent, None


def changed(locked: Manifest, scenario: Scenario, folder: Path) -> str:
    """What a file that is locked is not any more; empty where it is, or never was."""
    name = scenario.path.absolute().relative_to(folder.absolute()).as_posix()
    if name not in locked.scenarios:
        return ""
    what = next(differences(locked, {name: scenario}, name), "")
    return what and f"{folder.as_posix()}/{what}"


def differences(
    manifest: Manifest, found: Mapping[str, Scenario], below: str = ""
) -> Iterator[str]:
    """Which files are not those of the manifest; `found` maps names below its folder.

    Only of those whose names begin with `below`.
    """
    known = {name for name in manifest.scenarios if name.startswith(below)}
    for name in sorted({*known, *found}):
        locked, scenario = manifest.scenarios.get(name), found.get(name)
        if scenario is None:
            yield f"{name} was locked and is not here; {AGAIN}"
        elif locked is None:
            yield f"{name} is not locked yet; `verify lock` pins it"
        elif locked.content != scenario.digest:
            yield f"{name}, or its data, has changed since it was locked; {AGAIN}"
        elif locked.cases.keys() != {case.name for case in cases(scenario)}:
            yield f"{name} makes other cases than those {locked.count} that were locked; {AGAIN}"
