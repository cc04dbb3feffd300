"""verify gradcheck: any function's backward pass, against the exact derivative of its forward."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from verify.commands.options import JSON
from verify.commands.terminal import emit
from verify.errors import UsageError

_SEED = 20170119
_FORMS = "NAME=4x3 for drawn numbers, NAME=8:50 for whole numbers below 50, or NAME=FILE.npy"


@click.command()
@click.argument("forward", metavar="FORWARD")
@click.argument("backward", metavar="BACKWARD")
@click.option("--input", "inputs", metavar="NAME=...", multiple=True,
              help=f"An input: {_FORMS}. In the order of the function's parameters.")  # fmt: skip
@click.option("--dtype", type=click.Choice(["float64", "float32"]), default="float64",
              help="Of the inputs that are drawn. [float64]")  # fmt: skip
@click.option("--upstream", metavar="FILE.npy", help="The upstream gradient. [drawn]")
@click.option("--jvp", is_flag=True, help="BACKWARD is a forward-mode derivative, jvp(V, *inputs).")
@JSON
def gradcheck(
    forward: str, backward: str, inputs: Sequence[str], dtype: str, upstream: str | None,
    jvp: bool, json_file: str | None,
) -> NoReturn:  # fmt: skip
    """Check BACKWARD against the exact derivative of FORWARD, any function in NumPy.

    FORWARD and BACKWARD are FILE.py:NAME or package.module:NAME. FORWARD(*inputs) gives an array,
    BACKWARD(G, *inputs) the gradient of sum(G * FORWARD(*inputs)) by each input. There is no step
    size and no tolerance. They are run in this process, without a limit of time.

    Exit 1 when it is wrong, 2 for what cannot be checked.
    """
    from verify.judge.gradcheck import gradcheck as checked
    from verify.judge.gradcheck import jvpcheck
    from verify.report.derivatives import derivatives

    of, its, given = _function(forward), _function(backward), _inputs(inputs, dtype)
    weights = _weights(upstream, jvp)
    result = jvpcheck(of, its, given) if jvp else checked(of, its, given, weights)
    emit(json.dumps(result.to_dict(), indent=1), derivatives(result), json_file)
    sys.exit(not result.ok)


def _function(spec: str) -> Any:
    """What a name names.

    Raises  UsageError where there is no such function.
    """
    from verify.candidate.load import named

    try:
        found = named(spec)
    except Exception as error:  # a stranger's module may raise anything
        raise UsageError(f"{spec}: {error}") from None
    if not callable(found):
        raise UsageError(f"{spec} is a {type(found).__name__}; give a function")
    return found


def _inputs(texts: Sequence[str], dtype: str) -> dict[str, Any]:
    """Every input by name.

    Raises  UsageError where there is none.
    """
    if not texts:
        raise UsageError(f"name every input: --input {_FORMS}")
    return dict(_input(text, dtype, i) for i, text in enumerate(texts))


def _weights(upstream: str | None, jvp: bool) -> Any:
    """The upstream gradient, where one is named.

    Raises  UsageError beside --jvp, which has none.
    """
    if upstream and jvp:
        raise UsageError("--upstream is of a backward pass; --jvp draws its tangents")
    return None if upstream is None else _array(upstream)


def _input(text: str, dtype: str, number: int) -> tuple[str, Any]:
    """An input by name: drawn by its shape, or read from a file.

    Raises  UsageError for anything else.
    """
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals and value):
        raise UsageError(f"--input {text!r}: give {_FORMS}")
    if value.endswith(".npy"):
        return name, _array(value)
    match = re.fullmatch(r"([0-9]+(?:x[0-9]+)*|\(\))(?::([0-9]+))?", value)
    if match is None:
        raise UsageError(f"--input {text!r}: give {_FORMS}")
    shape = tuple(int(n) for n in re.findall(r"[0-9]+", match[1]))
    import numpy as np  # which help needs as little as the checks

    rng = np.random.default_rng([_SEED, number + 1])  # 0 would be the upstream gradient
    if match[2] and int(match[2]) < 1:
        raise UsageError(f"--input {text!r}: there is no whole number from 0 below {match[2]}")
    if match[2]:
        return name, rng.integers(int(match[2]), size=shape)
    return name, np.asarray(rng.normal(size=shape), dtype)


def _array(file: str) -> Any:
    """The array in a file.

    Raises  UsageError where there is none.
    """
    import numpy as np

    try:
        return np.load(Path(file), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}") from None
