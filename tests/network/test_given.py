"""What a function is given: in which order, and what C has a derivative by."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import networks
from verify.errors import UsageError
from verify.network.given import (
    called_with,
    differentiable,
    is_state,
    kept,
    other_inputs,
    require_rows,
)
from verify.network.layer import Layer
from verify.network.updates import Update

W = np.ones((3, 2))


def test_h_follows_the_labels_and_what_is_kept_comes_last():
    arrays = {"X": W, "W1": W, "P": W, "vW1": W}
    assert list(called_with(arrays, {"h": 0.5}, 3)) == ["X", "W1", "P", "h", "vW1", "t"]
    assert list(called_with({"X": W, "W": W, "P": W}, {}, None)) == ["X", "W", "P"]
    problem = networks.of(Layer("softmax"), sizes=(4, 3), update=Update("adam"))
    assert list(problem.given) == ["X", "W", "P", "h", "mW", "vW", "t"]


def test_state_is_known_by_its_name():
    assert all(map(is_state, ("mW", "vW1", "vb12", "t")))
    assert not any(map(is_state, ("W1", "b", "X", "P", "h", "v", "vX")))


def test_there_is_no_derivative_by_row_numbers_or_by_what_is_kept():
    given = {"X": np.array([[1]]), "W": W, "P": W, "h": 0.5, "vW": W, "t": 1}
    assert differentiable(given) == ["W", "P"]
    assert differentiable(given | {"X": W}) == ["X", "W", "P"]


def test_other_inputs_are_inputs_of_the_same_kind():
    X = np.array([[0, 3], [1, 3]])
    assert other_inputs(X).tolist() == [[3, 0], [2, 0]]
    assert other_inputs(X * 1.0).tolist() == [[0, 1.5], [0.5, 1.5]]


def test_what_is_kept_has_its_parameters_shape_and_is_0_at_first():
    assert not kept({"vW": W}, {}, 1)["vW"].any()
    with pytest.raises(UsageError, match=r"vW \(2,\) does not fit"):
        kept({"vW": W}, {"vW": np.ones(2)}, 1)


def test_row_numbers_are_of_rows_that_there_are():
    require_rows(np.array([[0, 2]]), {"W": W}, "W")
    with pytest.raises(UsageError, match="row numbers of W: 0 to 2"):
        require_rows(np.array([[0, 3]]), {"W": W}, "W")
