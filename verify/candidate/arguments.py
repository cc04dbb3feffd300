"""How a stranger's function is called: by the names of its parameters, or in order.

The names are those of a problem's numbers: X, the network's parameters, the labels P (or the
upstream gradient G of one operation), and h where there is a step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

Arguments: TypeAlias = Callable[[Callable[..., Any], Mapping[str, Any]], Any]
"""Calls a function with those of the given arrays that it takes."""

_BIAS = ("b", "b1", "bias", "biases")
_SHAPES = ", arrays of shapes (N, D), (D, K), (N, K) and a scalar"
_LABELS = ("P", "G")


class Misuse(Exception):
    """A function that cannot be a candidate as it is; says what it does and what would do."""


def arguments(function: Any, skip: int = 0, needed: Callable[[str], bool] = bool) -> Arguments:
    """How a function is called: by names if its parameters have no others; else in order.

    `skip` parameters come before; those for which `needed` is false may be left out, as h.

    Raises  Misuse, when it is called, where its parameters are others, or in another order.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):  # of something in C
        parameters = [inspect.Parameter("arrays", inspect.Parameter.VAR_POSITIONAL)]

    @cache
    def of(names: tuple[str, ...]) -> Arguments:
        return _of(parameters, names, [n for n in names if n != "h" and needed(n)])

    return lambda function, given: of(tuple(given))(function, given)


def _of(
    parameters: Sequence[inspect.Parameter], names: tuple[str, ...], least: Sequence[str]
) -> Arguments:
    kinds = inspect.Parameter
    several = any(p.kind is kinds.VAR_POSITIONAL for p in parameters)
    names = tuple(n for n in names if n == "h" or n in least) if several else names
    single = [p for p in parameters if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
    needed = [p.name for p in single if p.default is kinds.empty]
    known = [p for p in single if p.name in names]
    if set(needed) <= set(names) and set(least) <= {p.name for p in known}:
        return _by_name(known)
    places = [p.name for p in single if p.kind is not kinds.KEYWORD_ONLY]
    keywords = [p.name for p in single if p.kind is kinds.KEYWORD_ONLY and p.name in needed]
    count = len(names) if several or len(places) >= len(names) else len(places)
    required = sum(name in needed for name in places)
    moved = [n for i, n in enumerate(places) if n in names and names.index(n) != i]
    if keywords or count < len(least) or required > count or moved:
        taken = f"({', '.join([*places, *keywords])})"
        raise Misuse(_told_of(taken, places, names, least, bool(moved)))
    return lambda function, given: function(*(given[name] for name in names[:count]))


def _told_of(
    taken: str, places: Sequence[str], names: Sequence[str], least: Sequence[str], moved: bool
) -> str:
    post = tuple(least) == ("X", "W", "P")
    told = f"it takes {taken}; a candidate takes ({', '.join(names)})"
    told += f" or ({', '.join(least)})" * (len(least) < len(names)) + _SHAPES * post
    bias = next((name for name in places if name.lower() in _BIAS), None)
    if bias and not any(name.startswith("b") for name in names):
        return f"{told}. This network has no bias {bias}{': y = X W' * post}"
    return f"{told}, in this order or by these names" if moved or not post else told


def _by_name(known: Sequence[inspect.Parameter]) -> Arguments:
    named = [p.name for p in known if p.kind is inspect.Parameter.KEYWORD_ONLY]
    placed = [p.name for p in known if p.name not in named]

    def call(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        return function(*(given[n] for n in placed), **{n: given[n] for n in named})

    return call
