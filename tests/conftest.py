"""What tests share: the profiles of hypothesis, and `red`, the only way to expect a failure."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from tests.support.texts import EXAMPLE

settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=40)
settings.load_profile("ci")

pytest_plugins = ["pytester"]

# A shell that starts pytest in the background lets it ignore SIGINT, and so would every process
# that a test starts in order to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def red() -> Callable[..., Any]:
    """Call something that must fail, and return what it raised."""

    def call(function: Callable[[], Any], error: type[BaseException], match: str) -> Any:
        with pytest.raises(error, match=match) as caught:
            function()
        return caught.value

    return call


@pytest.fixture
def folder(pytester):
    """A project that is not this one, with a folder of scenarios."""
    pytester.makeini("[pytest]\nverify_scenarios = cases\n")
    made = pytester.mkdir("cases")
    (made / "example.toml").write_text(EXAMPLE)
    return made


@pytest.fixture
def nested(pytester, monkeypatch):
    """pytest in a process of its own."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def call(*arguments):
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)

    return call
