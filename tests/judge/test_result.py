from __future__ import annotations

import json
import math

import pytest

from tests.support.results import (
    ABSENT,
    BROKEN,
    FAILED,
    FAULT,
    PASSED,
    UNSURE,
    figure,
    finding,
    result,
)
from verify.judge.result import Report, Verdict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.PASS),
        ([Verdict.CANNOT_JUDGE], Verdict.CANNOT_JUDGE),
        ([Verdict.CANNOT_JUDGE, Verdict.FAIL], Verdict.FAIL),
        ([Verdict.NOT_RUN], Verdict.NOT_RUN),
    ],
)
def test_the_worst_finding_is_the_verdict(verdicts, expected):
    found = result(*(finding(v) for v in verdicts))
    assert found.verdict is expected
    assert found.ok == (expected is Verdict.PASS)


def test_the_first_broken_link_is_the_first_in_the_posts_order():
    fail = Verdict.FAIL
    found = result(finding(fail, "dC_dW"), finding(fail, "y_o"), finding(Verdict.CANNOT_JUDGE, "y"))
    assert found.first_broken_link == "y_o"
    assert result(finding(fail)).first_broken_link is None


def test_the_worst_figure_is_of_the_first_broken_link_and_nan_is_worst():
    figures = (figure("y", 0.5), figure("y_o", 3.0), figure("y_o", math.nan), figure("C", 9.0))
    found = result(finding(Verdict.FAIL, "y_o"), figures=figures)
    assert math.isnan(found.worst.ratio)
    assert result(figures=figures[:2]).worst.link == "y_o"
    assert result().worst is None


@pytest.mark.parametrize("ratio", [math.nan, math.inf, 1.0000001])
def test_a_ratio_above_one_or_nan_does_not_hold(ratio):
    assert not figure("y", ratio).holds
    assert figure("y", 1.0).holds


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (Report((PASSED,), 1), 0),
        (Report((PASSED, ABSENT), 2), 0),
        (Report((PASSED, FAILED), 2), 1),
        (Report((PASSED, UNSURE), 2), 1),
        (Report((PASSED,), 1, unlocked=("gone",)), 1),
        (Report((PASSED,), 1, (FAULT,)), 2),
        (Report((), 0, (FAULT,)), 2),
        (Report((PASSED,), 2), 3),
        (Report((PASSED, FAILED, BROKEN), 3), 3),
        (Report((PASSED,), 0), 3),
        (Report((ABSENT,), 1), 5),
        (Report((), 0), 5),
        (Report((PASSED,), 2, signal=2), 130),
        (Report((PASSED, FAILED), 3, signal=15), 143),
    ],
)
def test_only_judged_and_passed_is_green(report, code):
    assert report.exit_code == code
    assert report.ok == (code == 0)


def test_found_is_judged_not_run_and_errors():
    counts = Report((PASSED, FAILED, UNSURE, ABSENT, BROKEN), 6).counts
    assert counts == {
        "found": 6,
        "judged": 3,
        "locked": 0,
        "errors": 2,
        "FAIL": 1,
        "CANNOT JUDGE": 1,
        "NOT RUN": 1,
        "PASS": 1,
    }


def test_a_report_is_json_without_any_nan():
    report = Report((result(finding(Verdict.FAIL, "C"), figures=(figure("C", math.nan),)),), 1)
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["results"][0]["figures"][0]["ratio"] == "nan"
    assert read["results"][0]["first_broken_link"] == "C"
    assert read["format"] == 3
