"""The page holds what the report says, escapes it, asks the network for nothing, and is small."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.support.results import (
    ABSENT,
    BROKEN,
    DOUBLED,
    FAULT,
    FIGURES,
    GREEN,
    HOSTILE,
    MATRIX,
    PASSED,
    STEPS,
    UNSURE,
    figure,
    result,
)
from verify.errors import UsageError
from verify.judge.result import Finding, Report, Step, Verdict
from verify.network.problem import LINKS
from verify.report.page import destination_of, page
from verify.report.read import Matrix


class Read(HTMLParser):
    """Elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, kind: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.elements if kind in (a.get("class") or "").split()]


def read(*results, found=None, **more) -> Read:
    matrix = more.pop("matrix", None)
    report = Report(results, len(results) if found is None else found, **more)
    return Read(page(report, "verify run x", matrix))


def test_every_case_has_a_cell_that_leads_to_its_section():
    seen = read(GREEN, DOUBLED, UNSURE, ABSENT)
    cells = [a for a in seen.of("cell") if "href" in a]
    assert [c["href"] for c in cells] == ["#c0", "#c1", "#c2", "#c3"]
    assert [a["id"] for a in seen.of("case")] == ["c0", "c1", "c2", "c3"]
    assert cells[0]["aria-label"] == "PASS dtype=float64: error/bound 0.25 at y"


@pytest.mark.parametrize(
    ("case", "heat"),
    [(result(figures=(figure("y", 0.0),)), 0), (result(figures=(figure("y", 0.01),)), 0),
     (result(figures=(figure("y", 0.011),)), 1), (result(figures=(figure("y", 1.0),)), 5),
     (DOUBLED, 6), (result(figures=(figure("y", float("nan")),)), 6), (PASSED, 0),
     (result(Finding("shape", Verdict.FAIL, "m"), figures=FIGURES), 7), (BROKEN, 7),
     (UNSURE, 8), (ABSENT, 9)],
)  # fmt: skip
def test_a_cell_has_the_colour_of_its_ratio_or_of_its_verdict(case, heat):
    (cell,) = (a for a in read(case).of("cell") if "href" in a)
    assert cell["class"].split()[1] == f"h{heat}"


def test_the_folder_of_all_files_is_not_repeated_in_every_row():
    text = read(replace(GREEN, path="far/away/a.toml"), replace(GREEN, path="far/away/b.toml")).text
    assert " ".join(text.split("not run")[-1].split()).startswith("far/away/ a.toml b.toml")


def test_the_verdict_of_the_run_stands_first():
    for report, word in (
        (Report((PASSED,), 1), "PASS"),
        (Report((DOUBLED,), 1), "FAIL"),
        (Report((), 0, (FAULT,)), "MALFORMED FILES"),
        (Report((PASSED,), 2), "ERROR"),
        (Report((), 0), "NOTHING WAS JUDGED"),
        (Report((PASSED,), 2, signal=2), "INTERRUPTED"),
    ):
        assert Read(page(report)).text.lstrip().startswith(f"verify: {word}")


def test_a_green_case_shows_each_link_with_its_hex_values_and_its_loss_in_words():
    step = Step(1, 7.87, 7.63, 7.62, 7.64)
    text = " ".join(read(replace(GREEN, steps=(step,))).text.split())
    for link in LINKS:
        assert f"{link} manual.post_form 0, 1 0x1.0000000000000p+0" .replace(" ", "") in (
            text.replace(" ", "")
        )  # fmt: skip
    assert "C 7.87 before, 7.63 after" in text
    assert "s.toml:3; dtype float64, device cpu, layout of X C, resolution 1e-15, ms " in text
    assert "from 7.87 to 7.63; convexity and smoothness allow 7.62 to 7.64" in text
    assert "to repeat it: verify run 's.toml::dtype=float64'" in text


def test_a_failure_is_open_and_reads_as_in_the_terminal():
    seen = read(GREEN, DOUBLED)
    assert [("red" in a["class"].split()) for a in seen.of("case")] == [False, True]
    assert "first broken link   dC_dy   (y, y_o, C are right)" in seen.text


