"""What the command shows: completion of paths, the bar, and a workflow's summary."""

from __future__ import annotations

import pytest
from test_result import FAILED, FAULT, PASSED
from texts import EXAMPLE, written

from verify.errors import ScenarioError
from verify.result import Report
from verify.terminal import ScenarioPath, bar, show


def test_paths_and_cases_are_completed(tmp_path, monkeypatch):
    written(tmp_path, EXAMPLE)
    (tmp_path / "other.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    path = ScenarioPath()
    assert [i.value for i in path.shell_complete(None, None, "")] == ["s.toml"]
    found = [i.value for i in path.shell_complete(None, None, "s.toml::dtype=float3")]
    assert found == ["s.toml::dtype=float32"]
    assert path.shell_complete(None, None, "absent.toml::") == []


def test_without_a_terminal_there_is_no_bar(capsys):
    assert list(bar([1, 2])) == [1, 2]
    assert capsys.readouterr().err == ""


def test_a_report_is_shown_with_the_json_beside_it(tmp_path, capsys):
    show(Report((PASSED, FAILED), 2), False, str(tmp_path / "r.json"))
    assert '"exit_code": 1' in (tmp_path / "r.json").read_text()
    assert "2 cases found" in capsys.readouterr().out


def test_faults_of_files_are_written_as_json_and_then_raised(tmp_path):
    with pytest.raises(ScenarioError, match="p:1:1"):
        show(Report((), 0, (FAULT,)), False, str(tmp_path / "r.json"))
    assert '"exit_code": 2' in (tmp_path / "r.json").read_text()


@pytest.mark.parametrize("workflow", ["true", ""])
def test_in_a_workflow_there_are_annotations_and_a_summary(workflow, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", workflow)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    show(Report((PASSED, FAILED), 2), True, None)
    told = capsys.readouterr()
    assert ("::error file=s.toml,line=3" in told.err) == bool(workflow)
    assert "::error" not in told.out
    assert (tmp_path / "summary.md").exists() == bool(workflow)
