from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pytest

from tests.support.results import ABSENT, DOUBLED, PASSED, UNSURE, WORST, finding, result
from verify.judge.asked import Asked
from verify.judge.causes import UNKNOWN
from verify.judge.result import Finding, Report, Verdict
from verify.report import text


def test_a_failure_is_told_in_aligned_facts_and_with_the_command_that_repeats_it():
    assert text.block(DOUBLED, cause="dC_dy is twice what it should be").split("\n") == [
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
        DOUBLED, notes=("a note " * 20, "another"), path="a/very/long/path/" * 8 + "s.toml",
        findings=(*DOUBLED.findings, *(finding(Verdict.FAIL, "W_next"),) * 2),
    )  # fmt: skip
    lines = text.block(long, Asked("lab.py:f")).split("\n")[1:]
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
    told = text.block(replace(DOUBLED, after=after), Asked("f.py:f", paths=("cases",)))
    assert f"verify run {ids}" in told
    assert ("  state " in told) == bool(state)
    assert not state or state in " ".join(told.split())


def test_a_case_that_cannot_be_judged_says_why():
    told = text.block(result(Finding("resolution", Verdict.CANNOT_JUDGE, "sees nothing")))
    assert told.startswith(
        "CANNOT JUDGE  s.toml::dtype=float64\n  finding             resolution: sees nothing"
    )


def test_many_findings_are_counted_instead_of_listed():
    many = result(*(finding(Verdict.FAIL, "y") for _ in range(9)))
    assert "and 5 more; --json FILE has them all" in text.block(many)


def test_a_line_carries_the_whole_id():
    line = text.line(DOUBLED)
    assert line.split()[:2] == ["FAIL", "s.toml::dtype=float64"]
    assert line.endswith("error/bound 3.5e+07 at dC_dy  resolution 1e-15")


def test_the_summary_counts_everything_and_names_what_was_not_verified():
    absent = result(Finding("device", Verdict.NOT_RUN, "no cuda device here"))
    told = text.summary(Report((PASSED, DOUBLED, absent), 3, seconds=1.25))
    assert told == (
        "judged: manual and twin; your own: verify run --candidate FILE.py:FUNCTION\n"
        "3 cases found, 2 judged, 1 passed, 1 failed, 1 not run in 1.2 s\n"
        "  it fails: dC_dy is beyond its bound\n"
        "NOT VERIFIED: 1 case: no cuda device here"
    )
    assert "nothing was judged" in text.summary(Report((ABSENT,), 1))


def table_of(*results, width=120) -> list[str]:
    from rich.console import Console

    console = Console(width=width, file=io.StringIO())
    console.print(text.table(Report(results, len(results))))
    return console.file.getvalue().rstrip().split("\n")


def test_the_table_has_a_row_a_file_with_its_worst_verdict():
    *_, row = table_of(PASSED, DOUBLED)
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
    noted = replace(DOUBLED, notes=("candidate f: it prints 'x'",))
    assert "\n  note                candidate f: it prints 'x'\n" in text.block(noted)


def test_the_folder_of_all_files_stands_once_above_the_table():
    far = "/usr/lib/python3/site-packages/verify/packaged"
    lines = table_of(replace(PASSED, path=f"{far}/s.toml"), width=70)
    assert lines[0].rstrip() == f"{far}/"
    assert lines[-1].split()[0] == "s"


@pytest.mark.parametrize(
    ("paths", "folder"),
    [(["a/x.toml", "a/y.toml"], "a/"), (["a/x.toml", "a/b/y.toml"], "a/"), (["x.toml"], ""),
     (["a/x.toml", "/a/y.toml"], ""), (["a/x.toml", "b/y.toml"], ""), (["/x.toml"], ""), ([], "")],
)  # fmt: skip
def test_the_common_folder_is_that_of_all_paths_or_none(paths, folder):
    assert text.common_folder(paths) == folder


def test_json_holds_every_finding_and_figure():
    read = json.loads(text.as_json(Report((DOUBLED,), 1)))
    assert read["counts"]["FAIL"] == 1
    assert len(read["results"][0]["findings"]) == 2
    assert math.isclose(read["results"][0]["figures"][0]["ratio"], 3.5e7)


