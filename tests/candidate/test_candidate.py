"""Strangers' implementations, from a name to a verdict: right ones pass everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import two_layers
import two_layers_in_torch
import with_numpy
import with_torch

import verify
from tests.support.problems import drawn
from tests.support.texts import DRAWN, TWO_LAYERS, written
from verify.candidate.candidate import candidate, updated
from verify.errors import CandidateError
from verify.judge.result import Verdict
from verify.network.problem import Chain

EXAMPLES = Path(__file__).parents[1] / "examples"
SCENARIOS = Path(__file__).parents[2] / "scenarios"

GRADIENTS = {"dC_dW1", "dC_db1", "dC_dW2", "dC_db2"}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The example in C, compiled."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    made = tmp_path_factory.mktemp("c") / "gradient.so"
    source = EXAMPLES / "in_c.c"
    command = ["cc", "-O2", "-shared", "-fPIC", str(source), "-o", str(made), "-lm"]
    subprocess.run(command, check=True)
    os.environ["VERIFY_EXAMPLE_LIBRARY"] = str(made)
    yield made
    del os.environ["VERIFY_EXAMPLE_LIBRARY"]


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """The example of two layers in C, compiled for both dtypes."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    folder = tmp_path_factory.mktemp("c")
    for dtype, real in (("float64", "double"), ("float32", "float")):
        made = folder / f"two_layers_{dtype}.so"
        command = ["cc", "-O2", "-shared", "-fPIC", f"-Dreal={real}", EXAMPLES / "two_layers.c"]
        subprocess.run([*command, "-o", made, "-lm"], check=True)
    os.environ["VERIFY_EXAMPLE_LIBRARIES"] = str(folder)
    yield folder
    del os.environ["VERIFY_EXAMPLE_LIBRARIES"]


def of_two_layers(folder, text=TWO_LAYERS, **asked):
    """What is found of a candidate, in float32 and in float64."""
    report = verify.run(written(folder, text), **asked)
    assert [r.dtype for r in report.results] == ["float32", "float64"]
    return report


def links_of_the_candidate(result):
    return {f.link for f in result.figures if f.subject.startswith("candidate")}


@pytest.mark.process
@pytest.mark.parametrize(
    ("spec", "arrays"),
    [
        ("with_numpy.py:gradient", "numpy"),
        ("with_numpy.py:chain", "numpy"),
        ("with_loops.py:gradient", "numpy"),
        ("with_torch.py:CrossEntropy", "torch"),
        ("with_torch.py:cost", "torch"),
        ("with_torch.py:gradient", "torch"),
    ],
)
def test_a_right_implementation_passes_every_small_scenario(spec, arrays):
    report = verify.run(
        SCENARIOS, candidate=f"{EXAMPLES}/{spec}", arrays=arrays,
        keyword="not (large or middle or digits or batch_size=4096 or batch_size=10 or steps"
        " or batch-sizes or step-sizes or seed=1 or seed=2)",
    )  # fmt: skip
    other = [r for r in report.results if r.verdict is Verdict.NOT_RUN]
    assert all("another network" in f.message for r in other for f in r.findings)
    assert [r.id for r in report.results if not r.ok and r not in other] == []
    assert report.counts["judged"] > 90
    assert "planted faults fail" in report.proof


@pytest.mark.process
def test_a_right_implementation_in_c_passes(library):
    report = verify.run(
        [SCENARIOS / f"{name}.toml" for name in ("distinct-sizes", "both-edges", "layouts")],
        candidate=f"{EXAMPLES / 'with_c.py'}:gradient",
    )
    assert report.ok


@pytest.mark.process
@pytest.mark.parametrize(
    ("spec", "arrays"),
    [("two_layers.py:gradient", "numpy"), ("two_layers_in_torch.py:cost", "torch")],
)
def test_two_layers_in_lists_and_in_torch_pass(spec, arrays, tmp_path):
    report = of_two_layers(tmp_path, candidate=f"{EXAMPLES}/{spec}", arrays=arrays)
    assert report.ok
    for result in report.results:
        assert links_of_the_candidate(result) >= GRADIENTS


@pytest.mark.process
def test_two_layers_in_c_pass(libraries, tmp_path):
    report = of_two_layers(tmp_path, candidate=f"{EXAMPLES}/two_layers_in_c.py:gradient")
    assert report.ok
    for result in report.results:
        assert links_of_the_candidate(result) >= GRADIENTS | {"C"}


def test_weights_that_are_not_transposed_are_named_where_they_are_square(tmp_path):
    square = TWO_LAYERS.replace("units = 5", "units = 3")
    assert of_two_layers(tmp_path, square, candidate=two_layers.gradient).ok
    report = of_two_layers(tmp_path, square, candidate=two_layers.without_transposing)
    assert {r.first_broken_link for r in report.results} == {"dC_dy_o1"}


