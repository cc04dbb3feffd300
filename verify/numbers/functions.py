"""NumPy's functions of arrays of shadows.

Those that compute have an exact rule below; all others, which only arrange what is in an array,
are NumPy's own on the objects. What neither does raises Unfollowed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from verify.numbers import contracted, linear
from verify.numbers.followed import Followed, dtype_holds, followed, number_of, plain
from verify.numbers.run import Undecided, Unfollowed, unfollowed
from verify.numbers.shadow import Shadow

_NOTHING = np._NoValue


def called(function: Any, inputs: Any, options: Mapping[str, Any]) -> Any:
    """What a function of NumPy's gives for arrays of shadows.

    Shapes  those of NumPy's function.
    Raises  Unfollowed.
    """
    options = {name: value for name, value in options.items() if value is not _NOTHING}
    out = options.pop("out", None)
    own = FUNCTIONS.get(function)
    name = f"{function.__module__}.{function.__name__}"
    if own is None and function.__module__ in ("numpy.linalg", "numpy.fft"):
        raise unfollowed(f"calls {name}, which has no exact rule here")
    try:
        found = own(*inputs, **options) if own else _arranged(function, inputs, options)
    except (Unfollowed, Undecided):
        raise
    except TypeError as error:
        if own is None or "unexpected keyword" not in str(error):
            raise
        raise unfollowed(f"calls {name} with {', '.join(options)}=") from None
    if out is None:
        return found
    out[...] = found
    return out


def _arranged(function: Any, inputs: Any, options: Mapping[str, Any]) -> Any:
    arguments, named = _each(plain, inputs), _each(plain, dict(options))
    found = _each(_again, function._implementation(*arguments, **named))
    if function in _WRITE and isinstance(inputs[0], Followed):
        inputs[0][...] = followed(arguments[0])
    return found


_WRITE = (np.fill_diagonal, np.put, np.putmask, np.place, np.put_along_axis)


def _each(what: Callable[[Any], Any], made_of: Any) -> Any:
    """Something done to every array in lists, tuples and mappings."""
    if isinstance(made_of, tuple) and type(made_of) is not tuple:  # with names of its own
        return type(made_of)(*(_each(what, part) for part in made_of))
    if isinstance(made_of, tuple | list):
        return type(made_of)(_each(what, part) for part in made_of)
    if isinstance(made_of, dict):
        return {name: _each(what, part) for name, part in made_of.items()}
    return what(made_of)


def _again(found: Any) -> Any:
    if isinstance(found, np.ndarray) and not isinstance(found, Followed) and found.dtype == object:
        if all(isinstance(s, Shadow) for s in found.flat):  # a view stays one
            return found.view(Followed) if found.ndim else found[()]
        return number_of(followed(found))
    return found


# ---- sums, and what is made of them


def _sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = 0,
         where: Any = True) -> Any:  # fmt: skip
    dtype_holds(dtype)
    if where is not True:
        a = np.where(where, a, 0)
    found = number_of(contracted.summed(plain(followed(a)), axis, bool(keepdims)))
    return found if isinstance(initial, int) and initial == 0 else found + initial


def _count(a: Any, axis: Any, where: Any = True) -> Any:
    if where is not True:
        return np.sum(np.broadcast_to(where, np.shape(a)), axis=axis)
    axes = range(np.ndim(a)) if axis is None else np.atleast_1d(axis)
    return math.prod(np.shape(a)[int(i)] for i in axes)


def _mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False,
          where: Any = True) -> Any:  # fmt: skip
    count = _count(a, axis, where)
    if where is not True and keepdims:
        count = np.expand_dims(count, axis)
    return _sum(a, axis, dtype, keepdims, where=where) / count


def _variance(a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False,
              mean: Any = None, correction: float | None = None) -> Any:  # fmt: skip
    a = followed(a)
    middle = _mean(a, axis, dtype, keepdims=True) if mean is None else mean
    off = ddof if correction is None else correction
    return _sum(np.square(a - middle), axis, keepdims=keepdims) / (_count(a, axis) - off)


def _average(a: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Any:
    if weights is None:
        return _mean(a, axis, keepdims=keepdims)
    if np.ndim(weights) != np.ndim(a):
        weights = np.expand_dims(weights, [i for i in range(np.ndim(a)) if i != axis % np.ndim(a)])
    total = _sum(followed(weights) + 0 * followed(a), axis, keepdims=keepdims)
    return _sum(a * weights, axis, keepdims=keepdims) / total


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    x = followed(x)
    of_matrix = ord in (1, 2, np.inf) and x.ndim > 1 and not isinstance(axis, int)
    if ord not in (None, 2, 1, np.inf, "fro") or of_matrix:
        raise unfollowed(f"calls numpy.linalg.norm with ord={ord!r}")
    if ord == 1:
        return _sum(np.absolute(x), axis, keepdims=keepdims)
    if ord == np.inf:
        return _extreme(np.maximum)(np.absolute(x), axis, keepdims)
    return np.sqrt(_sum(np.square(x), axis, keepdims=keepdims))


def _extreme(ufunc: Any) -> Callable[..., Any]:
    def extreme(a: Any, axis: Any = None, keepdims: bool = False, initial: Any = _NOTHING,
                where: Any = True) -> Any:  # fmt: skip
        if where is not True:
            a = np.where(where, a, initial)
        reduce: Any = ufunc.reduce
        return reduce(followed(a), axis=axis, keepdims=keepdims, initial=initial)

    return extreme


def _product(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    dtype_holds(dtype)
    reduce: Any = np.multiply.reduce
    return reduce(followed(a), axis=axis, keepdims=keepdims)


def _accumulated(ufunc: Any) -> Callable[..., Any]:
    def accumulated(a: Any, axis: Any = None, dtype: Any = None) -> Any:
        dtype_holds(dtype)
        a = followed(a)
        return ufunc.accumulate(a.reshape(-1) if axis is None else a, axis=axis or 0)

    return accumulated


def _truths(ufunc: Any) -> Callable[..., Any]:
    def truths(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return ufunc.reduce(followed(a), axis=axis, keepdims=keepdims)

    return truths


# ---- products


def _dot(a: Any, b: Any) -> Any:
    a, b = plain(followed(a)), plain(followed(b))
    if not (a.ndim and b.ndim):
        return followed(a) * followed(b)
    if b.ndim > 2:
        return number_of(contracted.tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,))))
    return number_of(contracted.matmul(a, b))


def _inner(a: Any, b: Any) -> Any:
    a, b = plain(followed(a)), plain(followed(b))
    if not (a.ndim and b.ndim):
        return followed(a) * followed(b)
    return number_of(contracted.tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,))))


def _einsum(subscripts: Any, *operands: Any, optimize: Any = False) -> Any:  # noqa: ARG001
    if not isinstance(subscripts, str):
        raise unfollowed("calls numpy.einsum with lists of axes; write them as letters")
    return number_of(contracted.einsum(subscripts, *(plain(followed(a)) for a in operands)))


# ---- the rest


def _like(value: Any) -> Callable[..., Any]:
    def like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True,  # noqa: ARG001
             shape: Any = None, device: Any = None) -> Any:  # noqa: ARG001  # fmt: skip
        shape = np.shape(a) if shape is None else shape
        if dtype is not None and not dtype_holds(dtype):
            return np.full(shape, value, dtype)
        return followed(np.full(shape, value))

    return like


def _full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    made = _like(0)(a, dtype, shape=shape)
    made[...] = fill_value
    return made


def _clip(a: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Any:
    low, high = options.get("min", a_min), options.get("max", a_max)
    a = followed(a) if low is None else np.maximum(followed(a), low)
    return a if high is None else np.minimum(a, high)


def _round(a: Any, decimals: int = 0) -> Any:
    scale = 10**decimals
    return np.rint(followed(a) * scale) / scale


def _close(a: Any, b: Any, *shares: float, **options: Any) -> Any:
    options = (
        {"rtol": 1e-5, "atol": 1e-8} | dict(zip(("rtol", "atol"), shares, strict=False)) | options
    )
    a, b = followed(a), followed(b)
    return np.less_equal(np.absolute(a - b), options["atol"] + options["rtol"] * np.absolute(b))


def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return _sum(np.diagonal(followed(a), offset, axis1, axis2), -1)


def _ordered(a: Any, axis: Any) -> Any:
    """The numbers along an axis, which is the last then, by their size."""
    a = followed(a)
    return np.sort(a.reshape(-1) if axis is None else np.moveaxis(a, axis, -1), axis=-1)


def _median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    ordered = _ordered(a, axis)
    n = ordered.shape[-1]
    found = (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) * 0.5
    return np.expand_dims(found, range(np.ndim(a)) if axis is None else axis) if keepdims else found


def _quantile(a: Any, q: float, axis: Any = None) -> Any:
    along = _ordered(a, axis)
    at = (along.shape[-1] - 1) * q
    low, high = math.floor(at), math.ceil(at)
    return along[..., low] + (along[..., high] - along[..., low]) * (at - low)


def _counted(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    at = followed(x).astype(int)
    made = followed(np.zeros(max([minlength, *(at + 1).tolist()]), object))
    np.add.at(made, at, 1 if weights is None else weights)
    return made


def _copied(dst: Any, src: Any, casting: str = "", where: Any = True) -> None:  # noqa: ARG001
    shape = np.shape(dst)
    mask = np.broadcast_to(where, shape)
    dst[mask] = np.broadcast_to(followed(src), shape)[mask]


def _linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Any:
    at = np.arange(num) / (num - 1 if endpoint else num)
    return followed(start) + followed(at) * (followed(stop) - followed(start))


FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    np.sum: _sum, np.nansum: _sum, np.mean: _mean, np.nanmean: _mean,
    np.var: _variance, np.std: lambda *a, **o: np.sqrt(_variance(*a, **o)),
    np.average: _average, np.prod: _product, np.linalg.norm: _norm,
    np.max: _extreme(np.maximum), np.amax: _extreme(np.maximum), np.nanmax: _extreme(np.maximum),
    np.min: _extreme(np.minimum), np.amin: _extreme(np.minimum), np.nanmin: _extreme(np.minimum),
    np.ptp: lambda a, axis=None: np.max(a, axis) - np.min(a, axis),
    np.cumsum: _accumulated(np.add), np.cumprod: _accumulated(np.multiply),
    np.all: _truths(np.logical_and), np.any: _truths(np.logical_or),
    np.dot: _dot, np.inner: _inner, np.einsum: _einsum,
    np.vdot: lambda a, b: _dot(np.ravel(a), np.ravel(b)),
    np.outer: lambda a, b: np.multiply.outer(np.ravel(a), np.ravel(b)),
    np.tensordot: lambda a, b, axes=2: number_of(
        contracted.tensordot(plain(followed(a)), plain(followed(b)), axes)
    ),
    np.linalg.multi_dot: lambda arrays: _chain(arrays),
    np.linalg.solve: linear.solve, np.linalg.inv: linear.inverse,
    np.linalg.det: linear.determinant, np.linalg.slogdet: linear.log_determinant,
    np.linalg.cholesky: linear.cholesky, np.linalg.matrix_power: linear.power,
    np.trace: _trace, np.linalg.trace: _trace,
    np.zeros_like: _like(0), np.empty_like: _like(0), np.ones_like: _like(1),
    np.full_like: _full_like,
    np.clip: _clip, np.round: _round, np.isclose: _close,
    np.allclose: lambda *a, **o: bool(np.all(_close(*a, **o))),
    np.array_equal: lambda a, b: np.shape(a) == np.shape(b) and bool(np.all(followed(a) == b)),
    np.nan_to_num: lambda x, *_, **__: +followed(x),
    np.real: lambda a: a, np.isreal: lambda a: np.ones(np.shape(a), bool),
    np.iscomplexobj: lambda _: False, np.isrealobj: lambda _: True,
    np.linspace: _linspace,
    np.copyto: _copied, np.median: _median, np.bincount: _counted, np.quantile: _quantile,
    np.percentile: lambda a, q, axis=None: _quantile(a, q / 100, axis),
}  # fmt: skip


def _chain(arrays: Any) -> Any:
    found, *rest = arrays
    for a in rest:
        found = np.dot(found, a)
    return found
