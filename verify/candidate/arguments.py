"""How a stranger's function is called: by the names of its parameters, or in order.

The names are those of a problem's numbers: X, the network's parameters, the labels P (or the
upstream gradient G of one operation), h where there is a step, and what an update keeps besides,
as momentum does: its state by name, and the number t of the step. These and h it may leave out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from verify.network.given import is_state

_BIAS = ("b", "b1", "bias", "biases")
_SHAPES = ", arrays of shapes (N, D), (D, K), (N, K) and a scalar"


class Misuse(Exception):
    """A function that cannot be a candidate as it is; says what it does and what would do."""


@dataclass(frozen=True)
class Call:
    """Which of a problem's numbers a function is given: by their places, and by name.

    `strange` says so where its own names for them are others.
    """

    placed: tuple[str, ...]
    named: tuple[str, ...] = ()
    strange: bool = False


@dataclass(frozen=True, eq=False)
class Arguments:
    """Calls a function with those of some given numbers that it takes."""

    parameters: Sequence[inspect.Parameter]
    needed: Callable[[str], bool]
    _calls: dict[tuple[str, ...], Call] = field(default_factory=dict, repr=False)

    def of(self, names: Sequence[str]) -> Call:
        """How it is called where these are given.

        Raises  Misuse where its parameters are others, or in another order.
        """
        key = tuple(names)
        if key not in self._calls:
            least = [n for n in key if n != "h" and not is_state(n) and self.needed(n)]
            self._calls[key] = _call(self.parameters, key, least)
        return self._calls[key]

    def __call__(self, function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        """What the function returns.

        Raises  Misuse as `of`; whatever the function raises.
        """
        call = self.of(tuple(given))
        try:
            return function(*(given[n] for n in call.placed), **{n: given[n] for n in call.named})
        except Exception as error:  # whatever it raises is told with what it was called with
            if call.strange:
                error.add_note(f"called with {', '.join(call.placed)}, in this order")
            raise


def arguments(function: Any, skip: int = 0, needed: Callable[[str], bool] = bool) -> Arguments:
    """How a function is called: by names if its parameters have no others; else in order.

    `skip` parameters come before; those for which `needed` is false may be left out, as h.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):  # of something in C
        parameters = [inspect.Parameter("arrays", inspect.Parameter.VAR_POSITIONAL)]
    return Arguments(parameters, needed)


def is_result(taken: Arguments, given: Mapping[str, Any]) -> bool:
    """Whether what a function returns is the result of one operation, to be differentiated.

    One that takes the upstream gradient returns gradients of its own.
    """
    return "G" in given and "G" not in taken.of(tuple(given)).placed + taken.of(tuple(given)).named


def _call(
    parameters: Sequence[inspect.Parameter], names: tuple[str, ...], least: Sequence[str]
) -> Call:
    kinds = inspect.Parameter
    several = any(p.kind is kinds.VAR_POSITIONAL for p in parameters)
    names = tuple(n for n in names if n == "h" or n in least) if several else names
    single = [p for p in parameters if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
    needed = [p.name for p in single if p.default is kinds.empty]
    known = [p for p in single if p.name in names]
    if set(needed) <= set(names) and set(least) <= {p.name for p in known}:
        named = tuple(p.name for p in known if p.kind is kinds.KEYWORD_ONLY)
        return Call(tuple(p.name for p in known if p.name not in named), named)
    places = [p.name for p in single if p.kind is not kinds.KEYWORD_ONLY]
    keywords = [p.name for p in single if p.kind is kinds.KEYWORD_ONLY and p.name in needed]
    count = len(names) if several or len(places) >= len(names) else len(places)
    required = sum(name in needed for name in places)
    moved = [n for i, n in enumerate(places) if n in names and names.index(n) != i]
    if keywords or count < len(least) or required > count or moved:
        taken = f"({', '.join([*places, *keywords])})"
        raise Misuse(_told_of(taken, places, names, least, bool(moved)))
    post = tuple(least) == ("X", "W", "P")  # of three or four arrays nobody asks which is which
    return Call(names[:count], strange=not (several or post))


def _told_of(
    taken: str, places: Sequence[str], names: Sequence[str], least: Sequence[str], moved: bool
) -> str:
    post = tuple(least) == ("X", "W", "P")
    told = f"it takes {taken}; a candidate takes ({', '.join(names)})"
    told += f" or ({', '.join(least)})" * (len(least) < len(names)) + _SHAPES * post
    bias = next((name for name in places if name.lower() in _BIAS), None)
    if bias and not any(name.rstrip("0123456789") == "b" for name in names):
        return f"{told}. This network has no bias {bias}{': y = X W' * post}"
    return f"{told}, in this order or by these names" if moved or not post else told
