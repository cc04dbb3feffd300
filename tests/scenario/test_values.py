"""Whether numbers may be; tests/hostile has a file for each way that TOML can say."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.texts import written
from verify.errors import ScenarioError
from verify.scenario.cases import cases
from verify.scenario.load import load

TABLE = """
title = "a table"
inputs = { file = "t.csv", columns = ["a", "b"] }
weights = [[0.5, -0.5], [0.25, 0.125]]
labels = [0, 1]
step_size = 0.5
"""
ARRAYS = """
title = "arrays"
inputs = { file = "X.npy" }
weights = { file = "W.npy" }
labels = { file = "P.npy" }
step_size = 0.5
"""
X = np.array([[1, 2], [3, 4]], "f4")
W = np.array([[0.5, -0.5, 1], [0.25, 0.125, 1]], "f4")


def refusal(folder, text):
    with pytest.raises(ScenarioError) as caught:
        load(written(folder, text))
    return caught.value


@pytest.fixture
def arrays(tmp_path):
    def save(text=ARRAYS, **given):
        for name, array in ({"X": X, "W": W, "P": np.array([0, 2])} | given).items():
            np.save(tmp_path / f"{name}.npy", array)
        return written(tmp_path, text)

    return save


@pytest.mark.parametrize("cell", ["1e39", "1e-39", "-4e38"])
def test_a_cell_of_a_table_that_float32_cannot_hold_is_refused_with_its_line(cell, tmp_path):
    (tmp_path / "t.csv").write_text(f"a,b\n1,2\n3,{cell}\n")
    (fault,) = refusal(tmp_path, TABLE).faults
    assert fault.key == "inputs.columns[1]"
    assert fault.what == "line 3 of the table is out of float32's range"
    assert load(written(tmp_path, TABLE + 'dtype = "float64"\n'))


@pytest.mark.parametrize("P", [np.array([0, 2]), np.array([0, 2], "i4"), np.eye(3, dtype="f4")[:2]])
def test_inputs_weights_and_labels_may_be_arrays(P, arrays):
    for case in cases(load(arrays(P=P))):
        problem = case.problem
        assert np.array_equal(problem.X, X)
        assert np.array_equal(problem.W, W)
        assert np.array_equal(problem.P, P if P.ndim == 2 else np.eye(3)[P])
        assert problem.dtype == case.dtype


def test_rows_of_arrays_are_shuffled_together_where_a_seed_is_given(arrays):
    rows = np.arange(1, 21, dtype="f4").reshape(10, 2)
    path = arrays(ARRAYS + "seed = 3\n", X=rows, P=np.arange(10) % 3)
    problem = cases(load(path))[0].problem
    assert not np.array_equal(problem.X, rows)
    assert np.array_equal(problem.P.argmax(1), ((problem.X[:, 0] - 1) / 2) % 3)


@pytest.mark.parametrize(
    ("given", "key", "sentence"),
    [
        ({"X": X.astype("f8")}, "inputs.file", "float64 numbers in a float32 case"),
        ({"X": np.array([1, 2], "f4")}, "inputs.file", "a vector (shape (2,))"),
        ({"X": X.astype("i8")}, "inputs.file", "not a matrix of floats"),
        ({"X": X * np.float32(1e-45)}, "inputs.file", "entry [0, 0] of the file is out of float32"),
        ({"W": W[:1]}, "weights.file", "D does not fit (D = 1), D = 2 as inputs.file says"),
        ({"P": np.array([0, 3])}, "labels.file", "label out of range (3), 0 to 2"),
        ({"P": np.array([0, -1])}, "labels.file", "entry [1] of the file is a negative label"),
        ({"P": np.array([0, 1, 2])}, "labels.file", "N does not fit (N = 3)"),
        ({"P": np.array([0.0, 1.0], "f4")}, "labels.file", "not a matrix of floats"),
        ({"P": np.eye(3, dtype="i8")[:2]}, "labels.file", "not a matrix of floats"),
        ({"P": np.zeros((2, 3), "f4")}, "labels", "all labels are 0"),
        ({"P": -np.eye(3, dtype="f4")[:2]}, "labels.file", "[0, 0] of the file is a negative"),
        ({"P": np.ones((2, 1), "f4")}, "labels.file", "K does not fit (K = 1)"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(given, key, sentence, arrays):
    path = arrays(**given)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    found = [fault for fault in caught.value.faults if sentence in str(fault)]
    assert [fault.key for fault in found] == [key]


def test_float64_arrays_are_read_where_only_float64_is_asked(arrays):
    wide = X.astype("f8") / 3
    path = arrays(ARRAYS + 'dtype = "float64"\n', X=wide)
    assert np.array_equal(cases(load(path))[0].problem.X, wide)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('{ file = "x.npz" }', "inputs.columns: missing"),
        ('{ file = "X.npy", columns = ["a"] }', "unknown key, allowed are file"),
        ('{ file = "absent.npy" }', "cannot be read"),
    ],
)
def test_an_array_that_is_none_is_refused(source, sentence, arrays):
    path = arrays(ARRAYS.replace('{ file = "X.npy" }', source))
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert sentence in str(caught.value)


def test_weights_are_in_no_table(tmp_path, arrays):
    path = arrays(ARRAYS.replace("W.npy", "w.csv"))
    with pytest.raises(ScenarioError) as caught:
        load(path)
    (fault,) = caught.value.faults
    assert (fault.key, fault.allowed) == (
        "weights.file",
        "a .npy file, or a .csv file with its columns",
    )
