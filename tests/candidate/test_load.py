"""A name becomes a function, or a reason why not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import with_torch

from tests.support.problems import drawn
from verify.candidate.arguments import Misuse
from verify.candidate.load import adapted, loaded
from verify.network import manual


def given(X=0, W=1, P=2, h=3) -> dict:
    return {"X": X, "W": W, "P": P, "h": h}


def of(problem) -> dict:
    return given(problem.X, problem.W, problem.P, problem.h)


def test_a_function_is_loaded_by_module_or_by_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class A:\n    @staticmethod\n    def f(X, W, P, h): return W + 0\n"
    )
    assert loaded(f"{tmp_path / 'mine.py'}:A.f").call(given()) == 1
    assert loaded("with_numpy:gradient").raw.__name__ == "gradient"


def test_a_file_finds_its_neighbours_and_its_own_module(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "neighbour_of_mine.py").write_text("factor = 3\n")
    (tmp_path / "own_module.py").write_text(
        "import pickle\nfrom neighbour_of_mine import factor\n"
        "class Kept: pass\n"
        "def f(X, W, P, h): pickle.dumps(Kept()); return factor * W\n"
    )
    assert loaded(f"{tmp_path / 'own_module.py'}:f").call(given()) == 3


def test_a_module_is_looked_for_where_the_command_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(Path.cwd()))])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "module_of_here.py").write_text("def f(X, W, P, h): return W\n")
    assert loaded("module_of_here:f").call(given()) == 1


@pytest.mark.parametrize(
    ("spec", "error"),
    [("mine", ValueError), ("mine:", ValueError), ("absent_module:f", ImportError),
     ("absent.py:f", ImportError), ("verify.network.manual:absent", AttributeError),
     ("verify.network.manual:FORMS", Misuse)],
)  # fmt: skip
def test_a_name_that_names_nothing_is_refused(spec, error):
    with pytest.raises(error):
        loaded(spec)


def test_unknown_arrays_are_refused():
    with pytest.raises(ValueError, match="numpy, torch or jax"):
        adapted(print, "cupy")


@pytest.mark.parametrize("function", [with_torch.cost, with_torch.CrossEntropy])
def test_a_torch_cost_becomes_its_value_and_its_own_gradient(function):
    problem = drawn(1)
    found = adapted(function, "torch").call(of(problem))
    right = manual.stable_form(problem)
    np.testing.assert_allclose(found["C"].detach(), right.C, rtol=1e-13)
    np.testing.assert_allclose(found["dC_dW"], right.dC_dW, rtol=1e-12)


def test_a_torch_gradient_is_passed_on():
    problem = drawn(1)
    found = adapted(with_torch.gradient, "torch").call(of(problem))
    np.testing.assert_allclose(found, manual.stable_form(problem).dC_dW, rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "taken"),
    [
        (lambda X, W, P, h: (X, W, P, h), (0, 1, 2, 3)),
        (lambda X, W, P: (X, W, P), (0, 1, 2)),
        (lambda W, h, P, X: (W, h, P, X), (1, 3, 2, 0)),
        (lambda X, W, P, *, h=9: (X, W, P, h), (0, 1, 2, 3)),
        (lambda X, W, P, h=9: (X, W, P, h), (0, 1, 2, 3)),
        (lambda X, W, P, verbose=False: (X, W, P, verbose), (0, 1, 2, False)),
        (lambda X, W, P, **options: (X, W, P, options), (0, 1, 2, {})),
        (lambda inputs, weights, labels, rate: (inputs, weights, labels, rate), (0, 1, 2, 3)),
        (lambda inputs, weights, labels: (inputs, weights, labels), (0, 1, 2)),
        (lambda *arrays: arrays, (0, 1, 2, 3)),
    ],
)
def test_a_function_is_called_by_its_names_or_in_order(function, taken):
    assert adapted(function).call(given()) == taken


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda W, X, y: 0, r"it takes \(W, X, y\).* in this order or by these names"),
        (lambda X, P, W, rate: 0, r"it takes \(X, P, W, rate\).* in this order"),
        (lambda X, W, b, P, h: 0, r"This network has no bias b: y = X W"),
        (lambda x, w, b1, w2, b2, p: 0, r"no bias b1"),
        (lambda X, W: 0, r"it takes \(X, W\); a candidate takes \(X, W, P, h\) or"),
        (lambda a, b, c, d, e: 0, r"it takes \(a, b, c, d, e\)"),
        (lambda a, b, c, *, d: 0, r"it takes \(a, b, c, d\)"),
        ({}, "dict cannot be called"),
        (with_torch.CrossEntropy, "add --candidate-arrays torch"),
        (torch.nn.Linear(2, 2), "a torch.nn.Module has weights of its own"),
        (torch.nn.Linear, "a torch.nn.Module has weights of its own"),
        (dict, "dict is a class; give a function, or an instance to call"),
    ],
)
def test_what_can_be_no_candidate_is_told_with_what_would_do(function, told):
    with pytest.raises(Misuse, match=told):
        adapted(function).call(given())


def test_other_gradients_of_the_same_graph_are_those_of_the_right_chain():
    problem = drawn(1)
    right = manual.stable_form(problem)
    found = adapted(with_torch.cost, "torch").backward(of(problem))
    assert set(found) == {
        "scaled dC_dW", "second dC_dW", "alone dC_dW", "dC_dX", "dC_dP", "upstream",
    }  # fmt: skip
    np.testing.assert_allclose(found["scaled dC_dW"], -0.3 * right.dC_dW, rtol=1e-12)
    np.testing.assert_allclose(found["second dC_dW"], right.dC_dW, rtol=1e-12)
    np.testing.assert_allclose(found["dC_dX"], -0.3 * right.dC_dy @ problem.W.T, rtol=1e-12)
    np.testing.assert_allclose(found["dC_dP"], 0.3 * np.log(right.y_o) / 6, rtol=1e-12)
    assert found["upstream"] == -0.3


def test_a_function_that_gives_no_gradient_by_inputs_or_labels_is_not_asked_for_it():
    found = adapted(with_torch.CrossEntropy, "torch").backward(of(drawn(1)))
    assert set(found) == {"scaled dC_dW", "second dC_dW", "alone dC_dW", "upstream"}


def test_what_returns_no_cost_has_no_other_gradients():
    assert adapted(with_torch.gradient, "torch").backward(of(drawn(1))) == {}
    assert adapted(lambda X, W, P: W).backward is None


def test_a_torch_function_works_on_the_very_memory_of_its_arrays():
    """So that what it changes in place, and strides that it ignores, can be seen."""
    problem = drawn(1)

    def changing(X, W, P):
        X.mul_(0)
        return W.detach() * 1

    adapted(changing, "torch").call(of(problem))
    assert not problem.X.any()


def test_a_jax_cost_has_the_same_other_gradients():
    jax = pytest.importorskip("jax")
    problem = drawn(1)
    right = manual.stable_form(problem)
    cost = adapted(lambda X, W, P: (P * jax.nn.softplus(-(X @ W))).sum() / len(X), "jax")
    np.testing.assert_allclose(cost.call(of(problem))["dC_dW"], right.dC_dW, rtol=1e-12)
    found = cost.backward(of(problem))
    np.testing.assert_allclose(found["scaled dC_dW"], -0.3 * right.dC_dW, rtol=1e-12)
    np.testing.assert_allclose(found["dC_dX"], -0.3 * right.dC_dy @ problem.W.T, rtol=1e-12)
    np.testing.assert_allclose(found["dC_dP"], 0.3 * np.log(right.y_o) / 6, rtol=1e-12)
