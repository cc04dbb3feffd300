"""A violation becomes the scenario of the smallest problem that shows it."""

from __future__ import annotations

import numpy as np
import pytest

import verify
from verify.errors import UsageError
from verify.experiments import campaign, violation
from verify.experiments.outcome import Plan, Violation
from verify.judge.asked import Asked

HERE = Plan(cases=3000, shape=(4, 3, 2), truth_every=700)
CLIPPED = """
import numpy as np

def gradient(X, W, P, h):
    y = np.clip(X @ W, -30, 30)
    return X.T @ (-P / (1 + np.exp(y))) / len(X)
"""


@pytest.fixture
def lab(tmp_path):
    path = tmp_path / "lab.py"
    path.write_text(CLIPPED)
    return path


def without_labels() -> tuple[Plan, int]:
    """A plan, and the first case of it that has zero labels only."""
    plan = Plan(cases=10000, shape=(1, 1, 1))
    return plan, next(c for c in range(10000) if not violation.problem_of(plan, c).P.any())


def test_both_dtypes_take_turns_and_a_given_one_is_alone():
    assert violation.problem_of(HERE, 0).dtype == np.float32
    assert violation.problem_of(HERE, 1024).dtype == np.float64
    alone = HERE.model_copy(update={"dtype": "float64"})
    assert violation.problem_of(alone, 0).dtype == np.float64


@pytest.mark.parametrize("case", [-1, 3000])
def test_a_case_that_the_plan_does_not_have_is_refused(case):
    with pytest.raises(UsageError, match="cases 0 to 2999"):
        violation.problem_of(HERE, case)


@pytest.mark.process
def test_a_violation_is_shrunk_and_written_as_a_scenario_that_shows_it(lab, tmp_path):
    plan = Plan(cases=2048, dtype="float64", shape=(4, 3, 2))
    asked = Asked(f"{lab}:gradient")
    (found,) = campaign._judged(plan, 1, asked, range(2)).violations
    told = violation.with_file(plan, found, asked, tmp_path)
    assert told.file == str(tmp_path / f"found-0-{found.case}.toml")
    assert verify.run(told.file).ok
    report = verify.run(told.file, candidate=asked.candidate)
    assert report.exit_code == 1
    (result,) = report.results
    assert result.work == 1
    assert (
        f"--case {found.case} --dtype float64 --shape 4,3,2"
        in (tmp_path / f"found-0-{found.case}.toml").read_text()
    )


def test_what_does_not_show_alone_has_no_file(tmp_path):
    plan = HERE
    found = Violation(case=3, dtype="float32", what="x", link="y", ratio=2.0)
    assert violation.with_file(plan, found, Asked(), tmp_path) == found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", [0, 1, 1024, 2999])
def test_a_case_is_written_as_a_scenario_of_the_same_problem(tmp_path, case):
    from verify.scenario.collection import collect

    path = tmp_path / "case.toml"
    path.write_text(violation.as_scenario(HERE, case))
    (made,) = collect(path)
    problem = violation.problem_of(HERE, case)
    for name in ("X", "W", "P", "h"):
        assert np.array_equal(getattr(made.problem, name), getattr(problem, name))
    assert verify.run(path).ok


def test_a_case_with_zero_labels_only_makes_no_scenario():
    plan, zero = without_labels()
    with pytest.raises(UsageError, match=f"case {zero} makes no scenario: all labels are 0"):
        violation.as_scenario(plan, zero)


def test_a_violation_with_zero_labels_only_is_told_without_a_file(tmp_path):
    plan, zero = without_labels()
    found = Violation(case=zero, dtype="float32", what="x", link="y", ratio=2.0)
    assert violation.with_file(plan, found, Asked(), tmp_path) == found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_a_second_finding_of_one_case_gets_a_name_of_its_own(lab, tmp_path):
    plan = Plan(cases=2048, dtype="float64", shape=(4, 3, 2))
    asked = Asked(f"{lab}:gradient")
    (found,) = campaign._judged(plan, 1, asked, range(2)).violations
    names = [violation.with_file(plan, found, asked, tmp_path).file for _ in range(2)]
    assert names[1] == names[0].replace(".toml", "-2.toml")