def test_a_case_that_is_not_green_shows_all_its_figures_and_a_green_one_the_worst_of_each_link():
    def rows(case) -> int:
        return sum(tag == "tr" for tag, _ in read(case).elements) - 1  # the map's row

    twice = (*FIGURES, *(replace(f, subject="twin.post_form") for f in FIGURES))
    assert rows(replace(GREEN, figures=twice)) == 1 + len(LINKS)
    assert rows(replace(DOUBLED, figures=twice)) == 1 + 2 * len(LINKS)


def test_a_green_case_shows_its_notes_and_one_that_was_not_run_says_why():
    assert (
        "the truth covers columns"
        in read(replace(GREEN, notes=("the truth covers columns 0",))).text
    )
    absent = result(Finding("device", Verdict.NOT_RUN, "no cuda device here"))
    assert read(absent).text.count("no cuda device here") == 2  # in the summary, and in the case
    failed = replace(DOUBLED, notes=("off by 11",))
    assert read(failed).text.count("off by 11") == 1  # in the block


def test_a_training_has_a_curve_and_the_one_that_failed_has_it_first(monkeypatch):
    long = replace(GREEN, steps=STEPS)
    bad = replace(DOUBLED, steps=STEPS)
    monkeypatch.setattr("verify.report.page._CURVES", 1)
    text = page(Report((long, bad), 2))
    first, second = text.split('id="c1"')
    assert "<svg" not in first.split('id="c0"')[1]
    assert "step 100 of C from" in first
    assert "<svg" in second.split("</article>")[0]


def test_a_candidate_has_its_own_rows_and_its_diagnosis():
    own = replace(FIGURES[0], subject="candidate mine.py:f", ratio=0.5)
    seen = read(replace(GREEN, figures=(*FIGURES, own)), candidate="mine.py:f", proof="proven")
    assert "judged: candidate mine.py:f, beside manual and twin" in seen.text
    assert "manual.post_form" not in seen.text
    failing = replace(DOUBLED, dtype="float32", work=6)
    assert "wrong only with dtype float32" in read(GREEN, failing, candidate="mine.py:f").text


def test_the_matrix_of_faults_is_shown_when_there_is_one():
    seen = read(GREEN, matrix=MATRIX)
    assert "1 of 2 mistakes caught by 2 scenario files" in seen.text
    assert "s.toml: bound dC_dW" in seen.text
    assert [a for tag, a in seen.elements if tag == "tr" and a.get("class") == "bad"]
    assert "Planted faults" not in read(GREEN).text


def test_versions_and_the_command_are_there():
    seen = read(GREEN, environment={"torch": "2.13", "numpy": "2.4"})
    assert "verify run x" in seen.text
    assert "torch 2.13, numpy 2.4." in seen.text


def test_hostile_text_is_text_wherever_it_comes_from():
    case = result(
        Finding("bound", Verdict.FAIL, HOSTILE, HOSTILE, "C", replace(FIGURES[0], subject=HOSTILE)),
        figures=(replace(FIGURES[0], subject=HOSTILE, ratio=2.0),), notes=(HOSTILE,),
        digest=HOSTILE, twin=HOSTILE,
    )  # fmt: skip
    case = replace(case, path=HOSTILE, case=HOSTILE, dtype=HOSTILE, device=HOSTILE, layout=HOSTILE)
    matrix = Matrix.model_validate(
        {"faults": {HOSTILE: {"link": HOSTILE, "mistake": HOSTILE, "visible": True,
                              "killed_by": {HOSTILE: HOSTILE}}}, "kinds": {}}
    )  # fmt: skip
    report = Report(
        (case, replace(case, findings=()), replace(PASSED, notes=(HOSTILE,))), 4, (FAULT,), 0.0,
        {HOSTILE: HOSTILE}, HOSTILE, HOSTILE, (HOSTILE,),
    )  # fmt: skip
    text = page(report, HOSTILE, matrix)
    clean = page(Report((PASSED,), 1))
    seen, usual = Read(text), Read(clean)
    assert sum(tag == "script" for tag, _ in seen.elements) == 1
    assert text.split("<script>")[1] == clean.split("<script>")[1]
    assert "img" not in {tag for tag, _ in seen.elements}
    assert not [n for _, a in seen.elements for n in a if n.startswith("on") and n != "onsubmit"]
    assert "{{7*7}}" in seen.text
    assert "49" not in seen.text
    assert "\x1b" not in text
    assert len(seen.text.split("<style>")) == len(usual.text.split("<style>"))


