from __future__ import annotations

import re

import pytest

from tests.support.texts import EXAMPLE, written
from verify.errors import ScenarioError
from verify.scenario.load import load
from verify.scenario.wording import WrittenFloat, closest, dotted, nearest, quoted


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("labels", 2, 0), "labels[2][0]"),
        (("vary", "seed"), "vary.seed"),
        (("a\x1b[31m",), "'a\\x1b[31m'"),
    ],
)
def test_a_path_reads_as_it_would_be_written_and_commands_no_terminal(path, text):
    assert dotted(path) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x\n::error", "'x\\n::error'"),
        ("\u202e", "'\\u202e'"),
        (WrittenFloat("1e400"), "1e400"),
        ("a" * 100, "'" + "a" * 56 + "..."),
    ],
)
def test_a_found_value_is_short_and_escaped(value, text):
    assert quoted(value) == text


def test_the_nearest_key_is_offered_or_all_are():
    assert closest("stepsize", ["title", "step_size"]) == "step_size"
    assert closest("qqq", ["title", "step_size"]) is None
    assert nearest("stepsize", ["step_size"]) == "did you mean 'step_size'?"
    assert nearest("qqq", ["a", "b"]) == "allowed are a, b"


@pytest.mark.parametrize(
    ("line", "told"),
    [("X = [[1]]", "did you mean 'inputs'?"), ("h = 1", "did you mean 'step_size'?"),
     ("learning_rate = 1", "did you mean 'step_size'?"), ("N = 3", "did you mean 'batch_size'?"),
     ("lables = [0]", "did you mean 'labels'?"), ("epochs = 2", "did you mean 'steps'?"),
     ("rtol = 1e-3", "there is none: the bounds are derived")],
)  # fmt: skip
def test_a_foreign_or_misspelt_key_is_told_what_it_is_called_here(line, told, tmp_path):
    with pytest.raises(ScenarioError, match=re.escape(told)):
        load(written(tmp_path, f"{line}\n{EXAMPLE}"))


def test_a_key_after_a_table_belongs_to_it_and_is_told_where_it_should_stand(tmp_path):
    with pytest.raises(ScenarioError, match=r"a key after \[expect\] belongs to it: put 'steps'"):
        load(written(tmp_path, EXAMPLE + '[expect]\nloss = "any"\nsteps = 3\n'))


def test_a_written_float_remembers_its_text():
    number = WrittenFloat("1e-400")
    assert number == 0
    assert number.text == "1e-400"


@pytest.mark.parametrize(
    ("line", "told"),
    [("unit = 4", "layers[0].unit: unknown key, did you mean 'units'?"),
     ("neurons = 4", "layers[0].neurons: unknown key, did you mean 'units'?"),
     ("b = [1]", "layers[0].b: unknown key, did you mean 'bias'?"),
     ("W = [[1]]", "layers[0].W: unknown key, did you mean 'weights'?"),
     ("qqq = 1", "layers[0].qqq: unknown key, allowed are units, embedding, weights, bias,"
                 " activation"),
     ("atol = 1", "layers[0].atol: unknown key, there is none: the bounds are derived"),
     ("cost = 1", "layers[0].cost: unknown key, a key after [[layers]] belongs to it: put 'cost'"
      " above the first [table]"),
     ('bias = { random = "normal", scal = 1 }',
      "layers[0].bias.scal: unknown key, did you mean 'scale'?"),
     ("bias = [[1]]", "layers[0].bias[0]: not a number ([1])")],
)  # fmt: skip
def test_a_key_of_a_layer_is_told_what_it_is_called_there(line, told, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        load(written(tmp_path, f"{EXAMPLE}[[layers]]\n{line}\n"))
    assert f"s.toml:8:{line.index('scal') + 1 if 'scal' in line else ''}" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [("layers = 3", "7:10: layers: not an array of tables (3), [[layers]] above the keys of each"),
     ("layers = []", "7:10: layers: empty ([]), at least one element"),
     ("layers = [1]", "7:11: layers[0]: not a table (1), a table of keys"),
     ("[layers]", "7:1: layers: not an array of tables ({})"),
     ("units = 3", "7:1: units: unknown key, did you mean 'classes'?"),
     ("l2 = 3", "7:1: l2: unknown key, did you mean 'weight_decay'?")],
)  # fmt: skip
def test_what_is_no_array_of_layers_is_told_what_would_be(line, told, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        load(written(tmp_path, f"{EXAMPLE}{line}\n"))
    assert told in str(caught.value)
