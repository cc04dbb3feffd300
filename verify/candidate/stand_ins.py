"""What stands in for the functions that make arrays, and for math's, while a program is followed.

NumPy asks an array's own class for nearly all that is done to it; not for what makes an array of a
shape or of lists, nor for math.exp, float() and a few functions of SciPy's. While a program runs on
exact numbers, its own modules find others under these names.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from verify.numbers import elementary
from verify.numbers.followed import Followed, dtype_holds, followed, plain
from verify.numbers.shadow import Shadow, lifted

_array, _isscalar, _strided = np.array, np.isscalar, np.lib.stride_tricks.as_strided


def _is_exact(number: Any) -> bool:
    """Whether a number of a program, or a list with one in it, is exact."""
    if isinstance(number, list | tuple):
        return any(_is_exact(part) for part in number)
    return isinstance(number, Followed | Shadow)


def _made(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array of a shape: of floats, one of exact numbers."""

    def made(*args: Any, **options: Any) -> Any:
        found = function(*args, **options)
        if isinstance(found, Followed) or found.dtype.kind not in "fc":
            return found
        return followed(found) if dtype_holds(found.dtype) else found

    return made


def _converted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array of what it is given."""

    def converted(a: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
        wanted = options.pop("dtype", dtype)
        if not _is_exact(a):
            return _made(function)(a, wanted, *args, **options)
        copies = function is _array and options.get("copy", True)
        if isinstance(a, Followed):
            found: Any = a
        else:
            parts = _array(_plain(a), object)
            found, copies = followed(parts), False
        if wanted is not None:
            found = found.astype(wanted, copy=False)
        return found.copy() if copies else found

    return converted


def _plain(a: Any) -> Any:
    if isinstance(a, list | tuple):
        return [_plain(part) for part in a]
    return a.item() if isinstance(a, Followed) and not a.ndim else plain(a)


class _Floats(type):
    """A float type that leaves exact numbers as they are."""

    def __call__(cls, number: Any = 0.0, /) -> Any:
        if isinstance(number, Followed):
            if cls is Float and number.size != 1:
                raise TypeError("only length-1 arrays can be converted to Python scalars")
            return number.reshape(()).item() if cls is Float else number
        if isinstance(number, Shadow):
            return number if cls is Float or dtype_holds(cls) else None
        return cls.__mro__[1](number)

    def __instancecheck__(cls, number: Any) -> bool:
        return isinstance(number, Shadow | cls.__mro__[1])


class Float(float, metaclass=_Floats):
    """float, which leaves exact numbers as they are."""

    dtype = np.dtype(float)


class Float64(np.float64, metaclass=_Floats):
    """numpy.float64, which leaves exact numbers as they are."""


class Float32(np.float32, metaclass=_Floats):
    """numpy.float32, which leaves exact numbers as they are where they stand for such floats."""


def _of(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of math's of one number."""

    def of(number: Any) -> Any:
        return elementary.of(name, _number(number)) if _is_exact(number) else function(number)

    return of


