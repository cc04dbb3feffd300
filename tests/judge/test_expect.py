"""A case that could notice nothing, or whose post form is not as declared, is not green."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.texts import EXAMPLE, the_case, the_cases
from verify.judge.compare import Subject
from verify.judge.expect import evidence, expectations
from verify.judge.judge import judge
from verify.judge.parts import Loss
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
    monkeypatch.setattr("verify.judge.expect.both_sides", lambda *_: [stand_in])
    found = [f.message for f in evidence(case, False, 1e-9, np.nan)]
    assert bool(found) == told
    assert not told or "C and dC_dW are finite" in found[0]


@pytest.mark.parametrize(("sees", "blind"), [(0.0100001, True), (0.01, False), (np.inf, True)])
def test_one_percent_is_the_least_that_a_case_must_notice(sees, blind, tmp_path):
    found = list(evidence(the_case(tmp_path, EXAMPLE), True, sees, 1e-9))
    assert bool(found) == blind


FIGURES = {
    ("7.87", "7.63"): Verdict.PASS,
    ("7.9", "7.6"): Verdict.PASS,
    ("8", "8"): Verdict.PASS,
    ("7.870382", "7.630577"): Verdict.PASS,
    ("7.88", "7.63"): Verdict.FAIL,
    ("7.870", "7.64"): Verdict.FAIL,
    ("7.87", "5.475"): Verdict.FAIL,
    ("15.74", "7.63"): Verdict.FAIL,
    ("7.87038196140565541", "7.63"): Verdict.CANNOT_JUDGE,
    ("7.87", "7.630577151706777528"): Verdict.CANNOT_JUDGE,
}


@pytest.mark.parametrize("figures", FIGURES, ids="-".join)
def test_a_printed_figure_means_half_a_unit_of_its_last_digit(figures, tmp_path):
    before, after = figures
    text = EXAMPLE + f'[expect]\nloss_before = "{before}"\nloss_after = "{after}"\n'
    assert judge(the_case(tmp_path, text)).verdict is FIGURES[figures]


@pytest.mark.parametrize(
    ("figures", "told"),
    [(("8.87", "7.63"), "loss_before = 8.87 is expected by the file; C is 7.87"),
     (("7.87", "6.63"), "loss_after = 6.63 is expected by the file; C is 7.63")],
)  # fmt: skip
def test_a_figure_that_is_wrong_is_the_files_and_no_broken_link(figures, told, tmp_path):
    text = EXAMPLE + '[expect]\nloss_before = "{}"\nloss_after = "{}"\n'.format(*figures)
    result = judge(the_case(tmp_path, text))
    assert result.first_broken_link is None
    assert result.findings[0].message.startswith(told)
    assert result.findings[0].message.endswith("mend the file's figure")


@pytest.mark.parametrize("C", [np.inf, np.nan, 1e308])
def test_a_figure_of_a_cost_that_is_no_number_cannot_be_judged(C, tmp_path):
    case = the_case(tmp_path, EXAMPLE + '[expect]\nloss = "any"\nloss_after = "7.63"\n')
    before, after = Loss(7.87, 0, 0, 0, 0), Loss(C, 0, np.inf, np.inf, np.inf)
    assert [f.verdict for f in expectations(case, before, after)] == [Verdict.CANNOT_JUDGE]
