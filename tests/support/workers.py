"""A nested pytest with and without a worker."""

from __future__ import annotations

import pytest

WORKERS = pytest.mark.parametrize(
    "workers", [[], pytest.param(["-n", "1"], marks=pytest.mark.process)], ids=["serial", "worker"]
)
