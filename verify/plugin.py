"""pytest collects scenario files: one item a case, and one failing item for a malformed file.

Only files below a folder named by --scenarios or by the ini option verify_scenarios are claimed.
This module is loaded by every pytest run of its environment, so it imports neither torch nor
pydantic, and nothing of this package, until a scenario file is collected.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from verify.candidate import Candidate
    from verify.cases import Case
    from verify.errors import FileFault, ScenarioError
    from verify.result import Result

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_MARKS = ("float32", "float64", "cpu", "cuda")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where scenario files are, how much their truth may cost, which device must be there."""
    group = parser.getgroup("verify", "scenario files of hand-written backpropagation")
    group.addoption("--scenarios", action="append", default=[], metavar="DIR",
                    help="collect the scenario files of this folder")  # fmt: skip
    group.addoption("--truth-budget", type=float, metavar="WORK",
                    help="multiplications that a case's truth may cost")  # fmt: skip
    group.addoption("--require-device", choices=["cuda"],
                    help="fail when this device is missing")  # fmt: skip
    group.addoption("--candidate", metavar="SPEC",
                    help="judge package.module:name or file.py:name too")  # fmt: skip
    group.addoption("--candidate-arrays", choices=["numpy", "torch", "jax"], default="numpy",
                    help="what the candidate takes")  # fmt: skip
    group.addoption("--candidate-timeout", type=float, default=60.0, metavar="SECONDS",
                    help="limit of one call of the candidate")  # fmt: skip
    parser.addini("verify_scenarios", "folders of scenario files", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Marks; one thread for every pool before it starts; folders of --scenarios to collect."""
    for mark in _MARKS:
        config.addinivalue_line("markers", f"{mark}: cases of this dtype or device")
    if hasattr(config, "workerinput"):
        for name in _THREADS:  # idle threads of two pools on two cores cost 15 to 30 times the work
            os.environ.setdefault(name, "1")
    else:
        config.pluginmanager.register(Tally(), "verify-tally")
    named = [Path(name).resolve() for name in config.getoption("--scenarios")]
    for folder in named:
        if not folder.is_dir():
            raise pytest.UsageError(f"--scenarios {folder}: no such folder")
    given = [Path(arg.partition("::")[0]).resolve() for arg in config.args]
    config.stash[_FOLDERS] = [
        *named,
        *(Path(p).resolve() for p in config.getini("verify_scenarios")),
    ]
    for folder in named:
        if not any(folder.is_relative_to(arg) or arg.is_relative_to(folder) for arg in given):
            config.args.append(str(folder))


_FOLDERS = pytest.StashKey[list[Path]]()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Scenario files, and files that stand among them without being known."""
    folders = parent.config.stash[_FOLDERS]
    if not any(file_path.is_relative_to(folder) for folder in folders):
        return None
    if file_path.suffix == ".toml":
        return ScenarioFile.from_parent(parent, path=file_path)
    from verify.runner import is_known

    if is_known(file_path):
        return None
    return Stranger.from_parent(parent, path=file_path)


class ScenarioFile(pytest.File):
    """A scenario file: its cases, or one failing item that says what is wrong with it."""

    def collect(self) -> Iterator[pytest.Item]:
        from verify.cases import cases
        from verify.errors import ScenarioError
        from verify.runner import shown
        from verify.scenario import load

        try:
            found = cases(load(shown(self.path)))
        except ScenarioError as error:
            yield MalformedItem.from_parent(self, name="format", error=error)
            return
        for case in found:
            yield CaseItem.from_parent(self, name=case.name, case=case)


class Stranger(pytest.File):
    """A file that nobody would run or read."""

    def collect(self) -> Iterator[pytest.Item]:
        from verify.errors import ScenarioError
        from verify.runner import shown, stranger

        error = ScenarioError([stranger(shown(self.path))])
        yield MalformedItem.from_parent(self, name="format", error=error)


class MalformedItem(pytest.Item):
    """Fails with the text that the command prints."""

    def __init__(self, *, error: ScenarioError, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.error = error

    def runtest(self) -> None:
        raise self.error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        first: FileFault = self.error.faults[0]
        return self.path, max(first.line - 1, 0), f"{self.path.name} is malformed"


class CaseFailure(Exception):
    """A case that is not green; carries the block that tells why."""


class CaseItem(pytest.Item):
    """One case; its figures become properties of the report."""

    def __init__(self, *, case: Case, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.case = case
        for mark in (case.dtype, case.device):
            self.add_marker(mark)

    def runtest(self) -> None:
        from verify import truth
        from verify.judge import judge
        from verify.report import block
        from verify.result import Verdict
        from verify.runner import one_thread

        with one_thread():
            budget = self.config.getoption("--truth-budget")
            candidate = _candidate(self.config)
            result = judge(self.case, truth.BUDGET if budget is None else budget, candidate)
        self.user_properties += _properties(result)
        if result.verdict is Verdict.NOT_RUN:
            if self.config.getoption("--require-device") == result.device:
                raise CaseFailure(f"{result.findings[0].message}, and --require-device was given")
            pytest.skip(result.findings[0].message)
        if not result.ok:
            raise CaseFailure(block(result, self.config.getoption("--candidate") or ""))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        from verify.errors import VerifyError

        if isinstance(excinfo.value, CaseFailure | VerifyError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self.case.line - 1, self.name


_CANDIDATE = pytest.StashKey[Any]()


def _candidate(config: pytest.Config) -> Candidate | None:
    """The candidate of the options: one child process in this worker, made when first asked for."""
    spec = config.getoption("--candidate")
    if spec and _CANDIDATE not in config.stash:
        from verify.candidate import candidate
        from verify.proof import proven

        proven()
        arrays, timeout = (config.getoption(f"--candidate-{o}") for o in ("arrays", "timeout"))
        config.stash[_CANDIDATE] = candidate(spec, arrays, timeout=timeout)
    return config.stash.get(_CANDIDATE, None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the candidate's process."""
    if _CANDIDATE in config.stash:
        config.stash[_CANDIDATE].close()


class Tally:
    """Counts the judged cases where reports come together: in xdist's controller, or serially."""

    def __init__(self) -> None:
        self.cases = self.judged = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and "verdict" in dict(report.user_properties):
            self.cases += 1
            self.judged += not report.skipped

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run of scenarios in which nothing was judged is not green."""
        if self.cases and not self.judged and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def _properties(result: Result) -> list[tuple[str, object]]:
    worst = result.worst
    figures = [("error_over_bound", worst.ratio), ("worst_link", worst.link)] if worst else []
    return [
        ("verdict", str(result.verdict)),
        ("resolution", result.resolution),
        ("loss_before", result.loss_before),
        ("loss_after", result.loss_after),
        *figures,
    ]
