"""pytest inside of a test: in this process where it may be, else in one of its own."""

from __future__ import annotations

import importlib

import pytest

from tests.support.texts import EXAMPLE

# pytester forgets what a nested run imports; of these a second import fails or is slow.
LOADED_ONCE = (
    "torch", "matplotlib.figure", "matplotlib.backends.backend_svg", "verify.judge.lock",
    "verify.report.github", "verify.report.page",
)  # fmt: skip


@pytest.fixture(scope="session")
def _loaded():
    for name in LOADED_ONCE:
        importlib.import_module(name)


@pytest.fixture
def folder(pytester):
    """A project that is not this one, with a folder of scenarios."""
    pytester.makeini("[pytest]\nverify_scenarios = cases\n")
    made = pytester.mkdir("cases")
    (made / "example.toml").write_text(EXAMPLE)
    return made


@pytest.fixture
def nested(pytester, monkeypatch, _loaded):
    """pytest with some arguments; with a conftest, which may patch anything, it is a process."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def call(*arguments, process=False, cache="no:cacheprovider"):
        apart = process or (pytester.path / "conftest.py").exists()
        run = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return run("-p", cache, *arguments)

    return call
