"""Other people's checks, used as they are meant to be: they see what they look at."""

from __future__ import annotations

import sys

import pytest

from tests.support.problems import drawn
from verify.experiments import peers
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS

ALL = {**peers.CHECKS, **peers.OPTIONAL}


@pytest.mark.parametrize("check", ALL)
def test_a_right_function_is_not_noticed(check):
    assert not peers.notices(ALL[check], with_formulas()(), drawn(1))


@pytest.mark.parametrize("check", peers.OPTIONAL)
def test_an_optional_check_sees_a_wrong_gradient_and_nothing_else(check):
    for fault, seen in (("gradient-sign", True), ("gradient-flattened", True), ("cost-sign", False),
                        ("gradient-a-trillionth-off", False)):  # fmt: skip
        assert peers.notices(ALL[check], FAULTS[fault].make(), drawn(1)) == seen, fault


SEES = {
    ("assert_close against the twin", "gradient-doubled"): True,
    ("assert_close against the twin", "gradient-a-trillionth-off"): False,
    ("assert_allclose against the twin", "gradient-a-millionth-off"): True,
    ("assert_allclose against the twin", "one-ulp"): False,
    ("gradcheck, slow", "gradient-doubled"): True,
    ("gradcheck, slow", "cost-sign"): False,
    ("gradcheck, fast", "gradient-sign"): True,
    ("gradcheck, fast", "weights-changed"): True,
    ("the loss fell", "update-uphill"): True,
    ("the loss fell", "gradient-doubled"): False,
    ("the loss fell", "cached-by-identity"): False,
}


@pytest.mark.parametrize(("check", "fault"), SEES)
def test_a_check_sees_what_it_looks_at_and_no_more(check, fault):
    seen = peers.notices(peers.CHECKS[check], FAULTS[fault].make(), drawn(1))
    assert seen == SEES[check, fault]


def test_gradcheck_is_used_where_it_explains_itself_in_another_way(monkeypatch):
    peers.notices(ALL["gradcheck, fast"], with_formulas()(), drawn(1))  # torch is there
    module = sys.modules["torch.autograd.gradcheck"]
    monkeypatch.delattr(module, "_run_slow_mode_and_get_error")
    for fault, seen in ((with_formulas()(), False), (FAULTS["gradient-sign"].make(), True)):
        assert peers.notices(ALL["gradcheck, fast"], fault, drawn(1)) == seen


def test_gradcheck_does_not_judge_float32():
    problem = drawn(1, dtype="float32")
    assert not peers.notices(
        peers.CHECKS["gradcheck, slow"], FAULTS["gradient-zero"].make(), problem
    )
