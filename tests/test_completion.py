"""In bash, too, folders, files and cases are completed, though it cuts words at : and =."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import BashComplete
from texts import EXAMPLE, written

from verify.completion import Bash

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")

# What bash does when the key is pressed at the end of a line.
PRESSED = """
eval "$(_VERIFY_COMPLETE=bash_source verify)"
COMP_LINE=$1; COMP_POINT=${#COMP_LINE}
_verify_completion verify
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def completed(tmp_path):
    """What bash would put in the place of the last part of a line."""
    written(tmp_path, EXAMPLE)
    (tmp_path / "cases").mkdir()
    (tmp_path / "stranger.txt").write_text("")
    command = tmp_path / "bin" / "verify"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m verify "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"

    def call(line: str, first: str = "") -> list[str]:
        done = subprocess.run(
            ["bash", "--norc", "-c", first + PRESSED, "bash", line],
            capture_output=True, text=True, check=True, cwd=tmp_path,
            env={**os.environ, "PATH": path},
        )  # fmt: skip
        return done.stdout.split()

    return call


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("verify sh", ["show"]),
        ("verify run ca", ["cases/"]),
        ("verify run s", ["s.toml"]),
        ("verify run cases s", ["s.toml"]),
        ("verify show s.toml::", ["dtype=float32", "dtype=float64"]),
        ("verify run s.toml::dty", ["dtype=float32", "dtype=float64"]),
        ("verify run s.toml::dtype=float6", ["float64"]),
        ("verify run --twin ", []),
    ],
)
def test_the_rest_of_a_word_follows_what_bash_has_of_it(line, rest, completed):
    assert completed(line) == rest


def test_a_bash_that_cuts_no_words_is_given_whole_ones(completed):
    first = "COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]}\n"
    assert completed("verify run s.toml::dtype=float6", first) == ["s.toml::dtype=float64"]


def test_clicks_script_is_changed_where_it_passes_words_and_adds_answers():
    changed, usual = (c.source_template.split("\n") for c in (Bash, BashComplete))
    assert sum(one != other for one, other in zip(changed, usual, strict=True)) == 2
