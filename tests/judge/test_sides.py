"""Manual and twin in the forms that hold, and what one evaluation of each says."""

from __future__ import annotations

import pytest

from tests.support import broken
from tests.support.texts import DRAWN, EXAMPLE, the_case
from verify.judge import compare
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.judge.sides import LEAD, one_step, subjects
from verify.network import manual, twin


@pytest.mark.parametrize(("way", "name"), [("eager", "twin"), ("func", "twin func")])
def test_both_sides_are_judged_in_both_forms_and_small_ones_by_loops(tmp_path, way, name):
    case = the_case(tmp_path, EXAMPLE)
    found = subjects(case, compare.reference(case.problem, 0), way)
    sides = [f"{side}.{form}_form" for form in ("stable", "post") for side in ("manual", name)]
    assert [s.name for s in found] == [*sides, "manual.element_form"]
    assert found[0].name == LEAD


def test_the_post_form_is_left_out_where_it_is_said_or_known_not_to_hold(tmp_path):
    for text in (
        EXAMPLE + '[expect]\npost_form = "nonfinite"\n',
        EXAMPLE.replace("2, 4", "2000, 4"),
    ):
        case = the_case(tmp_path, text)
        found = subjects(case, compare.reference(case.problem, 0), "eager")
        assert {s.form for s in found} == {"stable"}


def test_each_subject_gives_a_chain_and_figures_against_truth_and_other_side(tmp_path):
    case = the_case(tmp_path, DRAWN)
    ref = compare.reference(case.problem, 2**24)
    judged = subjects(case, ref, "eager")
    chains, findings, figures = one_step(judged, ref)
    assert findings == []
    assert list(chains) == [s.name for s in judged]
    sides = {s.name for s in judged}
    pairs = {f"manual.{form}_form against twin.{form}_form" for form in ("post", "stable")}
    assert {f.subject for f in figures} == sides | pairs


def test_an_exact_relation_that_breaks_is_a_failure(tmp_path, monkeypatch):
    """An epsilon inside the log is below the bound of C here, but not exact."""
    new = "C = -np.sum(P * np.log(y_o + 1e-30 * P)) / N"
    old = "C = -np.sum(P * np.log(y_o), axis=NK) / N"
    wrong = broken.with_line(manual, "post_form", old, new)
    monkeypatch.setitem(manual.FORMS, "post", wrong)
    assert judge(the_case(tmp_path, DRAWN)).verdict is Verdict.PASS  # invisible, and harmless
    wrong = broken.with_line(
        manual, "post_form", old, old + " + (P.sum() > 7) * 2.0**-52 * y_o[0, 0]"
    )
    monkeypatch.setitem(manual.FORMS, "post", wrong)
    result = judge(the_case(tmp_path, DRAWN))
    assert ("relation", "C") in {(f.check, f.link) for f in result.findings}


def test_an_exception_of_a_subject_is_a_finding_that_quotes_its_line(tmp_path, monkeypatch):
    new = "dC_dW = np.linalg.inv(X) @ dC_dy"
    wrong = broken.with_line(manual, "post_form", "dC_dW = X.mT @ dC_dy", new)
    monkeypatch.setitem(manual.FORMS, "post", wrong)
    result = judge(the_case(tmp_path, DRAWN))
    assert result.findings[0].check == "exception"
    assert "LinAlgError" in result.findings[0].message


def test_an_exception_inside_the_twin_names_the_link_it_could_not_reach(tmp_path, monkeypatch):
    wrong = broken.with_line(
        twin, "_differentiated", "        C.sum().backward()\n", "", wanted="post_form"
    )
    monkeypatch.setitem(twin.FORMS, "post", wrong)
    result = judge(the_case(tmp_path, DRAWN))
    assert result.findings[0].check == "exception"
    assert result.first_broken_link == "dC_dy"
