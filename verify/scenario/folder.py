"""Folders of scenarios: files, data, a README, a manifest; and nothing else."""

from __future__ import annotations

import os
import re
from pathlib import Path

from verify.errors import FileFault
from verify.scenario.data import refusal
from verify.scenario.limits import Limits

MANIFEST = "manifest.json"
_FOLDER = re.compile("[a-z0-9][a-z0-9_-]*")


def packaged() -> Path:
    """The scenarios that the installed package carries; in a checkout, those beside it."""
    package = Path(__file__).parents[1]
    inside = package / "packaged"
    return inside if inside.is_dir() else package.parent / "scenarios"


def relative(path: Path) -> Path:
    """The path relative to the working folder where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def spelled(path: Path) -> str:
    """A scenario's path as ids spell it; of a packaged one that lies elsewhere, its short name."""
    here = relative(path)
    return path.stem if here.is_absolute() and here.parent == packaged() else str(here)


def entries(folder: Path, limits: Limits) -> list[Path]:
    """Everything below a folder that is a file or should not be there, sorted.

    Raises  ScenarioError when a folder cannot be read, or there are more entries than allowed.
    """

    def unreadable(error: OSError) -> None:
        found = str(error.strerror)
        raise refusal(
            str(error.filename), "cannot be read", found=found, allowed="a readable folder"
        )

    found: list[Path] = []
    for here, folders, files in os.walk(folder, onerror=unreadable):
        inside = [Path(here, name) for name in (*folders, *files)]
        found += [path for path in inside if not is_folder(path)]
        if len(found) > limits.files:
            what = f"{len(found)} entries or more"
            raise refusal(str(folder), "too large", found=what, allowed=limits.allow("files"))
    return sorted(found)


def is_folder(path: Path) -> bool:
    """A folder to look into. Small letters only, so that no two ids differ by their case alone."""
    return path.is_dir() and not path.is_symlink() and bool(_FOLDER.fullmatch(path.name))


def is_scenario(path: Path) -> bool:
    """A file to judge, or to refuse as one."""
    return path.suffix == ".toml"


def is_known(path: Path) -> bool:
    """Whether a file may lie beside scenarios without being one."""
    named = path.suffix in (".csv", ".npy") or path.name in ("README.md", MANIFEST)
    return named and path.is_file() and not path.is_symlink()


def stranger(path: Path) -> FileFault:
    """What is said of an entry that nobody would run or read, as one with a misspelt ending."""
    allowed = (
        "NAME.toml, data as .csv or .npy, README.md, manifest.json, and folders of these named by"
        " a-z 0-9 _ -; no links"
    )
    return FileFault(
        str(path), 0, 0, "", "neither a scenario nor data", found=ascii(path.name), allowed=allowed
    )
