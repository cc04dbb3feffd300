"""The walk shows what each side computed, beside the truth, and how near it came."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.support.texts import DRAWN, EXAMPLE, the_case
from verify.candidate.candidate import candidate
from verify.errors import UsageError
from verify.judge.asked import Asked
from verify.judge.result import Verdict
from verify.network import manual
from verify.network.problem import LINKS
from verify.report import show


def told(case, **more) -> str:
    return show.text(show.walk(case, Asked(**more)))


def part(text: str, link: str) -> list[str]:
    """The lines of one link."""
    formula = next(i for i, line in enumerate(text.split("\n")) if line.startswith(f"{link} = "))
    lines = text.split("\n")[formula:]
    return lines[: lines.index("")]


def test_every_link_has_its_formula_its_entries_and_their_truth(tmp_path):
    text = told(the_case(tmp_path, EXAMPLE))
    assert re.findall(r"^(\w+) = ", text, re.MULTILINE)[1:] == list(LINKS)
    assert part(text, "y") == [
        "y = X W                                 pre-sigmoid output (1, 2)",
        "            manual              twin                truth",
        "    [0, 0]  -7.870000000000001  -7.870000000000001  -7.870000000000001",
        "    [0, 1]  -0.8                -0.8                -0.8",
        "    error / bound (limit 1): manual 0.169 at [0, 0], twin 0.169 at [0, 0]",
    ]
    assert "C = -(1/N) sum p log(y_o)               cost: cross-entropy, in nats a row" in text
    assert part(text, "C")[2].split() == ["7.870381961405655"] * 3


def test_the_problem_stands_first_and_the_cost_after_the_step_last(tmp_path):
    text = told(the_case(tmp_path, EXAMPLE))
    assert text.startswith(
        f"{tmp_path}/s.toml::dtype=float64\nan example\n\nN = 1, D = 3, K = 2, h"
    )
    weights = "\n\nW                                       weights (3, 2)\n    [[-0.6558  0.2   ]\n"
    assert weights in text
    assert "\n    [[1. 0.]]\n\ny = X W" in text
    assert "C of all rows: 7.870381961405655 before, 7.6305771517067775 after" in text
    assert "\na step changes C as far as convexity and smoothness allow:\n    step 1 " in text
    assert "step 1      7.870382       to 7.6305772      allowed 7.6305652 to 7.6377597" in text


def test_a_small_case_has_the_element_wise_chain_rule(tmp_path):
    text = told(the_case(tmp_path, EXAMPLE))
    rule = "dC/dw_dk = sum_n dC/dy_o_nk dy_o_nk/dy_nk dy_nk/dw_dk, with dy_nk/dw_dk = x_nd"
    assert f"\n\n{rule}\n    dC/dw_00 = (-2618.57)(0.000381743)(2) = -1.99924\n" in text
    assert "dC/dw_21 = (-0)(0.21391)(-2) = 0\n\nC of all rows" in text
    two = EXAMPLE.replace("[[2, 4, -2]]", "[[2, 4, -2], [1, 0, 1]]").replace("[0]", "[0, 1]")
    assert re.search(
        r"dC/dw_00 = \(.*\)\(.*\)\(2\) \+ \(.*\)\(1\) = ", told(the_case(tmp_path, two))
    )
    assert "dC/dw_" not in told(the_case(tmp_path, DRAWN))


def test_of_a_large_link_the_matrix_and_the_worst_entries_are_shown(tmp_path):
    seen = show.walk(the_case(tmp_path, DRAWN, "float32"), Asked())
    lines = part(show.text(seen), "y")
    assert lines[1].startswith("    [[")
    worst = {str(list(f.entry)) for f in seen.result.figures
             if f.link == "y" and f.subject in ("manual.post_form", "twin.post_form")}  # fmt: skip
    rows = [line for line in lines if line.strip().startswith(tuple(worst))]
    assert len(rows) == len(worst) >= 1


def test_beyond_the_posts_domain_the_stable_form_is_walked_and_said_so(tmp_path):
    text = EXAMPLE.replace("[[2, 4, -2]]", "[[2000, 4000, -2000]]")
    seen = told(the_case(tmp_path, text + '[expect]\npost_form = "nonfinite"\n'))
    assert "float64, stable form" in seen
    assert "dC_dy = -(1/N) p sigma(-y)" in seen
    assert "nan" not in "".join(part(seen, "dC_dW"))
    assert "dC/dw_" not in seen


def test_a_broken_line_is_seen_where_it_is(tmp_path, monkeypatch):
    def wrong(problem):
        chain = manual.stable_form(problem)
        return manual.Chain(**{**dict(chain), "dC_dy": chain.dC_dy_o})

    monkeypatch.setitem(manual.FORMS, "post", wrong)
    seen = show.walk(the_case(tmp_path, EXAMPLE), Asked())
    assert seen.result.verdict is Verdict.FAIL
    assert seen.result.first_broken_link == "dC_dy"
    rows = part(show.text(seen), "dC_dy")
    assert rows[2].split()[2:] == ["-2618.565588187498", "-0.9996181115323172",
                                   "-0.9996181115323172"]  # fmt: skip
    assert "manual 3.92e+18 at [0, 0]" in rows[-1]


def test_what_has_another_shape_is_still_walked(tmp_path, monkeypatch):
    def transposed(problem):
        y = problem.X @ problem.W
        return manual.Chain(y=y, dC_dW=(problem.X.T @ y).T)

    monkeypatch.setitem(manual.FORMS, "post", transposed)
    text = told(the_case(tmp_path, EXAMPLE))
    assert "of shape (2, 3)" in "".join(part(text, "dC_dW"))
    assert part(text, "y_o")[1].split() == ["twin", "truth"]


def test_what_raises_is_not_reached(tmp_path, monkeypatch):
    def raising(problem):
        raise ArithmeticError

    monkeypatch.setitem(manual.FORMS, "post", raising)
    text = told(the_case(tmp_path, DRAWN))
    assert "not reached" in "".join(part(text, "y_o"))


def test_a_candidate_is_a_column_beside_the_others(tmp_path):
    def mine(X, W, P, h):
        return {"y": X @ W, "dC_dW": W * 0}

    seen = show.walk(the_case(tmp_path, EXAMPLE), Asked(), candidate=candidate(mine))
    text = show.text(seen)
    assert part(text, "y")[1].split() == ["manual", "twin", "candidate", "truth"]
    assert part(text, "C")[1].split() == ["manual", "twin", "truth"]
    assert "candidate " in part(text, "dC_dW")[-1]
    assert seen.result.verdict is Verdict.FAIL


def test_a_candidate_that_raises_has_no_column_and_a_verdict(tmp_path):
    def mine(X, W, P, h):
        raise ZeroDivisionError

    seen = show.walk(the_case(tmp_path, EXAMPLE), Asked(), candidate=candidate(mine))
    assert part(show.text(seen), "y")[1].split() == ["manual", "twin", "truth"]
    assert seen.result.findings[0].check == "exception"


def test_of_a_long_training_the_first_steps_and_the_last_are_shown(tmp_path):
    text = told(the_case(tmp_path, DRAWN + "steps = 30\n"))
    assert re.findall(r"^    step (\d+) ", text, re.MULTILINE) == ["1", "2", "3", "4", "5", "30"]


def test_batches_and_sampled_rows_are_said(tmp_path):
    rows = DRAWN.replace("batch_size = 11\n", "").replace(
        'inputs = { random = "normal" }', f"inputs = {[[1, 2, 3, 4, n] for n in range(5)]}"
    )
    assert "the first of 3 batches" in told(the_case(tmp_path, rows + "batch_size = 2\n"))
    text = told(the_case(tmp_path, DRAWN), budget=1.0)
    assert "the truth judges in a batch of 1 row: 0\n" in text
    assert "float64" in text


def test_where_the_truth_judges_only_some_rows_no_exact_value_is_shown(tmp_path):
    case = the_case(tmp_path, DRAWN.replace("classes = 3", "classes = 40"))
    seen = show.walk(case, Asked(budget=60000.0))
    assert show._exact(seen, "y", (0, 1)) == "-"


def test_without_a_truth_the_sides_stand_beside_each_other(tmp_path):
    text = told(the_case(tmp_path, EXAMPLE), budget=0.0)
    assert part(text, "y")[2].split()[-1] == "-"


def test_a_case_that_is_judged_by_blocks_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.scenario.cases.Case.large", True)
    with pytest.raises(UsageError, match="judged by blocks of rows and too large to be shown"):
        show.walk(the_case(tmp_path, EXAMPLE), Asked())


def test_a_case_that_is_not_run_has_no_cost_after_a_step(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.network.twin.available", lambda device: False)
    seen = show.walk(the_case(tmp_path, EXAMPLE), Asked())
    assert seen.result.verdict is Verdict.NOT_RUN
    text = show.text(seen)
    assert "C of all rows" not in text
    assert "a step changes" not in text
    assert part(text, "y")[1].split() == ["manual", "truth"]


def test_a_cost_without_a_judged_step_has_no_interval(tmp_path):
    seen = show.walk(the_case(tmp_path, EXAMPLE), Asked())
    text = show.text(replace(seen, result=replace(seen.result, steps=())))
    assert "C of all rows" in text
    assert "a step changes" not in text


def test_all_numbers_are_as_exact_as_their_dtype(tmp_path):
    case = the_case(tmp_path, EXAMPLE, "float32")
    found = manual.post_form(case.problem).dC_dW[0, 0]
    shown = part(told(case), "dC_dW")[2].split()[2]
    assert np.float32(shown) == found
    assert len(shown) <= 11
