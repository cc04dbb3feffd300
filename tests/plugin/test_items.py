"""Scenario files as items: what each tells, alone and among workers."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.support.processes import has_ended
from tests.support.programs import program
from tests.support.texts import DRAWN, EXAMPLE, TWO_LAYERS, locked
from tests.support.workers import WORKERS

FAILING = EXAMPLE + '[expect]\nloss_before = "7.88"\n'
MALFORMED = EXAMPLE.replace("0.01", "-1")


def test_a_failure_is_the_block_of_the_command_without_a_traceback(pytester, folder, nested):
    (folder / "failing.toml").write_text(FAILING)
    result = nested("cases", "-k", "failing and float64")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "C is not the figure that the file gives",
            "FAIL  cases/failing.toml::dtype=float64",
            "  finding  *figure: loss_before = 7.88 is expected by the file; C is*",
            "  to repeat it        verify run 'cases/failing.toml::dtype=float64'",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "judge.py" not in result.stdout.str()


def test_the_figures_of_a_case_are_properties_in_junit(pytester, folder, nested):
    nested("cases", "-k", "float64", "--junitxml=out.xml")
    (case,) = ET.parse(pytester.path / "out.xml").iter("testcase")
    found = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert found["verdict"] == "PASS"
    assert float(found["resolution"]) < 1e-14
    assert found["loss_before"].startswith("7.87")
    assert case.get("name") == "dtype=float64"


@pytest.mark.process
def test_the_place_of_a_failure_is_the_file_and_its_line(pytester, folder, nested):
    (folder / "malformed.toml").write_text(MALFORMED)
    pytester.makeconftest(
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call': print('PLACE', *report.location)"
    )
    result = nested("cases", "-s")
    result.stdout.fnmatch_lines(["*PLACE cases/example.toml 1 dtype=float32"])
    result.stdout.fnmatch_lines(["*PLACE cases/malformed.toml 5 malformed.toml is malformed"])


def test_the_budget_of_the_truth_is_an_option(pytester, folder, nested):
    (folder / "example.toml").write_text(DRAWN)
    nested("cases", "--truth-budget", "0").assert_outcomes(passed=2)


@pytest.mark.process
@WORKERS
def test_a_candidate_is_judged_in_every_worker(workers, pytester, folder, nested):
    (pytester.path / "mine.py").write_text("def zero(X, W, P, h):\n    return W * 0\n")
    result = nested("cases", "--candidate", "mine.py:zero", *workers)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["  subject             candidate mine.py:zero"])
    result.stdout.fnmatch_lines(["FAILED cases/example.toml::dtype=float* - dC_dW is 0 everywhere"])


SOFTMAX = DRAWN + 'bias = { random = "normal" }\nactivation = "softmax"\n'
OF_A_NETWORK = """
import numpy as np

def gradients(X, W, b, P):
    e = np.exp(X @ W + b)
    dC_dy = (e / e.sum(1, keepdims=True) * P.sum(1, keepdims=True) - P) / len(X)
    return X.T @ dC_dy, dC_dy.sum(0)

def other(X, V, c, P):
    return X
