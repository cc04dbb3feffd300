"""The judge: green for what is right, and red, with the right link, for every broken line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import with_numpy
from hypothesis import given

from tests.support import broken, networks
from tests.support.documents import valid
from tests.support.problems import extreme
from tests.support.texts import DRAWN, EXAMPLE, the_case, the_cases
from verify.candidate.candidate import candidate, of_function
from verify.judge import judge as module
from verify.judge.asked import Asked
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.network import manual, truth, twin
from verify.network.layer import Layer
from verify.network.problem import LINKS, Problem
from verify.scenario.cases import of_problem
from verify.scenario.document import Expect


def test_a_right_case_passes_with_figures_for_every_link_of_both_sides(tmp_path):
    result = judge(the_case(tmp_path, EXAMPLE))
    assert result.verdict is Verdict.PASS
    assert result.findings == ()
    subjects = {f.subject for f in result.figures}
    assert {"manual.post_form", "manual.stable_form", "manual.element_form", "twin.post_form",
            "twin.stable_form", "manual.post_form against twin.post_form"} <= subjects  # fmt: skip
    assert {f.link for f in result.figures if f.subject == "twin.post_form"} == set(LINKS)
    assert (f"{result.loss_before:.2f}", f"{result.loss_after:.2f}") == ("7.87", "7.63")
    assert 0 < result.resolution < 1e-14
    assert result.work == 1 * 3 * 2
    (step,) = result.steps
    assert (step.step, step.before) == (1, pytest.approx(result.loss_before))
    assert step.lowest <= step.after <= step.highest < step.before


@given(valid())
def test_every_case_of_a_valid_document_is_judged_and_green(tmp_path_factory, text):
    for case in the_cases(tmp_path_factory.mktemp("valid"), text):
        result = judge(case)
        assert result.verdict is Verdict.PASS, (case.name, result.findings)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", manual.FORMS)
def test_what_the_tests_break_is_right_as_long_as_it_is_whole(form, dtype, tmp_path, monkeypatch):
    monkeypatch.setitem(manual.FORMS, form, broken.manual(form))
    assert judge(the_case(tmp_path, DRAWN, dtype)).ok


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("form", manual.FORMS)
def test_one_broken_link_of_manual_is_named(form, link, dtype, tmp_path, monkeypatch):
    monkeypatch.setitem(manual.FORMS, form, broken.scaled(form, link))
    result = judge(the_case(tmp_path, DRAWN, dtype))
    assert result.verdict is Verdict.FAIL
    assert result.first_broken_link == link
    assert result.worst.subject.startswith(f"manual.{form}_form")


@pytest.mark.parametrize("link", ["y", "y_o", "C", "dC_dy_o", "dy_o_dy"])
@pytest.mark.parametrize("form", twin.FORMS)
def test_one_broken_link_of_the_twin_is_named(form, link, tmp_path, monkeypatch):
    monkeypatch.setattr(twin, "forward", broken.twin_forward(link))
    result = judge(the_case(tmp_path, DRAWN))
    assert result.verdict is Verdict.FAIL
    assert result.first_broken_link == link
    assert any(f.subject == f"twin.{form}_form" and f.link == link for f in result.findings)


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("dC_dy", lambda v: v.dC_dy_o),
        ("dC_dW", lambda v: -v.X.T @ v.dC_dy),
        ("dC_dW", lambda v: v.X[:-1].T @ v.dC_dy[:-1]),
        ("W_next", lambda v: v.W + v.h * v.dC_dW),
        ("dC_dy_o", lambda v: -v.P / v.y_o),
        ("y", lambda v: v.X @ v.W + np.nan),
        ("y_o", lambda v: 1 / (1 + np.exp(-1 / (1 + np.exp(-v.y))))),
        ("C", lambda v: -np.sum(v.P * np.log(v.y_o))),
        ("C", lambda v: np.float16(1)),
    ],
)
def test_what_people_get_wrong_is_named_by_its_link(link, wrong, tmp_path, monkeypatch):
    monkeypatch.setitem(manual.FORMS, "post", broken.manual("post", **{link: wrong}))
    result = judge(the_case(tmp_path, DRAWN))
    assert result.verdict is Verdict.FAIL
    assert result.first_broken_link == link


def test_a_transposed_gradient_is_named_by_its_shape(tmp_path, monkeypatch):
    turned = {"dC_dW": lambda v: (v.X.T @ v.dC_dy).T, "W_next": lambda v: v.W}
    monkeypatch.setitem(manual.FORMS, "post", broken.manual("post", **turned))
    result = judge(the_case(tmp_path, DRAWN))
    assert result.first_broken_link == "dC_dW"
    assert "Is it transposed?" in result.findings[0].message


def test_what_is_wrong_takes_no_step(tmp_path, monkeypatch):
    raising = broken.manual("stable", dC_dW=lambda v: v.X @ v.dC_dy)
    monkeypatch.setitem(manual.FORMS, "stable", raising)
    result = judge(the_case(tmp_path, DRAWN))
    assert {f.check for f in result.findings} == {"exception"}  # nothing of a gradient that is not
    assert result.findings[0].message.startswith("ValueError in test_judge.py:")
    assert (result.steps, np.isnan(result.loss_after)) == ((), True)


def test_a_candidate_is_not_blamed_for_what_manual_does(tmp_path, monkeypatch):
    wrong = broken.scaled("post", "y_o")
    monkeypatch.setitem(manual.FORMS, "post", wrong)
    result = judge(the_case(tmp_path, DRAWN), candidate=candidate(with_numpy.gradient))
    assert result.verdict is Verdict.FAIL
    assert not any("candidate" in f.subject for f in (*result.figures, *result.findings))


def test_a_candidate_that_is_wrong_once_is_not_followed_any_further(tmp_path):
    case = the_case(tmp_path, DRAWN + "steps = 3\n")
    result = judge(case, candidate=candidate(lambda X, W, P, h: W * 0))
    assert result.verdict is Verdict.FAIL
    assert "trajectory" not in {f.check for f in result.findings}


def test_a_fault_of_a_single_entry_names_the_entry_and_both_values(tmp_path, monkeypatch):
    factors = np.ones((5, 3))
    factors[3, 1] += 1e-12
    wrong = broken.manual("stable", dC_dW=lambda v: v.X.T @ v.dC_dy * factors)
    monkeypatch.setitem(manual.FORMS, "stable", wrong)
    figure = judge(the_case(tmp_path, DRAWN)).worst
    assert (figure.link, figure.entry) == ("dC_dW", (3, 1))
    assert figure.ratio > 10
    assert figure.found == pytest.approx(figure.truth, rel=1e-11)
    assert figure.found != figure.truth
    assert figure.ulps > 1000


def test_without_a_truth_manual_and_twin_still_judge_each_other(tmp_path, monkeypatch):
    case = the_case(tmp_path, DRAWN)
    assert judge(case, Asked(budget=0)).verdict is Verdict.PASS
    wrong = broken.scaled("post", "y_o")
    monkeypatch.setitem(manual.FORMS, "post", wrong)
    result = judge(case, Asked(budget=0))
    assert result.first_broken_link == "y_o"
    assert {f.check for f in result.findings} == {"agreement"}


def test_products_near_overflow_cannot_be_judged(tmp_path):
    text = EXAMPLE.replace("[[2, 4, -2]]", "[[1e38, 2e38, -1e38]]")
    result = judge(the_case(tmp_path, text, "float32"))
    assert result.verdict is Verdict.CANNOT_JUDGE
    assert result.findings[0].check == "range"


CONFLICT = """
title = "conflict"
inputs = [[1], [-1]]
weights = [[0.05]]
labels = [[1], [1]]
step_size = {h}
dtype = "float64"
[expect]
loss = "{loss}"
"""


@pytest.mark.parametrize(("h", "truth"), [(7.999, "falls"), (8.1, "rises")])
@pytest.mark.parametrize("declared", ["falls", "rises", "any"])
def test_the_cost_moves_as_declared_or_the_case_fails(h, truth, declared, tmp_path):
    (case,) = the_cases(tmp_path, CONFLICT.format(h=h, loss=declared))
    result = judge(case)
    assert result.ok == (declared in (truth, "any"))
    assert result.verdict is (Verdict.PASS if result.ok else Verdict.FAIL)
    assert bool(result.notes) == (declared == "any" and truth == "falls")


@pytest.mark.parametrize("seeds", [range(i, i + 50) for i in range(0, 300, 50)], ids=str)
def test_no_right_answer_is_blamed_at_the_ends_of_the_dtype(seeds):
    judged = 0
    for seed in seeds:
        problem, budget = extreme(seed), (0, truth.BUDGET)[seed % 2]
        for form in ("agrees", "blind", "nonfinite"):
            expect = Expect(loss="any", post_form=form)
            case = replace(of_problem(problem, expect=expect), steps=1 + seed % 4)
            result = judge(case, Asked(budget=budget), candidate(_stable))
            blamed = [f for f in result.findings if f.verdict is Verdict.FAIL]
            assert {f.check for f in blamed} <= {"post_form"}, (seed, form, blamed)
            judged += result.ok
    assert judged > 10


def _stable(X, W, P, h):
    return dict(manual.stable_form(Problem(X, W, P, h)))


@pytest.mark.parametrize(("h", "budget"), [("1e300", 0), ("1e300", truth.BUDGET), ("1e307", 0)])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_that_is_too_long_for_the_dtype_is_not_judged_and_not_blamed(
    h, budget, steps, tmp_path
):
    """After 1e300 the square of X d is beyond float64, after 1e307 C itself."""
    text = DRAWN.replace("0.25", h) + f'dtype = "float64"\nsteps = {steps}\n'
    asked = Asked(budget=budget)
    result = judge(the_case(tmp_path, text + '[expect]\nloss = "any"\nloss_after = "1"\n'), asked)
    assert {f.check for f in result.findings} == {"range"}
    assert "step 1 overflows: C or its allowed change is beyond float64" in {
        f.message for f in result.findings
    }
    assert result.verdict is Verdict.CANNOT_JUDGE


def test_a_change_of_cost_below_all_rounding_cannot_be_judged(tmp_path):
    text = CONFLICT.format(h=1e-17, loss="falls").replace("0.05", "0.5")
    (case,) = the_cases(tmp_path, text)
    result = judge(case)
    assert (result.verdict, result.findings[0].check) == (Verdict.CANNOT_JUDGE, "loss")


def test_an_absent_device_is_not_run_and_never_silently_another(tmp_path, monkeypatch):
    monkeypatch.setattr(module.twin, "available", lambda device: device == "cpu")
    result = judge(the_case(tmp_path, EXAMPLE + 'device = "cuda"\n'))
    assert result.verdict is Verdict.NOT_RUN
    assert "no cuda device" in result.findings[0].message


def test_a_path_that_ends_early_is_not_held_against_the_expected_figures(tmp_path):
    text = """
