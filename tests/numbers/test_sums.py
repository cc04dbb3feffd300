"""Sums of bounded numbers: any order of their terms is within their errors."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.support.operations import Operation, drawn, one
from verify.network.problem import DTYPES
from verify.numbers import dtypes
from verify.numbers.balls import Balls, enclosed
from verify.numbers.bounded import Bounded
from verify.numbers.constant import precision
from verify.numbers.number import scatter
from verify.numbers.rounding import MODELS
from verify.numbers.sums import Sum

F32, F64, BF16, F16 = (MODELS[d] for d in ("float32", "float64", *dtypes.SIXTEEN))


def sums(dtype: str, seed: int, biased: bool) -> float:
    """error / bound of x @ W (+ b), computed term by term in an order of its own."""
    rng = np.random.default_rng((seed, 17))
    n, m, k = (int(i) for i in rng.integers(1, 5, 3))
    anything = Operation(np.add, 1, one)
    x, W, b = (drawn(rng, dtype, anything, shape) for shape in ((m, n), (n, k), (k,)))
    terms = [x.computed[:, [i]] * W.computed[[i]] for i in range(n)]
    products = [np.asarray(t, dtype) for t in terms]
    products += [np.broadcast_to(b.computed, (m, k)).astype(dtype)] if biased else []
    total = np.zeros((m, k), dtype)
    for i in rng.permutation(len(products)):
        total = total + products[i]
    with np.errstate(all="ignore"), precision(300):
        found = x.number @ W.number
        exact = Balls.of(x.exact) @ Balls.of(W.exact)
        if biased:
            found, exact = found + b.number, exact + Balls.of(b.exact)
        hi, lo, rad = enclosed(exact)
        errors = [np.abs(np.asarray(a, np.float64) - hi - lo) for a in (total, found.value)]
        ratio = np.where(found.bound() > 0, np.maximum(*errors) / found.bound(), 0)
        hit = np.where((found.bound() == 0) & (np.maximum(*errors) > rad), np.inf, ratio)
    return float(np.max(hit, where=np.isfinite(found.bound()), initial=0))


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_sum_of_products_may_be_taken_in_any_order_with_its_bias_first_or_last(dtype, biased):
    found = [sums(dtype, seed, biased) for seed in range(400)]
    assert 0.7 < max(found) <= 1


def of_16_bits(dtype: str, seed: int, accumulator: str) -> float:
    """error / bound of x @ W + b of many terms: rounded at one end, or at each."""
    rng = np.random.default_rng((seed, 23))
    n = int(rng.integers(1, 400))
    x, W, b = (dtypes.nearest(rng.normal(size=s) * 2.0 ** rng.integers(-3, 4), dtype)
               for s in ((1, n), (n, 1), (1,)))  # fmt: skip
    terms = dtypes.widened(x[0]) * dtypes.widened(W[:, 0])
    total: Any = np.float32(0)
    for i in rng.permutation(n):
        total = dtypes.widened(dtypes.nearest(total + terms[i], accumulator))
    if rng.random() < 0.5:
        total = dtypes.widened(dtypes.nearest(total, dtype))
    total = dtypes.nearest(total + dtypes.widened(b[0]), dtype)
    found = Bounded(MODELS[dtype], x) @ Bounded(MODELS[dtype], W) + Bounded(MODELS[dtype], b)
    exact = sum(Fraction(float(p)) * Fraction(float(q)) for p, q in zip(x[0], W[:, 0], strict=True))
    error = abs(float(Fraction(float(total)) - exact - Fraction(float(b[0]))))
    return error / float(found.bound()[0, 0])


@pytest.mark.parametrize("dtype", dtypes.SIXTEEN)
def test_of_16_bits_a_sum_accumulates_in_float32_and_is_rounded_at_its_end_or_at_each(dtype):
    assert 0.6 < max(of_16_bits(dtype, seed, "float32") for seed in range(300)) <= 1


@pytest.mark.parametrize("dtype", dtypes.SIXTEEN)
def test_one_that_accumulates_in_16_bits_is_beyond_its_bound(dtype):
    assert max(of_16_bits(dtype, seed, dtype) for seed in range(40)) > 2


def test_a_sum_of_16_bits_over_two_axes_may_be_rounded_after_each():
    a = Bounded(BF16, np.full((4, 3), 1.1))
    assert a.sum(axis=0).error == pytest.approx(BF16.u * 4.4, rel=5e-3)
    assert a.sum().error == pytest.approx(2 * BF16.u * 13.2, rel=1e-2)
    assert (Bounded(BF16, [[1.0, 2.0]]) @ Bounded(BF16, [[4.0], [0.5]])).is_exact


def test_of_float16_a_sum_may_pass_its_largest_number_on_the_way_but_not_end_there():
    x = np.array([[2.0**10, 2.0**10, 1.5]])
    assert (Bounded(F16, x) @ Bounded(F16, [[2.0**6], [-(2.0**6)], [1.5]])).bound() < 0.03
    assert np.isinf((Bounded(F16, x) @ Bounded(F16, [[2.0**6], [2.0], [1.5]])).bound())


def scattered(dtype: str, seed: int) -> float:
    """error / bound of the parts of rows that an index sends to places, added in any order."""
    rng = np.random.default_rng((seed, 18))
    N, D, E, rows = (int(i) for i in rng.integers(1, 5, 4))
    index = rng.integers(0, rows, (N, D))
    a = drawn(rng, dtype, Operation(np.add, 1, one), (N, D * E))
    total = np.zeros((rows, E), dtype)
    for n, d in rng.permutation(list(np.ndindex(N, D))):
        total[index[n, d]] += a.computed[n, d * E : d * E + E].astype(dtype)
    with np.errstate(all="ignore"), precision(300):
        found = scatter(a.number, Bounded(MODELS[dtype], index), rows)
        hi, lo, rad = enclosed(scatter(Balls.of(a.exact), Balls.of(index), rows))
        errors = np.maximum(*(np.abs(np.float64(b) - hi - lo) for b in (total, found.value)))
        hit = np.where(found.bound() > 0, errors / found.bound(), np.where(errors > rad, np.inf, 0))
    return float(np.max(hit, where=np.isfinite(found.bound()), initial=0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_sent_to_one_place_is_added_in_any_order(dtype):
    assert 0.7 < max(scattered(dtype, seed) for seed in range(400)) <= 1


def test_a_row_that_is_sent_alone_or_not_at_all_is_not_rounded():
    index, a = Bounded(F32, [[0], [2]]), Bounded(F32, [[1.1], [0.3]])
    assert scatter(a, index, 4).error.tolist() == [[0], [0], [0], [0]]
    twice = scatter(a, Bounded(F32, [[2], [2]]), 4)
    assert twice.error[2, 0] == pytest.approx(F32.gamma(1) * 1.4, rel=1e-6)
    assert not twice.error[[0, 1, 3]].any()


def test_a_bias_joins_the_sum_of_products_as_one_more_term():
    """b = -x W leaves nothing; what was lost before it was added is lost."""
    x, W = np.full((1, 3), 1.1), np.full((3, 1), 1.3)
    total = Bounded(F64, x) @ Bounded(F64, W)
    joined = total + Bounded(F64, -(x @ W)[0])
    size = float(np.abs(x @ W)[0, 0])
    assert joined.error[0, 0] == pytest.approx(F64.gamma(4) * 2 * size, rel=1e-9)
    assert (total * 1.5 + Bounded(F64, -(x @ W)[0])).open is None


def test_whole_numbers_are_added_without_rounding_so_that_a_kink_is_decided():
    x, W = np.array([[1.0, 2.0, -3.0]]), np.array([[4.0], [1.0], [2.0]])
    y = Bounded(F32, x) @ Bounded(F32, W) + Bounded(F32, [0.5])
    assert y.is_exact
    assert np.heaviside(y - 0.5, 0).error == 0
    assert not (Bounded(F32, x * 2.0**20) @ Bounded(F32, W * (1 + 2.0**-12))).is_exact
    assert not (Bounded(F32, x) @ Bounded(F32, W) + Bounded(F32, [0.1])).is_exact


def test_a_sum_over_an_axis_rounds_once_a_term_less_one():
    a = Bounded(F32, np.full((4, 3), 1.1))
    assert a.sum(axis=0).error == pytest.approx(F32.gamma(3) * 4.4, rel=1e-6)
    assert a.sum().error == pytest.approx(F32.gamma(11) * 13.2, rel=1e-6)
    assert Bounded(F32, np.full((1, 3), 1.1)).sum(axis=0).error == pytest.approx(0, abs=1e-36)


def test_what_joins_a_sum_is_remembered():
    x, W = Bounded(F64, [[1.1, 2.3]]), Bounded(F64, [[0.3], [0.7]])
    y = x @ W + Bounded(F64, [0.5])
    assert isinstance(y.open, Sum)
    assert y.open.roundings == 3
    assert (y * 2).open is None


WAYS = {  # in which programs divide by how many there are
    "the sum": lambda a, n: _added(a) / n,
    "the sum times 1/n": lambda a, n: _added(a) * (a.dtype.type(1) / n),
    "each term": lambda a, n: _added(a / n),
    "each term times 1/n": lambda a, n: _added(a * (a.dtype.type(1) / n)),
    "NumPy": lambda a, n: a.mean(),
    "as the terms come": lambda a, n: _running(a),
}


def _added(a: np.ndarray) -> np.floating:
    total = a.dtype.type(0)
    for term in a:
        total = total + term
    return total


def _running(a: np.ndarray) -> np.floating:
    mean = a[0]
    for k, term in enumerate(a[1:], 2):
        mean = mean + (term - mean) / a.dtype.type(k)
    return mean


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mean_may_be_divided_before_the_sum_or_after_it(dtype, way):
    worst = 0.0
    for seed in range(400):
        rng = np.random.default_rng((seed, 29))
        n = int(rng.integers(1, 7))
        a = drawn(rng, dtype, Operation(np.add, 1, one), (n,))
        typed = rng.permutation(a.computed).astype(dtype)
        with np.errstate(all="ignore"), precision(300):
            found = a.number.mean()
            hi, lo, rad = enclosed(Balls.of(a.exact).mean())
            errors = [abs(float(m) - hi - lo) - rad for m in (WAYS[way](typed, n), found.value)]
        if np.isfinite(found.bound()) and max(errors) > 2.0**-1000:
            worst = max(worst, max(errors) / found.bound())
    assert 0.5 < worst <= 1


def test_a_mean_rounds_its_terms_twice_more_than_their_sum():
    a = Bounded(F32, np.full((3, 4), 1.1))
    assert a.mean(axis=0).error == pytest.approx(F32.gamma(4) * 1.1, rel=1e-6)
    assert a.mean(axis=1, keepdims=True).error == pytest.approx(F32.gamma(5) * 1.1, rel=1e-6)
    whole = Bounded(F32, [[3.0, -1.0, 2.0, 4.0]])
    assert whole.mean(axis=0).is_exact
    assert not np.mean(whole, axis=-1).is_exact
    assert np.mean(whole, axis=-1).value.tolist() == [2.0]
