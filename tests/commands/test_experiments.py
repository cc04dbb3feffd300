"""experiments: the commands that measure, as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import verify as door
from tests.support.command import verify
from tests.support.texts import EXAMPLE, written
from verify.experiments import functions

SMALL = ("campaign", "--cases", "3e3", "--shape", "4,3,2", "--workers", "1")
WRONG = "def zero(X, W, P, h):\n    return W * 0\n"


@pytest.mark.process
def test_the_faults_of_one_file_are_a_matrix_and_a_survivor_is_exit_1(tmp_path):
    done = verify("faults", written(tmp_path, EXAMPLE), "--workers", "1")
    assert done.returncode == 1
    assert "upstream-mean-forgotten" in done.stdout.split("survivors: ")[1]
    assert "SURVIVES: 1/N missing" in done.stdout
    read = json.loads(verify("faults", written(tmp_path, EXAMPLE), "--json").stdout)
    assert read["faults"]["gradient-sign"]["killed_by"]
    assert read["format"] == 1


def test_functions_of_ones_own_are_a_table_of_checks(monkeypatch, tmp_path):
    some = partial(functions.comparison, names=("softmax",), checks=("allclose with autograd",))
    monkeypatch.setattr(functions, "comparison", some)
    done = verify("faults", "--functions", "--json", tmp_path / "o.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].startswith("allclose with autograd")
    assert json.loads((tmp_path / "o.json").read_text())["functions"] == 1


def test_functions_of_ones_own_are_in_no_file(tmp_path):
    done = verify("faults", "--functions", written(tmp_path, EXAMPLE))
    assert (done.returncode, done.stdout) == (2, "")
    assert "--functions: its functions are in no file; leave out" in done.stderr


def test_a_benchmark_is_two_tables(tmp_path):
    done = verify("bench", "--shape", "4,3,2", "--seconds", "0.01")
    assert done.returncode == 0
    assert "gradient, float64, one thread" in done.stdout
    assert "verifying, float64, one thread" in done.stdout


def test_a_green_campaign_is_exit_0_with_its_rate_and_worst_ratios():
    done = verify(*SMALL)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rest = done.stdout.splitlines()
    assert first.startswith("seed 0, both: 3,000 cases judged, 1 of them against the truth, 0 viol")
    assert first.endswith(" cases/s")
    assert any("manual against twin, post form" in line and "dC_dW 0." in line for line in rest)


def test_shards_are_merged_and_a_missing_one_is_exit_2(tmp_path):
    files = [tmp_path / f"{i}.json" for i in (1, 2)]
    for i, file in enumerate(files, 1):
        assert verify(*SMALL, "--shard", f"{i}/2", "--json", file).returncode == 0
    done = verify("merge", *files)
    assert done.returncode == 0
    assert "3,000 cases judged" in done.stdout
    whole = json.loads(verify("merge", *reversed(files), "--json", "-").stdout)
    assert (whole["judged"], whole["parts"]) == (3000, [1, 2])
    done = verify("merge", files[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert "of 2 shards 2 is missing" in done.stderr


@pytest.mark.process
def test_a_violation_is_exit_1_with_a_scenario_that_shows_it(tmp_path):
    (tmp_path / "lab.py").write_text(WRONG)
    spec = f"{tmp_path / 'lab.py'}:zero"
    done = verify(*SMALL, "--candidate", spec, "--folder", tmp_path, "--json", tmp_path / "o.json")
    assert done.returncode == 1
    (file,) = tmp_path.glob("found-0-*.toml")
    assert f"  shrunk: verify run '{file}' --candidate " in done.stdout
    assert door.run(file).ok
    assert verify("run", file, "--candidate", spec).returncode == 1
    (violation,) = json.loads((tmp_path / "o.json").read_text())["violations"]
    assert violation["file"] == str(file)


def test_one_case_is_written_and_nothing_judged(tmp_path):
    done = verify(*SMALL, "--case", "5", "--folder", tmp_path)
    assert done.stdout == f"{tmp_path / 'case-0-5.toml'}\n"
    assert door.run(tmp_path / "case-0-5.toml").ok


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--cases", "1.5"], "'1.5' is not a whole number, as 1000 or 1e6"),
        (["--cases", "0"], "campaign: cases = 0: input should be greater than 0"),
        (["--shard", "4/3"], "--shard '4/3': give a part and their number, as 3/16"),
        (["--shard", "x"], "--shard 'x'"),
        (["--shape", "1,2"], "--shape '1,2': give three sizes"),
        (["--workers", "0"], "--workers '0'"),
        (["--candidate", "absent.py:f"], "cannot be loaded"),
        (["--case", "7e9"], "case 7000000000: the campaign has cases 0 to"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_sentence(arguments, sentence):
    done = verify("campaign", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_no_outcome_is_exit_2(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    done = verify("merge", tmp_path / "x.json")
    assert done.returncode == 2
    assert "x.json is not what `verify campaign --json` writes" in done.stderr


@pytest.mark.process
def test_an_interrupted_campaign_tells_what_it_judged_and_merges_with_nothing(tmp_path):
    json_file = Path(tmp_path, "o.json")
    process = subprocess.Popen(
        [sys.executable, "-m", "verify", "campaign", "--cases", "1e9", "--shape", "4,3,2",
         "--workers", "1", "--json", str(json_file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    time.sleep(8)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "INTERRUPTED" in out
    assert verify("merge", json_file).returncode == 2
