"""A program's names, which lead to stand-ins while it is followed, and are put back afterwards."""

from __future__ import annotations

import builtins
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from verify.candidate.stand_ins import Float, stand_ins

_ABSENT = object()
_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
_INSTALLED = {"site-packages", "dist-packages"}  # of another environment, or the user's
_HERE = str(Path(__file__).parents[1])


@dataclass(frozen=True, eq=False)
class Followable:
    """A function that is called with exact numbers.

    The names of its modules, of its closure and of what it imports lead to stand-ins meanwhile.
    """

    function: Callable[..., Any]

    def __call__(self, *args: Any, **options: Any) -> Any:
        with self._standing_in():
            return self.function(*args, **options)

    @cached_property
    def _spaces(self) -> list[Any]:
        return _own(getattr(_function(self.function), "__globals__", {}))

    @contextmanager
    def _standing_in(self) -> Iterator[None]:
        before: list[Callable[[], Any]] = []
        new = stand_ins()
        try:
            for space in self._spaces:
                for name, value in list(space.items()):
                    if id(value) in new:
                        before.append(_put(space, name, new[id(value)]))
                if "float" not in space:
                    before.append(_put(space, "float", Float))
            for cell in getattr(_function(self.function), "__closure__", None) or ():
                value = cell.cell_contents
                if id(value) in new:
                    before.append(partial(setattr, cell, "cell_contents", value))
                    cell.cell_contents = new[id(value)]
            before.append(_put(vars(builtins), "__import__", self._imported(new)))
            yield
        finally:
            for put_back in reversed(before):
                put_back()

    def _imported(self, new: Mapping[int, Any]) -> Callable[..., Any]:
        """__import__, which gives the program's own modules stand-ins of modules."""
        original = builtins.__import__

        def imported(name: str, globals: Any = None, *args: Any, **options: Any) -> Any:  # noqa: A002
            module = original(name, globals, *args, **options)
            own = any(globals is space for space in self._spaces)
            return new.get(id(module), module) if own else module

        return imported


def _put(space: Any, name: str, new: Any) -> Callable[[], Any]:
    """Put a name into a namespace; what puts back what it was."""
    value = space.get(name, _ABSENT)
    space[name] = new
    return lambda: space.pop(name) if value is _ABSENT else space.update({name: value})


def _own(globals_: Mapping[str, Any]) -> list[Any]:
    """The global names of a function, and of the modules of its package, or else of its folder."""
    spaces, file = [globals_], globals_.get("__file__")
    package = sys.modules.get(str(globals_.get("__package__") or "").partition(".")[0])
    file = getattr(package, "__file__", None) or file
    folder = str(Path(file).absolute().parent) + os.sep if file else None
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if folder is None or not path or not path.startswith(folder):
            continue
        installed = path.startswith((*_LIBRARIES, _HERE)) or bool(
            _INSTALLED & set(Path(path).parts)
        )
        if vars(module) is not globals_ and not installed:
            spaces.append(vars(module))
    return spaces


def _function(function: Any) -> Any:
    """The function itself of a method, of a decorated one, or of an object that can be called."""
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    if not inspect.isfunction(function):
        function = vars(type(function)).get("__call__", function)
    return function
