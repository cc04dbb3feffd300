"""What was written as JSON is read back as it was, and nothing else is."""

from __future__ import annotations

import json

import pytest
from test_result import ABSENT, BROKEN, FAILED, FAULT, PASSED, figure, result
from texts import EXAMPLE, written

import verify
from verify import reading
from verify.errors import UsageError
from verify.faults import FAULTS
from verify.report import as_json
from verify.result import Report
from verify.sight import sight

REPORTS = (
    Report((PASSED, FAILED, ABSENT, BROKEN), 5, seconds=1.5, unlocked=("x",), signal=15),
    Report((), 0, (FAULT,)),
    Report((result(figures=(figure("C", float("inf")),)),), 1, candidate="c", proof="p"),
)


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_read_as_it_was_written(report):
    read = reading.report(as_json(report))
    assert repr(read) == repr(report)  # NaN is not equal to itself
    assert read.to_dict() == report.to_dict()


def test_a_real_report_is_read_as_it_was_written(tmp_path):
    report = verify.run(written(tmp_path, EXAMPLE + "steps = 3\n"))
    read = reading.report(as_json(report))
    assert read.results[0].steps == report.results[0].steps
    assert read.to_dict() == report.to_dict()


def test_a_matrix_of_faults_is_read_as_it_was_written(tmp_path):
    names = list(FAULTS)[:3]
    seen = sight([str(written(tmp_path, EXAMPLE))], names)
    read = reading.matrix(json.dumps(seen.to_dict()))
    assert {n: f.killed_by for n, f in read.faults.items()} == seen.kills
    assert [f.mistake for f in read.faults.values()] == [FAULTS[n].mistake for n in names]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", "3", '{"counts": 3}', '{"counts": {"found": 1}}', "[" * 10**5,
     '{"counts": {"found": 1}, "results": [{"path": 3}]}', b"\xff\xfe", '{"faults": 3}'],
)  # fmt: skip
@pytest.mark.parametrize("reader", [reading.report, reading.matrix])
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
        reading.report(text)
