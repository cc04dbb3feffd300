from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pytest
from test_result import ABSENT, PASSED, UNSURE, finding, result

from verify import report
from verify.asked import Asked
from verify.causes import UNKNOWN
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
    assert report.block(FAILED, cause="dC_dy is twice what it should be").split("\n") == [
        "FAIL  s.toml::dtype=float64",
        "  first broken link   dC_dy   (y, y_o, C are right)",
        "  subject             manual.post_form",
        "  worst entry         [3, 1]",
        "  found               -0.0703125               -0x1.2000000000000p-4",
        "  truth               -0.03515625              -0x1.2000000000000p-5",
        "  error               0.03516                  9e+06 ulp",
        "  bound               1e-09",
        "  error / bound       3.5e+07                  (limit 1)",
        "  finding             bound: dC_dW is beyond its bound",
        "  cause               dC_dy is twice what it should be",
        "  resolution          1e-15",
        "  to repeat it        verify run 's.toml::dtype=float64'",
        "  to see it           verify show 's.toml::dtype=float64'",
    ]


def test_no_two_rows_have_one_name_and_no_command_is_broken():
    long = replace(
        FAILED, notes=("a note " * 20, "another"), path="a/very/long/path/" * 8 + "s.toml",
        findings=(*FAILED.findings, *(finding(Verdict.FAIL, "W_next"),) * 2),
    )  # fmt: skip
    lines = report.block(long, Asked("lab.py:f")).split("\n")[1:]
    names = [line[2:20].strip() for line in lines if line[2:20].strip()]
    assert len(names) == len(set(names))
    told = [line for line in lines if line.startswith("  to repeat it")]
    assert told[0].endswith("s.toml::dtype=float64' --candidate lab.py:f")
    assert all(len(line) <= 80 for line in lines if not line.startswith("  to "))


@pytest.mark.parametrize(
    ("after", "state", "ids"),
    [("", None, "'s.toml::dtype=float64'"),
     ("s.toml::a", "the first of these two cases leaves", "'s.toml::a' 's.toml::dtype=float64'"),
     (UNKNOWN, "earlier cases of the run", "'cases' --candidate")],
)  # fmt: skip
def test_a_state_that_an_earlier_case_left_is_told_and_repeated(after, state, ids):
    text = report.block(replace(FAILED, after=after), Asked("f.py:f", paths=("cases",)))
    assert f"verify run {ids}" in text
    assert ("  state " in text) == bool(state)
    assert not state or state in " ".join(text.split())


def test_a_case_that_cannot_be_judged_says_why():
    text = report.block(result(Finding("resolution", Verdict.CANNOT_JUDGE, "sees nothing")))
    assert text.startswith(
        "CANNOT JUDGE  s.toml::dtype=float64\n  finding             resolution: sees nothing"
    )


def test_many_findings_are_counted_instead_of_listed():
    many = result(*(finding(Verdict.FAIL, "y") for _ in range(9)))
    assert "and 5 more; --json FILE has them all" in report.block(many)


def test_a_line_carries_the_whole_id():
    line = report.line(FAILED)
    assert line.split()[:2] == ["FAIL", "s.toml::dtype=float64"]
    assert line.endswith("error/bound 3.5e+07 at dC_dy  resolution 1e-15")


def test_the_summary_counts_everything_and_names_what_was_not_verified():
    absent = result(Finding("device", Verdict.NOT_RUN, "no cuda device here"))
    text = report.summary(Report((PASSED, FAILED, absent), 3, seconds=1.25))
    assert text == (
        "judged: manual and twin; your own: verify run --candidate FILE.py:FUNCTION\n"
        "3 cases found, 2 judged, 1 passed, 1 failed, 1 not run in 1.2 s\n"
        "  it fails: dC_dy is beyond its bound\n"
        "NOT VERIFIED: 1 case: no cuda device here"
    )
    assert "nothing was judged" in report.summary(Report((ABSENT,), 1))


def table_of(*results, width=120) -> list[str]:
    from rich.console import Console

    console = Console(width=width, file=io.StringIO())
    console.print(report.table(Report(results, len(results))))
    return console.file.getvalue().rstrip().split("\n")


def test_the_table_has_a_row_a_file_with_its_worst_verdict():
    *_, row = table_of(PASSED, FAILED)
    assert row.split() == ["s", "2", "FAIL", "3.5e+07", "1e-15"]


