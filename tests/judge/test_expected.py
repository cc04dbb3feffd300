"""expected: a printed figure, and the direction of C, as the file says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.texts import EXAMPLE, the_case
from verify.judge.expected import expectations
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.judge.steps import Loss

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
