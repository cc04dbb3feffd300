"""expected: a printed figure, and the direction of C, as the file says."""

from __future__ import annotations

import pytest
from test_judge import the_case
from texts import EXAMPLE

from verify.judge import judge
from verify.result import Verdict

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
}


@pytest.mark.parametrize("figures", FIGURES, ids="-".join)
def test_a_printed_figure_means_half_a_unit_of_its_last_digit(figures, tmp_path):
    before, after = figures
    text = EXAMPLE + f'[expect]\nloss_before = "{before}"\nloss_after = "{after}"\n'
    assert judge(the_case(tmp_path, text)).verdict is FIGURES[figures]
