from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import verify
from tests.support.problems import drawn
from verify.errors import UsageError
from verify.scenario.collection import collect
from verify.scenario.write import explicit, home, written


def test_a_new_scenario_is_green_as_it_stands(tmp_path):
    path = written("my-scenario", tmp_path)
    assert path.name == "my-scenario.toml"
    assert 'title  = "my scenario"' in path.read_text()
    assert verify.run(path).ok


def test_a_problem_that_is_written_out_is_the_same_problem(tmp_path):
    for dtype in ("float32", "float64"):
        problem = drawn(3, dtype=dtype)
        path = written(
            f"mine-{dtype}",
            tmp_path,
            explicit(problem, 'a "title" \\ \U0001f642', "drawn", {}, steps=2),
        )
        (case,) = collect(path)
        assert case.steps == 2
        assert case.origin.title == 'a "title" \\ \U0001f642'
        for name in ("X", "W", "P", "h"):
            assert np.array_equal(getattr(case.problem, name), getattr(problem, name))
        assert verify.run(path).ok


def test_what_is_expected_is_written_where_there_is_something(tmp_path):
    made = explicit(drawn(3), "t", "s", {"loss": "any", "post_form": "blind"})
    (case, *_) = collect(written("mine", tmp_path, made))
    assert (case.expect.loss, case.expect.post_form) == ("any", "blind")
    assert "[expect]" not in explicit(drawn(3), "t", "s", {})


def test_a_new_file_goes_where_scenarios_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert home() == Path()
    (tmp_path / "scenarios").mkdir()
    assert home() == Path("scenarios")


def test_an_existing_file_is_left_alone(tmp_path):
    path = written("mine", tmp_path)
    path.write_text("something else")
    with pytest.raises(UsageError, match="exists already"):
        written("mine", tmp_path)
    assert path.read_text() == "something else"


@pytest.mark.parametrize("name", ["Mine", "mine.toml", "../mine", "", "a b"])
def test_a_name_that_no_scenario_may_have_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="not a scenario's name"):
        written(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        written("mine", tmp_path / "absent")