def _of_two(exact: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    def of_two(a: Any, b: Any) -> Any:
        both = _is_exact(a) or _is_exact(b)
        return exact(lifted(_number(a)), lifted(_number(b))) if both else function(a, b)

    return of_two


def _number(a: Any) -> Any:
    return a.item() if isinstance(a, Followed) else a


def _log(number: Any, *base: Any) -> Any:
    if not (_is_exact(number) or any(map(_is_exact, base))):
        return _LOG(number, *base)
    found = elementary.of("log", _number(number))
    return found / elementary.of("log", base[0]) if base else found


_LOG = math.log
_MATH = {
    "exp": "exp", "expm1": "expm1", "exp2": "exp2", "log1p": "log1p", "log2": "log2",
    "log10": "log10", "sqrt": "sqrt", "cbrt": "cbrt", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "erf": "erf",
    "erfc": "erfc",
}  # fmt: skip


def _sum(numbers: Any) -> Any:
    listed = list(numbers)
    return np.sum(followed(_converted(_array)(listed))) if _is_exact(listed) else _FSUM(listed)


_FSUM = math.fsum


def _math() -> Iterator[tuple[str, Any]]:
    for name, known in _MATH.items():
        if hasattr(math, name):
            yield name, _of(known, getattr(math, name))
    yield "log", _log
    yield "pow", _of_two(elementary.power, math.pow)
    yield "atan2", _of_two(elementary.arctan2, math.atan2)
    yield "hypot", _of_two(elementary.hypotenuse, math.hypot)
    yield "fsum", _sum
    for name in ("isnan", "isinf", "isfinite", "fabs"):
        ufunc, function = getattr(np, name), getattr(math, name)
        yield name, lambda x, u=ufunc, f=function: u(x) if _is_exact(x) else f(x)


def _softmax(x: Any, axis: Any = None) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    top = np.max(a, axis=axis, keepdims=True)
    e = np.exp(a - top) * (1 if b is None else b)
    rest = np.log(np.sum(e, axis=axis, keepdims=True)) + top
    return rest if keepdims else np.squeeze(rest, axis=axis)


def _log_softmax(x: Any, axis: Any = None) -> Any:
    return x - _logsumexp(x, axis, keepdims=True)


def _xlogy(x: Any, y: Any) -> Any:
    return x * np.log(np.where(np.equal(x, 0), 1, y))


_SCIPY: Mapping[str, Callable[..., Any]] = {
    "softmax": _softmax, "logsumexp": _logsumexp, "log_softmax": _log_softmax, "xlogy": _xlogy,
}  # fmt: skip


def _where_exact(exact: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*args: Any, **options: Any) -> Any:
        return (exact if any(map(_is_exact, args)) else function)(*args, **options)

    return chosen


def _as_strided(x: Any, *args: Any, **options: Any) -> Any:
    found = _strided(plain(x), *args, **options)
    return found.view(Followed) if isinstance(x, Followed) else found


def _full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
    if not _is_exact(fill_value):
        return _made(_FULL)(shape, fill_value, dtype, *args, **options)
    made = followed(_ZEROS(shape))
    made[...] = fill_value
    return made if dtype is None else made.astype(dtype, copy=False)


class _Joined:
    """numpy.r_ or numpy.c_: arrays side by side, where one of them is exact."""

    def __init__(self, real: Any, join: Callable[..., Any]) -> None:
        self.real, self.join = real, join

    def __getitem__(self, parts: Any) -> Any:
        listed = list(parts) if isinstance(parts, tuple) else [parts]
        if not _is_exact(listed):
            return self.real[parts]
        return self.join([np.atleast_1d(_converted(_array)(part)) for part in listed])


_FULL, _ZEROS = np.full, np.zeros
_MAKERS = ("zeros", "ones", "empty", "eye", "linspace", "arange", "identity", "fromiter", "loadtxt")
_CONVERTERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")


class Module(ModuleType):
    """A module that has some functions of its own, and all others of the real one."""

    def __init__(self, real: ModuleType, own: Mapping[str, Any]) -> None:
        super().__init__(real.__name__, real.__doc__)
        vars(self).update(own)
        self.__real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__real, name)


def stand_ins() -> dict[int, Any]:
    """What stands in for modules and for their functions, by the identity of what it replaces.

    The modules themselves are left as they are: libraries in C make their arrays by them.
    """
    of_numpy: dict[str, Any] = {name: _made(getattr(np, name)) for name in _MAKERS}
    of_numpy |= {name: _converted(getattr(np, name)) for name in _CONVERTERS}
    of_numpy |= {"float64": Float64, "double": Float64, "float32": Float32, "full": _full}
    of_numpy |= {"r_": _Joined(np.r_, np.concatenate), "c_": _Joined(np.c_, np.column_stack)}
    of_numpy["isscalar"] = lambda x: isinstance(x, Shadow) or _isscalar(x)
    tricks, special = np.lib.stride_tricks, sys.modules.get("scipy.special")
    own: list[tuple[Any, dict[str, Any]]] = [
        (np, of_numpy), (math, dict(_math())), (tricks, {"as_strided": _as_strided}),
    ]  # fmt: skip
    if special:
        of_scipy = {n: _where_exact(f, getattr(special, n)) for n, f in _SCIPY.items()}
        own.append((special, of_scipy))
    found = {id(getattr(real, n)): new for real, names in own for n, new in names.items()}
    modules = {real: Module(real, names) for real, names in own}
    modules[np.lib] = Module(np.lib, {"stride_tricks": modules[tricks]})
    vars(modules[np])["lib"] = modules[np.lib]
    if special:
        scipy = sys.modules["scipy"]
        modules[scipy] = Module(scipy, {"special": modules[special]})
    return found | {id(real): module for real, module in modules.items()}
