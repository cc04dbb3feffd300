"""verify gradcheck: functions by name, inputs by shape or file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from verify.cli import cli
from verify.errors import UsageError

_LAB = """
import numpy as np

def gathered(ids, W):
    return np.tanh(W[ids])

def right(G, ids, W):
    dW = np.zeros_like(W)
    np.add.at(dW, ids, G * (1 - np.tanh(W[ids]) ** 2))
    return None, dW

def wrong(G, ids, W):
    dW = np.zeros_like(W)
    dW[ids] = G * (1 - np.tanh(W[ids]) ** 2)
    return None, dW

def square(x):
    return x * x

def moved(V, x):
    return 2 * x * V

number = 3
"""


@pytest.fixture
def lab(tmp_path):
    file = tmp_path / "lab_of_gradcheck.py"
    file.write_text(_LAB)
    return str(file)


def _run(*args):
    return CliRunner().invoke(cli, ["gradcheck", *args], catch_exceptions=True)


def test_a_right_backward_pass_passes_with_what_is_noticed(lab) -> None:
    found = _run(f"{lab}:gathered", f"{lab}:right", "--input", "ids=9:4", "--input", "W=4x3")
    assert found.exit_code == 0, found.output
    first, line, *rest = found.output.splitlines()
    assert first == "PASS  right  (lab_of_gradcheck.py:7, float64)"
    assert line.startswith("  dC_dW  error/bound 0.")
    assert "sees" in line
    assert rest == []


def test_a_wrong_one_is_told_in_eighty_columns(lab) -> None:
    found = _run(f"{lab}:gathered", f"{lab}:wrong", "--input", "ids=9:4", "--input", "W=4x3")
    assert found.exit_code == 1
    assert found.output.startswith("FAIL  wrong  (lab_of_gradcheck.py:12, float64)")
    assert "formula: dC_dW differs from the derivative of forward by" in found.output
    assert all(len(line) <= 80 for line in found.output.splitlines())


def test_inputs_come_from_files_and_the_result_goes_to_one(lab, tmp_path) -> None:
    np.save(tmp_path / "x.npy", np.array([1.0, 2.0], np.float32))
    np.save(tmp_path / "g.npy", np.array([0.5, 4.0], np.float32))
    found = _run(f"{lab}:square", f"{lab}:moved", "--input", f"x={tmp_path / 'x.npy'}",
                 "--upstream", str(tmp_path / "g.npy"), "--json", "-")  # fmt: skip
    told = json.loads(found.stdout)
    assert (found.exit_code, told["verdict"], told["dtype"]) == (0, "PASS", "float32")
    assert told["links"] == ["dC_dx"]


def test_a_forward_mode_derivative(lab) -> None:
    assert _run(f"{lab}:square", f"{lab}:moved", "--input", "x=3", "--jvp").exit_code == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["{lab}:none", "{lab}:right", "--input", "x=3"], "has no attribute 'none'"),
        (["{lab}", "{lab}:right", "--input", "x=3"], "is not package.module:attribute"),
        (["{lab}:number", "{lab}:right", "--input", "x=3"], "is a int; give a function"),
        (["{lab}:square", "{lab}:moved"], "name every input"),
        (["{lab}:square", "{lab}:moved", "--input", "x=4y3"], "NAME=4x3"),
        (["{lab}:square", "{lab}:moved", "--input", "4x3"], "NAME=4x3"),
        (["{lab}:square", "{lab}:moved", "--input", "x=none.npy"], "none.npy"),
    ],
)
def test_what_cannot_be_checked_is_told(lab, args, told) -> None:
    error = _run(*(a.format(lab=lab) for a in args)).exception
    assert isinstance(error, UsageError)
    assert told in str(error)