"""


@pytest.mark.process
@WORKERS
def test_a_candidate_of_a_network_is_judged_on_its_cases_alone(workers, pytester, folder, nested):
    (folder / "softmax.toml").write_text(SOFTMAX)
    (pytester.path / "mine.py").write_text(OF_A_NETWORK)
    result = nested("cases", "-rs", "--candidate", "mine.py:gradients", *workers)
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["*another network than the candidate's, by its parameters*"])


@pytest.mark.process
@WORKERS
def test_a_program_is_judged_on_the_networks_that_it_is_of(workers, pytester, folder, nested):
    (folder / "two.toml").write_text(TWO_LAYERS)
    spec = str(program(pytester.path, 2))
    result = nested("cases", "-rs", "--candidate", spec, *workers)
    result.assert_outcomes(failed=2, skipped=2)
    result.stdout.fnmatch_lines(["dC_dW is what `gradient-doubled` gives*"])
    result.stdout.fnmatch_lines(["*another network than the candidate's, by its answers*"])


@pytest.mark.process
def test_a_program_that_cannot_be_started_is_wrong_usage(folder, nested):
    result = nested("cases", "--candidate", "./absent")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: candidate ./absent: cannot be started: ./absent: no such*"]
    )


@pytest.mark.process
def test_a_candidate_of_no_network_here_is_wrong_usage(pytester, folder, nested):
    (folder / "softmax.toml").write_text(SOFTMAX)
    (pytester.path / "mine.py").write_text(OF_A_NETWORK)
    result = nested("cases", "--candidate", "mine.py:other")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: candidate mine.py:other: it takes (X, V, c, P)*"])
    # Of the one file that is asked for the candidate is none, though of another of the folder.
    result = nested("cases/example.toml", "--candidate", "mine.py:gradients")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.process
def test_a_candidate_that_cannot_be_loaded_is_wrong_usage(pytester, folder, nested):
    (pytester.path / "mine.py").write_text("")
    result = nested("cases", "--candidate", "mine.py:absent")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: candidate mine.py:absent: cannot be loaded: AttributeError*"]
    )


def test_a_copy_of_a_file_is_not_run_and_named(folder, nested):
    (folder / "copy.toml").write_text(EXAMPLE)
    result = nested("cases", "-rs")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["*the same bytes as cases/copy.toml, which is judged*"])
    nested("cases/example.toml").assert_outcomes(passed=2)


def test_a_manifest_is_an_item_and_every_case_is_held_against_it(folder, nested):
    (folder / "other.toml").write_text(EXAMPLE.replace("2, 4", "1, 4"))
    locked(folder)
    result = nested("cases")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["4 found, 4 judged, 4 passed, 4 as locked"])
    (folder / "other.toml").unlink()
    result = nested("cases")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["cases/other.toml was locked and is not here;*"])


@pytest.mark.process
def test_a_number_that_is_not_as_it_was_locked_fails_its_case(pytester, folder, nested):
    (folder / "example.toml").write_text(DRAWN)
    locked(folder)
    pytester.makeconftest(
        "import verify.scenario.draw as d\nreal = d.values\n"
        "d.values = lambda *a: real(*a) * (1 + 2.0**-7)\n"
    )
    result = nested("cases")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["  finding  *lock: X, W, P or h are other numbers*"])


def test_a_malformed_manifest_is_red_wherever_it_matters(folder, nested):
    (folder / "manifest.json").write_text("{}")
    for subject in ("cases", "cases/example.toml", "cases/manifest.json"):
        result = nested(subject)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["cases/manifest.json: not a manifest*"])


@pytest.mark.process
def test_no_verdict_rests_on_an_assert(folder, monkeypatch, nested):
    (folder / "failing.toml").write_text(FAILING)
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    nested("cases", "-W", "ignore", process=True).assert_outcomes(passed=2, failed=2)


def test_an_empty_name_of_a_candidate_is_wrong_usage_and_not_nobody(folder, nested):
    result = nested("cases", "--candidate", "")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --candidate '': give package.module:name*"])


@pytest.mark.process
@WORKERS
def test_the_suite_proves_itself_before_a_candidate_is_judged(workers, pytester, folder, nested):
    """In every process that judges it, as the command does."""
    (pytester.path / "mine.py").write_text("def zero(X, W, P, h):\n    return W * 0\n")
    pytester.makeconftest(
        "import verify.judge.selftest as p\nfrom verify.errors import EnvironmentUnfit\n"
        "def unfit(device='cpu'): raise EnvironmentUnfit('numpy.exp errs here')\np.proven = unfit\n"
    )
    result = nested("cases", "--candidate", "mine.py:zero", *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*numpy.exp errs here*"])


@pytest.mark.parametrize("subject", ["cases/sub/b.toml", "cases/sub", "cases"])
def test_a_file_that_is_not_as_it_was_locked_is_red_however_it_is_named(subject, folder, nested):
    (folder / "sub").mkdir()
    (folder / "sub" / "b.toml").write_text(DRAWN)
    locked(folder)
    nested(subject).assert_outcomes(passed={"cases": 5}.get(subject, 2))
    (folder / "sub" / "b.toml").write_text(DRAWN.replace("0.25", "0.5"))
    result = nested(subject)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["cases/sub/b.toml, or its data, has changed since it was locked*"])


def test_a_copy_is_judged_where_the_first_is_deselected(folder, nested):
    (folder / "copy.toml").write_text(EXAMPLE)
    result = nested("cases", "--deselect", "cases/copy.toml")
    result.assert_outcomes(passed=2, deselected=2)


@pytest.mark.process
def test_a_limit_and_a_memory_are_options_of_the_candidate(pytester, folder, nested):
    (pytester.path / "mine.py").write_text(
        "import numpy as np\ndef f(X, W, P, h):\n    return W * np.ones(2**31)[0]\n"
    )
    result = nested("cases", "--candidate", "mine.py:f", "--candidate-memory", "4e9")
    result.stdout.fnmatch_lines(["*MemoryError*"])


@pytest.mark.process
def test_the_candidates_process_ends_with_the_session(pytester, folder, nested):
    (pytester.path / "mine.py").write_text(
        "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\n"
        "def f(X, W, P, h):\n    return W * 0\n"
    )
    nested("cases", "--candidate", "mine.py:f")
    assert has_ended(int((pytester.path / "pid").read_text()))
