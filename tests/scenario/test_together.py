"""Keys that do not go together are refused, each with its place and with what is allowed."""

from __future__ import annotations

import pytest

from tests.support.texts import written
from verify.errors import ScenarioError
from verify.network.layer import Layer
from verify.network.updates import Update
from verify.scenario.cases import cases
from verify.scenario.load import load

TOP = """title = "a network"
inputs = [[1, 2], [3, 4], [5, 6]]
labels = [0, 1, 0]
step_size = 0.5
"""
W = "weights = [[1, 2], [3, 4]]\n"
HIDDEN = '[[layers]]\nunits = 2\nweights = { random = "normal" }\n'
LAST = "[[layers]]\n" + W
OPERATION = """title = "an operation"
inputs = [[1, 2], [3, 4], [5, 6]]
upstream = { random = "normal" }
"""
NONE = (
    "an operation has no labels, cost, reduction, weight_decay, step_size, steps, update, momentum,"
    " beta1, beta2, eps, state and [expect]"
)
KEEPS = "only beside weights: an activation alone keeps the units that it takes"
ANY = "squared-error, half-squared-error, hinge, multi-class-hinge"


def refused(folder, text: str) -> list[str]:
    path = written(folder, text)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).split("\n")]


def test_the_files_that_are_damaged_here_are_right_as_they_are(tmp_path):
    for text in (TOP + W, TOP + HIDDEN + LAST, OPERATION + W, OPERATION + 'activation = "relu"\n'):
        assert load(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TOP, ["1:1: weights: missing, every scenario gives title, inputs, weights, labels and"
               " step_size"]),
        (TOP + W + HIDDEN + LAST,
         ["5:11: weights: given twice ([[1, 2], [3, 4]]), either in [[layers]], or of one layer"
          " at the top"]),
        (TOP + 'bias = [1, 2]\nactivation = "relu"\n' + HIDDEN + LAST,
         ["5:8: bias: given twice ([1, 2]), either in [[layers]], or of one layer at the top",
          "6:14: activation: given twice ('relu'), either in [[layers]], or of one layer at the"
          " top"]),
        (TOP + '[[layers]]\nunits = 3\nbias = [1]\n' + LAST,
         [f"6:9: layers[0].units: without weights, {KEEPS}",
          f"7:8: layers[0].bias: without weights, {KEEPS}"]),
        (OPERATION + 'activation = "relu"\nbias = [1, 2]\n',
         [f"5:8: bias: without weights, {KEEPS}"]),
        (TOP + '[[layers]]\nactivation = "sigmoid"\n',
         ["5:1: layers: nothing to learn, weights in one layer at least; operations without any"
          " have upstream, no labels"]),
        (OPERATION,
         ["1:1: activation: missing, an operation is of weights, of an activation, or of"
          " [[layers]]"]),
    ],
)  # fmt: skip
def test_layers_are_at_the_top_or_in_an_array_and_have_what_they_need(text, told, tmp_path):
    assert refused(tmp_path, text) == told


@pytest.mark.parametrize(
    ("key", "found"),
    [("labels = [0, 1, 0]", "[0, 1, 0]"), ('cost = "cross-entropy"', "'cross-entropy'"),
     ('reduction = "sum"', "'sum'"), ("weight_decay = 0.5", "0.5"), ("step_size = 0.25", "0.25"),
     ("steps = 2", "2")],
)  # fmt: skip
def test_an_operation_has_nothing_of_a_step(key, found, tmp_path):
    name, _, value = key.partition(" = ")
    text = OPERATION + W + key + "\n"
    told = f"5:{len(name) + 4}: {name}: beside upstream ({found}), {NONE}"
    assert refused(tmp_path, text) == [told]
    if name in ("step_size", "steps"):
        text = OPERATION + W + f"[vary]\n{name} = [{value}]\n"
        told = f"6:{len(name) + 4}: vary.{name}: beside upstream ([{value}]), {NONE}"
        assert refused(tmp_path, text) == [told]


def test_nothing_is_expected_of_an_operation(tmp_path):
    told = f"5:1: expect: beside upstream ({{'loss': 'any'}}), {NONE}"
    assert refused(tmp_path, OPERATION + W + '[expect]\nloss = "any"\n') == [told]