def test_the_table_pairs_the_worst_of_each_dtype_with_its_own_resolution():
    """The worst of float32 does not stand beside the resolution of float64."""

    def case(dtype, ratio, resolution):
        return replace(
            PASSED, dtype=dtype, figures=(replace(WORST, ratio=ratio),), resolution=resolution
        )

    *_, row = table_of(
        case("float32", 0.5, 1e-6), case("float32", 0.9, 3e-5), case("float64", 0.7, 2e-15),
        case("float64", 0.2, 1e-3),
    )  # fmt: skip
    assert row.split() == ["s", "4", "PASS", "0.9", "3e-05", "0.7", "2e-15"]


def test_the_table_fits_80_columns():
    names = ("post-form-last-good-float32", "worked-example-one-weight")
    rows = table_of(*(replace(UNSURE, path=f"scenarios/{n}.toml") for n in names), width=80)
    assert [row.split()[0] for row in rows[-2:]] == list(names)
    assert max(map(len, rows)) <= 80


def test_a_failure_has_its_notes():
    noted = replace(FAILED, notes=("candidate f: it prints 'x'",))
    assert "\n  note                candidate f: it prints 'x'\n" in report.block(noted)


def test_the_folder_of_all_files_stands_once_above_the_table():
    far = "/usr/lib/python3/site-packages/verify/scenarios"
    lines = table_of(replace(PASSED, path=f"{far}/s.toml"), width=70)
    assert lines[0].rstrip() == f"{far}/"
    assert lines[-1].split()[0] == "s"


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
    asked = Asked("lab.py:f")
    assert report.block(FAILED, asked).endswith("'s.toml::dtype=float64' --candidate lab.py:f")
    told = result(notes=("candidate lab.py:f: it prints 'x'", "another note"))
    text = report.summary(Report((told, told), 2, candidate="lab.py:f", proof="proven first"))
    assert text.startswith("judged: candidate lab.py:f, beside manual and twin\n2 cases found")
    assert "\nproven first\n" in text
    assert "in 2 passed cases: candidate lab.py:f: it prints 'x'" in text
    assert "another note" not in text


def test_causes_are_told_most_cases_first_with_the_smallest_case_of_each():
    small = replace(FAILED, case="small", work=1)
    text = report.summary(Report((UNSURE, FAILED, small, PASSED), 4))
    lines = text.split("\n")
    assert lines[2:5] == [
        "  2 of 3: dC_dy is beyond its bound",
        "    the smallest: s.toml::small",
        "  1 of 3: cannot judge: m",
    ]


def test_at_most_three_are_shown_in_full_and_the_rest_is_counted():
    kinds = [
        replace(result(Finding("exception", Verdict.FAIL, f"kind {n}", "x")), case=f"{n}-{m}")
        for n in range(5)
        for m in range(2)
    ]
    blocks, more = report.shown(Report(tuple(kinds), 10))
    assert [r.case for r, _ in blocks] == ["0-0", "1-0", "2-0"]
    assert more == 7
    assert len(report.shown(Report(tuple(kinds), 10), everything=True)[0]) == 10


def test_a_run_that_stopped_early_says_why_and_counts_the_rest_as_not_run():
    text = report.summary(Report((FAILED,), 9, stopped="1 case failed"))
    assert "9 cases found, 1 judged, 0 passed, 1 failed, 8 not run in" in text
    assert "STOPPED: 1 case failed; 1 of 9 cases were judged" in text
    interrupted = report.summary(Report((PASSED,), 9, signal=2))
    assert "8 not run" in interrupted
    assert "error" not in interrupted


def test_notes_that_differ_in_a_measure_alone_are_one_with_the_largest():
    notes = [
        f"candidate f: two calls differ by up to {n} bounds, at C: are sums" for n in (0.1, 0.3)
    ]
    text = report.summary(Report(tuple(result(notes=(n,)) for n in notes), 2, candidate="f"))
    assert "  in 2 passed cases: candidate f: two calls differ by up to 0.3 bounds, at C" in text
    assert text.count("two calls") == 1


def test_prose_is_folded_at_80_columns():
    cause = replace(FAILED, findings=(Finding("shape", Verdict.FAIL, "word " * 40, "x"),))
    text = report.summary(Report((cause,), 1, candidate="f", proof="proven " * 20))
    assert max(map(len, text.split("\n"))) <= 80


def test_a_failure_of_unknown_state_is_repeated_with_the_whole_run():
    asked = Asked("lab.py:f", paths=("a", "b.toml"), keyword="float32")
    text = report.block(replace(FAILED, after=UNKNOWN), asked)
    assert "to repeat it        verify run 'a' 'b.toml' -k float32 --candidate lab.py:f" in text
