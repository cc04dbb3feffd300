from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from tests.support.problems import made, sixteen, worked_example
from verify.errors import UsageError
from verify.network.layer import Layer
from verify.network.network import POST, Network
from verify.network.problem import (
    LINKS,
    Chain,
    Problem,
    laid_out,
    of_post,
    placed,
    same_layout,
)
from verify.numbers.dtypes import SIXTEEN, nearest


def test_the_links_are_the_posts_in_the_posts_order():
    assert LINKS == ("y", "y_o", "C", "dC_dy_o", "dy_o_dy", "dC_dy", "dC_dW", "W_next")


def test_a_problem_knows_the_shape_of_every_link():
    problem = worked_example()
    assert problem.sizes == {"N": 1, "D": 3, "K": 2}
    assert [problem.shape(link) for link in ("y", "C", "dC_dW")] == [(1, 2), (), (3, 2)]
    assert problem.work == 6
    assert {POST.axes(link) for link in LINKS} == {("N", "1"), (), ("D", "1")}


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
    arrays = [a.astype(np.int64) for a in (p.X, p.W, p.P)]
    red(lambda: Problem(*arrays, np.int64(1)), UsageError, "int64")


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
    assert dict(Chain(dC_dW=1, y=2)) == {"y": 2, "dC_dW": 1}
    assert list(Chain(dC_dW=1, y=2)) == ["y", "dC_dW"]


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_a_layout_is_made_with_the_same_numbers(layout):
    X = np.arange(12.0).reshape(3, 4)
    made = laid_out(X, layout)
    flags = made.flags.c_contiguous, made.flags.f_contiguous
    assert flags == {"C": (True, False), "F": (False, True), "strided": (False, False)}[layout]
    assert np.array_equal(made, X)
    assert not np.shares_memory(made, X)


def test_a_column_is_laid_out_as_asked():
    X = np.arange(3.0)[:, None]
    assert laid_out(X, "strided").strides == (16, 16)


def test_a_copy_keeps_strides_and_alignment():
    for layout in ("C", "F", "strided"):
        like = laid_out(np.arange(12.0).reshape(3, 4), layout)
        copy = same_layout(like * 2, like)
        assert copy.strides == like.strides
        assert copy.ctypes.data % 64 == like.ctypes.data % 64
        assert np.array_equal(copy, like * 2)
        assert not np.shares_memory(copy, like)


@pytest.mark.parametrize("layout", ["", "F", "strided", "slice", "reversed", "read-only"])
@pytest.mark.parametrize("like", ["C", "F", "strided"])
def test_an_array_has_its_own_place_in_a_block_of_memory(layout, like):
    X = laid_out(np.arange(12.0).reshape(3, 4), like)
    memory = np.full(2000, 0xFF, np.uint8)
    place, end = placed(X, layout, 70)
    array = dataclasses.replace(place, writeable=True).of(memory.data)
    array[...] = X
    assert np.array_equal(place.of(memory.data), X)
    assert (memory[:128] == 0xFF).all()  # it begins at a multiple of 64
    assert (memory[end:] == 0xFF).all()
    assert place.of(memory.data).flags.writeable == (layout != "read-only")


@pytest.mark.parametrize(
    ("layout", "strides"),
    [("", (32, 8)), ("F", (8, 24)), ("strided", (64, 16)), ("slice", (56, 8)),
     ("reversed", (-32, -8)), ("read-only", (32, 8))],
)  # fmt: skip
def test_each_layout_has_its_strides(layout, strides):
    assert placed(np.zeros((3, 4)), layout, 0)[0].strides == strides


def test_what_lies_between_the_numbers_of_a_wider_array_is_its_own():
    """A stranger that ignores strides reads it."""
    memory = np.full(1000, 0xFF, np.uint8)
    place, end = placed(np.zeros((3, 4)), "slice", 0)
    place.of(memory.data)[...] = 1
    wide = memory[:end].view(np.float64).reshape(3, 7)
    assert np.isnan(wide[:, [0, 5, 6]]).all()
    assert (wide[:, 1:5] == 1).all()


TWO = Network((Layer("tanh", bias=True), Layer("softmax", bias=True)))


