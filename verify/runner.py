"""The one loop: paths -> cases -> Results."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

import verify
from verify import selection, truth
from verify.candidate import candidate as loaded
from verify.cases import Case, cases
from verify.document import Limits
from verify.errors import EnvironmentUnfit, FileFault, ScenarioError, UsageError
from verify.judge import judge
from verify.proof import proven
from verify.result import Report, Result, Verdict
from verify.scenario import Scenario, load

T = TypeVar("T")
Subject = str | os.PathLike[str] | Scenario | Case
"""What can be run: a file, a folder, a file::case, a Scenario, a Case."""


def packaged() -> Path:
    """The scenarios that the installed package carries; in a checkout, those beside it."""
    package = Path(verify.__file__).parent
    inside = package / "scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"


def run(
    paths: Subject | Iterable[Subject] | None = None,
    *,
    keyword: str = "",
    device: str | None = None,
    require_device: str | None = None,
    budget: float = truth.BUDGET,
    limits: Limits | None = None,
    candidate: str | Callable[..., Any] | None = None,
    arrays: str = "numpy",
    timeout: float = 60.0,
    progress: Callable[[Sequence[Case]], Iterable[Case]] | None = None,
) -> Report:
    """Judge every case of some files, folders, `file::case` names, Scenarios or Cases.

    `device` overrides the cases' own; `keyword` selects by id; `progress` may wrap the cases.
    `candidate` is judged too: a name (package.module:attribute or path/to/file.py:attribute) runs
    in a child process with `timeout` seconds a call; a function runs in this one, without a limit.
    It takes (X, W, P, h), or (X, W, P) as `arrays` of torch or jax.

    Raises  ScenarioError with all faults of all files, before anything is judged; UsageError for a
            path or keyword that cannot be meant; CandidateError for a candidate that cannot be
            loaded; EnvironmentUnfit where `require_device` is absent.
    """
    started = time.perf_counter()
    chosen = collect(paths, keyword=keyword, device=device, limits=limits)
    subject, proof = None, ""
    if candidate is not None:
        with one_thread():
            proof = proven(device or "cpu")
        subject = loaded(candidate, arrays, device or "cpu", timeout)
    try:
        with one_thread():
            results = tuple(judge(case, budget, subject) for case in (progress or iter)(chosen))
    finally:
        if subject is not None:
            subject.close()
    _require(require_device, results)
    seconds = time.perf_counter() - started
    name = "" if subject is None else subject.name
    return Report(results, (), seconds, environment(), candidate=name, proof=proof)


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
    subjects = [shown(packaged())] if paths is None else _listed(paths)
    chosen = _gathered(subjects, lambda subject: _cases(subject, limits))
    if device is not None:
        chosen = [replace(c, parameters={**c.parameters, "device": device}) for c in chosen]
    once = {case.id: case for case in chosen}
    return _selected(list(once.values()), keyword)


def shown(path: Path) -> Path:
    """The path as ids spell it: relative to the working folder where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def one_thread() -> AbstractContextManager[Any]:
    """One thread for every BLAS while it lasts: the idle threads of a second pool, spinning on the
    core that the first one needs, cost up to 30 times the work; and bits depend on the number."""
    limit: AbstractContextManager[Any] = _pools("torch" in sys.modules).limit(limits=1)
    return limit


@cache
def _pools(_with_torch: bool) -> Any:
    """The pools of the libraries loaded so far; torch brings its own."""
    return ThreadpoolController()


def is_known(path: Path) -> bool:
    """Whether a file may lie beside scenarios without being one."""
    return path.is_dir() or path.suffix in {".csv", ".md"} or path.name == "manifest.json"


def stranger(path: Path) -> FileFault:
    """What is said of a file that nobody would run or read, as one with a misspelt ending."""
    allowed = "NAME.toml, data as .csv, README.md, manifest.json"
    return FileFault(str(path), 0, 0, "", "neither a scenario nor data", ascii(path.name), allowed)


def environment() -> dict[str, str]:
    """The versions that figures depend on."""
    names = ("numpy", "torch", "python-flint", "pydantic", "pytest")
    versions = {name: metadata.version(name) for name in names}
    return {
        "verify": verify.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **versions,
        "optimised": str(bool(sys.flags.optimize)),
    }


def _listed(paths: Subject | Iterable[Subject]) -> list[Subject]:
    if isinstance(paths, str | os.PathLike | Scenario | Case):
        return [paths]
    return list(paths)


def _cases(subject: Subject, limits: Limits | None) -> list[Case]:
    if isinstance(subject, Case):
        return [subject]
    if isinstance(subject, Scenario):
        return cases(subject)
    name, _, wanted = str(subject).partition("::")
    path = Path(name)
    if path.is_dir() and not path.is_symlink():
        return _gathered(sorted(path.rglob("*")), lambda entry: _cases_beside(entry, limits))
    if not path.exists():
        raise UsageError(f"{name}: no such file or folder; give scenario files or folders of them")
    all_cases = cases(load(path, limits))
    if not wanted:
        return all_cases
    found = [case for case in all_cases if case.name == wanted]
    if not found:
        names = ", ".join(case.name for case in all_cases[:8])
        raise UsageError(
            f"{name} has no case {wanted!r}; it has {names}{', ...' * (len(all_cases) > 8)}"
        )
    return found


def _cases_beside(path: Path, limits: Limits | None) -> list[Case]:
    """The cases of one entry of a folder of scenarios."""
    if path.suffix == ".toml":
        return cases(load(path, limits))
    if not is_known(path):
        raise ScenarioError([stranger(path)])
    return []


def _gathered(things: Iterable[T], cases_of: Callable[[T], list[Case]]) -> list[Case]:
    """The cases of all things, or the faults of all: none hides another's."""
    found: list[Case] = []
    faults: list[FileFault] = []
    for thing in things:
        try:
            found += cases_of(thing)
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(dict.fromkeys(faults))
    return found


def _selected(chosen: list[Case], expression: str) -> list[Case]:
    if not expression:
        return chosen
    matches = selection.matching(expression)
    return [case for case in chosen if matches(case.id)]


def _require(device: str | None, results: Sequence[Result]) -> None:
    missing = [r for r in results if r.device == device and r.verdict is Verdict.NOT_RUN]
    if missing:
        raise EnvironmentUnfit(
            f"{len(missing)} cases need a {device} device and there is none here; run without"
            f" --require-device {device}, or on a machine that has one"
        )
