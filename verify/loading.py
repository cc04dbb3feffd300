"""A name -> a function of NumPy arrays, whatever arrays it takes itself."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def loaded(spec: str, arrays: str = "numpy", device: str = "cpu") -> Callable[..., Any]:
    """The function that `package.module:attribute` or `path/to/file.py:attribute` names.

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
    return adapted(function, arrays, device)


def adapted(function: Any, arrays: str, device: str = "cpu") -> Callable[..., Any]:
    """The function as one of NumPy arrays.

    Raises  ValueError for another kind of arrays; TypeError for what cannot be called.
    """
    if arrays == "torch":
        twin = importlib.import_module("verify.twin")
        made: Callable[..., Any] = twin.differentiated(function, device)
        return made
    if arrays == "jax":
        return _of_jax(function)
    if arrays != "numpy":
        raise ValueError(f"{arrays!r}: arrays are numpy, torch or jax")
    if not callable(function):
        raise TypeError(f"{type(function).__name__} cannot be called; a function is expected")
    plain: Callable[..., Any] = function
    return plain


def _of_jax(function: Any) -> Callable[..., Any]:
    """A function of jax arrays: its gradient if it returns a cost, else what it returns."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)

    def call(X: Any, W: Any, P: Any) -> Any:
        X, W, P = (jax.numpy.asarray(a) for a in (X, W, P))
        found = function(X, W, P)
        if getattr(found, "shape", None) != ():
            return found
        C, gradient = jax.value_and_grad(function, argnums=1)(X, W, P)
        return {"C": C, "dC_dW": gradient}

    return call
