"""Manual and twin in the forms that hold, and what one evaluation of each says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import broken, networks
from tests.support.texts import DRAWN, EXAMPLE, the_case
from verify.judge import compare
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.judge.sides import LEAD, blind, both_sides, on_sample, one_step, subjects
from verify.network import manual, twin
from verify.network.layer import Layer


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
    step = one_step(judged, ref)
    assert step.findings == []
    assert list(step.given) == step.fit == [s.name for s in judged]
    sides = {s.name for s in judged}
    pairs = {f"manual.{form}_form against twin.{form}_form" for form in ("post", "stable")}
    assert {f.subject for f in step.figures} == sides | pairs


def test_an_exact_relation_that_breaks_is_a_failure(tmp_path, monkeypatch):
    """Something beside the sum is below the bound of C here, but not exact."""

    def of(more):
        return broken.manual("post", C=lambda v: more(v) - np.sum(v.P * np.log(v.y_o)) / v.N)

    monkeypatch.setitem(manual.FORMS, "post", of(lambda v: 1e-30 * v.y_o[0, 0]))
    assert judge(the_case(tmp_path, DRAWN)).verdict is Verdict.PASS  # invisible, and harmless
    wrong = of(lambda v: (v.P.sum() > 7) * 2.0**-52 * v.y_o[0, 0])
    monkeypatch.setitem(manual.FORMS, "post", wrong)
    result = judge(the_case(tmp_path, DRAWN))
    assert ("relation", "C") in {(f.check, f.link) for f in result.findings}


def test_an_exception_of_a_subject_is_a_finding_that_quotes_its_line(tmp_path, monkeypatch):
    wrong = broken.manual("post", dC_dW=lambda v: np.linalg.inv(v.X) @ v.dC_dy)
    monkeypatch.setitem(manual.FORMS, "post", wrong)
    result = judge(the_case(tmp_path, DRAWN))
    assert result.findings[0].check == "exception"
    assert result.findings[0].message.startswith("LinAlgError in ")


KERNELS = {
    "gelu": networks.of(Layer("gelu"), Layer("softmax"), dtype="float32", scale=6.0),
    "softplus": networks.of(Layer("softplus"), Layer("softmax"), scale=40.0),
}


@pytest.mark.parametrize("budget", [0, 2**30])
@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_of_torchs_that_is_known_to_err_is_a_note_and_no_failure(name, budget):
    problem = KERNELS[name]
    ref = compare.reference(problem, budget)
    with np.errstate(all="ignore"):
        step = one_step(both_sides("stable", "cpu", "eager", problem.network), ref)
    assert step.findings == []
    assert any(f"torch's {name}" in note and "bounds at y_o1 here" in note for note in step.notes)


def test_what_such_a_kernel_does_not_explain_is_a_failure(monkeypatch):
    problem = KERNELS["gelu"]

    def wrong(problem, device):
        chain = twin.stable_form(problem, device)
        return chain | {"dC_dW2": 2 * chain["dC_dW2"]}

    monkeypatch.setitem(twin.FORMS, "stable", wrong)
    with np.errstate(all="ignore"):
        ref = compare.reference(problem, 2**30)
        step = one_step(both_sides("stable", "cpu", "eager", problem.network), ref)
    assert "dC_dW2" in {f.link for f in step.findings}


def test_above_the_budget_both_sides_are_judged_by_the_truth_on_some_rows(monkeypatch):
    problem = networks.of(Layer("tanh", bias=True), Layer("softmax"), N=40)
    ref = compare.reference(problem, 20000)
    sides = both_sides("stable", "cpu", "eager", problem.network)
    step = on_sample(one_step(sides, ref), sides, ref)
    assert step.findings == []
    rows = [f.entry[0] for f in step.figures if f.link == "y1" and f.subject == LEAD]
    assert rows[0] in ref.rows

    def off_there(p):
        chain = manual.stable(p)
        return chain | {"dC_db1": chain["dC_db1"] * (1 + 1e-10 * (len(p.X) < 40))}

    monkeypatch.setitem(manual.FORMS, "stable", off_there)
    sides = both_sides("stable", "cpu", "eager", problem.network)
    found = on_sample(one_step(sides, ref), sides, ref).findings
    # Its b1_next is that of the right gradient, and does not follow from the wrong one.
    assert {f.link for f in found} == {"dC_db1", "b1_next"}
    assert all("in a batch of" in f.message for f in found)


def test_what_is_no_evidence_is_said_in_the_roundings_of_the_dtype():
    """No two right programs in bfloat16 are within 1 %; in float16 they are, nearly."""
    assert [blind(dtype) for dtype in ("float64", "float32", "float16", "bfloat16")] == [
        1e-2, 1e-2, 2.0**-6, 2.0**-3]  # fmt: skip
