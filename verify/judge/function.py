"""A function under check: its inputs by name, what it gives, what its derivative is weighed by."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.errors import UsageError
from verify.network.problem import bits
from verify.numbers.followed import data
from verify.numbers.rounding import MODELS

_SEED = 20170119


@dataclass(frozen=True, eq=False)
class Checked:
    """A function, its inputs by name, and the weights: upstream gradients, or tangents.

    `results` are the function's floats.
    """

    forward: Callable[..., Any]
    inputs: Mapping[str, Any]
    weights: tuple[Any, ...]
    dtype: str
    results: tuple[Any, ...] = ()

    @property
    def finite(self) -> bool:
        """Whether the function's floats are."""
        return all(np.isfinite(r).all() for r in self.results)

    @property
    def floats(self) -> list[str]:
        """The inputs that there is a derivative by."""
        return [name for name, a in self.inputs.items() if a.dtype.kind == "f"]

    def exactly(self, varying: bool) -> tuple[dict[str, Any], list[Any]]:
        """The inputs and the weights on shadows; the inputs as those of a tape, if they vary.

        Shapes  those of the inputs and the weights.
        """
        given = {
            name: data(a, varying) if a.dtype.kind == "f" else a.copy()
            for name, a in self.inputs.items()
        }
        return given, [data(w) for w in self.weights]


def with_upstream(forward: Callable[..., Any], inputs: Any, upstream: Any) -> Checked:
    """A function with upstream gradients of the shapes of its results; drawn, where none is given.

    Shapes  upstream: that of the result, a tuple of such for a tuple.
    Raises  UsageError for what cannot be checked.
    """
    arrays, dtype = _given(forward, inputs)
    results = _results(forward, arrays)
    if upstream is None:
        return Checked(forward, arrays, _drawn(results, dtype), dtype, tuple(results))
    parts = upstream if isinstance(upstream, tuple) else (upstream,)
    given = tuple(np.asarray(g, dtype) for g in parts)
    if len(given) != len(results):
        raise UsageError(f"upstream has {len(given)} parts; forward gives {len(results)}")
    for g, r in zip(given, results, strict=True):
        if g.shape != r.shape:
            raise UsageError(f"upstream has shape {g.shape}; forward gives {r.shape}")
    return Checked(forward, arrays, given, dtype, tuple(results))


def with_tangents(
    forward: Callable[..., Any], inputs: Any, tangents: Any
) -> tuple[Checked, list[str]]:
    """A function with tangents of its float inputs, drawn where none are given; its results' names.

    Shapes  tangents: those of the float inputs, in their order.
    Raises  UsageError for what cannot be checked.
    """
    arrays, dtype = _given(forward, inputs)
    results = _results(forward, arrays)
    floats = {name: a for name, a in arrays.items() if a.dtype.kind == "f"}
    moves = _drawn(list(floats.values()), dtype)
    if tangents is not None:
        moves = tuple(np.asarray(v, dtype) for v in tangents if v is not None)
    if [v.shape for v in moves] != [a.shape for a in floats.values()]:
        told = ", ".join(f"{name} {a.shape}" for name, a in floats.items())
        raise UsageError(f"tangents of other shapes than the float inputs: {told}")
    names = [f"result {i}" for i in range(len(results))] if len(results) > 1 else ["result"]
    return Checked(forward, arrays, moves, dtype, tuple(results)), names


def called(function: Callable[..., Any], role: str, given: Any) -> Any:
    """What a function gives for some arrays.

    Raises  UsageError for whatever it raises.
    """
    try:
        with np.errstate(all="ignore"):
            return function(*given)
    except Exception as error:  # a stranger's function may raise anything
        raise UsageError(f"{role} raises {type(error).__name__}: {error}") from error


def results_of(raw: Any) -> list[Any]:
    """The arrays that a function gives: one, or several in a tuple."""
    return list(raw) if isinstance(raw, tuple | list) else [raw]


def apart(a: Any) -> Any:
    """The same numbers as every second column of a wider array.

    Shapes  any; the same.
    """
    if not a.ndim:
        return a
    wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), np.nan, a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def _results(forward: Callable[..., Any], arrays: Mapping[str, Any]) -> list[Any]:
    """What forward gives for copies of the inputs.

    Raises  UsageError for what are no arrays of numbers, and for inputs changed in place.
    """
    given = [a.copy() for a in arrays.values()]
    raw = called(forward, "forward", given)
    results = [np.asarray(r) for r in results_of(raw) if not isinstance(r, dict)]
    if not results or any(r.dtype.kind not in "fiub" for r in results):
        raise UsageError(f"forward gives {type(raw).__name__}; give an array, or a tuple of arrays")
    for (name, a), now in zip(arrays.items(), given, strict=True):
        if bits(a) != bits(now):
            raise UsageError(f"forward changes {name} in place; work on a copy")
    return results


def _given(forward: Callable[..., Any], inputs: Any) -> tuple[dict[str, Any], str]:
    """The inputs as arrays by name, and their float dtype."""
    if not isinstance(inputs, Mapping | Sequence):
        raise UsageError("give the inputs as a list of arrays, or a mapping by name")
    if isinstance(inputs, Mapping):
        named = _in_order(forward, inputs)
    else:
        named = _by_name(forward, list(inputs))
    arrays = {name: np.array(a) for name, a in named.items()}
    for name, a in arrays.items():
        if a.dtype.kind not in "fiub":
            raise UsageError(f"input {name} has dtype {a.dtype}; give an array of numbers")
        if a.dtype.kind == "f" and not np.isfinite(a).all():
            raise UsageError(f"input {name} has entries that are not finite")
    floats = {str(a.dtype) for a in arrays.values() if a.dtype.kind == "f"}
    if not floats:
        raise UsageError("no input has a float dtype: there is nothing to differentiate by")
    if len(floats) > 1 or not floats <= MODELS.keys():
        told = ", ".join(sorted(floats))
        raise UsageError(f"inputs of {told}; give all in one of {', '.join(MODELS)}")
    return arrays, floats.pop()


def _in_order(forward: Callable[..., Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs in the order of forward's parameters, where these have their names."""
    names = list(_by_name(forward, [None] * len(inputs)))
    try:
        known = list(inspect.signature(forward).parameters)
    except (TypeError, ValueError):  # of something in C
        known = []
    if set(inputs) <= set(known):
        return {name: inputs[name] for name in known if name in inputs}
    if names == list(known)[: len(names)] and not set(inputs) & set(known):
        return dict(inputs)
    strange = next(name for name in inputs if name not in known)
    raise UsageError(f"forward has no parameter {strange}; it has {', '.join(known)}")


def _by_name(forward: Callable[..., Any], inputs: Sequence[Any]) -> dict[str, Any]:
    """Inputs by the names of forward's parameters, where it tells them."""
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(forward).parameters.values()
        names = [p.name for p in parameters if p.kind in kinds]
    except (TypeError, ValueError):  # of something in C
        names = []
    listed = list(inputs)
    names += [f"input {i}" for i in range(len(names), len(listed))]
    return dict(zip(names, listed, strict=False))


def _drawn(like: Sequence[Any], dtype: str) -> tuple[Any, ...]:
    """Numbers that are neither 1 nor of one sign nor powers of two, the same ones every time."""
    rng = np.random.default_rng(_SEED)
    return tuple(np.asarray(rng.normal(size=np.shape(a)), dtype) for a in like)
