"""Failing cases of a run, and what is behind them: named only where it explains them all."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.support.results import PASSED, figure, finding, result
from verify.judge.causes import causes, remarks
from verify.judge.likeness import ACCUMULATED
from verify.judge.result import Finding, Likeness, Verdict

FAILED = replace(result(finding(Verdict.FAIL, "dC_dW")), sizes=(5, 3, 2), work=30)


def like(factor, fault="", link="dC_dW", later="same"):
    return Likeness(fault, factor, link, later)


def failing(*likes, sizes=(5, 3, 2), **more):
    N, D, K = sizes
    return replace(FAILED, likenesses=likes, sizes=sizes, work=N * D * K, **more)


def texts(*results):
    return [cause.text for cause in causes(results)]


def test_nothing_is_behind_what_passes():
    assert causes([PASSED]) == []


def test_the_cause_of_most_cases_comes_first_with_its_smallest_case():
    small, large = (replace(FAILED, work=w, case=f"{w}") for w in (4, 9))
    other = result(Finding("layout", Verdict.FAIL, "m", "candidate f", "dC_dW"))
    found = causes([other, large, PASSED, small])
    assert [len(cause.results) for cause in found] == [2, 1]
    assert found[0].smallest is small
    assert found[1].text == "dC_dW: it is wrong or fails in other memory layouts"


def test_four_is_not_called_K_because_K_is_4():
    four = [failing(like("4"), like("K"), sizes=(5, 3, 4)), failing(like("4"), sizes=(7, 3, 2))]
    assert texts(*four) == ["dC_dW is 4 times what it should be"]
    assert texts(four[0]) == ["dC_dW is 4 times what it should be"]


def test_a_factor_is_called_by_a_size_where_sizes_and_factors_differ():
    cases = [
        failing(like("5"), like("N"), like("D"), sizes=(5, 5, 2)),
        failing(like("7"), like("N"), sizes=(7, 3, 2)),
    ]
    assert texts(*cases) == [
        "dC_dW is N times what it should be: the mean over rows, 1/N, is missing"
    ]


def test_a_case_of_one_row_or_entry_alone_shows_no_factor():
    assert "2619" not in texts(failing(like("2619.6"), sizes=(1, 3, 2)))[0]
    assert "2619" not in texts(failing(like("2619.6"), sizes=(5, 1, 1)))[0]
    both = [failing(like("3"), sizes=(1, 3, 2)), failing(like("3"), sizes=(4, 3, 2))]
    assert texts(*both) == ["dC_dW is 3 times what it should be"]


def test_a_planted_fault_is_named_only_where_it_explains_every_case_at_the_link():
    softmax = like("1", "softmax-minus-labels")
    assert texts(failing(softmax), failing(softmax)) == [
        "dC_dW is what `softmax-minus-labels` gives: softmax(y) - p"
    ]
    told = texts(failing(softmax), failing())
    assert not any("softmax" in text for text in told)


def test_what_was_not_compared_has_no_say():
    softmax = like("1", "softmax-minus-labels")
    unknown = replace(FAILED, likenesses=None, work=10**9)
    told = texts(failing(softmax), failing(softmax), unknown)
    assert len(told) == 2
    assert "softmax" in told[0]


def test_the_other_convention_is_told_as_that():
    kept = like("N", link="dC_dy", later="right")
    results = [
        replace(failing(kept, sizes=s), findings=(finding(Verdict.FAIL, "dC_dy"),))
        for s in ((5, 3, 2), (7, 3, 2))
    ]
    (told,) = texts(*results)
    assert told == (
        "dC_dy is N times what it should be, and dC_dW is right: 1/N is taken in dC_dW alone, which"
        " is another convention than the post's"
    )


@pytest.mark.parametrize(
    ("ratio", "found", "told"),
    [(9.0, 1.0, "dC_dW is beyond its bound"), (math.nan, math.inf, "dC_dW is not finite")],
)
def test_without_a_likeness_it_is_told_what_was_found(ratio, found, told):
    shown = replace(figure("dC_dW", ratio), found=found)
    bad = Finding("bound", Verdict.FAIL, "m", "candidate f", "dC_dW", shown)
    assert texts(result(bad)) == [told]


def test_what_cannot_be_judged_says_so():
    unsure = result(Finding("resolution", Verdict.CANNOT_JUDGE, "m", "candidate f"))
    assert texts(unsure) == ["cannot judge: the bound that it keeps would let -dC_dW pass, too"]


def test_failures_that_share_a_dtype_layout_or_domain_say_so():
    bad = replace(FAILED, layout="strided")
    assert list(remarks([bad, PASSED])) == ["wrong only with layout strided"]
    assert list(remarks([PASSED])) == []
    inside = replace(PASSED, post_resolution=1e-9)
    (told,) = remarks([FAILED, inside])
    assert told.startswith("right wherever the post's formulas hold")
    assert list(remarks([replace(FAILED, post_resolution=1e-9), inside])) == []


def test_a_planted_fault_times_a_size_is_named_where_the_sizes_differ():
    half = like("1/K", "binary-cross-entropy")
    cases = [failing(half, sizes=(5, 3, 2)), failing(half, sizes=(5, 3, 7))]
    assert texts(*cases) == ["dC_dW is what `binary-cross-entropy` gives, times 1/K: y_o - p"]
    assert "binary" not in texts(cases[0])[0]


def test_one_mistake_of_shape_is_one_cause():
    shapes = [
        result(Finding("shape", Verdict.FAIL, f"dC_dW has shape ({n},)", "candidate f", "dC_dW"))
        for n in (4, 9)
    ]
    assert texts(*shapes) == ["dC_dW: it has another shape than it should"]


def test_a_sum_that_accumulates_in_16_bits_is_asked_about_in_the_dtypes_of_its_cases():
    narrow = like("1", ACCUMULATED)
    cases = [failing(narrow, dtype=d) for d in ("float16", "bfloat16")]
    assert texts(*cases) == [
        "dC_dW: is its sum accumulated in bfloat16 and float16? accumulate in float32, and round"
        " once"
    ]
    assert "accumulated in bfloat16?" in texts(failing(narrow, dtype="bfloat16"))[0]
