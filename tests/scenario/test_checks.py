"""Whether the parts of a document fit; tests/hostile has one file for each way to fail."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.texts import EXAMPLE, written
from verify.errors import ScenarioError
from verify.scenario.limits import Limits
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


def told(folder, text: str, limits: Limits | None = None) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(written(folder, text), limits)
    (fault,) = caught.value.faults
    return str(fault).removeprefix(f"{folder}/s.toml:")


DRAWN_LAYER = '[[layers]]\nunits = 4\nweights = { random = "normal" }\n'
TOP = 'title = "t"\ninputs = [[1, 2, 3]]\nlabels = [0]\nclasses = 2\nstep_size = 0.5\n'


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (DRAWN_LAYER.replace("units = 4\n", "") * 2,
         "6:1: layers[0].units: missing, a drawn layer says its units"),
        (DRAWN_LAYER + "[[layers]]\nweights = [[1, 2], [3, 4]]\n",
         "10:11: layers[1].weights: layers[0].units does not fit (layers[0].units = 2),"
         " layers[0].units = 4 as layers[0].units says"),
        (DRAWN_LAYER + "bias = [1]\n" + DRAWN_LAYER.replace("4", "2"),
         "9:8: layers[0].bias: layers[0].units does not fit (layers[0].units = 1),"
         " layers[0].units = 4 as layers[0].units says"),
        ("[[layers]]\nweights = [[1, 2], [3, 4]]\n",
         "7:11: layers[0].weights: D does not fit (D = 2), D = 3 as inputs says"),
        (DRAWN_LAYER, "4:11: classes: K does not fit (K = 2), K = 4 as layers[0].units says"),
        (DRAWN_LAYER.replace("4", "2") + "[[layers]]\nweights = [[1, 2], [3]]\n",
         "10:20: layers[1].weights[1]: a ragged row (1 numbers), 2 as in row 0"),
    ],
)  # fmt: skip
def test_every_layer_takes_what_the_one_before_gives(layers, expected, tmp_path):
    assert told(tmp_path, TOP + layers) == expected


def test_an_upstream_gradient_has_the_shape_of_the_output(tmp_path):
    text = 'title = "t"\ninputs = [[1, 2]]\nupstream = [[1, 2, 3]]\n'
    for keys, size, says in (("weights = [[1], [2]]", "K", "K = 1 as weights"),
                             ('activation = "relu"', "D", "D = 2 as inputs")):  # fmt: skip
        expected = f"3:12: upstream: {size} does not fit ({size} = 3), {says} says"
        assert told(tmp_path, f"{text}{keys}\n") == expected
    drawn = text.replace("[[1, 2, 3]]", '{ random = "normal" }') + 'weights = { random = "normal" }'
    unsaid = "where neither weights nor upstream say how many classes, classes does"
    assert told(tmp_path, drawn) == f"1:1: classes: missing, {unsaid}"


def test_the_limits_are_of_all_weights_and_of_all_numbers(tmp_path):
    text = TOP + DRAWN_LAYER + DRAWN_LAYER.replace("units = 4\n", "bias = [1, 2]\n")
    for name, most, found in (("work", 19, "N times the weights = 20"),
                              ("numbers", 26, "numbers of X, W1, W2, b2, P = 27"),
                              ("total_work", 39, None)):  # fmt: skip
        key = "1:1: vary: too much work" if name == "total_work" else "2:10: inputs: too large"
        found = found or "N times the weights of all steps of all cases is 40"
        assert load(written(tmp_path, text), Limits(**{name: most + 1}))
        allowed = f"at most {most}; --scenario-limit {name}=N allows more"
        assert told(tmp_path, text, Limits(**{name: most})) == f"{key} ({found}), {allowed}"
    alone = 'title = "t"\ninputs = [[1, 2]]\nupstream = [[1, 2]]\nactivation = "relu"\n'
    assert "inputs: too large (N D = 2)" in told(tmp_path, alone, Limits(work=1))


def test_a_seed_draws_in_a_layer_too(tmp_path):
    bias = EXAMPLE + 'seed = 3\nbias = { random = "normal" }\n'
    assert load(written(tmp_path, bias))
    assert keys_refused(tmp_path, EXAMPLE + "seed = 3\nbias = [1, 2]\n") == ["seed"]
