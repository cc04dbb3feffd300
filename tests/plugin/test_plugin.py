"""The pytest plugin: one item a case, serially and under xdist alike."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from tests.support.texts import DRAWN, EXAMPLE, locked
from verify.threads import ENVIRONMENT

FAILING = EXAMPLE + '[expect]\nloss_before = "7.88"\n'
MALFORMED = EXAMPLE.replace("0.01", "-1")
CUDA = EXAMPLE + 'device = "cuda"\n'


def test_every_case_is_an_item_with_the_id_that_the_command_uses(pytester, folder, nested):
    result = nested("cases", "--collect-only", "-q")
    result.stdout.fnmatch_lines(
        ["cases/example.toml::dtype=float32", "cases/example.toml::dtype=float64"]
    )
    result = nested("cases/example.toml::dtype=float64")
    result.assert_outcomes(passed=1)


def test_marks_and_words_select(pytester, folder, nested):
    (folder / "cuda.toml").write_text(CUDA)
    for arguments, count in (
        (["-m", "cuda"], 2),
        (["-m", "float32"], 2),
        (["-k", "example"], 2),
        (["-k", "float64 and not cuda"], 1),
    ):
        result = nested("cases", "--collect-only", "-q", *arguments)
        assert sum("::" in line for line in result.outlines) == count, arguments


def test_what_is_malformed_or_fails_is_red_with_its_place(folder, nested):
    (folder / "failing.toml").write_text(FAILING)
    (folder / "malformed.toml").write_text(MALFORMED)
    (folder / "misspelt.tml").write_text(EXAMPLE)
    result = nested("cases")
    result.assert_outcomes(passed=2, failed=4)
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            "cases/malformed.toml:6:13: step_size: out of range (-1), greater than 0.0",
            "cases/misspelt.tml: neither a scenario nor data*",
        ]
    )


PARALLEL = (["-n", "2"], ["-n", "1", "--dist", "loadfile"], ["-n", "1", "--dist", "worksteal"])


@pytest.mark.process
@pytest.mark.parametrize("workers", PARALLEL, ids=["load", "loadfile", "worksteal"])
def test_a_parallel_run_says_of_every_item_what_a_serial_one_says(
    workers, pytester, folder, nested, monkeypatch
):
    """Of what passes, fails, is malformed, a copy, not run, locked, and locked but gone."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (folder / "locked.toml").write_text(EXAMPLE.replace("2, 4", "1, 4"))
    (folder / "gone.toml").write_text(EXAMPLE.replace("2, 4", "3, 4"))
    locked(folder)
    (folder / "gone.toml").unlink()
    for name, text in (("copy", EXAMPLE), ("cuda", CUDA), ("failing", FAILING),
                       ("malformed", MALFORMED), ("drawn", DRAWN)):  # fmt: skip
        (folder / f"{name}.toml").write_text(text)
    (folder / "misspelt.tml").write_text(EXAMPLE)

    def told(*arguments):
        result = nested("cases", "-rA", "--verify-report=p.html", "--junitxml=j.xml", *arguments)
        words = ("FAILED ", "PASSED ", "SKIPPED ", "::", "NOT ")
        lines = {line for line in result.outlines if line.startswith(words) or " found, " in line}
        junit = {
            (case.get("classname"), case.get("name")): sorted(
                (p.get("name"), p.get("value")) for p in case.iter("property"))
            for case in ET.parse(pytester.path / "j.xml").iter("testcase")
        }  # fmt: skip
        page = (pytester.path / "p.html").read_text()
        cases = re.findall(r'aria-label="([A-Z ]+ [^"]*)"', page)
        return result.ret, lines, junit, cases

    serial, parallel = told(), told(*workers)
    assert serial[0] == 1
    assert "15 found, 11 judged, 6 passed, 5 failed, 4 not run, 2 as locked" in serial[1]
    assert len(serial[3]) > 10
    for one, other in zip(serial, parallel, strict=True):
        assert one == other


def test_last_failed_finds_a_malformed_file_and_a_failed_case(folder, nested):
    (folder / "failing.toml").write_text(FAILING)
    (folder / "malformed.toml").write_text(MALFORMED)
    nested("cases", cache="cacheprovider").assert_outcomes(passed=2, failed=3)
    nested("cases", "--lf", cache="cacheprovider").assert_outcomes(failed=3)


def test_only_the_folders_that_were_named_are_collected(pytester, nested):
    elsewhere = pytester.mkdir("elsewhere")
    (elsewhere / "example.toml").write_text(EXAMPLE)
    (elsewhere / "broken.toml").write_text("not TOML at all")
    (pytester.path / "other.toml").write_text("x = 1")
    assert nested(".").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    nested("--scenarios", "elsewhere").assert_outcomes(passed=2, failed=1)


@pytest.mark.process
def test_a_named_folder_outside_the_arguments_is_added_once(pytester, tmp_path_factory, nested):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "example.toml").write_text(EXAMPLE)
    tests = pytester.makepyfile("def test_nothing(): pass")
    nested(tests, "--scenarios", outside).assert_outcomes(passed=3)
    nested(tests, "--scenarios", outside, "-n", "1").assert_outcomes(passed=3)
    assert nested("--scenarios", "absent").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.process
