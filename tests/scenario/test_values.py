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


NETWORK = """
title = "a network of arrays"
inputs = { file = "X.npy" }
labels = { file = "P.npy" }
step_size = 0.5

[[layers]]
weights = { file = "W.npy" }
bias = { file = "b.npy" }
activation = "tanh"

[[layers]]
weights = { random = "normal", scale = 0.5 }
bias = [0.5, 1, 2]
"""
B = np.array([1, 2, 3], "f4")


def test_the_weights_and_the_bias_of_a_layer_may_be_arrays(arrays):
    scenario = load(arrays(NETWORK, b=B))
    assert list(scenario.data) == ["X.npy", "W.npy", "b.npy", "P.npy"]
    problem = cases(scenario)[0].problem
    assert np.array_equal(problem.W1, W)
    assert np.array_equal(problem.b1, B)
    assert problem.b2.tolist() == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("given", "text", "told"),
    [
        ({"b": B[None]}, NETWORK, "9:17: layers[0].bias.file: a matrix (shape (1, 3)), a vector:"),
        ({"b": B[:2]}, NETWORK, "9:17: layers[0].bias.file: layers[0].units does not fit"),
        ({"b": B.astype("i4")}, NETWORK, "9:17: layers[0].bias.file: not a vector of floats"),
        ({"b": B.astype("f8")}, NETWORK, "9:17: layers[0].bias.file: float64 numbers in a"),
        ({"b": B * np.float32(1e-45)}, NETWORK,
         "9:17: layers[0].bias.file: entry [0] of the file is out of float32's range"),
        ({"b": B, "W": W[0]}, NETWORK, "8:20: layers[0].weights.file: a vector (shape (3,))"),
        ({"b": B}, NETWORK.replace("b.npy", "c.npy"),
         "9:17: layers[0].bias.file: cannot be read (No such file or directory)"),
        ({"b": B}, NETWORK.replace("scale = 0.5", "scale = 1e38"),
         "13:40: layers[1].weights.scale: out of float32's range (4e+38)"),
        ({"b": B}, NETWORK.replace("[0.5, 1, 2]", "[0.5, 1e-40, 2]"),
         "14:14: layers[1].bias[1]: out of float32's range (1e-40)"),
    ],
)  # fmt: skip
def test_numbers_of_a_layer_that_may_not_be_are_refused(given, text, told, arrays):
    path = arrays(text, **given)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert f"{path}:{told}" in str(caught.value)


LABELS = 'title = "t"\ninputs = [[1]]\nweights = [[1, 2]]\nlabels = [[{}]]\nstep_size = 1\n'


@pytest.mark.parametrize(
    ("cost", "labels", "told"),
    [
        ("cross-entropy", "2, -1", "4:15: labels[0][1]: a negative label (-1.0), a label is 0 or"),
        ("cross-entropy", "0, 0", "4:10: labels: all labels are 0, at least one label above 0"),
        ("negative-log-likelihood", "2, -1", "4:15: labels[0][1]: a negative label (-1.0)"),
        ("negative-log-likelihood", "0, 0", "4:10: labels: all labels are 0"),
        ("binary-cross-entropy", "1, 1.5", "4:15: labels[0][1]: not a probability (1.5), a label is"
         " 0 to 1 with binary-cross-entropy"),
        ("binary-cross-entropy", "-0.5, 1", "4:12: labels[0][0]: not a probability (-0.5)"),
        ("binary-cross-entropy", "0, 0", ""),
        ("squared-error", "2, -1", ""),
        ("half-squared-error", "0, 0", ""),
        ("hinge", "-1, 1", ""),
        ("hinge", "1, 0", "4:15: labels[0][1]: not -1 or 1 (0.0), a label is -1 or 1 with hinge;"
         ' random = "signs" draws them'),
        ("hinge", "-2, 1", "4:12: labels[0][0]: not -1 or 1 (-2.0)"),
        ("multi-class-hinge", "0, 1", ""),
        ("multi-class-hinge", "0, 0.5", "4:12: labels[0][0]: not one class a row (0.0)"),
        ("multi-class-hinge", "0, 0", "4:12: labels[0][0]: not one class a row (0.0), with"
         " multi-class-hinge one 1 a row, 0 elsewhere; or a class a row, as [0, 2, 1]"),
        ("multi-class-hinge", "1, 1", "4:15: labels[0][1]: not one class a row (1.0)"),
    ],
)  # fmt: skip
def test_labels_are_those_that_the_cost_takes(cost, labels, told, tmp_path):
    activation = "log-softmax" if cost == "negative-log-likelihood" else "sigmoid"
    text = LABELS.format(labels) + f'cost = "{cost}"\nactivation = "{activation}"\n'
    if told:
        assert f"s.toml:{told}" in str(refusal(tmp_path, text))
    else:
        assert load(written(tmp_path, text))


