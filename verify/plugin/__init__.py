"""pytest collects scenario files: one item a case, and one failing item for a malformed file.

Only files below a folder named by --scenarios or by the ini option verify_scenarios are claimed.
This module is loaded by every pytest run of its environment, so it imports neither torch nor
pydantic, and nothing else of this package, until a scenario file is collected.

    items       a file's cases as items
    tally       every item counted; the page of a run
"""

from __future__ import annotations

import os
from collections.abc import Generator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from verify.files import shadowed
from verify.plugin import items
from verify.plugin.tally import Tally
from verify.threads import ENVIRONMENT

_MARKS = ("bfloat16", "float16", "float32", "float64", "cpu", "cuda")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where scenario files are, how much their truth may cost, which device must be there."""
    group = parser.getgroup("verify", "scenario files of hand-written backpropagation")
    group.addoption("--scenarios", action="append", default=[], metavar="DIR",
                    help="collect the scenario files of this folder")  # fmt: skip
    group.addoption("--scenario-limit", action="append", default=[], metavar="NAME=N",
                    help="allow scenario files to ask for more")  # fmt: skip
    group.addoption("--truth-budget", type=float, metavar="WORK",
                    help="multiplications that a case's truth may cost")  # fmt: skip
    group.addoption("--require-device", choices=["cuda"],
                    help="fail when this device is missing")  # fmt: skip
    group.addoption("--candidate", metavar="SPEC",
                    help="judge package.module:name, file.py:name, or a command, too")  # fmt: skip
    group.addoption("--candidate-arrays", choices=["numpy", "torch", "jax"], default="numpy",
                    help="what the candidate takes")  # fmt: skip
    group.addoption("--candidate-timeout", type=float, default=60.0, metavar="SECONDS",
                    help="limit of one call of the candidate")  # fmt: skip
    group.addoption("--candidate-memory", type=float, default=0, metavar="BYTES",
                    help="address space that the candidate may take")  # fmt: skip
    group.addoption("--twin", metavar="NAME", default="eager",
                    help="how torch differentiates; see verify run --help")  # fmt: skip
    group.addoption("--verify-report", metavar="FILE",
                    help="write a page of all scenarios to look at")  # fmt: skip
    parser.addini("verify_scenarios", "folders of scenario files", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Marks; one thread for every pool before it starts; folders of --scenarios to collect."""
    for mark in _MARKS:
        config.addinivalue_line("markers", f"{mark}: cases of this dtype or device")
    if hasattr(config, "workerinput"):
        for name, one in ENVIRONMENT.items():
            os.environ.setdefault(name, one)
    else:
        config.pluginmanager.register(Tally(config), "verify-tally")
    named = [Path(name).resolve() for name in config.getoption("--scenarios")]
    always = [Path(p).resolve() for p in config.getini("verify_scenarios")]
    for option, folders in (("--scenarios", named), ("verify_scenarios", always)):
        for folder in folders:
            if not folder.is_dir():
                raise pytest.UsageError(f"{option} {folder}: no such folder")
    if config.getoption("--candidate") == "":  # as an unset variable of a CI gives it
        raise pytest.UsageError(
            "--candidate '': give package.module:name, file.py:name, or a command"
        )
    config.stash[items.FOLDERS] = [*named, *always]
    given = [Path(arg.partition("::")[0]).resolve() for arg in config.args]
    for arg, path in zip(config.args, given, strict=True):
        if path.suffix == ".toml" and path.is_file() and not items.folder_of(config, path):
            raise pytest.UsageError(f"{arg}: {_hint(path.parent)}")
    for folder in named:
        if not any(folder.is_relative_to(arg) or arg.is_relative_to(folder) for arg in given):
            config.args.append(str(folder))


def pytest_report_header() -> str | None:
    """Which copy of this package runs, where a checkout might be thought to."""
    return shadowed() or None


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """No entry of a claimed folder is passed over for its name, as hidden ones and `build` are.

    But for those that --ignore or --ignore-glob names.
    """
    if items.folder_of(config, collection_path) is None:
        return None
    ignored = [Path(name).absolute() for name in config.getoption("ignore") or ()]
    globs = [str(Path(glob).absolute()) for glob in config.getoption("ignore_glob") or ()]
    named = any(collection_path.is_relative_to(path) for path in ignored)
    return None if named or any(fnmatch(str(collection_path), glob) for glob in globs) else False


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Symlinks and folders with other names fail, and are not entered."""
    folder = items.folder_of(parent.config, path)
    return items.collector(path, folder, parent) if folder and folder != path else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Scenario files, the manifest, and what stands among them without being known."""
    folder = items.folder_of(parent.config, file_path)
    return items.collector(file_path, folder, parent) if folder else None


def _hint(folder: Path) -> str:
    """How a folder's scenario files become tests."""
    here = Path.cwd()
    name = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return (
        f"scenario files are tests of a folder that is named: pytest --scenarios {name}, or"
        f' verify_scenarios = ["{name}"] in pytest\'s configuration'
    )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Where nothing was collected of a folder of scenario files that was named, how it would be."""
    if exitstatus != pytest.ExitCode.NO_TESTS_COLLECTED or config.stash[items.FOLDERS]:
        return
    for arg in config.args:
        path = Path(arg)
        if path.is_dir() and any(b"step_size" in f.read_bytes() for f in path.glob("*.toml")):
            terminalreporter.write_line(f"{arg}: {_hint(path.resolve())}")


def pytest_sessionstart(session: pytest.Session) -> None:
    """What no case could do without ends the run before anything is collected: exit 4."""
    config = session.config
    if hasattr(config, "workerinput"):
        return
    required = config.getoption("--require-device")
    if required or config.getoption("--candidate"):
        from verify.errors import VerifyError
        from verify.network.twin import available

        if required and not available(required):
            raise pytest.UsageError(f"there is no {required} device here, and it is required")
        try:
            items.candidate_of(config)
        except VerifyError as error:
            raise pytest.UsageError(str(error)) from None
        if config.getoption("numprocesses", None):  # the workers have their own
            items.close_candidate(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Once all is collected and deselected."""
    if any(isinstance(item, items.CaseItem) for item in session.items):
        from verify.errors import CandidateError

        try:
            items.finish(session.items)
        except CandidateError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With --verify-report, what was found travels with pytest's own report of the item."""
    report = yield
    if call.when == "call" and item.config.getoption("--verify-report"):
        items.attach(item, report)
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the candidate's process."""
    items.close_candidate(config)
