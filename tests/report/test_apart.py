"""A candidate's formulas beside its floats, in a table."""

from __future__ import annotations

from verify.judge.result import Figure, Finding, Result, Verdict
from verify.report.apart import apart

_FIGURE = Figure("it", "dC_dW", (), 1.0, 2.0, 1.0, 0.5, 2.0, 9.0)


def _result(exact: str, *checks: str) -> Result:
    findings = [Finding(c, Verdict.FAIL, "", "it", "dC_dW", _FIGURE) for c in checks]
    return Result("a.toml", "c", 1, "float64", "cpu", exact=exact, findings=tuple(findings))


def test_every_case_is_counted_by_its_formula_and_its_floats() -> None:
    results = [
        _result("right"), _result("right"), _result("right", "arithmetic"),
        _result("wrong", "formula"), _result("not followed", "bound"), _result(""),
    ]  # fmt: skip
    assert list(apart(results)) == [
        "  in exact arithmetic     floats right  floats wrong",
        "    formula right                    2             1",
        "    formula wrong                    0             1",
        "    formula not followed             0             1",
    ]


def test_nothing_is_said_where_no_formula_was_run() -> None:
    assert list(apart([_result(""), _result("", "bound")])) == []


def test_a_mistake_that_the_floats_do_not_show_leaves_them_right() -> None:
    unseen = Finding("formula", Verdict.FAIL, "", "it", "dC_dW")
    result = Result("a.toml", "c", 1, "float64", "cpu", exact="wrong", findings=(unseen,))
    assert list(apart([result]))[1].split() == ["formula", "wrong", "1", "0"]
