"""Each fault of behaviour is the right chain but for the one thing that its name says."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.problems import drawn
from verify.faults.behaviour import BEHAVIOUR
from verify.faults.table import FAULTS
from verify.network import manual
from verify.network.problem import Problem, laid_out


@pytest.fixture(params=["float32", "float64"])
def given(request: pytest.FixtureRequest) -> SimpleNamespace:
    """Private copies of a problem's numbers, and the right gradient."""
    problem = drawn(1, dtype=request.param)
    copies = {name: getattr(problem, name).copy() for name in "XWP"}
    return SimpleNamespace(**copies, h=problem.h, g=manual.stable_form(problem).dC_dW)


def called(function, given) -> np.ndarray:
    found = function(given.X, given.W, given.P, given.h)
    return found["dC_dW"] if isinstance(found, dict) else found


def near(found, expected) -> bool:
    """To the last few digits, and in the same dtype."""
    same = found.dtype == expected.dtype and found.shape == expected.shape
    return same and np.allclose(found, expected, rtol=32 * np.finfo(found.dtype).eps, atol=1e-7)


@pytest.mark.parametrize("entry", BEHAVIOUR, ids=lambda e: e[0])
def test_a_fault_of_behaviour_is_made_anew_each_time(entry):
    """Its state must not leak from one case to the next."""
    name, _, _, make = entry
    assert name in FAULTS
    if make().__closure__:
        assert make() is not make()


@pytest.mark.parametrize(("name", "second"), [("momentum", 1.9), ("gradient-accumulated", 2.0)])
def test_what_is_kept_is_added_to_the_next_answer(name, second, given):
    function = FAULTS[name].make()
    first = called(function, given)
    assert near(first, given.g)
    assert near(called(function, given), (second * given.g).astype(given.g.dtype))
    assert near(first, given.g)  # fresh memory each time


def test_an_answer_kept_by_shape_is_that_of_the_first_data(given):
    function = FAULTS["cached-by-shape"].make()
    assert near(called(function, given), given.g)
    given.X *= 2
    assert near(called(function, given), given.g)


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("cached-by-inputs", "WP"),
        ("cached-by-inputs-and-weights", "P"),
        ("cached-by-identity", "XWP"),
    ],
)
def test_a_kept_answer_is_stale_when_what_it_is_not_kept_by_changes(name, moves, given):
    function = FAULTS[name].make()
    for array in moves:
        called(function, given)
        getattr(given, array)[...] *= 2
        assert near(called(function, given), given.g), array
        given.X, given.W, given.P = (
            (given.X * 1.5).astype(given.X.dtype),
            given.W.copy(),
            given.P.copy(),
        )
        given.g = manual.stable_form(Problem(given.X, given.W, given.P, given.h)).dC_dW


def test_an_answer_is_changed_two_calls_later(given):
    function = FAULTS["answer-changed-later"].make()
    first = called(function, given)
    assert near(first, given.g)
    called(function, given)
    assert near(first, given.g)
    called(function, given)
    assert near(first, 2 * given.g)


@pytest.mark.parametrize("name", ["inputs-as-scratch", "weights-as-scratch", "labels-as-scratch"])
def test_scratch_is_put_back_and_needs_to_be_writeable(name, given):
    function, before = FAULTS[name].make(), [a.copy() for a in (given.X, given.W, given.P)]
    assert near(called(function, given), given.g)
    assert all(map(np.array_equal, before, (given.X, given.W, given.P)))
    for array in (given.X, given.W, given.P):
        array.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        called(function, given)


def test_read_only_labels_are_skipped(given):
    function = FAULTS["read-only-labels-skipped"].make()
    assert near(called(function, given), given.g)
    given.P.flags.writeable = False
    assert not called(function, given).any()


def test_negative_strides_are_ignored(given):
    function = FAULTS["negative-strides-ignored"].make()
    assert near(called(function, given), given.g)
    given.X = np.ascontiguousarray(given.X[::-1, ::-1])[::-1, ::-1]
    assert not near(called(function, given), given.g)


def test_a_buffer_is_the_same_memory_with_the_right_answer_in_it(given):
    function = FAULTS["buffer-reused"].make()
    first = called(function, given)
    before = first.copy()
    given.P *= 2
    second = called(function, given)
    assert second is first
    assert near(before, given.g)
    assert near(second, 2 * given.g)


def test_weights_are_stepped_in_place(given):
    W, expected = given.W, given.W - given.h * given.g
    found = FAULTS["weights-changed"].make()(given.X, W, given.P, given.h)
    assert list(found) == ["W_next"]
    assert found["W_next"] is W
    assert near(W, expected)


def test_one_input_is_moved_by_one_ulp_after_a_right_answer(given):
    before = given.X.copy()
    assert near(called(FAULTS["inputs-changed"].make(), given), given.g)
    changed = np.argwhere(before != given.X).tolist()
    assert changed == [[0, 0]]
    assert given.X[0, 0] == np.nextafter(before[0, 0], np.inf, dtype=before.dtype)


def test_labels_are_negated_after_a_right_answer(given):
    before = given.P.copy()
    assert near(called(FAULTS["labels-changed"].make(), given), given.g)
    assert np.array_equal(given.P, -before)


@pytest.mark.parametrize(
    ("name", "array"),
    [("strides-ignored", "X"), ("weights-strides-ignored", "W"), ("labels-strides-ignored", "P")],
)
def test_strides_are_ignored_only_where_there_are_others(name, array, given):
    function = FAULTS[name].make()
    assert near(called(function, given), given.g)
    for layout in ("F", "strided"):
        setattr(given, array, laid_out(getattr(given, array), layout))
        assert not near(called(function, given), given.g)
