"""What a program is asked and what it answers: JSON, a line each.

A number of the request is a float64 in shortest decimals: every reader of doubles has it back, and
of float32, too, as each of these is a float64. A number of the answer is read as the nearest
float64, then rounded to the case's dtype. So what was computed in float64 is rounded once, and what
was computed in float32 comes back as it was, from nine digits or from a hexadecimal float.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from verify.candidate.arguments import Misuse
from verify.candidate.examine import Call, Reply, links_of
from verify.candidate.messages import Broken
from verify.network.network import Network
from verify.network.norms import EPSILON
from verify.numbers.dtypes import named, nearest

FORMAT = 1
_SHOWN = 60  # characters of a line that are quoted
_LONGEST = 500  # characters of an error that are told

_DECIMAL = r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_HEXADECIMAL = r"0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)([pP][+-]?[0-9]+)?"
_NO_NUMBER = r"[iI]nf(inity)?|INF(INITY)?|[nN]a[nN]|NAN"
_TEXT = rf"^[+-]?({_DECIMAL}|{_HEXADECIMAL}|{_NO_NUMBER})$"

Numbers: TypeAlias = float | list[float] | list[list[float]]
"""A number, a vector or rows of numbers."""

_Found: TypeAlias = float | Annotated[str, Field(pattern=_TEXT)] | None
_Nested: TypeAlias = _Found | list[_Found] | list[list[_Found]]


class Sparse(BaseModel):
    """What is written without those of its parts that have their usual value."""

    model_config = ConfigDict(extra="forbid")

    @model_serializer(mode="wrap")
    def _unusual(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        usual = {n: f.default for n, f in type(self).model_fields.items() if not f.is_required()}
        written: dict[str, Any] = whole(self)
        return {n: a for n, a in written.items() if n not in usual or getattr(self, n) != usual[n]}


class Layers(Sparse):
    """A layer: y = x W + b where it has weights and a bias, and y_o = activation(y).

    Of an embedding y has the rows of W that X names, those of one row of X side by side.
    """

    activation: str
    bias: bool
    weights: bool
    scaled: bool = Field(False, description="whether gamma and beta follow a norm")
    epsilon: float = Field(EPSILON, description="what a norm adds to its variance")
    embedding: bool = False


class Updated(Sparse):
    """How a step is taken: gradient-descent, momentum or adam; the numbers of its kind count."""

    name: str = "gradient-descent"
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    t: int = Field(1, description="the number of the step, from 1")


class Computed(Sparse):
    """What is computed: its layers from the input on, and the cost."""

    layers: list[Layers]
    cost: str
    reduction: str = Field(description="what the cost is divided by: rows 1/N, mean 1/(N K), sum 1")
    weight_decay: float = Field(description="lambda of (lambda/2) sum W^2, added to C")
    update: Updated = Updated()


class Described(BaseModel):
    """What is to be computed, in what, and what is asked for."""

    format: int
    dtype: str = Field(
        description="what the answer is judged as: float64, float32, float16, bfloat16"
    )
    network: Computed
    gradients: list[str] = Field(description="what is asked for, in the order of the parameters")


class Request(Described):
    """One line of a program's stdin: the numbers of one call.

    Besides the fields that are listed it has every array by its name: X, the parameters (W, or W1,
    b1, W2, ...) in the order of `gradients`, P, or G of one operation, and what an update keeps
    (mW, vW, ...). Numbers are float64 in shortest decimals, of a narrower case too: none is lost.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Numbers]

    format: int = FORMAT
    links: list[str] = Field(description="what an answer may have, in the order of the computation")
    shapes: dict[str, list[int]] = Field(description="of every array, by its name")
    h: float | None = Field(description="null where there is no step")