title = "leaves the post form's domain"
inputs = [[1.0], [-1.0]]
weights = [[0.05]]
labels = [[1], [1]]
step_size = 20000
steps = 3
dtype = "float32"
[expect]
loss = "falls"
loss_after = "1.0"
"""
    (case,) = the_cases(tmp_path, text)
    assert {f.check for f in judge(case).findings} == {"post_form"}


def test_of_a_case_that_is_too_much_the_truth_judges_some_rows_and_says_which(tmp_path):
    result = judge(the_case(tmp_path, DRAWN), Asked(budget=3000))
    assert result.verdict is Verdict.PASS
    assert result.rows == (0, 3, 7, 10)
    assert "the truth judges in a batch of 4 rows: 0, 3, 7, ...; manual against twin all 11" in (
        result.notes
    )


def test_an_error_outside_the_sampled_columns_is_seen_against_the_twin(tmp_path, monkeypatch):
    wrong = broken.manual("stable", dC_dW=lambda v: v.X.T @ v.dC_dy * [1, 1, 1.001])
    monkeypatch.setitem(manual.FORMS, "stable", wrong)
    result = judge(the_case(tmp_path, DRAWN), Asked(budget=3000))
    assert result.first_broken_link == "dC_dW"
    assert {f.check for f in result.findings} == {"agreement"}


HIDDEN = """
title = "a hidden layer"
features = 4
classes = 3
batch_size = 6
inputs = { random = "normal" }
labels = { random = "classes" }
step_size = 0.25
steps = 3