def test_nothing_is_asked_of_the_network():
    seen = read(replace(GREEN, steps=STEPS), DOUBLED, matrix=MATRIX)
    for tag, attributes in seen.elements:
        assert tag not in {"iframe", "object", "embed", "base"}
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith("#") or value == "data:,", (tag, value)
    policy = next(a["content"] for _, a in seen.elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none';")


def test_ids_are_unique_and_every_local_link_has_one():
    seen = read(replace(GREEN, steps=STEPS), replace(GREEN, steps=STEPS[:3]), DOUBLED)
    ids = [a["id"] for _, a in seen.elements if "id" in a]
    assert len(ids) == len(set(ids))
    used = {a[n] for _, a in seen.elements for n in ("href", "xlink:href") if n in a}
    assert {link[1:] for link in used - {"data:,"}} <= set(ids)


def test_the_same_report_is_the_same_page():
    report = Report((replace(GREEN, steps=STEPS), DOUBLED), 2)
    assert page(report) == page(report)


def test_two_thousand_cases_stay_below_5_MB():
    long = replace(GREEN, steps=STEPS, digest="f" * 64, work=10**6,
                   case="batch_size=257-features=5-seed=12-dtype=float64")  # fmt: skip
    cases = tuple(replace(long, path=f"scenarios/a-long-name-{n // 50}.toml") for n in range(2000))
    assert len(page(Report(cases, 2000)).encode()) < 5e6


def test_two_thousand_failures_of_a_candidate_do_so_too_and_the_first_show_every_figure():
    sides = (*(f"{module}.{form}_form" for form in ("stable", "post") for module in
               ("manual", "twin")), "candidate package.module:gradient")  # fmt: skip
    figures = tuple(replace(f, subject=side) for side in sides for f in FIGURES)
    found = Finding("bound", Verdict.FAIL, "dC_dW is beyond its bound: error / bound 1.7e+14,"
                    " limit 1", sides[-1], "dC_dW", replace(figures[-2], ratio=1.7e14))  # fmt: skip
    case = replace(
        GREEN, findings=(found,), figures=(*figures[:-2], found.figure), steps=STEPS,
        case="batch_size=257-features=5-seed=12-dtype=float64", digest="f" * 64, work=10**6,
    )  # fmt: skip
    cases = tuple(replace(case, path=f"scenarios/a-long-name-{n // 50}.toml") for n in range(2000))
    text = page(Report(cases, 2000, candidate="package.module:gradient"))
    assert len(text.encode()) < 5e6
    articles = text.split("<article")[1:]
    assert articles[0].count("<tr") == 1 + len(case.figures)
    assert articles[-1].count("<tr") == 1 + 7  # the candidate's alone
    for article, in_full in ((articles[0], True), (articles[-1], False)):
        assert ("first broken link" in article) == in_full
        words = "dC_dW is beyond its bound: error / bound 1.7e+14, limit 1"
        assert (words in article) != in_full  # in full, its rows say so
        assert "verify run" in article


def test_a_candidate_that_was_not_judged_leaves_the_figures_of_the_others():
    report = Report((replace(GREEN, notes=("no candidate",)),), 1, candidate="m:f")
    text = page(report)
    assert text.count("<td>manual.post_form<td>") == len(LINKS)


def test_a_page_that_could_not_be_drawn_is_refused_before_anything_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.report.plots.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install matplotlib"):
        destination_of(str(tmp_path / "x.html"))


@pytest.mark.parametrize("name", ["absent/x.html", "."])
def test_a_page_that_could_not_be_written_is_refused_before_anything_is_judged(name, tmp_path):
    assert destination_of(str(tmp_path / "x.html")) == tmp_path / "x.html"
    with pytest.raises(UsageError, match="give a file in a folder that exists"):
        destination_of(str(tmp_path / name))
