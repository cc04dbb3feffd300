"""Followed: arrays of shadows that behave like float arrays, as far as people's code asks.

A program written for NumPy runs on them unchanged: operators, ufuncs and their methods, indexing,
operations in place, NumPy's functions and methods. What has no exact rule raises Unfollowed with
the program's line: nothing passes in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from verify.numbers import contracted, elementary
from verify.numbers.kinks import direction
from verify.numbers.run import now, unfollowed
from verify.numbers.shadow import Shadow, arb, given, lifted
from verify.numbers.ufuncs import TRUTHS, UFUNCS, entries

_lift = np.frompyfunc(lifted, 1, 1)
_array = np.array  # which a program that is followed has another of


def followed(numbers: Any) -> Any:
    """Numbers of a program as an array of shadows: constants of it, where they are floats.

    Shapes  any; the same.
    """
    if isinstance(numbers, Followed):
        return numbers
    array = numbers if isinstance(numbers, np.ndarray) else _array(numbers)
    made = np.empty(array.shape, object)
    made[...] = _lift(array if array.dtype != np.float32 else _of_float32(array))
    return made.view(Followed)


def _of_float32(array: Any) -> Any:
    scalars = np.empty(array.shape, object)
    for at in np.ndindex(array.shape):
        scalars[at] = array[at]
    return scalars


def data(numbers: Any, varies: bool = False) -> Any:
    """Numbers that are given, and meant as they are; while a run records, its inputs.

    Shapes  any; the same.
    """
    array = _array(numbers, float)
    made: Any = np.empty(array.shape, object)
    for at in np.ndindex(array.shape):
        made[at] = given(arb(float(array[at])))
    for s, lean in zip(made.flat, direction(made.size) if varies else (), strict=False):
        s.made_of, now().leans[s.serial] = [], lean
    return made.view(Followed)


def number_of(array: Any) -> Any:
    """What NumPy returns of an array without axes: its number.

    Shapes  any; the same.
    """
    if isinstance(array, Followed) or (isinstance(array, np.ndarray) and array.dtype == object):
        return array.view(Followed) if array.ndim else array[()]
    return array


def dtype_holds(dtype: Any) -> bool:
    """Whether a program's array of a dtype is one of exact numbers: floats no narrower than the
    run's.

    Raises  Unfollowed for a narrower one.
    """
    wanted = np.dtype(dtype if dtype is not None else float)
    if wanted.kind not in "fc":
        return wanted.kind == "O"
    if wanted.kind == "c" or wanted.itemsize < np.dtype(now().dtype).itemsize:
        raise unfollowed(f"converts to {wanted}")
    return True


class Kind:
    """The dtype that arrays of shadows tell; its type leaves exact numbers as they are."""

    def __init__(self, name: str) -> None:
        self.dtype = np.dtype(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["dtype"], name)

    def __eq__(self, other: object) -> bool:
        return bool(self.dtype == other)

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return repr(self.dtype)

    def type(self, numbers: Any = 0.0) -> Any:
        """The numbers as floats of this dtype; exact ones, and lists with such, as they are.

        Shapes  any; the same.
        """
        if isinstance(numbers, Shadow | Followed):
            return numbers
        listed = _array(numbers, object) if isinstance(numbers, list | tuple) else None
        if listed is not None and any(isinstance(s, Shadow) for s in listed.flat):
            return followed(listed)
        return self.dtype.type(numbers)


class Followed(np.ndarray):
    """An array of shadows: what a program is given in place of floats.

    Its dtype is told as that of the floats that it stands for.
    """

    @property
    def dtype(self) -> Any:
        return Kind(now().dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        out = out[0] if isinstance(out, tuple) else None
        where = options.pop("where", True)
        for known in ("dtype", "casting", "order", "subok"):
            wanted = options.pop(known, None)
            if known == "dtype" and wanted is not None:
                dtype_holds(wanted)
        with np.errstate(all="ignore"):  # of floats inside Arb, which mean nothing
            found = _METHODS[method](ufunc, *inputs, **options)
        if method == "at":
            return None
        if where is not True:
            found = np.where(where, found, np.nan if out is None else out)
        in_place = not isinstance(out, Followed) and any(out is a for a in inputs)
        if out is None or (in_place and out.dtype.kind == "f"):
            return found  # to which an operation in place gives the name of its array
        return _written(out, found)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        from verify.numbers.functions import called  # which are made of these arrays

        return called(function, inputs, options)

    def __setitem__(self, key: Any, value: Any) -> None:
        np.ndarray.__setitem__(self, key, plain(followed(value))[()])

    def __bool__(self) -> bool:
        return bool(self.item()) if self.size == 1 else bool(np.ones(2))

    def __getattribute__(self, name: str) -> Any:
        if name in _BY_FUNCTION:
            function = getattr(np, name)
            return lambda *args, **options: function(self, *args, **options)
        if name in _OWN:
            return partial(_OWN[name], self)
        if name in _LEAVE:
            raise unfollowed(f"asks for .{name}")
        return super().__getattribute__(name)

    def __pow__(self, other: Any, modulo: None = None) -> Any:
        return np.power(self, other)

    def fill(self, value: Any) -> None:
        self[...] = value


def _as_type(array: Followed, dtype: Any, *_: Any, copy: bool = True, **__: Any) -> Any:
    """The same numbers; as whole numbers or truths where they are asked for as such.

    Raises  Unfollowed for narrower floats.
    """
    if dtype_holds(dtype):
        return array.copy() if copy else array
    wanted = np.dtype(dtype)
    of = bool if wanted.kind == "b" else _whole
    return _array([of(s) for s in plain(array).flat], wanted).reshape(array.shape)


def _as_bytes(array: Followed, *_: Any) -> bytes:
    """The bytes of the nearest floats, by which programs know arrays again."""
    return _array([s.value for s in plain(array).flat], now().dtype).tobytes()


def plain(array: Any) -> Any:
    """The objects of an array of shadows, as NumPy's own array; anything else as it is.

    Shapes  any; the same.
    """
    return array.view(np.ndarray) if isinstance(array, Followed) else array


def _whole(number: Shadow) -> int:
    return int(elementary.whole("trunc", number))


def _written(out: Any, found: Any) -> Any:
    if not isinstance(out, Followed):
        if np.asarray(found).dtype == object:
            raise unfollowed("writes into a float array that was made elsewhere")
        out[...] = found
        return out
    out[...] = found
    return out


def _call(ufunc: Any, *inputs: Any, **options: Any) -> Any:
    if options:
        raise unfollowed(f"calls numpy.{ufunc.__name__} with {', '.join(options)}=")
    if ufunc in (np.matmul, np.vecdot):
        a, b = (plain(followed(a)) for a in inputs)
        if ufunc is np.matmul:
            return number_of(contracted.matmul(a, b))
        return number_of(contracted.summed(np.multiply(a, b), -1))
    found = entries(ufunc)(*(plain(followed(a)) for a in inputs))
    if ufunc in TRUTHS:
        return np.asarray(found, bool)[()]
    return number_of(found if ufunc in UFUNCS else followed(found))


def _reduce(ufunc: Any, a: Any, axis: Any = 0, keepdims: bool = False, **options: Any) -> Any:
    initial = options.pop("initial", np._NoValue)
    if options:
        raise unfollowed(f"calls numpy.{ufunc.__name__}.reduce with {', '.join(options)}=")
    a = plain(followed(a))
    if ufunc in (np.logical_and, np.logical_or):
        truths = np.vectorize(bool, otypes=[bool])(a)
        return ufunc.reduce(truths, axis=axis, keepdims=keepdims)
    if ufunc is np.add:
        found = contracted.summed(a, axis, keepdims)
    else:
        one = entries(ufunc)

        def reduced(terms: list[Shadow]) -> Any:
            if not terms and initial is np._NoValue and ufunc is not np.multiply:
                raise ValueError(f"zero-size array to reduction operation {ufunc.__name__}")
            return one.reduce(terms) if terms else lifted(1)

        found = contracted.reduced(reduced, a, axis, keepdims)
    if initial is not np._NoValue:
        found = entries(ufunc)(found, plain(followed(initial)))
    return number_of(np.asarray(found, object))


def _accumulate(ufunc: Any, a: Any, axis: int = 0) -> Any:
    return number_of(entries(ufunc).accumulate(plain(followed(a)), axis=axis))


def _outer(ufunc: Any, a: Any, b: Any) -> Any:
    return number_of(entries(ufunc).outer(plain(followed(a)), plain(followed(b))))


def _at(ufunc: Any, a: Any, index: Any, *values: Any) -> None:
    if not isinstance(a, Followed):
        raise unfollowed("adds to a float array that was made elsewhere")
    where = np.arange(a.size).reshape(a.shape)[index]
    given_ = [np.broadcast_to(plain(followed(v)), where.shape) for v in values]
    one, flat = entries(ufunc), plain(a).reshape(-1)
    shared = np.shares_memory(flat, a)
    target = flat if shared else plain(a).flat
    for k, at in enumerate(where.ravel().tolist()):
        target[at] = one(target[at], *(v.ravel()[k] for v in given_))


_METHODS: Mapping[str, Callable[..., Any]] = {
    "__call__": _call, "reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "at": _at,
}  # fmt: skip


# Methods that are asked of an array and that NumPy has as a function.
_BY_FUNCTION = frozenset((
    "sum", "mean", "max", "min", "prod", "var", "std", "argmax", "argmin", "argsort", "cumsum",
    "cumprod", "dot", "clip", "any", "all", "round", "trace", "take", "repeat", "nonzero",
    "diagonal", "searchsorted", "ptp",
))  # fmt: skip
_OWN: Mapping[str, Callable[..., Any]] = {"astype": _as_type, "tobytes": _as_bytes}
_LEAVE = ("tofile", "dumps", "ctypes", "__array_interface__", "data")
