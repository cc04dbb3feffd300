"""A name -> a function of NumPy arrays, whatever arrays it takes itself; and how it is called."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

Arrays: TypeAlias = Literal["numpy", "torch", "jax"]
NAMES = ("X", "W", "P", "h")
_BIAS = ("b", "b1", "bias", "biases")


class Misuse(Exception):
    """A function that cannot be a candidate as it is; says what it does and what would do."""


@dataclass(frozen=True)
class Function:
    """A stranger's function, as one of NumPy arrays.

    `call` gives what it returns for X, W, P and h; `backward`, of a cost that a library
    differentiates, other gradients of the same graph by their names (see BACKWARD); `raw` is the
    function itself, where it is called with NumPy arrays.
    """

    call: Callable[[Mapping[str, Any]], Any]
    backward: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    raw: Any = None


UPSTREAM = -0.3  # an upstream gradient that is neither 1 nor positive nor a power of two
BACKWARD = {
    "upstream": "the upstream gradient",
    "scaled": "dC_dW for an upstream gradient of -0.3",
    "second": "dC_dW by a second backward pass through the same graph",
    "dC_dX": "dC_dX",
    "dC_dP": "dC_dP",
}
"""What is asked of a cost besides dC_dW, and how it is told."""


def loaded(spec: str, arrays: str = "numpy", device: str = "cpu") -> Function:
    """The function that `package.module:attribute` or `path/to/file.py:attribute` names.

    Raises  ImportError, AttributeError or whatever the module raises; ValueError for another form;
            Misuse for what cannot be a candidate.
    """
    place, _, attribute = spec.rpartition(":")
    if not place or not attribute:
        raise ValueError(f"{spec!r} is not package.module:attribute or path/to/file.py:attribute")
    if place.endswith(".py"):
        path = Path(place).resolve()
        sys.path.insert(0, str(path.parent))
        found = importlib.util.spec_from_file_location(path.stem, path)
        if found is None or found.loader is None or not path.is_file():
            raise ImportError(f"{place}: no such file")
        module = importlib.util.module_from_spec(found)
        sys.modules[path.stem] = module
        found.loader.exec_module(module)
    else:
        if "" not in sys.path:
            sys.path.insert(0, "")
        module = importlib.import_module(place)
    function: Any = module
    for part in attribute.split("."):
        function = getattr(function, part)
    return adapted(function, arrays, device)


def adapted(function: Any, arrays: str = "numpy", device: str = "cpu") -> Function:
    """The function as one of NumPy arrays.

    Raises  ValueError for another kind of arrays; Misuse for what cannot be a candidate.
    """
    if arrays not in get_args(Arrays):
        raise ValueError(f"{arrays!r}: arrays are numpy, torch or jax")
    kinds = {f"{c.__module__.partition('.')[0]}.{c.__name__}" for c in _classes(function)}
    if "torch.Module" in kinds:
        raise Misuse(
            "a torch.nn.Module has weights of its own; give a function of the tensors (X, W, P)"
            " that returns the cost, with --candidate-arrays torch"
        )
    if "torch.Function" in kinds and arrays != "torch":
        raise Misuse("it is a torch.autograd.Function: add --candidate-arrays torch")
    if isinstance(function, type) and not (arrays == "torch" and hasattr(function, "apply")):
        raise Misuse(f"{function.__name__} is a class; give a function, or an instance to call")
    if not callable(function):
        raise Misuse(f"{type(function).__name__} cannot be called; a function is expected")
    if arrays == "torch":
        twin = importlib.import_module("verify.network.twin")
        is_op = isinstance(function, type) and hasattr(function, "apply")
        made = function.apply if is_op else function
        arguments = _arguments(function.forward if is_op else function, skip=int(is_op))
        return Function(*twin.differentiated(made, arguments, UPSTREAM, device))
    arguments = _arguments(function)
    if arrays == "jax":
        return _of_jax(function, arguments)
    return Function(lambda given: arguments(function, given), raw=function)


Arguments: TypeAlias = Callable[[Callable[..., Any], Mapping[str, Any]], Any]
"""Calls a function with those of X, W, P and h that it takes."""


def _classes(function: Any) -> tuple[type, ...]:
    return function.__mro__ if isinstance(function, type) else type(function).__mro__


def _arguments(function: Any, skip: int = 0) -> Arguments:
    """How a function is called: by the names X, W, P and h if it has only these; else in order.

    Raises  Misuse where its parameters are others, or in another order.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of something in C
        return _in_order(len(NAMES))
    kinds = inspect.Parameter
    parameters = [
        p
        for p in list(signature.parameters.values())[skip:]
        if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
    ]
    needed = [p.name for p in parameters if p.default is kinds.empty]
    known = [p for p in parameters if p.name in NAMES]
    if set(needed) <= set(NAMES) and {"X", "W", "P"} <= {p.name for p in known}:
        return _by_name(known)
    places = [p.name for p in parameters if p.kind is not kinds.KEYWORD_ONLY]
    several = any(p.kind is kinds.VAR_POSITIONAL for p in signature.parameters.values())
    keywords = [p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY and p.name in needed]
    count = 4 if several or len(places) >= 4 else len(places)
    least = sum(name in needed for name in places)
    moved = [n for i, n in enumerate(places) if n in NAMES and NAMES.index(n) != i]
    if keywords or count < 3 or least > count or moved:
        raise Misuse(_told_of(f"({', '.join([*places, *keywords])})", places, moved))
    return _in_order(count)


def _told_of(taken: str, places: list[str], moved: list[str]) -> str:
    bias = next((name for name in places if name.lower() in _BIAS), None)
    told = f"it takes {taken}; a candidate takes (X, W, P, h) or (X, W, P), arrays of shapes"
    told += " (N, D), (D, K), (N, K) and a scalar"
    if bias:
        return f"{told}. This network has no bias {bias}: y = X W"
    return f"{told}, in this order or by these names" if moved else told


def _in_order(count: int) -> Arguments:
    return lambda function, given: function(*(given[name] for name in NAMES[:count]))


def _by_name(known: list[inspect.Parameter]) -> Arguments:
    named = [p.name for p in known if p.kind is inspect.Parameter.KEYWORD_ONLY]
    placed = [p.name for p in known if p.name not in named]

    def call(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        return function(*(given[n] for n in placed), **{n: given[n] for n in named})

    return call


def _of_jax(function: Any, arguments: Arguments) -> Function:
    """A function of jax arrays: its gradient if it returns a cost, else what it returns."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)

    def of(given: Mapping[str, Any]) -> tuple[Callable[..., Any], list[Any]]:
        def cost(X: Any, W: Any, P: Any) -> Any:
            return arguments(function, {**given, "X": X, "W": W, "P": P})

        return cost, [jax.numpy.asarray(given[name]) for name in ("X", "W", "P")]

    def call(given: Mapping[str, Any]) -> Any:
        cost, arrays = of(given)
        found = cost(*arrays)
        if getattr(found, "shape", None) != ():
            return found
        C, gradient = jax.value_and_grad(cost, argnums=1)(*arrays)
        return {"C": C, "dC_dW": gradient}

    def backward(given: Mapping[str, Any]) -> Mapping[str, Any]:
        cost, arrays = of(given)
        C, pull = jax.vjp(cost, *arrays)
        if C.shape != ():
            return {}
        dC_dX, scaled, dC_dP = pull(jax.numpy.full_like(C, UPSTREAM))
        second = pull(jax.numpy.ones_like(C))[1]
        return {"scaled": scaled, "second": second, "dC_dX": dC_dX, "dC_dP": dC_dP}

    return Function(call, backward)