def test_the_rows_of_an_operation_are_not_taken_in_turn(tmp_path):
    all_rows = "an operation takes all rows at once; batch_size is N of random inputs"
    told = f"5:14: batch_size: beside upstream (2), {all_rows}"
    assert refused(tmp_path, OPERATION + W + "batch_size = 2\n") == [told]
    told = f"6:14: vary.batch_size: beside upstream ([2]), {all_rows}"
    assert refused(tmp_path, OPERATION + W + "[vary]\nbatch_size = [2]\n") == [told]
    drawn = OPERATION.replace("[[1, 2], [3, 4], [5, 6]]", '{ random = "normal" }')
    assert load(written(tmp_path, drawn + W + "batch_size = 2\n"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TOP + W + 'activation = "softmax"\ncost = "binary-cross-entropy"\n',
         "7:8: cost: does not go together (binary-cross-entropy of softmax), binary-cross-entropy"
         f" is of sigmoid; of softmax are cross-entropy, {ANY}"),
        (TOP + W + 'cost = "negative-log-likelihood"\n',
         "6:8: cost: does not go together (negative-log-likelihood of sigmoid),"
         " negative-log-likelihood is of log-softmax; of sigmoid are cross-entropy,"
         f" binary-cross-entropy, {ANY}"),
        (TOP + HIDDEN + LAST + 'activation = "tanh"\n',
         "10:14: layers[1].activation: does not go together (cross-entropy of tanh), cross-entropy"
         f" is of sigmoid, softmax, softplus; of tanh are {ANY}"),
        (TOP.replace("[0, 1, 0]", '{ random = "normal" }') + W,
         "3:21: labels.random: labels of any sign ('normal'), only with squared-error,"
         " half-squared-error"),
        (TOP.replace("[0, 1, 0]", '{ random = "soft" }') + W + 'cost = "hinge"\n',
         "3:21: labels.random: not its labels ('soft'), only with cross-entropy,"
         " binary-cross-entropy, squared-error, half-squared-error, negative-log-likelihood"),
        (TOP.replace("[0, 1, 0]", '{ random = "signs" }') + W,
         "3:21: labels.random: labels of any sign ('signs'), only with squared-error,"
         " half-squared-error, hinge"),
        (TOP + W + 'bias = [1, 2]\n[expect]\npost_form = "blind"\n',
         "8:13: expect.post_form: only of the post's network ('blind'), one layer, a sigmoid and"
         " cross-entropy, as the post has them, without a bias"),
    ],
)  # fmt: skip
def test_the_cost_goes_with_the_last_activation_and_with_what_is_expected(text, told, tmp_path):
    assert refused(tmp_path, text) == [told]


@pytest.mark.parametrize(
    ("activation", "cost"),
    [("softmax", "cross-entropy"), ("softplus", "cross-entropy"), ("tanh", "squared-error"),
     ("sigmoid", "binary-cross-entropy"), ("log-softmax", "negative-log-likelihood")],
)  # fmt: skip
def test_costs_that_go_with_the_last_activation_are_taken(activation, cost, tmp_path):
    text = TOP + W + f'activation = "{activation}"\ncost = "{cost}"\n'
    network = load(written(tmp_path, text)).network
    assert (network.layers[-1].activation, network.cost) == (activation, cost)


NORM = W + 'activation = "batch-norm"\ncost = "squared-error"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (NORM + "gamma = [1, 2]\n",
         "beta: missing, beside gamma: y_o = gamma x + beta has both, or neither"),
        (NORM + "beta = [1, 2]\n",
         "gamma: missing, beside beta: y_o = gamma x + beta has both, or neither"),
        (W + "gamma = [1, 2]\nbeta = [1, 2]\n",
         "6:9: gamma: not of a norm, only beside the activations layer-norm and batch-norm"),
        (W + "epsilon = 0.1\n",
         "6:11: epsilon: not of a norm, only beside the activations layer-norm and batch-norm"),
        (NORM + "epsilon = 0\n", "8:11: epsilon: out of range (0), greater than 0.0"),
        (NORM + "epsilon = 1e-60\n", "8:11: epsilon: out of float32's range"),
        (NORM + "gamma = [1, 2, 3]\nbeta = [1, 2]\n", "K does not fit (K = 3), K = 2"),
    ],
)  # fmt: skip
def test_gamma_and_beta_are_of_a_norm_and_stand_together(text, told, tmp_path):
    assert told in refused(tmp_path, TOP + text)[0]


def test_a_norm_has_its_epsilon_and_what_follows_it(tmp_path):
    text = NORM + "gamma = [1, 2]\nbeta = [0, 1]\nepsilon = 0.001\n"
    (layer,) = load(written(tmp_path, TOP + text)).network.layers
    assert layer == Layer("batch-norm", scaled=True, epsilon=0.001)
    (plain,) = load(written(tmp_path, TOP + NORM)).network.layers
    assert plain == Layer("batch-norm")
    assert plain.epsilon == 1e-5


