"""shrink: to the smallest problem that still shows what is to be shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.support.problems import drawn
from verify.experiments.shrink import shrunk


def test_what_always_shows_becomes_one_row_one_feature_one_class_and_zeros():
    found = shrunk(drawn(1, N=9, D=7, K=5), lambda problem: True)
    assert found.sizes == {"N": 1, "D": 1, "K": 1}
    assert not found.X.any()
    assert not found.W.any()
    assert found.h == 1


def test_what_never_shows_stays_as_it_is():
    problem = drawn(1)
    assert shrunk(problem, lambda simpler: False) is problem


def test_only_what_shows_it_is_kept():
    problem = drawn(2, N=12, D=6, K=4)
    marked = replace(problem, X=problem.X.copy())
    marked.X[7, 4] = 77.3

    found = shrunk(marked, lambda p: bool((p.X == 77.3).any()) and p.sizes["K"] > 1)
    assert found.sizes == {"N": 1, "D": 1, "K": 2}
    assert found.X.tolist() == [[77.3]]


def test_numbers_become_as_short_as_they_may():
    found = shrunk(drawn(3), lambda p: bool((np.abs(p.W) > 0.6).any()))
    assert found.W.tolist() in ([[1.0]], [[-1.0]])


def test_all_numbers_are_shortened_at_once_where_there_are_too_many_for_one_by_one():
    def shows(problem):
        return problem.X.shape == (12, 10) and problem.X.all()

    before = drawn(6, N=12, D=10, K=2)
    found = shrunk(before, shows, attempts=60)
    assert (np.abs(np.frexp(found.X)[0]) == 0.5).all()  # powers of two
    assert not (np.abs(np.frexp(before.X)[0]) == 0.5).any()


def test_the_problem_that_was_given_is_not_changed():
    problem = drawn(4)
    X = problem.X.copy()
    shrunk(problem, lambda simpler: True)
    assert np.array_equal(problem.X, X)


def test_it_stops_after_its_attempts():
    asked = []
    shrunk(drawn(5, N=30, D=9), lambda p: bool(asked.append(p)), attempts=17)
    assert len(asked) <= 17
