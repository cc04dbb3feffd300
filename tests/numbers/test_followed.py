"""Arrays of shadows behave like float arrays, and enclose what floats come to."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from verify.candidate.names import Followable
from verify.numbers.followed import Followed, data, followed, plain
from verify.numbers.run import Run, Unfollowed, running
from verify.numbers.shadow import Shadow


def _one_hot(X, i):
    made = np.zeros((X.shape[0], 5), dtype=X.dtype)
    made[np.arange(X.shape[0]), i] = 1
    return made * X[:, :1]


def _scattered(X, i):
    made = np.zeros_like(X)
    np.add.at(made, i % 3, X)
    return made


def _in_place(X, i):
    made = X.copy()
    made -= made.max(axis=1, keepdims=True)
    made[made < -1] *= 0.5
    made[:, 0] += 2
    made /= 3
    return made


def _in_mask(X):
    made = (X > 0).astype(X.dtype)
    made *= X
    return made


def _loops(X, i):
    made = np.empty((X.shape[1], X.shape[1]))
    for a in range(X.shape[1]):
        for b in range(X.shape[1]):
            s = 0.0
            for n in range(len(X)):
                s += float(X[n, a]) * X[n][b]
            made[a][b] = s
    return made


PROGRAMS = {
    "arithmetic": lambda X, i: (X + 2) * (X - 0.5) / (X * X + 1) - -X,
    "powers": lambda X, i: X**2 + X**3 + (X * X + 1) ** -1 + (X * X + 1) ** 0.5 + 2**X,
    "exp and log": lambda X, i: np.log1p(np.exp(X)) + np.expm1(X) - np.log(X * X + 1),
    "trigonometry": lambda X, i: np.sin(X) * np.cos(X) + np.tanh(X) - np.arctan(X) + np.sinh(X),
    "roots": lambda X, i: np.sqrt(np.abs(X)) + np.cbrt(X * X + 1) + np.hypot(X, 2),
    "products": lambda X, i: X.T @ X + np.dot(X.T, X) - np.einsum("na,nb->ab", X, X),
    "einsum of a diagonal": lambda X, i: np.einsum("ii->i", X[:3]) + np.einsum("ij,ij->j", X, X),
    "einsum of three": lambda X, i: np.einsum("ij,jk,ik->i", X, X.T @ X, X),
    "einsum without an arrow": lambda X, i: np.einsum("ij,jk", X, X.T),
    "einsum with dots": lambda X, i: np.einsum("...i,...i->...", X, X),
    "tensordot": lambda X, i: np.tensordot(X, X, axes=([0], [0])) + np.tensordot(X.T, X, 1),
    "outer, inner, vdot": lambda X, i: np.outer(X[0], X[1]) * np.inner(X[0], X[1]) + np.vdot(X, X),
    "stacks of products": lambda X, i: X[None] @ X.T[None] + np.matmul(X, X.T)[np.newaxis],
    "means": lambda X, i: X - X.mean(axis=0) + X.std(axis=1, keepdims=True) + X.var(ddof=1),
    "sums": lambda X, i: X.sum(0) + X.sum() + np.sum(X, axis=(0, 1)) + sum(X[0]),
    "sums of some": lambda X, i: np.sum(X, axis=1, where=X > 0) + np.mean(X, axis=1, where=X < 9),
    "extremes": lambda X, i: (
        X.max(1) - np.min(X, axis=1) + np.ptp(X, axis=1) + np.maximum(X, 0).max()
    ),
    "argmax": lambda X, i: X[np.arange(len(X)), X.argmax(1)] + X.argmin(),
    "where": lambda X, i: np.where(X > 0, X, 0.01 * X) + (X > 0) * 2.0 + (X > 0).astype(X.dtype),
    "clip": lambda X, i: np.clip(X, -0.5, 0.5) + X.clip(0, None) + np.fmax(X, 0.1),
    "heaviside, sign": lambda X, i: np.heaviside(X, 0.5) + np.sign(X) + np.copysign(2.0, X),
    "reshaping": lambda X, i: X.reshape(3, 5).T.ravel()[::-1].reshape(5, 3) + X.swapaxes(0, 1).T,
    "stacking": lambda X, i: np.concatenate([X, np.ones((1, 3))]) + np.vstack([X, X[:1]]),
    "stack and split": lambda X, i: np.stack(np.split(X.T, 3)) + np.hstack([X[:1], X[:1]])[0, 0],
    "padding": lambda X, i: np.pad(X, ((1, 1), (0, 0))) + np.pad(X, ((1, 1), (0, 0)), mode="edge"),
    "rolling": lambda X, i: np.roll(X, 1, axis=0) + np.flip(X, 1) + np.tile(X[:1], (5, 1)),
    "repeats": lambda X, i: np.repeat(X, 2, axis=0)[::2] + X.take([0, 1, 2], axis=1),
    "triangles": lambda X, i: (
        np.tril(X[:3]) + np.triu(X[:3], 1) + np.diag(X[0]) + np.eye(3) * X[:3]
    ),
    "cumulative": lambda X, i: (
        np.cumsum(X, axis=0) + np.cumprod(X, axis=1) + X.cumsum().reshape(5, 3)
    ),
    "differences": lambda X, i: np.diff(X, axis=0),
    "sorting": lambda X, i: np.sort(X, axis=1) + X[:, np.argsort(X[0])],
    "norms": lambda X, i: np.linalg.norm(X, axis=1) + np.linalg.norm(X) + np.linalg.norm(X[0], 1),
    "masks": lambda X, i: X[X > 0].sum() + X[np.isfinite(X)].mean() + X[i > 1].sum(),
    "indices": lambda X, i: X[i] + X[..., ::-1] + X[:, [2, 0, 1]] + X[np.ix_(range(5), range(3))],
    "one-hot": _one_hot,
    "np.add.at": _scattered,
    "in place": _in_place,
    "loops": _loops,
    "lists": lambda X, i: np.array([[float(v) * 2 for v in row] for row in X]) + np.asarray(X),
    "list of rows": lambda X, i: np.array([row * 2 for row in X]) + np.array(list(X)),
    "conversion": lambda X, i: X.astype(np.float64) + X.astype(float) + np.float64(X[0, 0]),
    "its dtype": lambda X, i: (
        X.dtype.type(X) + X.dtype.type(2) + np.zeros(3, X.dtype) + (X.dtype == np.dtype(X.dtype))
        + np.issubdtype(X.dtype, np.floating) + X.dtype.type([list(row) for row in X])
    ),
    "medians": lambda X, i: np.median(X, axis=0) + np.median(X[:4]) + np.median(X, 1).sum(),
    "quantiles": lambda X, i: np.quantile(X, 0.3, axis=0) + np.percentile(X, 25),
    "joined": lambda X, i: np.c_[np.ones(5), X] + np.r_[X[0], 1.0] + np.c_[X, X[:, 0]],
    "filled": lambda X, i: (np.fill_diagonal(X, 0.5), np.put(X, [1], 2.0), X * X)[-1],
    "mask in place": lambda X, i: _in_mask(X),
    "bincount": lambda X, i: np.bincount(i, weights=X[:, 0], minlength=7) + np.bincount(i).sum(),
    "full": lambda X, i: np.full((5, 3), X.sum()) + np.full((5, 3), X[0], dtype=X.dtype),
    "finfo": lambda X, i: X / (np.abs(X) + np.finfo(X.dtype).eps + np.finfo(X.dtype).tiny),
    "vectorize": lambda X, i: np.vectorize(lambda v: v * v if v > 0 else v)(X) * np.exp(X),
    "apply along an axis": lambda X, i: np.apply_along_axis(lambda r: r / r.sum(), 1, X + 9),
    "out": lambda X, i: np.multiply(X, 2, out=np.empty_like(X)) + np.add(X, X, out=X.copy()),
    "constants": lambda X, i: 0.1 * X + np.pi * X - X / 3 + np.sqrt(2 / np.pi) * X,
    "builtins": lambda X, i: (
        max(X[0]) + min(X[1]) + abs(X[0, 0]) + sum(list(X[0])) + round(X[0, 0])
    ),
    "averages": lambda X, i: np.average(X, axis=0, weights=np.arange(1, 6)) + np.median(X, axis=0),
    "logaddexp": lambda X, i: np.logaddexp(X, 0) + np.logaddexp.reduce(X, axis=1)[:, None],
    "ufunc methods": lambda X, i: np.multiply.outer(X[0], X[1]) + np.add.reduce(X)[0],
    "nan_to_num": lambda X, i: np.nan_to_num(X) + np.isnan(X) + np.all(X < 99) + np.any(X > 99),
    "remainders": lambda X, i: X % 1 + X // 1 + np.floor(X) + np.ceil(X) + np.rint(X) + np.trunc(X),
    "copies": lambda X, i: copy.deepcopy(X) + copy.copy(X) + X.copy() + np.copy(X),
    "broadcasts": lambda X, i: np.broadcast_to(X[0], (5, 3)) + X[:, None, :].squeeze() + X.T.T,
    "fill": lambda X, i: np.full_like(X, 0.5) + np.full(X.shape, X[0, 0]) + np.ones_like(X) * X,
    "strides": lambda X, i: np.lib.stride_tricks.sliding_window_view(X, 2, axis=0).sum(-1),
    "as_strided": lambda X, i: (
        np.lib.stride_tricks.as_strided(X, (4, 2, 3), X.strides[:1] + X.strides)
    ),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_what_it_gives_on_floats_within_its_error(name: str, dtype: str) -> None:
    rng = np.random.default_rng(3)
    X, i = rng.normal(size=(5, 3)).astype(dtype), np.array([0, 2, 1, 2, 4])
    program = PROGRAMS[name]
    wanted = np.asarray(program(X.copy(), i))
    with running(Run(dtype)):
        found = Followable(program)(data(X), i)
        assert isinstance(found, Followed | Shadow)
        shadows = list(np.asarray(plain(followed(found)), object).flat)
    assert np.shape(found) == wanted.shape
    for shadow, number in zip(shadows, wanted.flat, strict=True):
        off = abs(shadow.ball - float(number))
        assert off.lower() <= shadow.error, name
        assert shadow.error <= 1e-3 * (1 + abs(shadow.value)), name


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (lambda X, i: X.astype(np.float32), "converts to float32"),
        (lambda X, i: np.float32(X[0, 0]), "converts to float32"),
        (lambda X, i: np.linalg.svd(X[:3]), "numpy.linalg.svd"),
        (lambda X, i: X.tofile("x"), "tofile"),
        (lambda X, i: np.nextafter(X, 0), "numpy.nextafter"),
        (lambda X, i: int((X[0, 0] * 0 + 0.1) * 10), "int"),
        (lambda X, i: X.astype(complex), "converts to complex128"),
    ],
)
def test_what_leaves_exact_arithmetic_is_told_with_its_line(program, told: str) -> None:
    X = np.arange(15.0).reshape(5, 3) / 7
    with running(Run()), pytest.raises(Unfollowed) as error:
        Followable(program)(data(X), 0)
    assert told in str(error.value)
    assert str(error.value).startswith("test_followed.py:")


def test_numpy_and_the_program_are_as_they_were_afterwards() -> None:
    before = np.zeros, np.array, np.float64, np.isscalar
    with running(Run()):
        Followable(_loops)(data(np.ones((2, 2))), 0)
        with pytest.raises(Unfollowed):
            Followable(lambda X: X.tofile("x"))(data(np.ones(2)))
    assert (np.zeros, np.array, np.float64, np.isscalar) == before
    assert "float" not in globals()


def test_a_view_writes_into_the_array_it_is_of() -> None:
    with running(Run()):
        a = data(np.zeros((2, 3)))
        row = a[1]
        row += 5.0
        a.T[2] *= 2
        assert [s.value for s in plain(a).flat] == [0, 0, 0, 5, 5, 10]


def test_a_float_array_made_elsewhere_takes_no_exact_numbers() -> None:
    kept = np.zeros(3)
    with running(Run()), pytest.raises(Unfollowed, match="made elsewhere"):
        np.add(data(np.ones(3)), 1, out=kept)