def test_what_is_not_as_locked_lost_or_interrupted_is_told():
    locked = result(locked=True)
    assert ", 1 as locked in" in text.summary(Report((locked,), 1))
    assert "NOT AS LOCKED: s/a.toml: gone" in text.summary(
        Report((locked,), 1, unlocked=("s/a.toml: gone",))
    )
    interrupted = text.summary(Report((PASSED,), 3, signal=2))
    assert "INTERRUPTED: 1 of 3 cases were judged" in interrupted
    assert "lost" not in interrupted
    lost = text.summary(Report((PASSED,), 3))
    assert "2 errors" in lost
    assert "ERROR: 2 cases were found and have no result: the run lost them" in lost


def test_the_links_that_are_right_are_those_that_the_subject_gave_and_gave_rightly():
    lonely = result(*DOUBLED.findings, figures=(WORST,))
    assert text.block(lonely).split("\n")[1] == "  first broken link   dC_dy"


def test_a_candidate_is_named_in_the_command_that_repeats_and_its_notes_are_counted():
    asked = Asked("lab.py:f")
    assert text.block(DOUBLED, asked).endswith("'s.toml::dtype=float64' --candidate lab.py:f")
    told = result(notes=("candidate lab.py:f: it prints 'x'", "another note"))
    told = text.summary(Report((told, told), 2, candidate="lab.py:f", proof="proven first"))
    assert told.startswith("judged: candidate lab.py:f, beside manual and twin\n2 cases found")
    assert "\nproven first\n" in told
    assert "in 2 passed cases: candidate lab.py:f: it prints 'x'" in told
    assert "another note" not in told


def test_causes_are_told_most_cases_first_with_the_smallest_case_of_each():
    small = replace(DOUBLED, case="small", work=1)
    told = text.summary(Report((UNSURE, DOUBLED, small, PASSED), 4))
    lines = told.split("\n")
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
    blocks, more = text.worth_showing(Report(tuple(kinds), 10))
    assert [r.case for r, _ in blocks] == ["0-0", "1-0", "2-0"]
    assert more == 7
    assert len(text.worth_showing(Report(tuple(kinds), 10), everything=True)[0]) == 10


def test_a_run_that_stopped_early_says_why_and_counts_the_rest_as_not_run():
    told = text.summary(Report((DOUBLED,), 9, stopped="1 case failed"))
    assert "9 cases found, 1 judged, 0 passed, 1 failed, 8 not run in" in told
    assert "STOPPED: 1 case failed; 1 of 9 cases were judged" in told
    interrupted = text.summary(Report((PASSED,), 9, signal=2))
    assert "8 not run" in interrupted
    assert "error" not in interrupted


def test_notes_that_differ_in_a_measure_alone_are_one_with_the_largest():
    notes = [
        f"candidate f: two calls differ by up to {n} bounds, at C: are sums" for n in (0.1, 0.3)
    ]
    told = text.summary(Report(tuple(result(notes=(n,)) for n in notes), 2, candidate="f"))
    assert "  in 2 passed cases: candidate f: two calls differ by up to 0.3 bounds, at C" in told
    assert told.count("two calls") == 1


def test_prose_is_folded_at_80_columns():
    cause = replace(DOUBLED, findings=(Finding("shape", Verdict.FAIL, "word " * 40, "x"),))
    told = text.summary(Report((cause,), 1, candidate="f", proof="proven " * 20))
    assert max(map(len, told.split("\n"))) <= 80


def test_a_failure_of_unknown_state_is_repeated_with_the_whole_run():
    asked = Asked("lab.py:f", paths=("a", "b.toml"), keyword="float32")
    told = text.block(replace(DOUBLED, after=UNKNOWN), asked)
    assert "to repeat it        verify run 'a' 'b.toml' -k float32 --candidate lab.py:f" in told


def test_the_table_has_columns_of_16_bits_where_there_are_cases_of_them():
    half = replace(PASSED, dtype="bfloat16")
    assert any("bfloat16" in line for line in table_of(PASSED, half))
    assert not any("float16" in line for line in table_of(PASSED))
