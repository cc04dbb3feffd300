"""What the command shows: the report, a walk's end, the bar, and a workflow's summary."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.support.results import FAILED, FAULT, PASSED
from verify.commands.terminal import bar, picture_of, show_report, show_verdict
from verify.errors import ScenarioError, UsageError
from verify.judge.asked import Asked
from verify.judge.result import Report


def test_without_a_terminal_there_is_no_bar(capsys):
    assert list(bar([1, 2])) == [1, 2]
    assert capsys.readouterr().err == ""


def test_a_report_is_shown_with_the_json_beside_it(tmp_path, capsys):
    show_report(Report((PASSED, FAILED), 2), False, str(tmp_path / "r.json"))
    assert '"exit_code": 1' in (tmp_path / "r.json").read_text()
    assert "2 cases found" in capsys.readouterr().out


def test_faults_of_files_are_written_as_json_and_then_raised(tmp_path):
    with pytest.raises(ScenarioError, match="p:1:1"):
        show_report(Report((), 0, (FAULT,)), False, str(tmp_path / "r.json"))
    assert '"exit_code": 2' in (tmp_path / "r.json").read_text()


@pytest.mark.parametrize("workflow", ["true", ""])
def test_in_a_workflow_there_are_annotations_and_a_summary(workflow, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", workflow)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    show_report(Report((PASSED, FAILED), 2), True, None)
    told = capsys.readouterr()
    assert ("::error file=s.toml,line=3" in told.err) == bool(workflow)
    assert "::error" not in told.out
    summary = tmp_path / "summary.md"
    assert summary.exists() == bool(workflow)
    assert not workflow or "2 cases found" in summary.read_text()


def test_a_walk_ends_with_its_verdict_and_the_other_cases_of_its_file(capsys):
    show_verdict(Report((PASSED,), 1), [f"seed={n}" for n in range(10)])
    told = capsys.readouterr().out
    assert told.startswith("PASS          s.toml::dtype=float64")
    assert "the first case of its file, which also has seed=0, seed=1" in told
    assert told.endswith("seed=7, ...\n")
    show_verdict(Report((FAILED,), 1, asked=Asked("mine.py:f")), [])
    told = capsys.readouterr().out
    assert "to repeat it        verify run 's.toml::dtype=float64' --candidate mine.py:f" in told
    assert "the first case" not in told


def test_without_matplotlib_no_picture_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.report.plots.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install matplotlib"):
        picture_of(str(tmp_path / "x.svg"))


def test_a_picture_is_refused_before_anything_is_judged_for_it(tmp_path):
    for name, why in (("x.jpg", "is a .png or an .svg"), ("x", "is a .png or an .svg"),
                      ("absent/x.png", "in a folder that exists")):  # fmt: skip
        with pytest.raises(UsageError, match=why):
            picture_of(str(tmp_path / name))
    picture_of(str(tmp_path / "x.svg"))(PASSED)
    assert (tmp_path / "x.svg").read_text().startswith("<?xml")
    assert picture_of(None)(PASSED) is None


BARRED = """
import sys, time
from verify.cli import cli
from verify.commands.options import QUIET
from verify.commands.terminal import bar
import click
@cli.command()
@QUIET
def wait():
    for _ in bar(list(range(8))):
        time.sleep(0.1)
cli(sys.argv[1:])
"""


@pytest.mark.process
@pytest.mark.parametrize(("flags", "seen"), [([], True), (["-q"], False)])
def test_on_a_terminal_there_is_a_bar_with_rate_and_time_left_unless_hushed(flags, seen):
    command = [sys.executable, "-c", BARRED, "wait", *flags]
    script = f"import pty, sys; sys.exit(pty.spawn({command!r}) >> 8)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0
    assert bool(re.search(r"[1-9]\d* cases/s", done.stdout)) == seen
    assert bool(re.search(r"[1-8]/8", done.stdout)) == seen
    assert bool(re.search(r"0:00:0", done.stdout)) == seen
