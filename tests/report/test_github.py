"""What GitHub's runner is told; nothing from a file is a command of its own."""

from __future__ import annotations

from tests.support.results import ABSENT, FAULT, PASSED, UNSURE, result
from verify.errors import FileFault
from verify.judge.result import Finding, Report, Verdict
from verify.report import github

HOSTILE = "a\n::error::x%0A, \x1b[31m|<b>`"


def test_a_fault_of_a_file_stands_on_its_line():
    assert github.of_fault(FAULT) == "::error file=p,line=1,title=k::p:1:1: k: w (f), a"
    whole = FileFault("a,b:c.toml", 0, 0, "", "empty", found="", allowed="not")
    assert github.of_fault(whole) == (
        "::error file=a%2Cb%3Ac.toml,title=scenario file::a,b:c.toml: empty, not"
    )


def test_what_is_not_green_is_annotated_and_what_is_green_is_not():
    report = Report((PASSED, UNSURE, ABSENT), 3, unlocked=("s/a.toml was locked",))
    commands = list(github.commands(report))
    assert [c.split(",")[0] for c in commands] == [
        "::error file=s/a.toml",
        "::error file=s.toml",
        "::warning file=s.toml",
    ]
    assert "line=3" in commands[1]
    assert commands[1].count("%0A") >= 2
    assert not any("\n" in c for c in commands)


def test_text_from_a_file_is_data_and_never_a_command():
    told = github.annotation("error", HOSTILE, 1, HOSTILE, HOSTILE)
    assert told.count("\n") == 0
    assert "\x1b" not in told
    assert told.split("::")[1] == (
        r"error file=a\n%3A%3Aerror%3A%3Ax%250A%2C \x1b[31m|<b>`,line=1"
        r",title=a\n%3A%3Aerror%3A%3Ax%250A%2C \x1b[31m|<b>`"
    )


def test_the_summary_counts_and_lists_what_is_not_green_as_plain_text():
    bad = result(Finding("bound", Verdict.FAIL, HOSTILE))
    text = github.step_summary(Report((PASSED, bad), 2))
    assert "2 cases found, 2 judged, 1 passed, 1 failed" in text
    (row,) = [line for line in text.split("\n") if line.startswith("| FAIL")]
    assert row.count("|") == 4
    for obeyed in ("<b>", "`", "\x1b", "::error"):
        assert obeyed not in text
    many = Report((bad,) * 60, 60)
    assert "and 10 more" in github.step_summary(many)
    assert "|" not in github.step_summary(Report((PASSED,), 1))


def test_the_summary_names_what_is_wrong_with_files_too():
    assert "- p&#58;1&#58;1&#58; k&#58; w (f), a" in github.step_summary(Report((), 0, (FAULT,)))
