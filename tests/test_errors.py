from __future__ import annotations

import pytest

from verify import errors
from verify.errors import FileFault, ScenarioError


@pytest.mark.parametrize(
    ("name", "code"),
    [("VerifyError", 3), ("UsageError", 2), ("ScenarioError", 2), ("CandidateError", 2),
     ("EnvironmentUnfit", 4)],
)  # fmt: skip
def test_each_error_carries_its_exit_code_and_stands_in_the_drawn_tree(name, code):
    assert getattr(errors, name).exit_code == code
    assert issubclass(getattr(errors, name), errors.VerifyError)
    assert f"{name} " in errors.__doc__


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (
            FileFault("s.toml", 7, 12, "h", "out of range", "-1", "h > 0"),
            "s.toml:7:12: h: out of range (-1), h > 0",
        ),
        (FileFault("s.toml", 7, 0, "", "empty", "", "a scenario"), "s.toml:7: empty, a scenario"),
        (FileFault("s.toml", 0, 0, "h", "missing", "", "h > 0"), "s.toml: h: missing, h > 0"),
    ],
)
def test_a_fault_reads_place_key_what_found_allowed(fault, text):
    assert str(fault) == text


def test_the_faults_of_a_file_are_in_its_order():
    late, early = FileFault("s", 9, 1, "", "b", "", ""), FileFault("s", 2, 5, "", "a", "", "")
    error = ScenarioError([late, early])
    assert error.faults == (early, late)
    assert str(error).split("\n") == [str(early), str(late)]
