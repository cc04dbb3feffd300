"""What items told becomes one report, and what none told is not lost silently."""

from __future__ import annotations

from tests.support.results import DOUBLED, FAULT, PASSED
from verify.judge.result import Report, Verdict
from verify.plugin.joined import joined
from verify.report.text import as_json


def told(**reports: Report) -> dict[str, str]:
    return {item: as_json(report) for item, report in reports.items()}


def test_results_stand_in_the_order_in_which_they_were_found():
    parts = told(b=Report((DOUBLED,), 1), a=Report((PASSED,), 1))
    made = joined(["a", "b"], parts, {}, 2.5, "mine.py:f")
    assert [r.verdict for r in made.results] == [Verdict.PASS, Verdict.FAIL]
    assert (made.found, made.seconds, made.candidate) == (2, 2.5, "mine.py:f")
    assert made.exit_code == 1
    assert made.environment["torch"]


def test_faults_and_what_is_not_locked_are_told_and_are_no_cases():
    parts = told(
        a=Report((PASSED,), 1), b=Report((), 0, (FAULT,)), c=Report((), 0, unlocked=("gone",))
    )
    made = joined(["a", "b", "c"], parts, {}, 0.0)
    assert (made.faults, made.unlocked, made.found) == ((FAULT,), ("gone",), 1)
    assert made.exit_code == 2


def test_an_item_of_which_only_pytest_knows_has_its_word_and_reason():
    verdicts = {"s.toml::x": ("FAIL", "worker 'gw0' crashed"), "s.toml::y": ("NOT RUN", "lazy"),
                "s.toml::z": ("what", "never said before")}  # fmt: skip
    made = joined(list(verdicts), {}, verdicts, 0.0)
    assert [(r.id, r.verdict) for r in made.results] == [
        ("s.toml::x", Verdict.FAIL), ("s.toml::y", Verdict.NOT_RUN), ("s.toml::z", Verdict.ERROR),
    ]  # fmt: skip
    assert made.results[0].findings[0].message == "worker 'gw0' crashed"


def test_an_item_that_nobody_knows_of_is_lost_and_the_report_is_red():
    made = joined(["a", "b"], told(a=Report((PASSED,), 1)), {}, 0.0)
    assert (made.found, len(made.results), made.exit_code) == (2, 1, 3)


def test_an_interrupted_run_says_so():
    assert joined(["a"], {}, {}, 0.0, signal=2).exit_code == 130
