"""The command, as a process: exit codes, streams, and what it loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.support.command import verify
from tests.support.processes import loaded_by, verify_process
from tests.support.programs import program
from tests.support.texts import EXAMPLE, written


def test_green_is_exit_0_with_a_line_a_case_on_stdout(tmp_path):
    done = verify("run", written(tmp_path, EXAMPLE))
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["PASS", "PASS"]
    assert lines[0].split()[1].endswith("s.toml::dtype=float32")
    assert lines[-1].startswith("2 cases found, 2 judged, 2 passed, 0 failed")


@pytest.mark.process
def test_a_failed_case_is_exit_1_also_without_asserts(tmp_path):
    path = written(tmp_path, EXAMPLE + '[expect]\nloss_before = "7.88"\n')
    for optimised in ("", "1"):
        done = verify_process("run", path, "-q", PYTHONOPTIMIZE=optimised)
        assert done.returncode == 1
        assert "loss_before = 7.88 is expected by the file; C is" in done.stdout
        assert f"to repeat it        verify run '{path}::dtype=float32'" in done.stdout


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
    assert "there is no cuda device here" in done.stderr
    assert verify("run", path, "--require-device", "cuda").returncode == 4


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


@pytest.mark.process
def test_help_loads_neither_torch_nor_numpy_nor_pydantic():
    assert not loaded_by("--help") & {"torch", "numpy", "pydantic", "rich", "flint"}


@pytest.mark.process
def test_running_a_case_does_load_torch(tmp_path):
    """The counter-test: the test above can fail."""
    assert loaded_by("run", str(written(tmp_path, EXAMPLE))) >= {"torch", "numpy", "flint"}


@pytest.mark.process
def test_a_terminal_gets_a_table_and_no_colour_where_none_is_wanted(tmp_path):
    command = [sys.executable, "-m", "verify", "run", str(written(tmp_path, EXAMPLE))]
    script = f"import pty, sys; sys.exit(pty.spawn({command!r}) >> 8)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0
    assert "float32" in done.stdout
    assert "sees" in done.stdout
    assert "\x1b[32m" not in done.stdout


@pytest.mark.process
def test_a_candidate_is_judged_told_of_and_repeated_by_its_name(tmp_path):
    path = written(tmp_path, EXAMPLE)
    (tmp_path / "mine.py").write_text("def f(X, W, P, h):\n    return W * 0\n")
    spec = f"{tmp_path / 'mine.py'}:f"
    done = verify("run", path, "--candidate", spec)
    assert done.returncode == 1
    assert (
        f"to repeat it        verify run '{path}::dtype=float32' --candidate {spec}" in done.stdout
    )
    assert "7 planted faults fail" in " ".join(done.stdout.split())
    assert "2 of 2: dC_dW is 0 everywhere" in done.stdout
    done = verify("run", path, "--candidate", "absent.py:f")
    assert (done.returncode, "cannot be loaded" in done.stderr) == (2, True)


@pytest.mark.process
def test_a_program_is_a_candidate_by_its_command(tmp_path):
    path = written(tmp_path, EXAMPLE)
    spec = f"{program(tmp_path, 0)} --fast"
    for command, told in (
        ("run", f"'{path}::dtype=float32'"),
        ("show", f"'{path}::dtype=float32'"),
    ):
        done = verify(command, path, "--candidate", spec)
        assert done.returncode == 1
        assert f"verify run {told} --candidate '{spec}'" in done.stdout
        assert "dC_dW is 0 everywhere" in " ".join(done.stdout.split())
    done = verify("run", path, "--candidate", tmp_path / "absent")
    assert (done.returncode, "absent: no such file" in done.stderr) == (2, True)
    assert verify("run", path, "--candidate", program(tmp_path)).returncode == 0


def test_an_empty_folder_is_exit_5(tmp_path):
    done = verify("run", tmp_path)
    assert done.returncode == 5
    assert "0 cases found, 0 judged" in done.stdout


def test_the_faults_of_bad_files_are_in_the_json_too(tmp_path):
    path = written(tmp_path, EXAMPLE.replace("0.01", "-1"))
    done = verify("run", path, "--json", tmp_path / "r.json")
    assert done.returncode == 2
    read = json.loads((tmp_path / "r.json").read_text())
    assert read["exit_code"] == 2
    assert read["faults"][0]["key"] == "step_size"


def test_a_limit_is_an_option_and_an_unknown_one_is_wrong_usage(tmp_path):
    path = written(tmp_path, EXAMPLE)
    done = verify("run", path, "--scenario-limit", "work=5")
    assert done.returncode == 2
    assert "--scenario-limit work=N allows more" in done.stderr
    assert verify("run", path, "--scenario-limit", "work=6").returncode == 0
    assert verify("run", path, "--scenario-limit", "wrok=6").returncode == 2


def test_a_path_is_shown_escaped(tmp_path):
    done = verify("run", tmp_path / "a\x1b[31m\n::error::b")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\n") == 1


DEFECT = """
import sys, verify.cli, verify.judge.runner
def run(*a, **k): raise ZeroDivisionError("a defect")
verify.judge.runner.run = run
sys.argv = ["verify", "run"]
verify.cli.main()
"""


@pytest.mark.process
def test_a_defect_of_the_command_is_exit_3_and_not_that_of_a_failed_case():
    done = subprocess.run([sys.executable, "-c", DEFECT], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 3
    assert "ZeroDivisionError: a defect" in done.stderr
    assert "please report it" in done.stderr


@pytest.mark.process
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_run_says_what_was_judged(name, code, tmp_path):
    """The second of two cases interrupts the process that judges it."""
    script = f"""
