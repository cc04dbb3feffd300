"""Scenarios for tests, from text."""

from __future__ import annotations

from pathlib import Path

from verify.judge.lock import of_scenarios
from verify.scenario import manifest
from verify.scenario.cases import Case, cases
from verify.scenario.collection import scenarios
from verify.scenario.limits import Limits
from verify.scenario.load import load

EXAMPLE = """
title = "an example"
inputs = [[2, 4, -2]]
weights = [[-0.6558, 0.2], [-1.3117, -0.1], [0.6558, 0.4]]
labels = [0]
step_size = 0.01
"""

DRAWN = """
title = "drawn"
features = 5
classes = 3
batch_size = 11
inputs = { random = "normal" }
weights = { random = "normal" }
labels = { random = "soft" }
step_size = 0.25
"""

TWO_LAYERS = """
title = "a hidden layer"
features = 4
classes = 3
batch_size = 7
inputs = { random = "normal" }
labels = { random = "soft" }
step_size = 0.25
[[layers]]
units = 5
weights = { random = "normal" }
bias = { random = "normal" }
activation = "tanh"
[[layers]]
weights = { random = "normal" }
bias = { random = "normal" }
activation = "softmax"
"""


def written(folder: Path, content: str, name: str = "s") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(content)
    return path


def the_cases(folder: Path, text: str) -> list[Case]:
    return cases(load(written(folder, text)))


def the_case(folder: Path, text: str, dtype: str = "float64") -> Case:
    return next(c for c in the_cases(folder, text) if c.dtype == dtype)


def locked(folder: Path) -> None:
    """Write the folder's manifest."""
    found = of_scenarios(scenarios(folder, Limits()))
    (folder / "manifest.json").write_text(manifest.text(found))
