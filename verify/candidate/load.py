"""A name -> a function of NumPy arrays, whatever arrays it takes itself; and how it is called."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from verify.candidate.arguments import Arguments, Misuse, arguments, is_result
from verify.network.given import differentiable
from verify.network.problem import sought

Arrays: TypeAlias = Literal["numpy", "torch", "jax"]


@dataclass(frozen=True)
class Function:
    """A stranger's function, as one of NumPy arrays.

    `call` gives what it returns for a problem's numbers by name; `backward`, of what a library
    differentiates, other gradients of the same graph: "upstream" is that gradient as it is
    afterwards, "scaled dC_dW" is dC_dW for an upstream gradient of -0.3, "second dC_dW" by a second
    backward pass, "alone dC_dW" where W alone needs a gradient; dC_dX and dC_dP are by the inputs
    and the labels. `raw` is the function itself,
    where it is called with NumPy arrays; `exactly` calls it then with exact numbers in their place.
    """

    call: Callable[[Mapping[str, Any]], Any]
    backward: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    raw: Any = None
    exactly: Callable[[Mapping[str, Any]], Any] | None = None


UPSTREAM = -0.3  # an upstream gradient that is neither 1 nor positive nor a power of two


def loaded(spec: str, arrays: str = "numpy", device: str = "cpu") -> Function:
    """The function that a name is of, as one of NumPy arrays.

    Raises  what `named` does; Misuse for what cannot be a candidate.
    """
    return adapted(named(spec), arrays, device)


def named(spec: str) -> Any:
    """What `package.module:attribute` or `path/to/file.py:attribute` names.

    Raises  ImportError, AttributeError or whatever the module raises; ValueError for another form.
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
    return function


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
        torch = importlib.import_module("verify.candidate.tensors")
        is_op = isinstance(function, type) and hasattr(function, "apply")
        made = function.apply if is_op else function
        taken = arguments(function.forward if is_op else function, int(is_op), _not_upstream)
        return Function(*torch.differentiated(made, taken, UPSTREAM, device))
    if arrays == "jax":
        return _of_jax(function, arguments(function, needed=_not_upstream))
    taken = arguments(function)

    def exactly(given: Mapping[str, Any]) -> Any:
        from verify.candidate.names import Followable  # Arb, which calls with floats never need

        return taken(Followable(function), given)

    return Function(lambda given: taken(function, given), raw=function, exactly=exactly)


def _not_upstream(name: str) -> bool:
    """A function that a library differentiates need not take G: it is given to its backward."""
    return name != "G"


def _classes(function: Any) -> tuple[type, ...]:
    return function.__mro__ if isinstance(function, type) else type(function).__mro__


def _of_jax(function: Any, taken: Arguments) -> Function:
    """A function of jax arrays: its gradients if it returns a cost, or the result of one operation;
    else what it returns."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)

    def pulled(given: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, Any]:
        """What the function gives, and its derivatives by names for an upstream gradient."""

        def made(*arrays: Any) -> Any:
            return taken(function, {**given, **dict(zip(names, arrays, strict=True))})

        value, pull = jax.vjp(made, *(jax.numpy.asarray(given[name]) for name in names))
        return value, pull

    def call(given: Mapping[str, Any]) -> Any:
        found = taken(function, {n: jax.numpy.asarray(a) for n, a in given.items()})
        shape = getattr(found, "shape", None)
        if shape is None or (shape != () and not is_result(taken, given)):
            return found
        names = sought(given)
        value, pull = pulled(given, names)
        up = given["G"] if shape else jax.numpy.ones_like(value)
        cost = {} if shape else {"C": value}
        return cost | {f"dC_d{n}": g for n, g in zip(names, pull(up), strict=True)}

    def backward(given: Mapping[str, Any]) -> Mapping[str, Any]:
        parameters = sought(given)
        names = differentiable(given)
        value, pull = pulled(given, names)
        if value.shape != ():
            return {}
        first, second = (
            dict(zip(names, pull(jax.numpy.full_like(value, up)), strict=True))
            for up in (UPSTREAM, 1.0)
        )
        found = {f"scaled dC_d{n}": first[n] for n in parameters}
        found |= {f"second dC_d{n}": second[n] for n in parameters}
        return found | {f"dC_d{n}": first[n] for n in names if n not in parameters}

    return Function(call, backward)
