"""The pytest plugin: one item a case, serially and under xdist alike."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from texts import DRAWN, EXAMPLE

FAILING = EXAMPLE + '[expect]\nloss_before = "7.88"\n'
MALFORMED = EXAMPLE.replace("0.01", "-1")
CUDA = EXAMPLE + 'device = "cuda"\n'


@pytest.fixture
def folder(pytester):
    """A project that is not this one, with a folder of scenarios."""
    pytester.makeini("[pytest]\nverify_scenarios = cases\n")
    made = pytester.mkdir("cases")
    (made / "example.toml").write_text(EXAMPLE)
    return made


def run(pytester, *arguments):
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_every_case_is_an_item_with_the_id_that_the_command_uses(pytester, folder):
    result = run(pytester, "cases", "--collect-only", "-q")
    result.stdout.fnmatch_lines(
        ["cases/example.toml::dtype=float32", "cases/example.toml::dtype=float64"]
    )
    result = run(pytester, "cases/example.toml::dtype=float64")
    result.assert_outcomes(passed=1)


def test_marks_and_words_select(pytester, folder):
    (folder / "cuda.toml").write_text(CUDA)
    for arguments, count in (
        (["-m", "cuda"], 2),
        (["-m", "float32"], 2),
        (["-k", "example"], 2),
        (["-k", "float64 and not cuda"], 1),
    ):
        result = run(pytester, "cases", "--collect-only", "-q", *arguments)
        assert sum("::" in line for line in result.outlines) == count, arguments


def test_a_failure_is_the_block_of_the_command_without_a_traceback(pytester, folder):
    (folder / "failing.toml").write_text(FAILING)
    result = run(pytester, "cases", "-k", "failing and float64")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "FAIL  cases/failing.toml::dtype=float64",
            "  figure  * loss_before = 7.88 is expected; C is 7.87038*",
            "  to repeat it        verify run 'cases/failing.toml::dtype=float64'",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "judge.py" not in result.stdout.str()


@pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-n", "2", "--dist", "loadfile"],
                                     ["-n", "2", "--dist", "worksteal"]])  # fmt: skip
def test_serial_and_parallel_runs_count_alike(workers, pytester, folder):
    (folder / "failing.toml").write_text(FAILING)
    (folder / "malformed.toml").write_text(MALFORMED)
    (folder / "misspelt.tml").write_text(EXAMPLE)
    result = run(pytester, "cases", *workers)
    result.assert_outcomes(passed=2, failed=4)
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "cases/malformed.toml:6:13: step_size: out of range (-1), greater than 0.0",
            "cases/misspelt.tml: neither a scenario nor data*",
        ]
    )


def test_last_failed_finds_a_malformed_file_and_a_failed_case(pytester, folder):
    (folder / "failing.toml").write_text(FAILING)
    (folder / "malformed.toml").write_text(MALFORMED)
    pytester.runpytest_subprocess("cases").assert_outcomes(passed=2, failed=3)
    pytester.runpytest_subprocess("cases", "--lf").assert_outcomes(failed=3)


def test_only_the_folders_that_were_named_are_collected(pytester):
    elsewhere = pytester.mkdir("elsewhere")
    (elsewhere / "example.toml").write_text(EXAMPLE)
    (elsewhere / "broken.toml").write_text("not TOML at all")
    (pytester.path / "other.toml").write_text("x = 1")
    assert run(pytester, ".").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    run(pytester, "--scenarios", "elsewhere").assert_outcomes(passed=2, failed=1)


def test_a_named_folder_outside_the_arguments_is_added_once(pytester, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "example.toml").write_text(EXAMPLE)
    tests = pytester.makepyfile("def test_nothing(): pass")
    for workers in ([], ["-n", "1"]):
        result = run(pytester, tests, "--scenarios", outside, *workers)
        result.assert_outcomes(passed=3)
    assert run(pytester, "--scenarios", "absent").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
def test_a_run_that_judges_nothing_is_not_green(workers, pytester, folder):
    import torch

    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    (folder / "example.toml").write_text(CUDA)
    result = run(pytester, "cases", *workers)
    result.assert_outcomes(skipped=2)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result = run(pytester, "cases", "--require-device", "cuda", *workers)
    result.assert_outcomes(failed=2)


def test_the_figures_of_a_case_are_properties_in_junit(pytester, folder):
    for workers in ([], ["-n", "1"]):
        run(pytester, "cases", "-k", "float64", "--junitxml=out.xml", *workers)
        (case,) = ET.parse(pytester.path / "out.xml").iter("testcase")
        found = {p.get("name"): p.get("value") for p in case.iter("property")}
        assert found["verdict"] == "PASS"
        assert float(found["resolution"]) < 1e-14
        assert found["loss_before"].startswith("7.87")
        assert case.get("name") == "dtype=float64"


def test_the_place_of_a_failure_is_the_file_and_its_line(pytester, folder):
    (folder / "malformed.toml").write_text(MALFORMED)
    pytester.makeconftest(
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call': print('PLACE', *report.location)"
    )
    result = run(pytester, "cases", "-s")
    result.stdout.fnmatch_lines(["*PLACE cases/example.toml 1 dtype=float32"])
    result.stdout.fnmatch_lines(["*PLACE cases/malformed.toml 5 malformed.toml is malformed"])


def test_the_budget_of_the_truth_is_an_option(pytester, folder):
    (folder / "example.toml").write_text(DRAWN)
    run(pytester, "cases", "--truth-budget", "0").assert_outcomes(passed=2)


def test_every_worker_has_one_thread_a_pool(pytester, folder):
    pytester.makeconftest(
        "import os\n"
        "def pytest_runtest_logreport(report): pass\n"
        "def pytest_runtest_call(item):\n"
        "    import threadpoolctl, verify.judge as j\n"
        "    real = j.judge\n"
        "    def judge(*a):\n"
        "        pools = {p['num_threads'] for p in threadpoolctl.threadpool_info()}\n"
        "        assert pools == {1}, pools\n"
        "        return real(*a)\n"
        "    j.judge = judge\n"
    )
    run(pytester, "cases", "-n", "1").assert_outcomes(passed=2)
    run(pytester, "cases").assert_outcomes(passed=2)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_candidate_is_judged_in_every_worker(workers, pytester, folder):
    (pytester.path / "mine.py").write_text("def zero(X, W, P, h):\n    return W * 0\n")
    result = run(pytester, "cases", "--candidate", "mine.py:zero", *workers)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["  subject             candidate mine.py:zero"])
    result = run(pytester, "cases", "--candidate", "mine.py:absent", *workers)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["candidate mine.py:absent: cannot be loaded: AttributeError*"])


def loaded_by_import(module: str) -> set[str]:
    code = f"import sys, {module}; print('|'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.strip().split("|"))


def test_importing_the_plugin_loads_neither_torch_nor_pydantic_nor_numpy():
    assert not loaded_by_import("verify.plugin") & {"torch", "pydantic", "numpy", "flint"}


def test_importing_the_judge_does_load_pydantic():
    """The counter-test: the test above can fail."""
    assert loaded_by_import("verify.judge") >= {"pydantic", "numpy", "flint"}


def test_collection_does_not_load_torch(pytester, folder):
    pytester.makeconftest(
        "import sys\ndef pytest_collection_finish(session): print('TORCH', 'torch' in sys.modules)"
    )
    run(pytester, "cases", "--collect-only", "-s").stdout.fnmatch_lines(["*TORCH False*"])
