"""stacks: random problems by the thousand, the same everywhere."""

import hashlib

import numpy as np
import pytest

from verify.experiments import stacks
from verify.network.bounds import bounds

DIGESTS = {
    ("float32", None): "00c9011c6a76bed9",
    ("float64", None): "9c057beb19d6c1e0",
    ("float64", (8, 5, 3)): "1bd477b48479271b",
}


@pytest.mark.parametrize(("dtype", "shape"), DIGESTS, ids=str)
def test_a_seed_and_a_number_are_the_same_problems_for_ever(dtype, shape):
    stack = stacks.drawn(7, 11, dtype, shape)
    parts = (np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<")) for a in
             (stack.X, stack.W, stack.P, stack.h))  # fmt: skip
    digest = hashlib.sha256(b"".join(a.tobytes() for a in parts)).hexdigest()
    assert digest[:16] == DIGESTS[dtype, shape]


def test_numbers_and_seeds_give_other_problems():
    first = stacks.drawn(0, 0, "float64", (3, 2, 2)).X
    assert not np.array_equal(first, stacks.drawn(0, 1, "float64", (3, 2, 2)).X)
    assert not np.array_equal(first, stacks.drawn(1, 0, "float64", (3, 2, 2)).X)


def test_stacks_are_of_many_shapes():
    shapes = {stacks.drawn(0, n, "float32").X.shape[1:] for n in range(40)}
    assert len(shapes) > 20


def test_a_stack_reaches_what_makes_gradients_go_wrong():
    """Zero rows, sparse rows, saturated and idle sigmoids, beyond the post form, zero labels."""
    stack = stacks.drawn(0, 0, "float32", (8, 5, 3))
    y = np.abs(stack.X @ stack.W).max(axis=(1, 2))
    assert (y > 50).mean() > 0.05 < (y < 0.1).mean()
    assert 0.01 < 1 - bounds(stack).post_holds.mean() < 0.5
    assert 0.1 < (stack.X == 0).mean() < 0.5
    assert (stack.P.sum(axis=-1) == 0).any()
    assert (stack.P.sum(axis=-1) > 1).any()
    assert np.isin(stack.P, (0, 1)).all(axis=(1, 2)).mean() > 0.2
    assert len(np.unique(stack.h)) > 15


def test_the_significands_are_full_so_that_sums_do_round():
    stack = stacks.drawn(0, 0, "float64", (8, 5, 3))
    significands = np.frexp(stack.W[stack.W != 0])[0]
    assert (significands * 2.0**45 % 1 != 0).mean() > 0.9
