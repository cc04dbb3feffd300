"""What a notebook shows: an escaped table, a DataFrame, or how to get one."""

from __future__ import annotations

import pytest

from tests.support.results import DOUBLED, PASSED, figure, result
from verify.errors import UsageError
from verify.judge import notebook
from verify.judge.result import Report
from verify.network.problem import LINKS


def test_a_table_has_its_names_and_its_first_rows():
    made = notebook.table("told", [{"a": n, "b": n / 3} for n in range(25)])
    assert made.startswith(
        "<p>told</p><table><tr><th>a</th><th>b</th></tr><tr><td>0</td><td>0</td>"
    )
    assert "<tr><td>1</td><td>0.333</td></tr>" in made
    assert made.count("<tr>") == 21
    assert made.endswith("<p>and 5 more</p>")
    assert notebook.table("nothing", []) == "<p>nothing</p><table><tr></tr></table>"


def test_what_is_shown_is_escaped():
    made = notebook.table("<b>\x1b", [{"<i>": "<script>"}])
    assert not any(tag in made for tag in ("<b>", "<i>", "<script>", "\x1b"))


def test_a_report_shows_what_is_not_green_first():
    made = Report((PASSED, DOUBLED), 2)._repr_html_()
    assert made.index("FAIL</td>") < made.index("PASS</td>")
    assert "2 found, 2 judged, 1 FAIL, 1 PASS" in made
    assert "nothing was judged" in Report((), 0)._repr_html_()


def test_a_result_shows_the_worst_figure_of_each_link():
    figures = tuple(figure(link, ratio) for link in LINKS for ratio in (0.25, 0.5))
    made = result(figures=figures)._repr_html_()
    assert made.count("<tr>") == 1 + len(LINKS)
    assert "<td>0.5</td>" in made
    assert "dC_dy is beyond its bound" in DOUBLED._repr_html_()


def test_a_report_is_a_frame_of_cases_and_a_result_one_of_figures():
    frame = Report((PASSED, DOUBLED), 2).to_dataframe()
    assert list(frame["verdict"]) == ["PASS", "FAIL"]
    assert list(frame["link"]) == ["", "dC_dy"]
    assert frame["error / bound"][1] == 3.5e7
    figures = DOUBLED.to_dataframe()
    assert list(figures["link"]) == [f.link for f in DOUBLED.figures]


def test_without_pandas_there_is_a_sentence_that_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(notebook, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install pandas"):
        Report((PASSED,), 1).to_dataframe()
