"""The count of every scenario item of a pytest run: found = judged + not run, or it fails.

A run whose scenarios were all skipped, deselected, lost by a worker or never found is not green
because other tests passed. With --verify-report FILE the items of all workers become one page.
Counts where reports come together: in xdist's controller, or in the only process.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from verify.errors import number
from verify.plugin.items import FOLDERS, TOLD, CaseItem, MalformedItem, ManifestItem, folder_of

_LOST = "were found, and have no verdict: the run lost them"
_NOTHING = "nothing was judged: no scenario file was found, or all were skipped or deselected"


class Tally:
    """The items found and the verdict of each; decides the status of a run that seems green."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.started = time.perf_counter()
        self.page = _page_of(config)
        self.found: dict[str, None] = {}
        self.told: dict[str, str] = {}
        self.verdicts: dict[str, str] = {}
        self.why: dict[str, str] = {}
        self.locked = 0
        self.complaint = ""
        self.failed: list[pytest.TestReport] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        ours = CaseItem | MalformedItem | ManifestItem
        self.found |= dict.fromkeys(i.nodeid for i in session.items if isinstance(i, ours))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        root = self.config.rootpath
        self.found |= dict.fromkeys(
            i for i in ids if folder_of(self.config, root / i.partition("::")[0])
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self.found:
            return
        told = dict(report.user_properties)
        if TOLD in vars(report):
            self.told[report.nodeid] = vars(report)[TOLD]
        if report.failed:
            self.verdicts[report.nodeid] = str(told.get("verdict", "FAIL"))
            self.why[report.nodeid] = str(report.longrepr)
            self.failed.append(report)
        elif report.skipped:
            self.verdicts[report.nodeid] = "NOT RUN"
            self.why[report.nodeid] = _reason(report)
        elif report.when == "call":
            self.verdicts[report.nodeid] = str(told.get("verdict", "checked"))
            self.locked += bool(told.get("locked"))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run in which nothing was judged, or something got lost, is not green."""
        if session.exitstatus == pytest.ExitCode.OK and not self.config.option.collectonly:
            lost = sorted(self.found.keys() - self.verdicts.keys())
            if lost:
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
                self.complaint = f"{len(lost)} {_LOST}: {', '.join(lost[:3])}"
            elif not self.judged and (self.found or self._asked_for()):
                session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
                self.complaint = _NOTHING
        if self.page and not self.config.option.collectonly:
            from verify.files import write
            from verify.report.page import page
            from verify.report.read import joined

            report = joined(
                self.found,
                self.told,
                {i: (v, self.why.get(i, "")) for i, v in self.verdicts.items()},
                time.perf_counter() - self.started,
                self.config.getoption("--candidate") or "",
                signal.SIGINT if session.exitstatus == pytest.ExitCode.INTERRUPTED else 0,
            )
            command = shlex.join(["pytest", *self.config.invocation_params.args])
            write(self.page, page(report, command))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = list(self._lines())
        if lines:
            terminalreporter.section("scenarios")
            for text in lines:
                terminalreporter.write_line(text)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from verify.report.github import annotation

            for report in self.failed:
                path, line, name = report.location
                told = annotation("error", path, (line or 0) + 1, name, str(report.longrepr))
                terminalreporter.write_line(told)

    @property
    def judged(self) -> int:
        """Cases with a verdict; a lock that was compared is no case."""
        return sum(v not in ("NOT RUN", "checked") for v in self.verdicts.values())

    def _lines(self) -> Iterator[str]:
        if self.verdicts:
            counts = Counter(self.verdicts.values())
            words = {"PASS": "passed", "FAIL": "failed", "CANNOT JUDGE": "cannot judge",
                     "NOT RUN": "not run"}  # fmt: skip
            parts = [f"{counts[v]} {word}" for v, word in words.items() if counts[v]]
            cases = len(self.found) - counts["checked"]
            yield ", ".join([f"{cases} found", f"{self.judged} judged", *parts,
                             *([f"{self.locked} as locked"] if self.locked else [])])  # fmt: skip
        reasons = Counter(self.why[i] for i, v in self.verdicts.items() if v == "NOT RUN")
        yield from (f"NOT VERIFIED: {number(n, 'case')}: {why}" for why, n in reasons.items())
        if self.complaint:
            yield self.complaint

    def _asked_for(self) -> bool:
        """Whether scenarios were named in the call; or the call covers a folder that has none."""
        given = [Path(arg.partition("::")[0]).resolve() for arg in self.config.args]
        invoked = self.config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR
        for folder in self.config.stash[FOLDERS]:
            inside = any(path.is_relative_to(folder) for path in given)
            covered = any(folder.is_relative_to(path) for path in given) or invoked
            if inside or (covered and not any(folder.rglob("*.toml"))):
                return True
        return False


def _page_of(config: pytest.Config) -> Path | None:
    """Where the page is to be written, once that can be done."""
    name = config.getoption("--verify-report")
    if not name:
        return None
    from verify.errors import UsageError
    from verify.report.page import destination_of

    try:
        return destination_of(name)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _reason(report: pytest.TestReport) -> str:
    """What a skipped item was skipped for."""
    longrepr = report.longrepr
    return str(longrepr[2]).removeprefix("Skipped: ") if isinstance(longrepr, tuple) else ""
