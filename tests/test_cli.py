"""The command, as a process: exit codes, streams, and what it loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from texts import EXAMPLE, written

from verify.cli import _ScenarioPath
from verify.document import Document


def verify(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "verify", *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_green_is_exit_0_with_a_line_a_case_on_stdout(tmp_path):
    done = verify("run", written(tmp_path, EXAMPLE))
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["PASS", "PASS"]
    assert lines[0].split()[1].endswith("s.toml::dtype=float32")
    assert lines[-1].startswith("2 cases found, 2 judged, 2 passed, 0 failed")


def test_a_failed_case_is_exit_1_also_without_asserts(tmp_path):
    path = written(tmp_path, EXAMPLE + '[expect]\nloss_before = "7.88"\n')
    for optimised in ("", "1"):
        done = verify("run", path, "-q", PYTHONOPTIMIZE=optimised)
        assert done.returncode == 1
        assert "loss_before = 7.88 is expected; C is 7.87038" in done.stdout
        assert f"to repeat it        verify run '{path}::dtype=float64'" in done.stdout


def test_a_bad_file_is_exit_2_on_stderr_without_a_traceback(tmp_path):
    path = written(tmp_path, EXAMPLE.replace("0.01", "-1"))
    done = verify("run", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{path}:6:13: step_size: out of range (-1), greater than 0.0\n"


@pytest.mark.parametrize(
    "arguments", [["run", "absent"], ["run", "--qqq"], ["rnu"], ["run", "-k", "("]]
)
def test_wrong_usage_is_exit_2_with_a_sentence(arguments):
    done = verify(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_an_absent_device_is_exit_5_and_exit_4_where_required(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    path = written(tmp_path, EXAMPLE)
    done = verify("run", path, "--device", "cuda")
    assert done.returncode == 5
    assert "NOT VERIFIED: 2 cases: no cuda device here" in done.stdout
    done = verify("run", path, "--device", "cuda", "--require-device", "cuda")
    assert done.returncode == 4
    assert "2 cases need a cuda device" in done.stderr


def test_nothing_judged_is_exit_5(tmp_path):
    done = verify("run", written(tmp_path, EXAMPLE), "-k", "float16")
    assert done.returncode == 5
    assert "nothing was judged" in done.stdout


def test_json_goes_to_a_file_or_clean_to_stdout(tmp_path):
    path, file = written(tmp_path, EXAMPLE), tmp_path / "r.json"
    assert "PASS" in verify("run", path, "--json", file).stdout
    clean = json.loads(verify("run", path, "--json", "-").stdout)
    for read in (json.loads(file.read_text()), clean):
        assert read["counts"]["judged"] == 2


def test_the_schema_is_json_and_names_every_key():
    schema = json.loads(verify("schema").stdout)
    assert set(schema["properties"]) == set(Document.model_fields)
    assert schema["additionalProperties"] is False
    assert "title" in schema["required"]


def test_paths_and_cases_are_completed(tmp_path, monkeypatch):
    written(tmp_path, EXAMPLE)
    (tmp_path / "other.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    path = _ScenarioPath()
    assert [i.value for i in path.shell_complete(None, None, "")] == ["s.toml"]
    found = [i.value for i in path.shell_complete(None, None, "s.toml::dtype=float3")]
    assert found == ["s.toml::dtype=float32"]
    assert path.shell_complete(None, None, "absent.toml::") == []


LOADED = """
import sys
from verify.cli import main
try:
    main()
except SystemExit:
    print("|".join(sys.modules))
"""


def loaded_by(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split("|"))


def test_help_loads_neither_torch_nor_numpy_nor_pydantic():
    assert not loaded_by("--help") & {"torch", "numpy", "pydantic", "rich", "flint"}


def test_running_a_case_does_load_torch(tmp_path):
    """The counter-test: the test above can fail."""
    assert loaded_by("run", str(written(tmp_path, EXAMPLE))) >= {"torch", "numpy", "flint"}


def test_a_terminal_gets_a_table_and_no_colour_where_none_is_wanted(tmp_path):
    command = [sys.executable, "-m", "verify", "run", str(written(tmp_path, EXAMPLE))]
    script = f"import pty, sys; sys.exit(pty.spawn({command!r}) >> 8)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0
    assert "error / bound" in done.stdout
    assert "\x1b[32m" not in done.stdout


def test_the_faults_of_one_file_are_a_matrix_and_a_survivor_is_exit_1(tmp_path):
    done = verify("faults", written(tmp_path, EXAMPLE), "--workers", "1")
    assert done.returncode == 1
    assert "upstream-mean-forgotten" in done.stdout.split("survivors: ")[1]
    assert "SURVIVES: 1/N missing" in done.stdout
    read = json.loads(verify("faults", written(tmp_path, EXAMPLE), "--json").stdout)
    assert read["faults"]["gradient-sign"]["killed_by"]
    assert read["format"] == 1


def test_a_candidate_is_judged_told_of_and_repeated_by_its_name(tmp_path):
    path = written(tmp_path, EXAMPLE)
    (tmp_path / "mine.py").write_text("def f(X, W, P, h):\n    return W * 0\n")
    spec = f"{tmp_path / 'mine.py'}:f"
    done = verify("run", path, "--candidate", spec)
    assert done.returncode == 1
    assert (
        f"to repeat it        verify run '{path}::dtype=float64' --candidate {spec}" in done.stdout
    )
    assert "7 planted faults fail" in done.stdout
    assert "the smallest case that shows it" in done.stdout
    done = verify("run", path, "--candidate", "absent.py:f")
    assert (done.returncode, "cannot be loaded" in done.stderr) == (2, True)


def test_a_new_scenario_is_written_beside_the_others_or_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert verify("new", "first").stdout == "first.toml\n"
    (tmp_path / "scenarios").mkdir()
    assert verify("new", "second").stdout == "scenarios/second.toml\n"
    assert verify("new", "second").returncode == 2
    assert verify("new", "third", "--folder", "absent").returncode == 2
    assert not (tmp_path / "third.toml").exists()
