"""A name becomes a function, or a reason why not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import with_torch
from problems import drawn

from verify import manual
from verify.loading import adapted, loaded


def test_a_function_is_loaded_by_module_or_by_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class A:\n    @staticmethod\n    def f(X, W, P, h): return W + 0\n"
    )
    assert loaded(f"{tmp_path / 'mine.py'}:A.f")(0, 1, 2, 3) == 1
    assert loaded("verify.manual:post_form").__name__ == "post_form"


def test_a_file_finds_its_neighbours_and_its_own_module(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "neighbour_of_mine.py").write_text("factor = 3\n")
    (tmp_path / "own_module.py").write_text(
        "import pickle\nfrom neighbour_of_mine import factor\n"
        "class Kept: pass\n"
        "def f(X, W, P, h): pickle.dumps(Kept()); return factor * W\n"
    )
    assert loaded(f"{tmp_path / 'own_module.py'}:f")(0, 1, 2, 3) == 3


def test_a_module_is_looked_for_where_the_command_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(Path.cwd()))])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "module_of_here.py").write_text("def f(X, W, P, h): return W\n")
    assert loaded("module_of_here:f")(0, 1, 2, 3) == 1


@pytest.mark.parametrize(
    ("spec", "error"),
    [("mine", ValueError), ("mine:", ValueError), ("absent_module:f", ImportError),
     ("absent.py:f", ImportError), ("verify.manual:absent", AttributeError),
     ("verify.manual:FORMS", TypeError)],
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
    found = adapted(function, "torch")(problem.X, problem.W, problem.P)
    right = manual.stable_form(problem)
    np.testing.assert_allclose(found["C"].detach(), right.C, rtol=1e-13)
    np.testing.assert_allclose(found["dC_dW"], right.dC_dW, rtol=1e-12)


def test_a_torch_gradient_is_passed_on():
    problem = drawn(1)
    found = adapted(with_torch.gradient, "torch")(problem.X, problem.W, problem.P)
    np.testing.assert_allclose(found, manual.stable_form(problem).dC_dW, rtol=1e-12)
