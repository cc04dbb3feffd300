"""No way of judging nothing, or of losing something, ends green."""

from __future__ import annotations

import re

import pytest

from tests.support.texts import EXAMPLE
from tests.support.workers import WORKERS

CUDA = EXAMPLE + 'device = "cuda"\n'
NOTHING = pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.fixture
def no_cuda():
    import torch

    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")


@WORKERS
def test_a_run_that_judges_nothing_is_not_green(workers, no_cuda, folder, nested):
    (folder / "example.toml").write_text(CUDA)
    result = nested("cases", *workers)
    result.assert_outcomes(skipped=2)
    assert result.ret == NOTHING
    result.stdout.fnmatch_lines(["NOT VERIFIED: 2 cases: no cuda device here"])
    result = nested("cases", "--require-device", "cuda", *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: there is no cuda device here, and it is required"])


def test_what_is_not_run_is_counted_beside_what_is(no_cuda, folder, nested):
    (folder / "cuda.toml").write_text(CUDA)
    result = nested("cases")
    result.assert_outcomes(passed=2, skipped=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["4 found, 2 judged, 2 passed, 2 not run", "NOT VERIFIED: 2 cases: no cuda device here"]
    )


@pytest.mark.process
@WORKERS
def test_scenarios_that_a_conftest_skips_are_not_green(workers, pytester, folder, nested):
    pytester.makeconftest(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items: item.add_marker(pytest.mark.skip(reason='lazy'))\n"
    )
    result = nested("cases", *workers)
    assert result.ret == NOTHING
    result.stdout.fnmatch_lines(["NOT VERIFIED: 2 cases: lazy", "nothing was judged*"])


@WORKERS
def test_passing_tests_beside_do_not_make_a_run_without_a_judgement_green(
    workers, pytester, folder, nested
):
    test = pytester.makepyfile("def test_nothing(): pass")
    (folder / "example.toml").unlink()
    result = nested(test, "cases", *workers)
    result.assert_outcomes(passed=1)
    assert result.ret == NOTHING
    result.stdout.fnmatch_lines(["nothing was judged*"])
    assert nested(test, *workers).ret == 0


@WORKERS
def test_a_word_that_selects_no_scenario_is_not_green(workers, pytester, folder, nested):
    test = pytester.makepyfile("def test_nothing(): pass")
    assert nested("cases", "-k", "exmaple", *workers).ret == NOTHING
    assert nested(test, "cases", "-k", "nothing or exmaple", *workers).ret == NOTHING
    assert nested(test, "cases", "-m", "cuda or not float32 and not float64", *workers).ret == (
        NOTHING
    )


def test_a_folder_of_the_configuration_without_a_scenario_is_not_green(pytester, folder, nested):
    pytester.makepyfile("def test_nothing(): pass")
    assert nested().ret == 0
    (folder / "example.toml").unlink()
    assert nested().ret == NOTHING


LOSING = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    if "float32" in item.name: return True
"""


@pytest.mark.process
@WORKERS
def test_a_case_that_another_plugin_swallows_is_an_error(workers, pytester, folder, nested):
    pytester.makeconftest(LOSING)
    result = nested("cases", *workers)
    assert result.ret != 0
    if not workers:
        assert result.ret == pytest.ExitCode.INTERNAL_ERROR
        result.stdout.fnmatch_lines(["1 were found, and have no verdict: the run lost them*"])


DYING = """
import os, verify.judge.judge as j
real = j.judgement
def judge(case, *rest):
    if case.dtype == "float32": os.kill(os.getpid(), 9)
    return real(case, *rest)
j.judgement = judge
"""


@pytest.mark.process
def test_a_worker_that_is_killed_is_one_failed_case_and_the_rest_go_on(pytester, folder, nested):
    (folder / "other.toml").write_text(EXAMPLE.replace("2, 4", "2, 5"))
    pytester.makeconftest(DYING)
    result = nested("cases", "-n", "2")
    result.assert_outcomes(passed=2, failed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["4 found, 4 judged, 2 passed, 2 failed"])


def test_collecting_alone_judges_nothing_and_is_no_fault(folder, nested):
    assert nested("cases", "--collect-only").ret == 0


def test_in_a_workflow_what_failed_is_annotated(nested, folder, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (folder / "failing.toml").write_text(EXAMPLE + '[expect]\nloss_before = "7.88"\n')
    (folder / "bad.toml").write_text(EXAMPLE.replace("0.01", "-1"))
    result = nested("cases")
    result.stdout.fnmatch_lines_random(
        [
            "::error file=cases/failing.toml,line=2,title=dtype=float32::C is not the figure*7.88*",
            "::error file=cases/bad.toml,line=6,title=bad.toml is malformed::*step_size*",
        ]
    )


def test_a_page_holds_every_case_of_every_worker_in_the_order_of_the_files(
    pytester, folder, nested
):
    (folder / "b.toml").write_text(EXAMPLE.replace("0.01", "0.02"))
    (folder / "a.toml").write_text(EXAMPLE + '[expect]\nloss_before = "7.88"\n')
    (folder / "cuda.toml").write_text(CUDA)
    (folder / "worse.toml").write_text("title = 3\n")
    result = nested("cases", "--verify-report", "page.html")
    assert result.ret == 1
    text = (pytester.path / "page.html").read_text()
    shown = re.findall(r'aria-label="(\w[A-Z ]+) dtype=(\w+)', text)
    assert shown[:4] == [("FAIL", "float32"), ("FAIL", "float64"), ("PASS", "float32"),
                         ("PASS", "float64")]  # fmt: skip
    assert len(shown) == 8
    assert "loss_before = 7.88 is expected by the file" in text
    assert '<h1><span class="bad">MALFORMED FILES' in text
    assert "worse.toml:1:" in text
    assert "pytest" in text


@pytest.mark.process
def test_what_a_conftest_skips_and_a_worker_that_dies_are_on_the_page(pytester, folder, nested):
    pytester.makeconftest(
        "import os, pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    items[0].add_marker(pytest.mark.skip(reason='lazy'))\n"
        "def pytest_runtest_setup(item):\n"
        "    if item.name == 'dtype=float64': os._exit(1)\n"
    )
    result = nested("cases", "--verify-report", "page.html", "-n", "1")
    assert result.ret == 1
    text = (pytester.path / "page.html").read_text()
    assert "2 cases found, 1 judged, 0 passed, 1 failed, 1 not run" in text
    assert "lazy" in text
    assert "crashed while running" in text


@pytest.mark.parametrize("name", ["absent/page.html", "cases"])
def test_a_page_that_could_not_be_written_is_an_error_of_usage(name, folder, nested):
    result = nested("cases", "--verify-report", name)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*give a file in a folder that exists"])


def test_no_page_is_written_where_nothing_runs(pytester, folder, nested):
    assert nested("cases", "--verify-report", "page.html", "--collect-only").ret == 0
    assert not (pytester.path / "page.html").exists()
