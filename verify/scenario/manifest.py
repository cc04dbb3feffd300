"""The manifest, what was verified as a file: one entry a scenario, one line a case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from verify.errors import ScenarioError
from verify.scenario.data import decoded, refusal, regular

FORMAT = 1
AGAIN = "if that was meant, `verify lock` pins it again"
_MOST_BYTES = 2**26


def _number(text: str) -> str:
    """The text of a number that a float64 can be."""
    try:
        float.fromhex(text)
    except OverflowError:
        raise ValueError("beyond float64") from None
    return text


Digest: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Hex: TypeAlias = Annotated[
    str,
    Field(pattern=r"^(-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}|inf)$"),
    AfterValidator(_number),
]


def _whole(value: Any) -> Any:
    """A whole number, and nothing that only equals one, as true and 1.0 do."""
    if type(value) is not int:
        raise ValueError("not a whole number")
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Pin(_Strict):
    """What one case was: SHA-256 of its problem, the exact C, SHA-256 of the exact gradient.

    `problem` is of X, W, P and h. C is that of all rows, before the first step and after the
    last of exact steps; `dC_dW` that of the first step. All are rounded to the nearest float64, and
    null where their truth was too much work.
    """

    problem: Digest
    C_before: Hex | None
    C_after: Hex | None
    dC_dW: Digest | None


class Entry(_Strict):
    """What one scenario file was: SHA-256 of it with its data files, the number of its cases."""

    content: Digest
    count: Annotated[int, Field(ge=1)]
    cases: dict[str, Pin]


class Manifest(_Strict):
    """What was verified, by the scenario files' names below the manifest's folder."""

    format: Annotated[Literal[1], BeforeValidator(_whole)]
    scenarios: dict[str, Entry]


def read(path: Path) -> Manifest:
    """The manifest in a file.

    Raises  ScenarioError for one that is malformed; no part of it is used.
    """
    content = regular(path, f"at most {_MOST_BYTES} bytes", _MOST_BYTES)
    text = decoded(str(path), content)
    try:
        made = Manifest.model_validate(json.loads(text, object_pairs_hook=_once))
    except json.JSONDecodeError as error:
        raise _refusal(path, error.lineno, error.msg) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _refusal(path, 0, f"{where}: {first['msg']}") from None
    except (RecursionError, ValueError) as error:
        raise _refusal(path, 0, str(error)) from None
    for name, entry in made.scenarios.items():
        if entry.count != len(entry.cases):
            found = f"{name}: count {entry.count}, {len(entry.cases)} cases"
            raise _refusal(path, 0, found)
    return made


def text(manifest: Manifest) -> str:
    """The manifest as JSON, so laid out that a change of a case is the change of a line."""
    files = ",\n".join(
        f"  {json.dumps(name)}: {{\n"
        f'   "content": "{entry.content}",\n'
        f'   "count": {entry.count},\n'
        '   "cases": {\n' + _lines(entry.cases) + "\n   }\n  }"
        for name, entry in sorted(manifest.scenarios.items())
    )
    return f'{{\n "format": {FORMAT},\n "scenarios": {{\n{files}\n }}\n}}\n'


def _lines(pins: Mapping[str, Pin]) -> str:
    return ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(pin.model_dump())}" for name, pin in pins.items()
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON text; json itself keeps the last of two equal keys and says nothing."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(k for k in keys if keys.count(k) > 1)!r} twice")
    return made


def _refusal(path: Path, line: int, found: str) -> ScenarioError:
    allowed = "what `verify lock` writes; lock again"
    return refusal(
        str(path), "not a manifest", line=line, found=ascii(found)[1:-1][:200], allowed=allowed
    )
