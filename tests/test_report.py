from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pytest
from test_result import ABSENT, PASSED, finding, result

from verify import report
from verify.result import Figure, Finding, Report, Verdict

WORST = Figure(
    "manual.post_form", "dC_dy", (3, 1), -0.0703125, -0.03515625, 0.03515625, 1e-9, 3.5e7, 9e6
)
FAILED = result(
    Finding("bound", Verdict.FAIL, "dC_dy is beyond its bound", "manual.post_form", "dC_dy", WORST),
    Finding("bound", Verdict.FAIL, "dC_dW is beyond its bound", "manual.post_form", "dC_dW"),
    figures=(WORST, *(Figure("manual.post_form", n, (), *[0.0] * 6) for n in ("y", "y_o", "C"))),
    resolution=1e-15,
)


def test_a_failure_is_told_in_aligned_facts_and_with_the_command_that_repeats_it():
    assert report.block(FAILED).split("\n") == [
        "FAIL  s.toml::dtype=float64",
        "  first broken link   dC_dy          (y, y_o, C are right)",
        "  subject             manual.post_form",
        "  worst entry         [3, 1]",
        "  found               -0x1.2000000000000p-4    -0.0703125",
        "  truth               -0x1.2000000000000p-5    -0.03515625",
        "  error               0.03516                  9e+06 ulp",
        "  bound               1e-09",
        "  error / bound       3.5e+07                  (limit 1)",
        "  bound               manual.post_form: dC_dy is beyond its bound",
        "  bound               manual.post_form: dC_dW is beyond its bound",
        "  resolution          1e-15",
        "  to repeat it        verify run 's.toml::dtype=float64'",
        "  to see it           verify show 's.toml::dtype=float64'",
    ]


def test_a_case_that_cannot_be_judged_says_why():
    text = report.block(result(Finding("resolution", Verdict.CANNOT_JUDGE, "sees nothing")))
    assert text.startswith(
        "CANNOT JUDGE  s.toml::dtype=float64\n  resolution          sees nothing"
    )


def test_many_findings_are_counted_instead_of_listed():
    many = result(*(finding(Verdict.FAIL, "y") for _ in range(9)))
    assert "and 5 more findings" in report.block(many)


def test_a_line_carries_the_whole_id():
    line = report.line(FAILED)
    assert line.split()[:2] == ["FAIL", "s.toml::dtype=float64"]
    assert line.endswith("error/bound 3.5e+07 at dC_dy  resolution 1e-15")


def test_the_summary_counts_everything_and_names_what_was_not_verified():
    absent = result(Finding("device", Verdict.NOT_RUN, "no cuda device here"))
    text = report.summary(Report((PASSED, FAILED, absent), 3, seconds=1.25))
    assert text == (
        "3 cases found, 2 judged, 1 passed, 1 failed, 1 not run in 1.2 s\n"
        "NOT VERIFIED: 1 case: no cuda device here"
    )
    assert "nothing was judged" in report.summary(Report((ABSENT,), 1))


def test_the_table_has_a_row_a_file_with_its_worst_verdict():
    from rich.console import Console

    console = Console(width=120, file=io.StringIO())
    console.print(report.table(Report((PASSED, FAILED), 2)))
    text = console.file.getvalue()
    head, row, *_ = text.split("\n")
    assert head.split()[:3] == ["scenario", "cases", "verdict"]
    assert row.split()[:-1] == ["s.toml", "2", "FAIL", "3.5e+07", "dC_dy", "1e-15"]


def test_a_failure_has_its_notes():
    noted = replace(FAILED, notes=("candidate f: it prints 'x'",))
    assert "\n  note                candidate f: it prints 'x'\n" in report.block(noted)


def test_the_folder_of_all_files_stands_once_above_the_table():
    from rich.console import Console

    console = Console(width=70, file=io.StringIO())
    far = "/usr/lib/python3/site-packages/verify/scenarios"
    console.print(report.table(Report((replace(PASSED, path=f"{far}/s.toml"),), 1)))
    lines = console.file.getvalue().split("\n")
    assert lines[0].rstrip() == f"{far}/"
    assert lines[2].split()[0] == "s.toml"


@pytest.mark.parametrize(
    ("paths", "folder"),
    [(["a/x.toml", "a/y.toml"], "a/"), (["a/x.toml", "a/b/y.toml"], "a/"), (["x.toml"], ""),
     (["a/x.toml", "/a/y.toml"], ""), (["a/x.toml", "b/y.toml"], ""), (["/x.toml"], ""), ([], "")],
)  # fmt: skip
def test_the_common_folder_is_that_of_all_paths_or_none(paths, folder):
    assert report.common_folder(paths) == folder


def test_json_holds_every_finding_and_figure():
    read = json.loads(report.as_json(Report((FAILED,), 1)))
    assert read["counts"]["FAIL"] == 1
    assert len(read["results"][0]["findings"]) == 2
    assert math.isclose(read["results"][0]["figures"][0]["ratio"], 3.5e7)


def test_what_is_not_as_locked_lost_or_interrupted_is_told():
    locked = result(locked=True)
    assert ", 1 as locked in" in report.summary(Report((locked,), 1))
    assert "NOT AS LOCKED: s/a.toml: gone" in report.summary(
        Report((locked,), 1, unlocked=("s/a.toml: gone",))
    )
    interrupted = report.summary(Report((PASSED,), 3, signal=2))
    assert "INTERRUPTED: 1 of 3 cases were judged" in interrupted
    assert "lost" not in interrupted
    lost = report.summary(Report((PASSED,), 3))
    assert "2 errors" in lost
    assert "ERROR: 2 cases were found and have no result: the run lost them" in lost


def test_the_links_that_are_right_are_those_that_the_subject_gave_and_gave_rightly():
    lonely = result(*FAILED.findings, figures=(WORST,))
    assert report.block(lonely).split("\n")[1] == "  first broken link   dC_dy"


def test_a_candidate_is_named_in_the_command_that_repeats_and_its_notes_are_counted():
    assert report.block(FAILED, "lab.py:f").endswith("'s.toml::dtype=float64' --candidate lab.py:f")
    told = result(notes=("candidate lab.py:f: it prints 'x'", "another note"))
    text = report.summary(Report((told, told), 2, candidate="lab.py:f", proof="proven first"))
    assert "candidate lab.py:f, beside manual and twin; proven first" in text
    assert "in 2 passed cases: candidate lab.py:f: it prints 'x'" in text
    assert "another note" not in text
