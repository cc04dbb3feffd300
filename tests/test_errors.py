from __future__ import annotations

import pytest

from verify import errors
from verify.errors import FileFault, ScenarioError, number, printable


def test_one_is_a_case_and_every_other_number_is_cases():
    assert [number(n, "case") for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]


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
            FileFault("s.toml", 7, 12, "h", "out of range", found="-1", allowed="h > 0"),
            "s.toml:7:12: h: out of range (-1), h > 0",
        ),
        (
            FileFault("s.toml", 7, 0, "", "empty", found="", allowed="a scenario"),
            "s.toml:7: empty, a scenario",
        ),
        (
            FileFault("s.toml", 0, 0, "h", "missing", found="", allowed="h > 0"),
            "s.toml: h: missing, h > 0",
        ),
    ],
)
def test_a_fault_reads_place_key_what_found_allowed(fault, text):
    assert str(fault) == text


def test_the_faults_of_a_file_are_in_its_order():
    late, early = (
        FileFault("s", 9, 1, "", "b", found="", allowed=""),
        FileFault("s", 2, 5, "", "a", found="", allowed=""),
    )
    error = ScenarioError([late, early])
    assert error.faults == (early, late)
    assert str(error).split("\n") == [str(early), str(late)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\n::error::x", r"a\n::error::x"),
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("##[error]x", r"#\x23[error]x"),
        ("a ##vso[task]x", r"a #\x23vso[task]x"),
        ("a\u202eb\u200bc\u2066", r"a\u202eb\u200bc\u2066"),
        ("\x00\x7f\x9b\r", r"\x00\x7f\x9b\r"),
        ("s.toml::dtype=float32 é 数", "s.toml::dtype=float32 é 数"),
    ],
)
def test_text_from_outside_cannot_command_a_terminal_or_a_log(text, shown):
    assert printable(text) == shown


def test_a_fault_is_one_line_whatever_its_parts_say():
    hostile = "x\n::error::y\x1b"
    fault = FileFault(hostile, 1, 1, hostile, hostile, found=hostile, allowed=hostile)
    assert "\n" not in str(fault)
    assert "\x1b" not in str(fault)
