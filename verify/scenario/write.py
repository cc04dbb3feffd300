"""Scenario files, written: one to start from, and one of a problem that is there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from verify import files
from verify.errors import UsageError
from verify.network.layer import Layer
from verify.network.network import Network
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
# bias       = [0.5, -1]                # b, K numbers
# activation = "softmax"                # sigmoid, if absent
# cost       = "squared-error"          # cross-entropy, if absent

# a class per row; or P, N rows of K numbers >= 0; or {{ random = "soft" }}
labels    = [0, 1]

step_size = 0.01                        # h
steps     = 1
# update  = "momentum"                  # or "adam"; gradient-descent, if absent

# [[layers]]                            # instead of weights, bias and activation above: a table
# units      = 4                        # a layer, from the input on
# weights    = {{ random = "normal" }}
# activation = "tanh"

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

    `parameters` are further keys: steps, batch_size, layout, device. Of an operation nothing is
    expected.

    Shapes  X (N, D), W (D, K), P (N, K).
    Raises  UsageError for an operation with a weight decay or another h than 1, which no file has.
    """
    network = problem.network
    operation = network.cost == "upstream"
    if operation and (network.decays or problem.h != 1):
        raise UsageError("an operation that is written out has no weight decay, and h is 1")
    tables = [_layer(problem, i) for i in range(len(network.layers))]
    at_top = len(tables) == 1 and not network.embeds
    text = _pairs({
        "title": _text(title),
        "source": _text(source),
        "inputs": _numbers(problem.X),
        **(tables[0] if at_top else {}),
        **({"upstream": _numbers(problem.P)} if operation else _of_a_step(problem)),
        "dtype": _text(str(problem.dtype)),
        **{name: json.dumps(value) for name, value in parameters.items()},
    })  # fmt: skip
    for table in () if at_top else tables:
        text += "\n[[layers]]\n" + _pairs(table)
    if problem.t > 1 or any(map(np.any, problem.state.values())):
        kept = {name: _numbers(a) for name, a in problem.state.items()}
        text += "\n[state]\n" + _pairs({"t": str(problem.t), **kept})
    if expect and not operation:
        text += "\n[expect]\n" + "".join(f'{name} = "{value}"\n' for name, value in expect.items())
    return text


def _pairs(values: Mapping[str, str]) -> str:
    return "".join(f"{name:<9} = {value}\n" for name, value in values.items())


def _layer(problem: Problem, i: int) -> dict[str, str]:
    """The keys of a layer."""
    layer, names = problem.network.layers[i], problem.network.names[i]
    rows = {"embedding": str(len(problem.parameters[names["W"]]))} if layer.embedding else {}
    keys = {"weights": names["W"]} if layer.weights else {}
    keys |= {"bias": names["b"]} if layer.bias else {}
    keys |= {p: names[p] for p in ("gamma", "beta") * layer.scaled}
    usual = layer.weights and layer.activation == Layer().activation
    rows |= {key: _numbers(problem.parameters[name]) for key, name in keys.items()}
    rows |= {} if usual else {"activation": _text(layer.activation)}
    return rows | ({} if layer.epsilon == Layer().epsilon else {"epsilon": repr(layer.epsilon)})


def _of_a_step(problem: Problem) -> dict[str, str]:
    """Labels, h, and what of the cost is not usual."""
    own, usual = problem.network, Network()
    cost = {
        name: json.dumps(getattr(own, name))
        for name in ("cost", "reduction", "weight_decay")
        if getattr(own, name) != getattr(usual, name)
    }
    by, descent = own.update, usual.update
    of = {n: getattr(by, n) for n in by.rule.constants.values()}
    numbers = {n: json.dumps(a) for n, a in of.items() if a != getattr(descent, n)}
    update = {"update": json.dumps(by.name), **numbers} if own.state else {}
    h = {"step_size": repr(float(str(problem.h)))}
    return {"labels": _numbers(problem.P), **cost, **h, **update}


def _text(text: str) -> str:
    """As TOML writes it: JSON's escapes, but no halves of a character."""
    return json.dumps(text, ensure_ascii=False)


def _numbers(A: Array) -> str:
    """Numbers or rows of them, each in the fewest digits that are this number in its dtype."""
    return "[" + ", ".join(map(_numbers if A.ndim > 1 else _shortest, A)) + "]"


def _shortest(number: Any) -> str:
    value = float(str(number))
    whole = value.is_integer() and abs(value) < 2**31
    return str(int(value)) if whole and str(value) != "-0.0" else repr(value)


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