def two_layers(**other):
    shapes = {"W1": (4, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
    parameters = {name: np.ones(shape) for name, shape in shapes.items()}
    return Problem(np.ones((6, 4)), {**parameters, **other}, np.ones((6, 3)), np.float64(1), TWO)


def test_a_networks_parameters_are_had_by_name():
    problem = two_layers()
    assert problem.W2.shape == (5, 3)
    assert problem.having(b1=np.zeros(5)).b1.tolist() == [0] * 5
    assert problem.having(X=np.zeros((6, 4))).X.sum() == 0
    assert problem.work == 6 * (4 * 5 + 5 * 3)
    with pytest.raises(AttributeError, match="Problem has no W3"):
        _ = problem.W3


def test_every_link_of_a_network_has_its_shape():
    problem = two_layers()
    shapes = {link: problem.shape(link) for link in (*TWO.links, "dC_dX")}
    assert shapes == {
        "y1": (6, 5), "y_o1": (6, 5), "y2": (6, 3), "y_o2": (6, 3), "C": (), "dC_dy_o2": (6, 3),
        "dC_dy2": (6, 3), "dC_dW2": (5, 3), "dC_db2": (3,), "dC_dy_o1": (6, 5),
        "dy_o1_dy1": (6, 5), "dC_dy1": (6, 5), "dC_dW1": (4, 5), "dC_db1": (5,), "W1_next": (4, 5),
        "b1_next": (5,), "W2_next": (5, 3), "b2_next": (3,), "dC_dX": (6, 4),
    }  # fmt: skip
    with pytest.raises(KeyError):
        problem.shape("dC_dW3")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"b1": np.ones(4)}, r"b1 \(4,\), .* do not fit; .* its bias \(units,\)"),
        ({"W2": np.ones((4, 3))}, r"W2 \(4, 3\), .* do not fit"),
        ({"W2": np.ones((5, 2))}, "do not fit"),
        ({"b3": np.ones(3)}, "the parameters are .*b3; the network has W1, b1, W2, b2"),
        ({"b2": np.ones(3, np.float32)}, "X, W1, b1, W2, b2, P and h have dtypes float32, float64"),
    ],
)
def test_parameters_that_do_not_fit_are_told(other, told):
    with pytest.raises(UsageError, match=told):
        two_layers(**other)


def test_the_numbers_of_a_problem_are_what_formulas_are_computed_from():
    numbers = two_layers().numbers
    assert list(numbers) == ["X", "W1", "b1", "W2", "b2", "P", "h", "N", "leak", "decay"]
    assert numbers["N"] == 6
    network = replace(TWO, cost="upstream", reduction="sum")
    upstream = replace(two_layers(), network=network).numbers
    assert "G" in upstream
    assert upstream["N"] == 1
    mean = replace(two_layers(), network=replace(TWO, reduction="mean", weight_decay=0.5))
    assert (mean.numbers["N"], mean.numbers["decay"]) == (18, 0.5)


def test_what_is_no_link_is_no_part_of_a_chain():
    for wrong in ({"dC": 1}, {"W": 1}, {"y_next": 1}):
        with pytest.raises(TypeError, match="is no link; the post's are y, y_o, C"):
            Chain(**wrong)
    with pytest.raises(AttributeError, match="Chain has no gradient"):
        _ = Chain(C=1).gradient
    with pytest.raises(TypeError, match="9 links by their order"):
        Chain(*range(9))
    chain = Chain(C=1) | {"dC_dW2": 2}
    assert (chain.C, chain["dC_dW2"], chain.y1) == (1, 2, None)
    assert repr(chain) == "Chain(C, dC_dW2)"


def test_the_posts_own_bounds_are_not_those_of_16_bits():
    problem = worked_example()
    assert problem.of_post
    assert not sixteen(problem, "bfloat16").of_post
    assert not of_post(Network(cost="squared-error"), "float64")


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_an_array_of_16_bits_lies_in_memory_by_the_name_of_its_dtype(dtype):
    a = nearest([[1.5, 2, 3], [4, 5, 6]], dtype)
    for layout in ("", "F", "strided", "slice", "reversed", "read-only"):
        place, reach = placed(a, layout, 3)
        memory = np.zeros(reach, np.uint8)
        replace(place, writeable=True).of(memory.data)[...] = a
        assert place.dtype == dtype
        assert np.array_equal(place.of(memory.data), a)
    assert same_layout(a, a.T.copy().T).strides == a.T.copy().T.strides
