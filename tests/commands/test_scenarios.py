"""The commands of whoever writes scenarios, as processes."""

from __future__ import annotations

import json

import pytest

from tests.support.command import verify
from tests.support.processes import loaded_by
from tests.support.texts import EXAMPLE, written
from verify.scenario.document import Document


def test_the_schema_is_json_and_names_every_key():
    schema = json.loads(verify("schema").stdout)
    assert set(schema["properties"]) == set(Document.model_fields)
    assert schema["additionalProperties"] is False
    assert "title" in schema["required"]


def test_a_new_scenario_is_written_beside_the_others_or_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert verify("new", "first").stdout == "first.toml\n"
    (tmp_path / "scenarios").mkdir()
    assert verify("new", "second").stdout == "scenarios/second.toml\n"
    assert verify("new", "second").returncode == 2
    assert verify("new", "third", "--folder", "absent").returncode == 2
    assert not (tmp_path / "third.toml").exists()


@pytest.mark.process
def test_a_file_is_checked_without_torch_and_without_judging(tmp_path):
    path = written(tmp_path, EXAMPLE + '[expect]\nloss_before = "7.88"\n')
    done = verify("check", path)
    assert (done.returncode, done.stdout) == (0, "1 scenario file, well formed, 2 cases\n")
    assert not loaded_by("check", str(path)) & {"torch", "flint"}
    bad = written(tmp_path, EXAMPLE.replace("0.01", "-1"), "bad")
    done = verify("check", path, bad)
    assert (done.returncode, done.stdout) == (2, "")
    assert "bad.toml:6:13: step_size: out of range" in done.stderr
    (tmp_path / "empty").mkdir()
    assert verify("check", tmp_path / "empty").returncode == 5


def test_a_folder_is_locked_checked_and_red_when_it_is_another(tmp_path):
    written(tmp_path, EXAMPLE)
    assert verify("lock", tmp_path, "--check").returncode == 1
    done = verify("lock", tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "s.toml: new, 2 cases", f"{tmp_path}/manifest.json: 1 file, 2 cases",
    ]  # fmt: skip
    done = verify("lock", tmp_path, "--check")
    assert (done.returncode, done.stdout) == (0, "as locked, every exact value\n")
    assert ", 2 as locked in" in verify("run", tmp_path).stdout
    written(tmp_path, EXAMPLE.replace("2, 4", "2, 5"))
    done = verify("run", tmp_path)
    assert done.returncode == 1
    assert f"NOT AS LOCKED: {tmp_path}/s.toml, or its data, has changed" in done.stdout
    done = verify("lock", tmp_path, "--check")
    assert done.returncode == 1
    assert "s.toml: content, problem of 2 cases" in done.stdout


def test_what_does_not_pass_is_told_and_not_locked(tmp_path):
    written(tmp_path, EXAMPLE + '[expect]\nloss_before = "7.88"\n')
    done = verify("lock", tmp_path)
    assert done.returncode == 1
    assert "loss_before = 7.88 is expected" in done.stdout
    assert not (tmp_path / "manifest.json").exists()


def test_cases_are_exported_for_other_languages(tmp_path):
    done = verify("export", tmp_path / "out", written(tmp_path, EXAMPLE))
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/out: 2 cases\n")
    assert len(list((tmp_path / "out" / "s").glob("*.json"))) == 2
    assert verify("export", tmp_path / "out", written(tmp_path, EXAMPLE)).returncode == 2


@pytest.mark.parametrize("what", ["report", "manifest", "export", "request"])
def test_what_is_written_has_a_schema_too(what):
    assert json.loads(verify("schema", what).stdout)["properties"]["format"]


@pytest.mark.process
def test_a_failing_case_becomes_a_file_of_its_own(tmp_path):
    path, report = written(tmp_path, EXAMPLE), tmp_path / "r.json"
    (tmp_path / "mine.py").write_text("def f(X, W, P, h):\n    return W * 0\n")
    spec = f"{tmp_path / 'mine.py'}:f"
    assert verify("run", path, "--candidate", spec, "--json", report).returncode == 1
    done = verify("new", "kept", "--folder", tmp_path, "--from-failure", report)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path}/kept.toml: {path}::dtype=float32\n"
    assert verify("run", tmp_path / "kept.toml", "--candidate", spec).returncode == 1
    assert verify("run", tmp_path / "kept.toml").returncode == 0
    done = verify("new", "other", "--from-failure", tmp_path / "absent.json")
    assert done.returncode == 2
    assert "absent.json cannot be read: No such file" in done.stderr
    done = verify("new", "other", "--from-failure", path)
    assert done.returncode == 2
    assert "is not what `verify run --json FILE` writes" in done.stderr
