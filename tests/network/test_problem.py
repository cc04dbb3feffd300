from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import made, worked_example
from verify.errors import UsageError
from verify.network.problem import LINKS, SHAPES, Chain, Problem


def test_the_links_are_the_posts_in_the_posts_order():
    assert LINKS == ("y", "y_o", "C", "dC_dy_o", "dy_o_dy", "dC_dy", "dC_dW", "W_next")


def test_a_problem_knows_the_shape_of_every_link():
    problem = worked_example()
    assert problem.sizes == {"N": 1, "D": 3, "K": 2}
    assert [problem.shape(link) for link in ("y", "C", "dC_dW")] == [(1, 2), (), (3, 2)]
    assert problem.work == 6
    assert set(SHAPES.values()) == {"NK", "", "DK"}


@pytest.mark.parametrize(
    ("X", "W", "P"),
    [
        ([[1, 2]], [[1], [2], [3]], [[1]]),
        ([[1, 2]], [[1], [2]], [[1], [1]]),
        ([[1, 2]], [[1], [2]], [[1, 1]]),
        ([1, 2], [[1], [2]], [[1]]),
        (np.zeros((0, 2)), [[1], [2]], np.zeros((0, 1))),
    ],
)
def test_arrays_that_do_not_fit_or_would_broadcast_are_refused(X, W, P, red):
    assert "do not fit" in str(red(lambda: made(X, W, P), UsageError, "X is"))


def test_mixed_and_foreign_dtypes_are_refused(red):
    p = worked_example()
    red(lambda: Problem(p.X.astype(np.float32), p.W, p.P, p.h), UsageError, "float32, float64")
    arrays = [a.astype(np.float16) for a in (p.X, p.W, p.P)]
    red(lambda: Problem(*arrays, np.float16(1)), UsageError, "float16")


def test_one_of_a_stack_is_the_problem_and_the_chain_that_it_was_made_of():
    one, other = worked_example(), made([[1, 2, 3]], np.ones((3, 2)), [[0, 1]], 2.0)
    parts = [np.stack([getattr(p, name) for p in (one, other)]) for name in "XWP"]
    stack = Problem(*parts, np.array([one.h, other.h]).reshape(2, 1, 1))
    assert stack.dtype == one.dtype == np.float64
    assert stack.shape("y") == (2, 1, 2)
    for i, problem in enumerate((one, other)):
        for name in "XWPh":
            assert np.array_equal(getattr(stack.at(i), name), getattr(problem, name))
    chain = Chain(y=parts[2], C=np.array([3.0, 4.0]))
    assert np.array_equal(chain.at(1).y, other.P)
    assert (chain.at(0).C, chain.at(1).C, chain.at(0).dC_dW) == (3.0, 4.0, None)


def test_a_chain_lists_only_the_links_it_has():
    assert list(Chain(dC_dW=1, y=2)) == [("y", 2), ("dC_dW", 1)]
