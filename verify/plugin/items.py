"""Scenario files as pytest's collectors and items: one item a case, one for what is malformed.

Loaded by every pytest run of its environment, so that nothing of this package is imported before a
scenario file is collected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from verify.candidate.candidate import Candidate
    from verify.errors import FileFault, ScenarioError
    from verify.judge.asked import Asked
    from verify.judge.result import Report, Result
    from verify.network.network import Network
    from verify.scenario.cases import Case
    from verify.scenario.limits import Limits

FOLDERS = pytest.StashKey[list[Path]]()
"""The folders whose scenario files are collected."""
TOLD = "verify_told"
"""The attribute of pytest's report that holds ours of the item, as JSON."""
_CANDIDATE = pytest.StashKey[Any]()
_NETWORKS = pytest.StashKey[Any]()


def folder_of(config: pytest.Config, path: Path) -> Path | None:
    """The claimed folder that a path lies in."""
    return next((f for f in config.stash[FOLDERS] if path.is_relative_to(f)), None)


def collector(path: Path, folder: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """What collects an entry of a claimed folder; nothing where it may stand as it is."""
    from verify.errors import printable
    from verify.scenario.folder import MANIFEST, is_folder, is_known, is_scenario

    if path == folder / MANIFEST and is_known(path):
        return ManifestFile.from_parent(parent, path=path)
    if is_known(path) or is_folder(path):
        return None
    kind = ScenarioFile if is_scenario(path) else Stranger
    named = f"{parent.nodeid}/{printable(path.name)}".removeprefix("./")
    return kind.from_parent(parent, path=path, nodeid=named)


class ScenarioFile(pytest.File):
    """A scenario file: its cases, or one failing item that says what is wrong with it."""

    def collect(self) -> Iterator[pytest.Item]:
        from verify.errors import ScenarioError
        from verify.scenario.folder import relative
        from verify.scenario.load import load
        from verify.scenario.locked import changed, manifest_above, with_pins

        try:
            scenario = load(relative(self.path), _limits(self.config))
            folder, locked = manifest_above(relative(self.path))
            cases = with_pins(scenario, folder, locked)
        except ScenarioError as error:
            yield MalformedItem.from_parent(self, name="format", error=error)
            return
        unlocked = changed(locked, scenario, folder) if locked else ""
        for case in cases:
            item = CaseItem.from_parent(self, name=case.name, case=case)
            item.lock, item.unlocked = folder.absolute(), unlocked
            yield item


class ManifestFile(pytest.File):
    """The lock of a folder: one item, red while files are not those that were locked."""

    def collect(self) -> Iterator[pytest.Item]:
        yield ManifestItem.from_parent(self, name="lock")


class Stranger(pytest.File):
    """An entry that nobody would run or read."""

    def collect(self) -> Iterator[pytest.Item]:
        from verify.errors import ScenarioError
        from verify.scenario.folder import relative, stranger

        error = ScenarioError([stranger(relative(self.path))])
        yield MalformedItem.from_parent(self, name="format", error=error)


class Failure(Exception):
    """An item that is not green; carries the text that tells why."""


class _Item(pytest.Item):
    """An item whose failures are read without a traceback; `told` is what a report says of it."""

    told: Report | None = None

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        from verify.errors import VerifyError

        if isinstance(excinfo.value, Failure | VerifyError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args)


class MalformedItem(_Item):
    """Fails with the text that the command prints."""

    def __init__(self, *, error: ScenarioError, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.error = error

    def runtest(self) -> None:
        from verify.judge.result import Report

        self.told = Report((), 0, self.error.faults)
        raise self.error

    def reportinfo(self) -> tuple[Path, int | None, str]:
        from verify.errors import printable

        first: FileFault = self.error.faults[0]
        return self.path, max(first.line - 1, 0), f"{printable(self.path.name)} is malformed"


class ManifestItem(_Item):
    """Compares the folder with its manifest; each case compares its own numbers."""

    def runtest(self) -> None:
        from verify.judge.result import Report
        from verify.scenario.collection import of_folder
        from verify.scenario.folder import relative
        from verify.scenario.limits import Limits

        limits = _limits(self.config) or Limits()
        unlocked = of_folder(relative(self.path.parent), limits).unlocked
        self.told = Report((), 0, unlocked=unlocked)
        if unlocked:
            raise Failure("\n".join(unlocked))


class CaseItem(_Item):
    """One case; its figures become properties of the report."""

    lock: Path | None = None
    unlocked = ""  # that its file is not as it was locked, where no item of its lock says so

    def __init__(self, *, case: Case, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.case = case
        for mark in (case.dtype, case.device):
            self.add_marker(mark)

    def runtest(self) -> None:
        from verify.judge.causes import causes
        from verify.judge.result import Report, Verdict
        from verify.judge.runner import judged
        from verify.network import twins
        from verify.network.twin import one_thread
        from verify.report.text import block

        with one_thread():
            asked = asked_of(self.config)
            twins.require_twin(asked.twin)
            result = judged(self.case, asked, candidate_of(self.config)).result
        self.told = Report((result,), 1)
        self.user_properties += _properties(result)
        if result.verdict is Verdict.NOT_RUN:
            pytest.skip(result.findings[0].message)
        if not result.ok:
            (cause,) = causes([result])
            text = block(result, asked, cause.text)
            raise Failure(f"{cause.text}\n{text}")
        if self.unlocked:
            raise Failure(self.unlocked)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self.case.origin.line - 1, self.name


def _limits(config: pytest.Config) -> Limits | None:
    settings = config.getoption("--scenario-limit")
    if not settings:
        return None
    from verify.scenario.limits import limits

    return limits(settings)


def candidate_of(config: pytest.Config) -> Candidate | None:
    """The candidate of the options: one child process in this worker, made when first asked for.

    The suite proves itself before, as the command does. Before anything is collected it may be of
    any network that the folders have.
    """
    spec = config.getoption("--candidate")
    if spec and _CANDIDATE not in config.stash:
        from verify.judge.selftest import proven

        proven()
        networks = config.stash.get(_NETWORKS, None) or _of_folders(config.stash[FOLDERS])
        config.stash[_CANDIDATE] = asked_of(config).loaded(networks)
    return config.stash.get(_CANDIDATE, None)


def _of_folders(folders: list[Path]) -> set[Network]:
    """The networks of the scenario files that can be read; the post's besides."""
    from verify.errors import ScenarioError
    from verify.network.network import POST
    from verify.scenario.cases import cases
    from verify.scenario.folder import is_scenario
    from verify.scenario.load import load

    found = {POST}
    for path in (p for folder in folders for p in sorted(folder.rglob("*.toml")) if is_scenario(p)):
        try:
            found |= {case.network for case in cases(load(path))}
        except ScenarioError:  # it is told when it is collected
            continue
    return found


def asked_of(config: pytest.Config) -> Asked:
    """What the options ask for, from which the command that repeats a case is made."""
    from verify.judge.asked import Asked

    option, budget = config.getoption, config.getoption("--truth-budget")
    return Asked(
        candidate=option("--candidate") or "",
        arrays=option("--candidate-arrays"),
        timeout=option("--candidate-timeout"),
        memory=int(option("--candidate-memory")),
        twin=option("--twin"),
        budget=-1.0 if budget is None else budget,
        limits=tuple(option("--scenario-limit")),
    )


def finish(items: list[pytest.Item]) -> None:
    """What only the whole of the items tells: which are copies, and which have a lock's item."""
    from dataclasses import replace

    from verify.scenario.collection import without_copies

    ours = [item for item in items if isinstance(item, CaseItem)]
    for config in {item.config for item in ours}:
        config.stash[_NETWORKS] = {item.case.network for item in ours}
        if _CANDIDATE in config.stash:
            config.stash[_CANDIDATE].introduce(config.stash[_NETWORKS])
    for item, case in zip(ours, without_copies([item.case for item in ours]), strict=True):
        item.case = replace(item.case, same_as=case.same_as)
    locks = {item.path.parent for item in items if isinstance(item, ManifestItem)}
    for item in ours:
        item.unlocked = "" if item.lock in locks else item.unlocked


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what a scenario's item found into pytest's report, which xdist carries as it is."""
    if isinstance(item, _Item) and item.told is not None:
        vars(report)[TOLD] = json.dumps(item.told.to_dict())


def close_candidate(config: pytest.Config) -> None:
    """End the candidate's process."""
    if _CANDIDATE in config.stash:
        config.stash[_CANDIDATE].close()


def _properties(result: Result) -> list[tuple[str, object]]:
    worst = result.worst
    figures = [("error_over_bound", worst.ratio), ("worst_link", worst.link)] if worst else []
    return [
        ("verdict", str(result.verdict)),
        ("locked", result.locked),
        ("resolution", result.resolution),
        ("loss_before", result.loss_before),
        ("loss_after", result.loss_after),
        *figures,
    ]
