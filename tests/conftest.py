"""What tests share: the profiles of hypothesis, and `red`, the only way to expect a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=40)
settings.load_profile("ci")

pytest_plugins = ["pytester"]


@pytest.fixture
def red() -> Callable[..., Any]:
    """Call something that must fail, and return what it raised."""

    def call(function: Callable[[], Any], error: type[BaseException], match: str) -> Any:
        with pytest.raises(error, match=match) as caught:
            function()
        return caught.value

    return call