[[layers]]
units = 5
weights = { random = "normal" }
bias = { random = "normal" }
activation = "tanh"

[[layers]]
weights = { random = "normal" }
activation = "softmax"
"""


def test_a_network_is_judged_over_its_steps(tmp_path):
    result = judge(the_case(tmp_path, HIDDEN))
    assert result.verdict is Verdict.PASS
    assert result.network == "bias, tanh; softmax; cross-entropy"
    assert result.links[:4] == ("y1", "y_o1", "y2", "y_o2")
    assert len(result.steps) == 3
    assert result.loss_after < result.loss_before
    assert result.resolution < 1e-12
    assert result.work == 6 * (4 * 5 + 5 * 3)


def test_a_network_whose_cost_rises_fails_where_the_file_says_that_it_falls(tmp_path):
    result = judge(the_case(tmp_path, HIDDEN.replace("step_size = 0.25", "step_size = 60.0")))
    assert {f.check for f in result.findings} == {"loss"}
    assert result.verdict is Verdict.FAIL


@pytest.mark.parametrize(("printed", "verdict"), [("2.2", Verdict.FAIL), (None, Verdict.PASS)])
def test_a_printed_figure_of_a_network_is_held_against_its_cost(tmp_path, printed, verdict):
    case = the_case(tmp_path, HIDDEN)
    figure = printed or f"{judge(case).loss_after:.4f}"
    text = HIDDEN.replace("[[layers]]", f'[expect]\nloss_after = "{figure}"\n\n[[layers]]', 1)
    assert judge(the_case(tmp_path, text)).verdict is verdict


def test_an_operation_has_no_step_and_no_cost_to_fall(tmp_path):
    text = """
title = "one operation"
features = 4
batch_size = 6
inputs = { random = "normal" }
upstream = { random = "normal" }
activation = "softmax"
"""
    result = judge(the_case(tmp_path, text))
    assert result.verdict is Verdict.PASS
    assert result.steps == ()
    assert np.isnan(result.loss_before)
    assert {f.link for f in result.figures} == {"y_o", "C", "dC_dy_o", "dC_dX"}


def test_a_candidate_of_another_network_is_not_run(tmp_path):
    other = of_function(lambda X, W, P: W, "it")
    result = judge(the_case(tmp_path, HIDDEN), candidate=other)
    assert result.verdict is Verdict.NOT_RUN
    assert result.findings[0].check == "network"


def test_where_depth_leaves_no_sight_from_X_on_a_case_is_judged_line_by_line():
    problem = networks.of(*[Layer("relu")] * 15, Layer("softmax"), sizes=(32,) * 17, N=8,
                          dtype="float32", scale=1.6)  # fmt: skip
    result = judge(of_problem(problem))
    assert result.verdict is Verdict.PASS
    assert result.resolution < 1e-3
    assert any("every line is judged from the links before it" in note for note in result.notes)
