from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import verify
from tests.support import networks
from tests.support.problems import drawn
from verify.errors import UsageError
from verify.network.costs import COSTS
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import Problem, bits
from verify.network.updates import DESCENT
from verify.scenario.cases import cases
from verify.scenario.collection import collect
from verify.scenario.document import Document
from verify.scenario.load import load, of_text
from verify.scenario.write import explicit, home, written


def test_a_new_scenario_is_green_as_it_stands(tmp_path):
    path = written("my-scenario", tmp_path)
    assert path.name == "my-scenario.toml"
    assert 'title  = "my scenario"' in path.read_text()
    assert verify.run(path).ok


def test_a_problem_that_is_written_out_is_the_same_problem(tmp_path):
    for dtype in ("float32", "float64"):
        problem = drawn(3, dtype=dtype)
        path = written(
            f"mine-{dtype}",
            tmp_path,
            explicit(problem, 'a "title" \\ \U0001f642', "drawn", {}, steps=2),
        )
        (case,) = collect(path)
        assert case.steps == 2
        assert case.origin.title == 'a "title" \\ \U0001f642'
        for name in ("X", "W", "P", "h"):
            assert np.array_equal(getattr(case.problem, name), getattr(problem, name))
        assert verify.run(path).ok


def test_what_is_expected_is_written_where_there_is_something(tmp_path):
    made = explicit(drawn(3), "t", "s", {"loss": "any", "post_form": "blind"})
    (case, *_) = collect(written("mine", tmp_path, made))
    assert (case.expect.loss, case.expect.post_form) == ("any", "blind")
    assert "[expect]" not in explicit(drawn(3), "t", "s", {})


def test_a_new_file_goes_where_scenarios_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert home() == Path()
    (tmp_path / "scenarios").mkdir()
    assert home() == Path("scenarios")


def test_an_existing_file_is_left_alone(tmp_path):
    path = written("mine", tmp_path)
    path.write_text("something else")
    with pytest.raises(UsageError, match="exists already"):
        written("mine", tmp_path)
    assert path.read_text() == "something else"


@pytest.mark.parametrize("name", ["Mine", "mine.toml", "../mine", "", "a b"])
def test_a_name_that_no_scenario_may_have_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="not a scenario's name"):
        written(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        written("mine", tmp_path / "absent")


def in_memory(seed: int, dtype: str) -> Problem:
    """A problem of any network that a file can be of."""
    network, numbers = networks.drawn(seed, dtype, widest=5)
    operation = network.cost == "upstream"
    if operation:
        network = replace(network, weight_decay=0.0)
    P = numbers["G" if operation else "P"].copy()
    if COSTS[network.cost].labels in ("non-negative", "probabilities"):
        P[0, 0] = P[0, 0] or 1  # some label is above 0
    h = np.asarray(1, dtype)[()] if operation else numbers["h"]
    made = networks.as_problem(network, {**numbers, "P": P, "G": P, "h": h})
    return replace(made, network=replace(network, update=DESCENT)) if not network.trains else made


@given(st.integers(0, 10**6), st.sampled_from(["float32", "float64"]))
def test_any_network_that_is_written_and_read_is_the_same_bit_for_bit(
    tmp_path_factory, seed, dtype
):
    problem = in_memory(seed, dtype)
    (case,) = cases(of_text(explicit(problem, "t", "s", {}), tmp_path_factory.getbasetemp() / "s"))
    assert case.problem.network == case.network == problem.network
    assert case.problem.given.keys() == problem.given.keys()
    for name, number in problem.given.items():
        assert bits(case.problem.given[name]) == bits(number), name


def test_a_file_says_nothing_that_is_usual():
    post = explicit(drawn(3), "t", "s", {})
    assert not re.search("bias|activation|layers|cost|reduction|weight_decay|upstream", post)


def test_an_operation_without_weights_is_written_by_its_activation(tmp_path):
    network = Network((Layer("sigmoid", weights=False),), "upstream", "sum")
    one = np.float64(1)
    problem = Problem(np.array([[1.0, -0.0]]), {}, np.array([[-0.0, 2.0]]), one, network)
    text = explicit(problem, "t", "s", {"loss": "any"})
    assert text.split("\n")[2:-1] == [
        "inputs    = [[1, -0.0]]", 'activation = "sigmoid"', "upstream  = [[-0.0, 2]]",
        'dtype     = "float64"',
    ]  # fmt: skip
    (case,) = collect(written("mine", tmp_path, text))
    assert bits(case.problem.X) == bits(problem.X)
    decayed = replace(problem, network=replace(network, weight_decay=0.5))
    for other in (replace(problem, h=one / 2), decayed):
        with pytest.raises(UsageError, match="has no weight decay, and h is 1"):
            explicit(other, "t", "s", {})


def test_what_the_template_leaves_out_may_be_put_in(tmp_path):
    text = written("mine", tmp_path).read_text()
    whole = re.sub(r"^# (?=\[|\w+ *= )", "", text, flags=re.MULTILINE)
    document = tomllib.loads(whole)
    assert {"bias", "activation", "cost", "layers", "vary", "expect"} <= {*document}
    assert {*document} <= {*Document.model_fields}
    assert {*document["layers"][0]} == {"units", "weights", "activation"}
    top = re.sub(r"^# (?=(bias|activation|cost) *= )", "", text, count=3, flags=re.MULTILINE)
    network = load(written("top", tmp_path, top)).network
    assert network == Network((Layer("softmax", bias=True),), "squared-error")
