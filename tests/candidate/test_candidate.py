"""Strangers' implementations, from a name to a verdict: right ones pass everywhere."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
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
from verify.judge.causes import causes
from verify.judge.result import Verdict
from verify.network.problem import Chain

EXAMPLES = Path(__file__).parents[1] / "examples"
SCENARIOS = Path(__file__).parents[2] / "scenarios"

GRADIENTS = {"dC_dW1", "dC_db1", "dC_dW2", "dC_db2"}


@dataclass(frozen=True)
class Program:
    """An example in another language: its file, what runs it, and what that needs."""

    file: str
    run: str
    needs: tuple[str, ...]

    def made(self, folder, *mistake):
        """The command that runs it, with a mistake in it: one text in place of another."""
        for tool in self.needs:
            if shutil.which(tool) is None:
                pytest.skip(f"no {tool} here")
        text = (EXAMPLES / self.file).read_text()
        if mistake:
            assert mistake[0] in text
            text = text.replace(*mistake)
        source = folder / self.file
        source.write_text(text)
        if source.suffix == ".c":
            command = ["cc", "-O2", "-Wall", "-Werror", source, "-o", folder / "in_c", "-lm"]
            subprocess.run(command, check=True)
        return self.run.format(folder=folder)


IN_C = Program("in_c.c", "{folder}/in_c", ("cc",))
IN_JAVASCRIPT = Program("in_javascript.js", "node {folder}/in_javascript.js", ("node",))
IN_SHELL = Program("in_shell.sh", "sh {folder}/in_shell.sh", ("sh", "jq", "awk"))
PROGRAMS = (IN_C, IN_JAVASCRIPT, IN_SHELL)


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
    assert judged_where_it_is_of_the_network(f"{EXAMPLES}/{spec}", SMALL, arrays=arrays) > 90


SMALL = (
    "not (large or middle or digits or batch_size=4096 or batch_size=10 or steps or batch-sizes or"
    " step-sizes or iris-batches or seed=1 or seed=2)"
)


TINY = "edges or far or worked or labels or rows or side or inputs"


def judged_where_it_is_of_the_network(spec, keyword="", **asked):
    """How many cases are judged, all of them right."""
    report = verify.run(SCENARIOS, candidate=spec, keyword=keyword, **asked)
    other = [r for r in report.results if r.verdict is Verdict.NOT_RUN]
    assert all("another network" in f.message for r in other for f in r.findings)
    assert [r.id for r in report.results if not r.ok and r not in other] == []
    assert "planted faults fail" in report.proof
    return report.counts["judged"]


def test_a_right_implementation_passes_over_many_mini_batches():
    report = verify.run(
        SCENARIOS / "iris-batches.toml", candidate=with_numpy.gradient,
        keyword="seed=0 and float32",
    )  # fmt: skip
    assert report.ok
    assert report.counts["judged"] == 1


@pytest.mark.process
@pytest.mark.parametrize(
    ("program", "keyword", "least"),
    [(IN_C, SMALL, 100), (IN_JAVASCRIPT, SMALL, 100), (IN_SHELL, TINY, 40)],
    ids=[program.file for program in PROGRAMS],
)
def test_a_right_program_passes_every_small_scenario(program, keyword, least, tmp_path):
    assert judged_where_it_is_of_the_network(program.made(tmp_path), keyword) > least


@pytest.mark.campaign
@pytest.mark.process
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.file)
def test_a_right_program_passes_all_scenarios_that_it_is_of(program, tmp_path):
    slow = "not (large or middle or digits or batch-sizes or wine)" if program is IN_SHELL else ""
    assert judged_where_it_is_of_the_network(program.made(tmp_path), slow) > 200


def without_mean(X, W, P):
    """What the examples compute, but for 1/N."""
    y = X @ W
    dC_dy = -P / (1 + np.exp(y))
    return {"y": y, "dC_dy": dC_dy, "dC_dW": X.T @ dC_dy}


@pytest.mark.process
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.file)
def test_a_mistake_has_the_diagnosis_that_it_has_in_python(program, tmp_path):
    path = written(tmp_path, DRAWN)
    right = verify.run(path, candidate=without_mean)
    mean = ") / N, P" if program is IN_JAVASCRIPT else ") / N"
    report = verify.run(path, candidate=program.made(tmp_path, mean, mean.replace(" / N", "")))
    assert told(report) == told(right)
    assert told(report)[0].endswith("1/N missing")


def told(report):
    """What is said of the first cause, and of each case."""
    (cause,) = causes(report.results)
    return cause.text, len(cause.results), [r.first_broken_link for r in report.results]


@pytest.mark.process
@pytest.mark.parametrize("program", [IN_C, IN_JAVASCRIPT], ids=lambda program: program.file)
def test_two_layers_in_another_language_pass_and_a_slope_left_out_is_named(program, tmp_path):
    report = of_two_layers(tmp_path, candidate=program.made(tmp_path))
    assert report.ok
    for result in report.results:
        assert links_of_the_candidate(result) >= GRADIENTS | {
            "y1",
            "y_o1",
            "y2",
            "dC_dy2",
            "dC_dy1",
        }
    slope = {IN_C: " * (1 - y_o1[n][h] * y_o1[n][h])", IN_JAVASCRIPT: " * (1 - y_o * y_o)"}[program]
    wrong = of_two_layers(tmp_path, candidate=program.made(tmp_path, slope, ""))
    assert {r.first_broken_link for r in wrong.results} == {"dC_dy1"}


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
@pytest.mark.parametrize("name", ["absent.py:f", "absent_module:f", f"{EXAMPLES}/with_numpy.py:no"])
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
