"""A case that could notice nothing, or whose post form is not as declared, is not green."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.texts import EXAMPLE, the_case, the_cases
from verify.judge.compare import Subject
from verify.judge.evidence import evidence
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.network.problem import Chain


def test_a_case_that_could_notice_nothing_is_not_green(tmp_path):
    text = EXAMPLE.replace("[[2, 4, -2]]", "[[0, 0, 0]]")
    result = judge(the_case(tmp_path, text))
    assert result.verdict is Verdict.CANNOT_JUDGE
    assert "resolution" in {f.check for f in result.findings}


SATURATED = """
title = "saturated"
inputs = [[1, 0], [0, 1]]
weights = [[{y}, 1], [2, {y}]]
labels = [0, 1]
step_size = {h}
dtype = "float32"
"""


@pytest.mark.parametrize(
    ("y", "h", "truth"), [(-2, 1, "agrees"), (-89, 1, "nonfinite"), (20, 1e6, "blind")]
)
@pytest.mark.parametrize("declared", ["agrees", "nonfinite", "blind"])
def test_the_post_form_is_as_declared_or_the_case_is_not_green(y, h, truth, declared, tmp_path):
    text = SATURATED.format(y=y, h=h) + f'[expect]\npost_form = "{declared}"\n'
    (case,) = the_cases(tmp_path, text)
    result = judge(case)
    assert result.ok == (declared == truth)
    if not result.ok:
        assert "post_form" in {f.check for f in result.findings}


def test_numpy_warns_of_nothing_where_a_form_breaks(tmp_path):
    text = SATURATED.format(y=-89, h=1) + '[expect]\npost_form = "nonfinite"\n'
    with np.errstate(all="raise"):
        assert judge(the_case(tmp_path, text, "float32")).ok


@pytest.mark.parametrize(
    ("C", "dC_dW", "told"),
    [(1.0, 1.0, True), (np.inf, 1.0, False), (1.0, np.nan, False), (np.nan, np.inf, False)],
)
def test_a_form_is_not_finite_where_its_cost_or_its_gradient_is_not(
    C, dC_dW, told, tmp_path, monkeypatch
):
    """Either is enough: nonfinite is denied where both are finite alone."""
    text = SATURATED.format(y=-89, h=1) + '[expect]\npost_form = "nonfinite"\n'
    case = the_case(tmp_path, text, "float32")
    chain = Chain(C=np.float32(C), dC_dW=np.full((2, 2), dC_dW, np.float32))
    stand_in = Subject("manual.post_form", lambda problem: chain, "post")
    monkeypatch.setattr("verify.judge.evidence.both_sides", lambda *_: [stand_in])
    found = [f.message for f in evidence(case, False, 1e-9, np.nan)]
    assert bool(found) == told
    assert not told or "C and dC_dW are finite" in found[0]


@pytest.mark.parametrize(("sees", "blind"), [(0.0100001, True), (0.01, False), (np.inf, True)])
def test_one_percent_is_the_least_that_a_case_must_notice(sees, blind, tmp_path):
    found = list(evidence(the_case(tmp_path, EXAMPLE), True, sees, 1e-9))
    assert bool(found) == blind
