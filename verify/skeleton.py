"""A scenario file to start from: commented, and green as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from verify.errors import UsageError

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


def written(name: str, folder: Path) -> Path:
    """The new file; an existing one is left alone.

    Raises  UsageError for a name that no scenario may have, a folder that is not there, or a file
            that is.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise UsageError(
            f"{name!r} is not a scenario's name; a-z 0-9 _ - are allowed, without .toml"
        )
    path = folder / f"{name}.toml"
    try:
        with path.open("x") as file:
            file.write(TEMPLATE.format(title=name.replace("-", " ")))
    except FileExistsError:
        raise UsageError(f"{path} exists already; choose another name") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return path
