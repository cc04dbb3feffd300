"""A candidate on one case: every promise and every number."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from problems import drawn, made

from verify import compare
from verify.candidate import Candidate
from verify.examination import examine
from verify.faults import FAULTS
from verify.formulas import with_formulas
from verify.trial import trained, tried

RIGHT = with_formulas()()


def trial_of(function, problem=None):
    ref = compare.reference(problem or drawn(1), budget=2.0**30)
    with np.errstate(all="ignore"):  # as the judge does
        return tried(Candidate("it", partial(examine, function)), ref)


def checks(function, problem=None):
    return {f.check for f in trial_of(function, problem).findings}


def test_a_right_candidate_has_figures_and_no_findings():
    found = trial_of(RIGHT)
    assert found.findings == ()
    assert len(found.figures) == 8


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("gradient-transposed", "shape"),
        ("other-dtype", "dtype"),
        ("gradient-doubled", "bound"),
        ("cached-by-shape", "other data"),
        ("strides-ignored", "layout"),
        ("momentum", "repeat"),
        ("gradient-without-transpose", "exception"),
    ],
)
def test_a_fault_is_seen_by_its_own_check(fault, check):
    assert check in checks(FAULTS[fault].make())


def test_what_gives_no_answer_has_nothing_else_to_its_name():
    def failing(X, W, P, h):
        raise ValueError("tired")

    found = trial_of(failing)
    assert [(f.check, f.message) for f in found.findings] == [("exception", "ValueError: tired")]
    assert (found.figures, found.notes) == ((), ())


def test_a_wrong_gradient_has_its_pattern_as_a_note():
    (note,) = trial_of(FAULTS["gradient-doubled"].make()).notes
    assert note == "candidate it: dC_dW is off by the same factor everywhere: 2, which is 2 here"


def test_other_data_on_which_no_bound_holds_judge_nothing():
    """The rows turned round, the largest input meets the largest label: sums may overflow."""

    def divided_last(X, W, P, h):
        return X.T @ (-P / (1 + np.exp(X @ W))) / len(X)

    problem = made([[2.0**126], [1.0]], [[0.0]], [[2.0**-20], [16.0]], 1e-30, "float32")
    assert compare.reference(problem, 0).bounds.fits
    assert checks(divided_last, problem) == set()


def test_beyond_the_post_form_a_candidate_is_judged_by_the_stable_form_and_told():
    problem = made([[1.0], [2]], [[-800]], [[1], [0.5]])
    found = trial_of(RIGHT, problem)
    assert found.findings == ()
    assert "judged by the stable form" in found.notes[0]

    def posts(X, W, P, h):
        y_o = 1 / (1 + np.exp(-X @ W))
        return X.T @ (-P / y_o * y_o * (1 - y_o)) / len(X)

    assert checks(posts, problem) == {"bound"}
    assert checks(posts) == set()


def test_a_trajectory_needs_no_more_than_the_gradient():
    right = Candidate("it", partial(examine, lambda *a: RIGHT(*a)["dC_dW"]))
    assert list(trained(right, [drawn(1)], 5, range(3), 2.0**30)) == []


def test_a_fault_that_begins_later_is_seen_on_the_trajectory():
    calls = []

    def tiring(X, W, P, h):
        calls.append(1)
        return RIGHT(X, W, P, h)["dC_dW"] * (1.001 if len(calls) > 4 else 1)

    late = Candidate("it", partial(examine, tiring))
    (finding, *_) = trained(late, [drawn(1)], 9, range(3), 2.0**30)
    assert finding.check == "trajectory"


def test_an_exception_on_the_trajectory_is_a_finding():
    def failing(X, W, P, h):
        raise ValueError("tired")

    (finding,) = trained(Candidate("it", partial(examine, failing)), [drawn(1)], 3, range(3), 0.0)
    assert (finding.check, finding.message) == ("exception", "ValueError: tired")