def test_a_weight_decay_is_a_number_of_the_dtype(tmp_path):
    for decay, told in (("0", "out of range (0), greater than 0"), ("inf", "not finite (inf)"),
                        ("1e-60", "out of float32's range (1e-60)")):  # fmt: skip
        text = LABELS.format("1, 0") + f"weight_decay = {decay}\n"
        assert f"s.toml:6:16: weight_decay: {told}" in str(refusal(tmp_path, text))


# ---- 16 bits


SIXTEEN = """
title = "sixteen bits"
inputs = [[0.1, 300], [3, 4]]
weights = [[0.5, -0.5], [0.25, 0.125]]
labels = [0, 1]
step_size = 0.1
[vary]
dtype = ["bfloat16", "float16"]
"""


def test_numbers_are_the_nearest_of_16_bits(tmp_path):
    one, other = (case.problem for case in cases(load(written(tmp_path, SIXTEEN))))
    assert [str(one.dtype), str(other.dtype)] == ["bfloat16", "float16"]
    assert float(one.X[0, 0]) == 0.10009765625
    assert float(other.h) == float(np.float16(0.1))
    assert float(other.X[0, 0]) == float(np.float16(0.1))


@pytest.mark.parametrize(
    ("dtype", "number", "fits"),
    [
        ("float16", "65519", True), ("float16", "65520", False), ("float16", "6e-5", False),
        ("float16", "7e-5", True), ("bfloat16", "65520", True), ("bfloat16", "3.39e38", True),
        ("bfloat16", "3.4e38", False), ("bfloat16", "1e-39", False),
    ],
)  # fmt: skip
def test_a_number_beyond_16_bits_is_refused_by_the_name_of_the_dtype(dtype, number, fits, tmp_path):
    text = SIXTEEN.replace("300", number).replace('"bfloat16", "float16"', f'"{dtype}"')
    if fits:
        assert load(written(tmp_path, text))
    else:
        (fault,) = refusal(tmp_path, text).faults
        assert fault.what == f"out of {dtype}'s range"


def test_of_several_dtypes_the_narrowest_is_asked(tmp_path):
    (fault,) = refusal(tmp_path, SIXTEEN.replace("300", "70000")).faults
    assert fault.what == "out of float16's range"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_file_of_arrays_must_hold_numbers_of_16_bits(dtype, arrays, tmp_path):
    text = ARRAYS + f'dtype = "{dtype}"\n'
    assert len(cases(load(arrays(text)))) == 1
    arrays(text, W=W + np.float32(2.0**-20))
    (fault,) = refusal(tmp_path, text).faults
    assert fault.what == f"entry [0, 0] of the file is no number of a {dtype} case"


def test_classes_are_no_signs_and_one_class_a_row_is_taken(tmp_path):
    classes = LABELS.replace("[[{}]]", "[1]")
    assert classes != LABELS
    told = "4:10: labels: classes, a label is -1 or 1 with hinge"
    assert told in str(refusal(tmp_path, classes + 'cost = "hinge"\n'))
    assert load(written(tmp_path, classes + 'cost = "multi-class-hinge"\n'))


@pytest.mark.parametrize("cost", ["multi-class-hinge", "binary-cross-entropy", "hinge"])
def test_a_vector_of_a_file_is_a_class_a_row(cost, tmp_path):
    np.save(tmp_path / "P.npy", np.array([1]))
    text = LABELS.replace("[[{}]]", '{{ file = "P.npy" }}').replace("{{", "{").replace("}}", "}")
    text += f'cost = "{cost}"\nactivation = "sigmoid"\n'
    if cost == "hinge":
        assert "labels: classes, a label is -1 or 1" in str(refusal(tmp_path, text))
    else:
        assert load(written(tmp_path, text))