class Answer(BaseModel):
    """One line of a program's stdout: links by their names, each of the shape that it has.

    The gradients that are asked for, and any other of `links`: the more it gives, the nearer the
    report comes to the line that is wrong. A number may be text, too: a decimal, a C99 hexadecimal
    float as "0x1.8p+1", "inf", "-inf" or "nan". It is read as a float64, and rounded to the case's
    dtype. One that is null is nan, as JavaScript and jq write it; a link that is null is not given.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Nested]

    error: str | None = Field(
        None, description="why it does not answer, as that it is not of this network; no links then"
    )


def described(network: Network, dtype: Any, t: int) -> dict[str, Any]:
    """The fields of Described for a network at step t, but its format."""
    update = {**asdict(network.update), "t": t}
    return {
        "dtype": str(dtype),
        "network": Computed.model_validate({**asdict(network), "update": update}),
        "gradients": list(network.gradients),
    }


def request_of(call: Call, memory: Any) -> bytes:
    """A call as a line; `memory` is that in which its arrays lie."""
    arrays = {name: place.of(memory) for name, place in call.places.items()}
    request = Request(
        **described(call.network, _dtype(call), call.t or 1),
        links=list(call.links),
        shapes={name: list(array.shape) for name, array in arrays.items()},
        h=None if call.h is None else float(call.h),
        **{name: _wide(array).tolist() for name, array in arrays.items()},
    )
    return request.model_dump_json().encode() + b"\n"


def reply_of(line: bytes, call: Call) -> Reply:
    """The reply that is in a line; that it refuses, or is unfit, is told in it.

    Raises  Broken for a line that is no JSON object.
    """
    answer = _object(line)
    error = answer.pop("error", None)
    try:
        if error is not None:
            raise Misuse(f"it answers an error: {error}"[:_LONGEST])
        names = [name for name in answer if name in call.links]
        known = {name: _array(name, answer[name], _dtype(call)) for name in names}
        return Reply(links_of({**answer, **known}, call))
    except Misuse as misuse:
        return Reply(trouble=str(misuse), misuse=str(misuse))


def quoted(line: bytes | bytearray) -> str:
    """The beginning of a line, in quotes."""
    text = line.decode(errors="replace")
    return ascii(text[:_SHOWN]) + "..." * (len(text) > _SHOWN)


def _dtype(call: Call) -> Any:
    """That of the numbers: row numbers of an embedding are int64."""
    dtypes = (named(place.dtype) for place in call.places.values())
    return next(dtype for dtype in dtypes if dtype.kind != "i")


def _wide(array: Any) -> Any:
    return array if array.dtype.kind == "i" else array.astype(np.float64)


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object in a line.

    Raises  Broken for anything else.
    """
    if not line.strip():
        raise Broken("its answer is an empty line")
    try:
        found = json.loads(line.decode(), parse_int=float)
    except UnicodeDecodeError:
        raise Broken(f"its answer is not UTF-8: {quoted(line)}") from None
    except (ValueError, RecursionError) as error:
        place = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Broken(f"its answer is no JSON{place}: {quoted(line)}") from None
    if not isinstance(found, dict):
        raise Broken(f"its answer is no JSON object of links: {quoted(line)}")
    return found


def _array(link: str, value: Any, dtype: Any) -> Any:
    """The numbers of a link, rounded to the dtype; None where they are null.

    Raises  Misuse for anything else.
    """
    if value is None:
        return None
    try:
        with np.errstate(over="ignore"):  # what is too large for a float32 is inf in it
            return np.asarray(nearest(np.array(_numbers(value), np.float64), dtype.name))
    except _Strange as strange:
        raise Misuse(f"{link} has {strange}, which is no number") from None
    except (ValueError, RecursionError):
        raise Misuse(f"{link} is no array: its rows are of different lengths") from None


class _Strange(Exception):
    """What stands for a number and is none."""


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    if isinstance(value, float):
        return value
    if value is None:
        return math.nan
    if isinstance(value, str) and re.fullmatch(_TEXT, value):
        return _number(value)
    raise _Strange(quoted(json.dumps(value).encode()))


def _number(text: str) -> float:
    """The nearest float64 of a decimal or hexadecimal text."""
    if "x" not in text.lower():
        return float(text)
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf
