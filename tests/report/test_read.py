"""What was written as JSON is read back as it was, and nothing else is."""

from __future__ import annotations

import json

import pytest

import verify
from tests.support.results import ABSENT, BROKEN, DOUBLED, FAILED, FAULT, PASSED, figure, result
from tests.support.texts import EXAMPLE, written
from verify.errors import UsageError
from verify.experiments.faults import sight
from verify.faults.table import FAULTS
from verify.judge.result import Report, Verdict
from verify.report import read
from verify.report.read import joined
from verify.report.text import as_json

REPORTS = (
    Report((PASSED, FAILED, ABSENT, BROKEN), 5, seconds=1.5, unlocked=("x",), signal=15),
    Report((), 0, (FAULT,)),
    Report((result(figures=(figure("C", float("inf")),)),), 1, candidate="c", proof="p"),
)


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_read_as_it_was_written(report):
    back = read.report(as_json(report))
    assert repr(back) == repr(report)  # NaN is not equal to itself
    assert back.to_dict() == report.to_dict()


def test_a_real_report_is_read_as_it_was_written(tmp_path):
    report = verify.run(written(tmp_path, EXAMPLE + "steps = 3\n"))
    back = read.report(as_json(report))
    assert back.results[0].steps == report.results[0].steps
    assert back.to_dict() == report.to_dict()


def test_a_matrix_of_faults_is_read_as_it_was_written(tmp_path):
    names = list(FAULTS)[:3]
    seen = sight([str(written(tmp_path, EXAMPLE))], names)
    back = read.matrix(json.dumps(seen.to_dict()))
    assert {n: f.killed_by for n, f in back.faults.items()} == seen.kills
    assert [f.mistake for f in back.faults.values()] == [FAULTS[n].mistake for n in names]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", "3", '{"counts": 3}', '{"counts": {"found": 1}}', "[" * 10**5,
     '{"counts": {"found": 1}, "results": [{"path": 3}]}', b"\xff\xfe", '{"faults": 3}'],
)  # fmt: skip
@pytest.mark.parametrize("reader", [read.report, read.matrix])
def test_anything_else_is_refused_by_its_name_and_with_the_command_that_writes_it(reader, text):
    with pytest.raises(UsageError, match=r"^x\.json is not what `verify (run|faults) --json"):
        reader(text, "x.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [("{}", "KeyError: 'format'"), ('{"format": 1}', "it has format 1, not 3"),
     ('{"format": 3}', "KeyError: 'counts'"), ("[]", "TypeError: "),
     ("{", "Expecting property name"),
     ('{"format": 3, "counts": {"found": 1}, "results": [{}]}', r"results\.0\.path: Field re"),
     ("[" * 10**5, "nested too deeply")],
)  # fmt: skip
def test_it_says_what_is_wrong_with_a_report(text, why):
    with pytest.raises(UsageError, match=why):
        read.report(text)


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