def test_weights_that_are_not_transposed_are_an_error_of_shape_elsewhere(tmp_path):
    report = of_two_layers(tmp_path, candidate=two_layers.without_transposing)
    for result in report.results:
        assert any("zip() argument 2 is longer" in f.message for f in result.findings)


def test_a_cost_of_two_layers_without_its_mean_is_named(tmp_path):
    def summed(X, W1, b1, W2, b2, P):
        return two_layers_in_torch.cost(X, W1, b1, W2, b2, P) * len(X)

    report = of_two_layers(tmp_path, candidate=summed, arrays="torch")
    assert {r.first_broken_link for r in report.results} == {"C"}


@pytest.mark.process
def test_a_wrong_autograd_function_is_named_and_diagnosed(tmp_path):
    path = written(tmp_path, DRAWN)
    report = verify.run(path, candidate=with_torch.WithoutMean, arrays="torch")
    for result in report.results:
        assert result.first_broken_link == "dC_dW"


def test_a_function_runs_in_this_process_under_its_own_name(tmp_path):
    report = verify.run(written(tmp_path, DRAWN), candidate=with_numpy.gradient)
    assert report.ok
    assert report.candidate == "gradient"
    assert {f.subject for r in report.results for f in r.figures} >= {"candidate gradient"}


def test_manual_and_twin_are_judged_beside_the_candidate(tmp_path):
    report = verify.run(written(tmp_path, DRAWN), candidate=lambda X, W, P, h: W * 0)
    subjects = {f.subject for r in report.results for f in r.figures}
    assert {"manual.post_form", "twin.stable_form", "candidate <lambda>"} <= subjects
    assert {r.first_broken_link for r in report.results} == {"dC_dW"}


@pytest.mark.process
@pytest.mark.parametrize(
    "name", ["absent.py:f", "absent_module:f", "nothing", f"{EXAMPLES}/with_numpy.py:no"]
)
def test_a_candidate_that_cannot_be_loaded_is_an_error_before_anything_is_judged(name, tmp_path):
    with pytest.raises(CandidateError, match="cannot be loaded"):
        verify.run(written(tmp_path, DRAWN), candidate=name)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(CandidateError, match="dict cannot be called"):
        candidate({})


def test_gamma_and_beta_are_given_by_name_and_answered_in_the_order_of_the_parameters(tmp_path):
    text = (
        DRAWN.replace('"soft"', '"normal"')
        + """
activation = "layer-norm"
gamma = { random = "normal" }
beta = { random = "normal" }
cost = "squared-error"
expect.loss = "any"
"""
    )

    def gradients(X, P, W, beta, gamma):
        y = X @ W
        c = y - y.mean(-1, keepdims=True)
        s = np.sqrt((c * c).mean(-1, keepdims=True) + y.dtype.type(1e-5))
        x = c / s
        g = 2 * (gamma * x + beta - P) / len(X)
        by_x = gamma * g
        inner = by_x - by_x.mean(-1, keepdims=True) - x * (by_x * x).mean(-1, keepdims=True)
        return X.T @ (inner / s), (g * x).sum(0), g.sum(0)

    def swapped(X, P, W, beta, gamma):
        by_W, by_gamma, by_beta = gradients(X, P, W, beta, gamma)
        return by_W, by_beta, by_gamma

    path = written(tmp_path, text)
    assert verify.run(path, candidate=gradients).ok
    assert not verify.run(path, candidate=swapped).ok


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda X, W, P, h: {"dW": W}, "unknown link 'dW'"),
        (lambda X, W, P, h: (0.5, W), "it returns a tuple of 2"),
        (lambda X, W, b, P, h: W, "no bias b"),
        (lambda X, W, P: (X @ W).sum(), "it returns a single number; return dC_dW, or"),
        (lambda X, W, P: W.no_such_method(), ""),
    ],
)
def test_what_can_be_no_candidate_is_told_once_before_anything_is_judged(function, told, tmp_path):
    path = written(tmp_path, DRAWN)
    if told:
        with pytest.raises(CandidateError, match=told):
            verify.run(path, candidate=function)
    else:  # an exception is a failure of each case
        assert verify.run(path, candidate=function).exit_code == 1


def test_the_update_is_made_where_only_the_gradient_is_given():
    problem = drawn(1)
    g = np.ones_like(problem.W)
    assert np.array_equal(updated(Chain(dC_dW=g), problem).W_next, problem.W - 0.125)
    own = updated(Chain(dC_dW=g, W_next=problem.W), problem)
    assert own.W_next is problem.W


def test_jax_functions_pass_where_jax_is_installed(tmp_path):
    jax = pytest.importorskip("jax")

    def cost(X, W, P):
        return (P * jax.nn.softplus(-(X @ W))).sum() / len(X)

    assert verify.run(written(tmp_path, DRAWN), candidate=cost, arrays="jax").ok
