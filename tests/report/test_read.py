"""What was written as JSON is read back as it was, and nothing else is."""

from __future__ import annotations

import json

import pytest

import verify
from tests.support.results import ABSENT, BROKEN, FAILED, FAULT, PASSED, figure, result
from tests.support.texts import EXAMPLE, written
from verify.errors import UsageError
from verify.experiments.faults import sight
from verify.faults.table import FAULTS
from verify.judge.result import Report
from verify.report import read
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
    [("{}", "KeyError: 'counts'"), ("[]", "TypeError: "), ("{", "Expecting property name"),
     ('{"counts": {"found": 1}, "results": [{}]}', r"results\.0\.path: Field required"),
     ("[" * 10**5, "nested too deeply")],
)  # fmt: skip
def test_it_says_what_is_wrong_with_a_report(text, why):
    with pytest.raises(UsageError, match=why):
        read.report(text)