import os, signal, sys, verify.cli, verify.judge.runner as r
real = r.judgement
def judge(case, *rest):
    if case.dtype == "float64": os.kill(os.getpid(), signal.{name})
    return real(case, *rest)
r.judgement = judge
sys.argv = ["verify", "run", {str(written(tmp_path, EXAMPLE))!r},
            "--json", {str(tmp_path / "r.json")!r}]
verify.cli.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == code
    assert "INTERRUPTED: 1 of 2 cases were judged" in done.stdout
    assert "Traceback" not in done.stderr
    read = json.loads((tmp_path / "r.json").read_text())
    assert (read["exit_code"], read["counts"]["judged"]) == (code, 1)


@pytest.mark.process
def test_an_interruption_before_any_case_has_the_same_exit_code():
    script = """
import os, signal, sys, verify.cli, verify.judge.runner as r
r.run = lambda *a, **k: os.kill(os.getpid(), signal.SIGTERM)
sys.argv = ["verify", "run"]
verify.cli.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (143, "\ninterrupted\n")


def test_a_page_is_written_for_a_green_run_for_a_red_one_and_for_bad_files(tmp_path):
    good, bad = written(tmp_path, EXAMPLE), written(tmp_path, "title = 3\n", "bad")
    wrong = written(tmp_path, EXAMPLE + '[expect]\nloss_before = "7.88"\n', "wrong")
    for paths, code, word in (([good], 0, "PASS"), ([good, wrong], 1, "FAIL"),
                              ([good, bad], 2, "MALFORMED FILES")):  # fmt: skip
        page = tmp_path / f"{code}.html"
        assert verify("run", *paths, "--report", page).returncode == code
        text = page.read_text()
        assert f">{word}</span>" in text
        assert f"--report {page}</code>" in text


def test_a_page_shows_the_matrix_of_faults_that_it_is_given(tmp_path):
    path, matrix, page = written(tmp_path, EXAMPLE), tmp_path / "f.json", tmp_path / "p.html"
    matrix.write_text(verify("faults", path, "--json", "--workers", "1").stdout)
    assert verify("run", path, "--report", page, "--faults", matrix).returncode == 0
    assert "mistakes caught by 1 scenario files" in page.read_text()
    for arguments, sentence in (
        (("--faults", matrix), "give --report FILE, too"),
        (("--report", page, "--faults", path), "is not what `verify faults --json` writes"),
        (("--report", tmp_path / "absent" / "p.html"), "give a file in a folder that exists"),
    ):
        done = verify("run", path, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert sentence in done.stderr


def test_a_case_is_walked_and_drawn(tmp_path):
    path, picture = written(tmp_path, EXAMPLE), tmp_path / "walk.svg"
    done = verify("show", f"{path}::dtype=float64", "--plot", picture)
    assert (done.returncode, done.stderr) == (0, "")
    assert "dC_dW = X^T dC_dy" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"PASS          {path}::dtype=float64")
    assert "<svg" in picture.read_text()
    done = verify("show", path)
    assert done.stdout.splitlines()[-1] == (
        "the first case of its file, which also has dtype=float64"
    )


@pytest.mark.process
def test_a_walk_that_is_not_green_is_exit_1_with_its_diagnosis(tmp_path):
    path = written(tmp_path, EXAMPLE)
    (tmp_path / "mine.py").write_text("def f(X, W, P, h):\n    return W * 0\n")
    done = verify("show", path, "--candidate", f"{tmp_path / 'mine.py'}:f")
    assert done.returncode == 1
    assert "manual" in done.stdout
    assert "first broken link   dC_dW" in done.stdout
    for arguments in ((tmp_path,), (path, "--plot", "x.gif"), (f"{path}::absent",)):
        done = verify("show", *arguments)
        assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.process
@pytest.mark.parametrize(("flag", "lines"), [(None, 0), ("-v", 1), ("-vv", 3)])
def test_a_log_is_written_to_stderr_when_it_is_asked_for(flag, lines, tmp_path):
    done = verify_process(*([flag] if flag else []), "run", written(tmp_path, EXAMPLE))
    assert done.returncode == 0
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "verify.judge.runner"
    ] * lines
    assert done.stdout.startswith("PASS")


@pytest.mark.parametrize("command", [("run",), ("campaign", "--cases", "5"), ("merge", __file__)])
def test_json_that_could_not_be_written_is_refused_before_anything_is_judged(command, tmp_path):
    done = verify(*command, "--json", tmp_path / "absent" / "r.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written: give a file in a folder that exists" in done.stderr
