"""A pin notices one bit of a problem, and another truth."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest

from tests.support import oracle
from tests.support.texts import DRAWN, EXAMPLE, the_case, written
from verify.judge import pins
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.scenario.cases import cases
from verify.scenario.load import load

STEPS = (
    EXAMPLE.replace("[[2, 4, -2]]", "[[2, 4, -2], [1, 1, 1], [0.5, 1, 0]]").replace(
        "[0]", "[0, 1, 1]"
    )
    + "steps = 5\nbatch_size = 2\n"
)


def test_the_exact_values_are_those_of_the_second_oracle(tmp_path):
    case = the_case(tmp_path, EXAMPLE)
    pin = pins.pin_of(case)
    exact = oracle.chain(case.problem)
    assert float.fromhex(pin.C_before) == float(exact["C"])
    gradient = np.vectorize(float, otypes=[float])(exact["dC_dW"])
    assert pin.dC_dW == pins._digest([gradient])
    assert f"{float.fromhex(pin.C_before):.3g}" == "7.87"
    assert f"{float.fromhex(pin.C_after):.3g}" == "7.63"


@pytest.mark.parametrize("text", [EXAMPLE, DRAWN, STEPS])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_case_that_is_as_it_was_passes(text, dtype, tmp_path):
    case = the_case(tmp_path, text, dtype)
    result = judge(replace(case, pin=pins.pin_of(case)))
    assert result.ok
    assert result.locked


def changed_in_one_bit(array):
    bits = array.copy()
    bits.flat[-1] = np.nextafter(bits.flat[-1], np.inf, dtype=bits.dtype)
    return bits


@pytest.mark.parametrize("name", ["X", "W", "P", "h"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_bit_of_the_problem_is_noticed(name, dtype, tmp_path):
    case = the_case(tmp_path, DRAWN, dtype)
    pin = pins.pin_of(case)
    other = replace(case, pin=pin)
    problem = case.problem
    value = np.asarray(getattr(problem, name))
    changed = changed_in_one_bit(np.atleast_1d(value)).reshape(value.shape)
    other.__dict__["problem"] = problem.having(**{name: changed[()] if name == "h" else changed})
    (finding,) = judge(other).findings
    assert (finding.check, finding.verdict) == ("lock", Verdict.FAIL)
    assert "X, W, P or h are other numbers than those that were locked" in finding.message


def test_a_layout_is_no_other_number(tmp_path):
    digests = {
        pins.problem_digest(the_case(tmp_path, DRAWN + f'layout = "{layout}"\n'))
        for layout in ("C", "F", "strided")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("C_before", lambda pin: (float.fromhex(pin.C_before) * (1 + 2.0**-48)).hex()),
        ("C_after", lambda pin: (float.fromhex(pin.C_after) * (1 + 1e-6)).hex()),
        ("dC_dW", lambda pin: "0" * 64),
    ],
)
@pytest.mark.parametrize("text", [EXAMPLE, DRAWN])
def test_another_truth_than_the_locked_one_is_noticed(value, wrong, text, tmp_path):
    case = the_case(tmp_path, text)
    pin = pins.pin_of(case)
    assert judge(replace(case, pin=pin)).ok
    (finding,) = judge(replace(case, pin=pin.model_copy(update={value: wrong(pin)}))).findings
    assert finding.check == "lock"
    assert value in finding.message


def test_C_after_is_that_of_exact_steps_over_the_batches(tmp_path):
    case = the_case(tmp_path, STEPS)

    def exactly(array):
        return np.vectorize(lambda v: Decimal(float(v)), otypes=[object])(array)

    def each(function, array):
        return np.vectorize(function, otypes=[object])(array)

    with localcontext(prec=60):
        W = exactly(case.problem.W)
        for t in range(5):
            X, P = (exactly(a) for a in (case.batches[t % 2].X, case.batches[t % 2].P))
            minus_sigma = each(lambda y: -1 / (1 + y.exp()), X @ W)
            W = W - Decimal(float(case.problem.h)) * (X.T @ (P * minus_sigma)) / len(X)
        X, P = (exactly(a) for a in (case.problem.X, case.problem.P))
        C = (P * each(lambda y: (1 + (-y).exp()).ln(), X @ W)).sum() / len(X)
    assert float.fromhex(pins.pin_of(case).C_after) == float(C)


def test_of_a_case_larger_than_memory_the_numbers_are_pinned_and_no_truth(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.scenario.cases.HELD", 0)
    rng = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", rng.normal(size=(9, 3)))
    np.save(tmp_path / "P.npy", rng.integers(0, 2, 9))
    text = EXAMPLE.replace("[[2, 4, -2]]", '{ file = "X.npy" }')
    text = text.replace("[0]", '{ file = "P.npy" }') + 'dtype = "float64"\n'
    case = the_case(tmp_path, text)
    assert case.large
    pin = pins.pin_of(case)
    assert (pin.C_before, pin.C_after, pin.dC_dW) == (None, None, None)
    assert pin.problem == pins.problem_digest(case)


def test_what_is_too_much_work_is_not_pinned(tmp_path, monkeypatch):
    monkeypatch.setattr(pins, "LOCK_BUDGET", 100)
    pin = pins.pin_of(the_case(tmp_path, DRAWN))
    assert (pin.C_before, pin.C_after, pin.dC_dW) == (None, None, None)
    assert pin.problem


@pytest.mark.parametrize("value", ["C_before", "C_after", "dC_dW"])
def test_a_pin_may_not_be_emptied(value, tmp_path):
    case = the_case(tmp_path, STEPS)
    emptied = pins.pin_of(case).model_copy(update={value: None})
    result = judge(replace(case, pin=emptied))
    assert result.verdict is Verdict.FAIL
    assert result.findings[0].message.startswith(f"{value} was locked, and is null now")


def test_a_value_that_was_too_much_work_is_null_and_fine(tmp_path, monkeypatch):
    case = the_case(tmp_path, STEPS)
    monkeypatch.setattr(pins, "LOCK_BUDGET", 10)
    pin = pins.pin_of(case)
    assert (pin.C_before, pin.C_after, pin.dC_dW) == (None, None, None)
    assert judge(replace(case, pin=pin)).ok


def test_an_entry_is_the_file_with_a_pin_for_every_case(tmp_path):
    scenario = load(written(tmp_path, EXAMPLE))
    entry, case = pins.entry(scenario), cases(scenario)[1]
    assert (entry.content, entry.count) == (case.origin.digest, 2)
    assert entry.cases[case.name] == pins.pin_of(case)
