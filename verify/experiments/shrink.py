"""The smallest problem that still shows something: layers, rows and units go, numbers shorten.

Greedy: every change that keeps what is to be shown is kept, until no single one does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from verify.network.problem import Problem
from verify.numbers.rounding import Array

ATTEMPTS = 400  # each is a judgement of milliseconds


def shrunk(problem: Problem, shows: Callable[[Problem], bool], attempts: int = ATTEMPTS) -> Problem:
    """A problem that shows it, too, and of which no simpler variation does, as far as was tried.

    Shapes  as Problem.
    """
    before = None
    while before is not problem:
        before = problem
        for variation in _VARIATIONS:
            i = 0
            while attempts and (simpler := variation(problem, i)) is not None:
                attempts -= 1
                if simpler is not problem and shows(simpler):
                    problem = simpler
                else:
                    i += 1
    return problem


Variation = Callable[[Problem, int], Problem | None]
"""The problem with change i; the same problem where that changes nothing, None at the end."""


def _without_layer(problem: Problem, i: int) -> Problem | None:
    """One layer less; the next takes what it took, with its first rows or some of them again."""
    network = problem.network
    if i >= len(network.layers) - 1 or network.embeds:  # the last has the cost that goes with it
        return None
    layers = (*network.layers[:i], *network.layers[i + 1 :])
    fewer = replace(network, layers=layers)
    own = [_own(problem, k) for k in range(len(network.layers)) if k != i]
    parameters, units = dict[str, Array](), problem.X.shape[1]
    for names, arrays in zip(fewer.names, own, strict=True):
        for kind, array in arrays.items():
            parameters[names[kind]] = np.resize(array, (units, *array.shape[1:]))
            units = array.shape[-1] if kind == "W" else units
    if units != problem.P.shape[1]:
        return problem
    return replace(problem, network=fewer, parameters=parameters, state=None)


def _own(problem: Problem, layer: int) -> dict[str, Array]:
    names = problem.network.names[layer]
    kinds = ("W", *problem.network.layers[layer].vectors)
    return {k: problem.parameters[names[k]] for k in kinds if names[k] in problem.parameters}


def _without_row(problem: Problem, i: int) -> Problem | None:
    return _without(problem, i, {"X": 0, "P": 0})


def _without_unit(problem: Problem, i: int) -> Problem | None:
    """One feature, unit of a layer or class less."""
    for axes in _axes_of_units(problem):
        size = _size_of(problem, axes)
        found = _without(problem, i, axes)
        if found is not None:
            return found
        i -= _places(size)
    return None


def _axes_of_units(problem: Problem) -> list[dict[str, int]]:
    """Of each layer boundary, from the features to the classes, the arrays that have its axis.

    The features and units of an embedding, which are of one size only together, stay.
    """
    boundaries: list[dict[str, int]] = [{"X": 1}]
    for name in problem.parameters:
        if name.startswith("W"):
            boundaries[-1][name] = 0
            boundaries.append({name: 1})
        else:
            boundaries[-1][name] = 0
    boundaries[-1]["P"] = 1
    for axes in boundaries:
        axes |= {name: axes[name[1:]] for name in problem.state if name[1:] in axes}
    return boundaries[2 * problem.network.embeds :]


def _size_of(problem: Problem, axes: dict[str, int]) -> int:
    name, axis = next(iter(axes.items()))
    return int(getattr(problem, name).shape[axis])


def _places(size: int) -> int:
    """How many changes there are of an axis: its halves, and each index; none of a last one."""
    return 0 if size == 1 else size + 2 * (size > 3)


def _without(problem: Problem, i: int, axes: dict[str, int]) -> Problem | None:
    """Try removing each half of an axis, then each index; keep at least one."""
    size = _size_of(problem, axes)
    halves = [slice(0, size // 2), slice(size // 2, size)] if size > 3 else []
    places = [*halves, *range(size)]
    if i >= _places(size):
        return None
    parts = {
        name: np.delete(getattr(problem, name), places[i], axis) for name, axis in axes.items()
    }
    return problem.having(**parts)


def _rounded(problem: Problem, i: int) -> Problem | None:
    """All numbers of X, a parameter or P with fewer bits."""
    changes = [(bits, name) for bits in (1, 3, 8, 24) for name in _names(problem)]
    if i >= len(changes):
        return None
    bits, name = changes[i]
    return _changed(problem, name, _with_bits(getattr(problem, name), bits))


def _step_size(problem: Problem, i: int) -> Problem | None:
    sizes = [1.0, 0.125, float(_with_bits(np.asarray(problem.h), 1))]
    if i >= len(sizes):
        return None
    h = problem.dtype.type(sizes[i])
    return replace(problem, h=h) if _size(h) < _size(problem.h) else problem


def _simpler_entry(problem: Problem, i: int) -> Problem | None:
    """One number as 0, as 1, or with fewer bits."""
    for name in _names(problem):
        array = getattr(problem, name)
        entry, kind = divmod(i, 4)
        if entry < array.size:
            old, simpler = array.flat[entry], array.copy()
            simpler_ones = (0, np.copysign(1, old), _with_bits(old, 1), _with_bits(old, 3))
            new = problem.dtype.type(simpler_ones[kind])
            simpler.flat[entry] = new
            return problem.having(**{name: simpler}) if _size(new) < _size(old) else problem
        i -= 4 * array.size
    return None


def _names(problem: Problem) -> tuple[str, ...]:
    return *["X"] * (not problem.network.embeds), *problem.parameters, *problem.state, "P"


def _changed(problem: Problem, name: str, array: Array) -> Problem:
    same = np.array_equal(array, getattr(problem, name))
    return problem if same else problem.having(**{name: array})


def _with_bits(a: Any, bits: int) -> Any:
    significand, exponent = np.frexp(np.asarray(a, np.float64))
    return np.ldexp(np.rint(significand * 2**bits), exponent - bits).astype(np.asarray(a).dtype)


def _size(number: Any) -> tuple[bool, bool, int]:
    """By which a number is simpler than another: 0, then 1 or -1, then the shorter in print."""
    return number != 0, abs(number) != 1, len(str(number))


_VARIATIONS: tuple[Variation, ...] = (
    _without_layer, _without_row, _without_unit, _rounded, _step_size, _simpler_entry,
)  # fmt: skip
