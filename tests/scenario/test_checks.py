"""Whether the parts of a document fit; tests/hostile has one file for each way to fail."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.texts import EXAMPLE, written
from verify.errors import ScenarioError
from verify.scenario.load import load


def keys_refused(folder, text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(written(folder, text))
    return [fault.key for fault in caught.value.faults]


def test_a_misspelt_key_is_not_also_a_missing_one(tmp_path):
    assert keys_refused(tmp_path, EXAMPLE.replace("step_size", "stepsize")) == ["stepsize"]
    assert keys_refused(tmp_path, EXAMPLE.replace("step_size", "qqq")) == ["step_size", "qqq"]


def test_each_size_that_does_not_fit_is_told_once_however_much_is_varied(tmp_path):
    text = EXAMPLE + "[vary]\nclasses = [3, 4]\nsteps = [1, 2, 3]\n"
    assert keys_refused(tmp_path, text) == ["classes", "classes"]


def test_a_column_of_a_table_is_an_input_once(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    start, end = EXAMPLE.index("inputs"), EXAMPLE.index("weights")
    inputs = 'inputs = { file = "t.csv", columns = ["a", "b", "a"] }\n'
    text = (EXAMPLE[:start] + inputs + EXAMPLE[end:]).replace("[0]", "[0, 1]")
    assert keys_refused(tmp_path, text) == ["inputs.columns[2]"]


@pytest.mark.parametrize(("classes", "keys"), [([1, 0], []), ([2, 0], ["labels.file"])])
def test_a_class_in_a_file_is_one_that_the_weights_have(classes, keys, tmp_path):
    np.save(tmp_path / "P.npy", np.array(classes))
    text = EXAMPLE.replace("[[2, 4, -2]]", "[[2, 4, -2], [1, 1, 1]]")
    text = text.replace("[0]", '{ file = "P.npy" }')
    if keys:
        assert keys_refused(tmp_path, text) == keys
    else:
        assert load(written(tmp_path, text))


def test_a_number_may_leave_the_range_of_float32_where_only_float64_is_asked(tmp_path):
    text = EXAMPLE.replace("0.01", "1e-60")
    assert keys_refused(tmp_path, text) == ["step_size"]
    assert load(written(tmp_path, text + 'dtype = "float64"\n')).axes["step_size"] == (1e-60,)


def test_a_scale_that_draws_beyond_the_range_is_refused(tmp_path):
    text = EXAMPLE.replace("labels = [0]", "labels = [[1, 0]]")
    start = text.index("weights")
    drawn = (
        text[:start]
        + 'weights = { random = "normal", scale = 1e38 }\n'
        + text[text.index("labels") :]
    )
    assert keys_refused(tmp_path, drawn) == ["weights.scale"]
