"""Scenario files, written: one to start from, and one of a problem that is there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify import files
from verify.errors import UsageError
from verify.network.problem import Problem
from verify.numbers.rounding import Array

TEMPLATE = """\
# Say here what this scenario sees that no other does.
title  = "{title}"
source = "constructed"                  # or where the numbers are from

# X: N rows of D numbers; or {{ random = "normal" }}, with features and batch_size below;
# or {{ file = "data/x.csv", columns = ["a", "b"] }}
inputs    = [[2, 4, -2], [1, 0.5, 3]]

# W: D rows of K numbers; or {{ random = "normal", scale = 0.5 }}
weights   = [[0.5, -0.25], [-0.125, 1], [0.75, 0.25]]

# a class per row; or P, N rows of K numbers >= 0; or {{ random = "soft" }}
labels    = [0, 1]

step_size = 0.01                        # h
steps     = 1

# [vary]                                # any of these as a list; crossed, one case a combination
# seed   = [0, 1, 2]                    # where something is random
# dtype  = ["float32", "float64"]       # both, if absent
# layout = ["C", "F", "strided"]        # memory layout of X

[expect]
loss = "falls"                          # or "rises", "any"
# loss_before = "0.70"                  # a printed figure: half a unit of its last digit
# post_form   = "nonfinite"             # where exp(-y) overflows; "blind" where 1 - y_o is 0
"""


def explicit(
    problem: Problem, title: str, source: str, expect: Mapping[str, str], **parameters: str | int
) -> str:
    """The text of a scenario with every number of a problem written out; one case.

    `parameters` are further keys: steps, batch_size, layout, device.

    Shapes  X (N, D), W (D, K), P (N, K).
    """
    lines = [
        f"title     = {_text(title)}",
        f"source    = {_text(source)}",
        f"inputs    = {_matrix(problem.X)}",
        f"weights   = {_matrix(problem.W)}",
        f"labels    = {_matrix(problem.P)}",
        f"step_size = {float(str(problem.h))!r}",
        f'dtype     = "{problem.dtype}"',
        *(f"{name:<9} = {json.dumps(value)}" for name, value in parameters.items()),
    ]
    if expect:
        lines += ["", "[expect]", *(f'{name} = "{value}"' for name, value in expect.items())]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """As TOML writes it: JSON's escapes, but no halves of a character."""
    return json.dumps(text, ensure_ascii=False)


def _matrix(A: Array) -> str:
    """Rows of numbers, each in the fewest digits that are this number in its dtype."""
    return "[" + ", ".join(f"[{', '.join(map(_shortest, row))}]" for row in A) + "]"


def _shortest(number: Any) -> str:
    value = float(str(number))
    return str(int(value)) if value.is_integer() and abs(value) < 2**31 else repr(value)


def home() -> Path:
    """Where a new file goes if nothing is said."""
    usual = Path("scenarios")
    return usual if usual.is_dir() else Path()


def written(name: str, folder: Path, text: str | None = None) -> Path:
    """The new file, with the text or the template; an existing one is left alone.

    Raises  UsageError for a name that no scenario may have, a folder that is not there, or a file
            that is.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise UsageError(
            f"{name!r} is not a scenario's name; a-z 0-9 _ - are allowed, without .toml"
        )
    path = folder / f"{name}.toml"
    files.create(path, text or TEMPLATE.format(title=name.replace("-", " ")))
    return path
