"""Sums of shadows: the terms may come in any order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from verify.numbers import contracted
from verify.numbers.followed import data, plain
from verify.numbers.run import Run, running


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30), st.randoms())
def test_a_sum_in_any_order_is_within_the_error(numbers, random) -> None:
    with running(Run("float32")):
        found = contracted.total(plain(data(np.array(numbers))).tolist())
    for _ in range(4):
        random.shuffle(numbers)
        summed = np.float32(0)
        for number in numbers:
            summed += np.float32(number)
        assert abs(found.ball - float(summed)) <= found.error


def test_products_are_within_the_error_and_numpys() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 3, 50)), rng.normal(size=(50, 4))
    with running(Run()):
        found = contracted.matmul(plain(data(a)), plain(data(b)))
    for shadow, number in zip(found.flat, (a @ b).flat, strict=True):
        assert abs(shadow.ball - float(number)) <= shadow.error < 1e-12


def test_a_sum_of_whole_numbers_is_exact() -> None:
    with running(Run()):
        assert contracted.total(plain(data(np.arange(50.0))).tolist()).error == 0
        a = plain(data(np.arange(6.0).reshape(2, 3)))
        assert all(s.error == 0 for s in contracted.matmul(a, a.T).flat)
        third = plain(data(np.ones(3))) / 3
        assert contracted.total(list(third)).error > 0


def test_what_is_0_adds_no_rounding() -> None:
    with running(Run()):
        alone = contracted.total(plain(data(np.array([0.1, 0, 0, 0]))).tolist())
        assert alone.error == 0


def test_einsum_is_numpys() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 3))
    for subscripts in ("aij,ji->a", "aij,jk->aik", "...ij,jk->...ik", "aij,jk", "aij,lm->la"):
        with running(Run()):
            found = contracted.einsum(subscripts, plain(data(a)), plain(data(b)))
        values = np.vectorize(lambda s: s.value)(found)
        assert np.allclose(values, np.einsum(subscripts, a, b), rtol=1e-12), subscripts


def test_tensordot_is_numpys() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 3))
    for axes in (1, ((2, 1), (0, 1)), ((-1,), (0,)), 0):
        with running(Run()):
            found = contracted.tensordot(plain(data(a)), plain(data(b)), axes)
        values = np.vectorize(lambda s: s.value)(found)
        assert np.allclose(values, np.tensordot(a, b, axes), rtol=1e-12)


def test_a_sum_that_cancels_says_so() -> None:
    with running(Run()):
        terms = plain(data(np.array([1.0, 2.0]))) / 3
        lost = contracted.total([*terms, plain(data(np.array(-1.0))).item() + 2.0**-40])
    assert lost.loss is not None
    assert "a sum cancels" in lost.loss.step
