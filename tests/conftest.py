"""What tests share: the profiles of hypothesis, and `red`, the only way to expect a failure."""

from __future__ import annotations

import multiprocessing.util
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=40)
settings.load_profile("ci")

pytest_plugins = ["pytester"]

# A shell that starts pytest in the background lets it ignore SIGINT, and so would every process
# that a test starts in order to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_process(request, monkeypatch):
    """A test that starts a program says so, by its mark: a developer's loop goes without."""
    if request.node.get_closest_marker("process"):
        return

    def refuse(*_arguments, **_options):
        raise AssertionError("it starts a process: mark it `process`, or go without")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", refuse)


@pytest.fixture
def red() -> Callable[..., Any]:
    """Call something that must fail, and return what it raised."""

    def call(function: Callable[[], Any], error: type[BaseException], match: str) -> Any:
        with pytest.raises(error, match=match) as caught:
            function()
        return caught.value

    return call
