"""A failing case becomes a scenario of its own, with the same numbers and the same verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import verify
from tests.support.texts import DRAWN, EXAMPLE, written
from verify.errors import UsageError
from verify.judge.asked import Asked
from verify.judge.result import Report
from verify.report.failure import scenario_of
from verify.scenario.collection import collect
from verify.scenario.limits import Limits

TABLE = """
title = "from a table"
features = 2
classes = 2
inputs = { file = "data/x.npy" }
weights = [[0.5, -0.25], [0.125, 1]]
labels = [0, 1, 1, 0, 1]
step_size = 0.125
steps = 3
batch_size = 2
layout = "F"
seed = 4
dtype = "float32"
"""


def wrong(X, W, P, h):
    return W * 0


def failing(path, **more) -> Report:
    report = verify.run(path, candidate=wrong, **more)
    assert report.counts["FAIL"]
    return report


@pytest.mark.parametrize("text", [EXAMPLE, DRAWN + 'layout = "strided"\nsteps = 2\n', TABLE])
def test_the_case_is_the_same_and_fails_the_same(text, tmp_path):
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "x.npy", np.arange(10, dtype="float32").reshape(5, 2) / 8)
    result, made = scenario_of(failing(written(tmp_path, text)))
    path = written(tmp_path, made, "made")
    (case,), (original,) = collect(path), collect(result.id)
    for name in ("X", "W", "P", "h"):
        one, other = getattr(case.problem, name), getattr(original.problem, name)
        assert np.array_equal(one, other)
        assert one.dtype == other.dtype
    assert (case.steps, case.sizes, case.layout) == (
        original.steps, original.sizes, original.layout,
    )  # fmt: skip
    assert verify.run(path).ok
    (again,) = failing(path).results
    assert again.first_broken_link == result.first_broken_link
    assert again.worst == result.worst


def test_what_was_expected_stays_expected(tmp_path):
    path = written(tmp_path, EXAMPLE + '[expect]\nloss_before = "7.88"\n')
    _, made = scenario_of(verify.run(path))
    assert 'loss_before = "7.88"' in made
    assert verify.run(written(tmp_path, made, "made")).counts["FAIL"] == 1


def test_a_device_of_the_run_is_that_of_the_scenario(tmp_path):
    report = failing(written(tmp_path, EXAMPLE))
    moved = tuple(replace(r, device="cuda:1") for r in report.results)
    assert 'device    = "cuda:1"' in scenario_of(replace(report, results=moved))[1]


def test_words_that_are_too_long_for_a_scenario_are_shortened(tmp_path):
    title = "t" * 195
    report = failing(written(tmp_path, EXAMPLE.replace("an example", title)))
    text = scenario_of(replace(report, asked=Asked("c" * 300)))[1]
    path = written(tmp_path, text, "made")
    document = collect(path)[0].origin
    assert (len(document.title), len(document.source)) == (200, 200)
    assert document.title == title + ": ..."


def test_a_candidate_of_a_strange_name_makes_a_scenario_too(tmp_path):
    report = replace(
        failing(written(tmp_path, EXAMPLE)), asked=Asked("mine\x1b\x7f\U0001f642.py:f")
    )
    path = written(tmp_path, scenario_of(report)[1], "made")
    assert collect(path)[0].origin.source.endswith("mine\\x1b\\x7f\U0001f642.py:f'")


def test_the_smallest_of_many_is_taken_and_a_failure_before_a_doubt(tmp_path):
    small = written(tmp_path, EXAMPLE, "small")
    report = failing([small, written(tmp_path, DRAWN, "large")])
    assert scenario_of(report)[0].path == str(small)


def test_it_says_which_candidate_failed(tmp_path):
    assert "candidate=..., arrays='numpy'" in scenario_of(failing(written(tmp_path, EXAMPLE)))[1]


def test_a_green_report_has_no_failing_case(tmp_path):
    with pytest.raises(UsageError, match="no case of this report failed"):
        scenario_of(verify.run(written(tmp_path, EXAMPLE)))


def test_a_file_that_has_changed_since_is_not_taken_for_the_one_that_failed(tmp_path):
    report = failing(written(tmp_path, EXAMPLE))
    written(tmp_path, EXAMPLE.replace("0.01", "0.02"))
    with pytest.raises(UsageError, match="has changed since the report"):
        scenario_of(report)


def test_a_case_that_no_file_could_hold_is_refused_with_what_repeats_it(tmp_path):
    report = failing(written(tmp_path, DRAWN))
    with pytest.raises(UsageError, match="too many numbers to be written out; repeat it with"):
        scenario_of(report, Limits(file_bytes=1000))


def test_a_case_judged_by_blocks_is_not_read_whole(tmp_path, monkeypatch):
    report = failing(written(tmp_path, DRAWN))
    monkeypatch.setattr("verify.scenario.cases.Case.large", True)
    with pytest.raises(UsageError, match="too many numbers"):
        scenario_of(report)


def test_a_report_of_a_case_that_its_file_has_not_is_refused(tmp_path):
    report = failing(written(tmp_path, DRAWN))
    nameless = tuple(replace(r, case="") for r in report.results)
    with pytest.raises(UsageError, match="has no case ''"):
        scenario_of(replace(report, results=nameless))
