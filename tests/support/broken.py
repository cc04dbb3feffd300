"""Manual and twin with one line of their source broken, as a person would break it."""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from verify.network.problem import LINKS, Chain


def with_line(
    module: types.ModuleType, function: str, old: str, new: str, wanted: str = ""
) -> Callable[..., Chain]:
    """`wanted`, or `function`, of a copy of the module with another line in that function."""
    source = Path(str(module.__file__)).read_text()
    start = source.index(f"def {function}(")
    end = source.find("\ndef ", start + 1)
    body = source[start : end if end > 0 else None]
    if body.count(old) != 1:
        raise ValueError(f"{old!r} stands {body.count(old)} times in {function}")
    copy: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(source.replace(body, body.replace(old, new)), copy)
    return copy[wanted or function]


def lines_of_links(module: types.ModuleType, function: str) -> dict[str, str]:
    """The line that assigns each link."""
    source = Path(str(module.__file__)).read_text()
    start = source.index(f"def {function}(")
    end = source.find("\ndef ", start + 1)
    found = {}
    for line in source[start : end if end > 0 else None].split("\n"):
        match = re.fullmatch(r" +\(?(\w+),?\)? = (.*)", line)
        if match and match[1] in LINKS:
            found[match[1]] = line
    return found


def scaled(line: str) -> str:
    """The same line with its value a millionth larger than it should be, twice over in float32."""
    return re.sub(r"^( +\w+) = (.*)$", r"\1 = (\2) * 1.0009765625", line)