def test_every_worker_has_one_thread_a_pool(pytester, folder, nested, monkeypatch):
    for name in ENVIRONMENT:  # that this worker has passes on
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(
        "import os\n"
        "def pytest_runtest_logreport(report): pass\n"
        "def pytest_runtest_call(item):\n"
        "    import threadpoolctl, verify.judge.runner as r\n"
        "    real = r.judgement\n"
        "    def judgement(*a):\n"
        "        pools = {p['num_threads'] for p in threadpoolctl.threadpool_info()}\n"
        "        print('POOLS', pools)\n"
        "        return real(*a)\n"
        "    r.judgement = judgement\n"
    )
    for workers in (["-n", "1"], []):
        result = nested("cases", "-rP", *workers)
        result.assert_outcomes(passed=2)
        assert result.outlines.count("POOLS {1}") >= 2


def loaded_by_import(module: str) -> set[str]:
    code = f"import sys, {module}; print('|'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.strip().split("|"))


@pytest.mark.process
def test_importing_the_plugin_loads_neither_torch_nor_pydantic_nor_numpy():
    assert not loaded_by_import("verify.plugin") & {"torch", "pydantic", "numpy", "flint"}


@pytest.mark.process
def test_importing_the_judge_does_load_pydantic():
    """The counter-test: the test above can fail."""
    assert loaded_by_import("verify.judge.judge") >= {"pydantic", "numpy", "flint"}


@pytest.mark.process
def test_collection_does_not_load_torch(pytester, folder, nested):
    pytester.makeconftest(
        "import sys\ndef pytest_collection_finish(session): print('TORCH', 'torch' in sys.modules)"
    )
    nested("cases", "--collect-only", "-s").stdout.fnmatch_lines(["*TORCH False*"])


@pytest.mark.parametrize("name", [".hidden", "build", "Upper"])
def test_no_folder_is_passed_over_for_its_name(name, pytester, folder, nested):
    """pytest itself enters neither hidden folders nor `build`; the command does or refuses."""
    inside = folder / name
    inside.mkdir()
    (inside / "other.toml").write_text(EXAMPLE.replace("2, 4", "2, 5"))
    outcome = {"passed": 4} if name == "build" else {"passed": 2, "failed": 1}
    nested("cases").assert_outcomes(**outcome)
    nested("cases", f"--ignore=cases/{name}").assert_outcomes(passed=2)


def test_links_are_red_and_not_followed(pytester, folder, nested):
    real = pytester.mkdir("real")
    (real / "other.toml").write_text(EXAMPLE)
    (folder / "linked").symlink_to(real)
    (folder / "link.toml").symlink_to(real / "other.toml")
    result = nested("cases")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines_random(
        ["cases/linked: neither a scenario nor data*", "cases/link.toml: not a regular file*"]
    )


@pytest.mark.parametrize("option", ["--scenarios=absent", "-overify_scenarios=absent"])
def test_a_folder_that_is_not_there_is_wrong_usage(option, folder, nested):
    result = nested("cases", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*absent: no such folder"])


def test_a_limit_is_an_option(pytester, folder, nested):
    result = nested("cases", "--scenario-limit", "work=5")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*N D K = 6*--scenario-limit work=N allows more"])
    nested("cases", "--scenario-limit", "work=6").assert_outcomes(passed=2)


def test_text_from_a_name_is_shown_escaped(folder, nested):
    (folder / "a\x1b[31m::error::\u202e.toml").write_text(EXAMPLE)
    (folder / "b\x1b[31m.txt").write_text("")
    result = nested("cases", "-v", "-rA")
    result.assert_outcomes(passed=2, failed=2)
    assert "\x1b[31m" not in result.stdout.str()
    assert "\u202e" not in result.stdout.str()


def test_a_hundred_files_are_found_once_each(folder, nested):
    for i in range(99):
        (folder / f"s{i}.toml").write_text(EXAMPLE.replace("2, 4", f"2.{i:02}, 4"))
    nested("cases").assert_outcomes(passed=200)


def test_the_twin_of_the_option_is_judged_and_a_name_that_is_none_is_red(pytester, folder, nested):
    nested("cases", "--twin", "func", "-k", "float64").assert_outcomes(passed=1)
    result = nested("cases", "--twin", "jit", "-k", "float64")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*twin 'jit': choose one of eager, func*"])


def test_what_is_ignored_elsewhere_changes_nothing_of_a_folder_and_what_is_named_is(folder, nested):
    (folder / "build").mkdir()
    (folder / "build" / "b.toml").write_text(DRAWN)
    nested("cases", "--ignore=nothing", "--ignore-glob=*.none").assert_outcomes(passed=4)
    nested("cases", "--ignore=cases/build").assert_outcomes(passed=2)
    nested("cases", "--ignore-glob=*/build/*").assert_outcomes(passed=2)


def test_scenarios_of_a_project_that_has_set_nothing_up_are_told_how(pytester, nested):
    made = pytester.mkdir("scenarios")
    (made / "a.toml").write_text(EXAMPLE)
    told = 'pytest --scenarios scenarios, or verify_scenarios = ["scenarios"]'
    result = nested("scenarios")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert told in result.stdout.str()
    result = nested("scenarios/a.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str()