def test_what_is_refused_alone_is_not_also_refused_beside_others(tmp_path):
    for text, told in (
        (TOP + HIDDEN.replace('"normal"', '"norml"') + LAST, "7:22: layers[0].weights.random"),
        (TOP + W + 'activation = "tnh"\n', "6:14: activation: unknown value ('tnh')"),
        (OPERATION + "weights = [[nan, 2]]\nbias = [1, 2]\n", "4:13: weights[0][0]: not finite"),
        (OPERATION.replace('"normal"', "3") + 'activation = "relu"\n', "3:23: upstream.random"),
    ):
        (line,) = refused(tmp_path, text)
        assert line.startswith(told)
    misspelt = refused(tmp_path, OPERATION.replace("upstream", "upstraem") + W)
    assert [line.split(",")[0] for line in misspelt] == ["3:1: upstraem: unknown key"]


EMBEDDED = """title = "an embedding"
inputs = [[0, 2], [1, 1], [2, 0]]
labels = [0, 1, 0]
step_size = 0.5
[[layers]]
embedding = 3
units = 2
weights = { random = "normal" }
[[layers]]
weights = { random = "normal" }
"""


def test_an_embedding_is_the_first_layer_and_has_weights(tmp_path):
    allowed = "only in the first of [[layers]], beside weights: X says which rows"
    found = refused(tmp_path, "classes = 2\n" + EMBEDDED + "embedding = 2\n")
    assert found == [f"12:13: layers[1].embedding: no embedding, {allowed}"]


def test_the_units_of_an_embedding_are_those_of_all_its_features(tmp_path):
    given = "classes = 2\n" + EMBEDDED.replace("units = 2\n", "")
    assert "units: missing" in refused(tmp_path, given)[0]
    wrong = EMBEDDED[: EMBEDDED.rindex("weights")] + "weights = [[1, 2], [3, 4], [5, 6]]\n"
    (told,) = refused(tmp_path, wrong)
    assert "does not fit" in told
    right = EMBEDDED[: EMBEDDED.rindex("weights")] + "weights = [[1, 2], [3, 4], [5, 6], [7, 8]]\n"
    scenario = load(written(tmp_path, right))
    (case, _) = cases(scenario)
    assert case.problem.shape("y1") == (3, 4)
    assert case.problem.X.dtype == "int64"


@pytest.mark.parametrize(("keys", "told"), [
    ("momentum = 0.5", "momentum: not of gradient-descent (0.5), only beside update"),
    ('update = "momentum"\nbeta1 = 0.5', "beta1: not of momentum (0.5), only beside update"),
    ('update = "sgd"', "update: unknown value"),
    ('update = "momentum"\nmomentum = 1.0', "momentum: out of range"),
    ('update = "adam"\nbeta2 = 0.99999999', "beta2: 1 in float32 (0.99999999)"),
    ('update = "adam"\nstate = { vX = [1] }', "state.vX: no such state, one of mW, vW, t"),
    ('update = "adam"\nstate = { vW = [[1, 2], [-3, 4]] }', "state.vW[1][0]: below 0 (-3.0)"),
    ('update = "momentum"\nstate = { vW = [[1, 2]] }', "state.vW: D does not fit"),
    ('update = "momentum"\nstate = { t = [1] }', "state.t: not what is kept"),
    ("state = { t = 2 }", "state.t: no such state, none: gradient-descent keeps nothing"),
])  # fmt: skip
def test_an_update_has_its_own_numbers_and_what_it_keeps(tmp_path, keys, told):
    found = refused(tmp_path, TOP + W + keys + "\n")
    assert any(told in line for line in found), found


def test_what_an_update_keeps_may_be_given(tmp_path):
    keys = 'update = "momentum"\nmomentum = 0.5\n[state]\nt = 4\nvW = [[1, 2], [3, 4]]\n'
    (_, case) = cases(load(written(tmp_path, TOP + W + keys)))
    assert case.network.update == Update("momentum", 0.5)
    assert case.problem.t == 4
    assert case.problem.state["vW"].tolist() == [[1, 2], [3, 4]]
    assert case.expect.loss == "any"


def test_row_numbers_are_whole_and_of_rows_that_there_are(tmp_path):
    end = "classes = 2\n"
    wrong = end + EMBEDDED.replace("[1, 1]", "[1.5, 3]")
    found = refused(tmp_path, wrong)
    assert [line.split(": ", 1)[1] for line in found] == [
        f"inputs[1][{j}]: no row number ({x}), a row of the embedding, a whole number from 0 to 2"
        for j, x in ((0, 1.5), (1, 3.0))
    ]
    drawn = EMBEDDED.replace("[[0, 2], [1, 1], [2, 0]]", '{ random = "normal" }')
    assert "no row numbers" in refused(tmp_path, "classes = 2\nfeatures = 2\n" + drawn)[0]
