"""The one loop: what is found is judged, in a stable order, and nothing is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

import verify
from tests.support.texts import DRAWN, EXAMPLE, written
from verify.candidate.candidate import candidate
from verify.errors import EnvironmentUnfit, ScenarioError, Terminated, UsageError
from verify.judge import runner
from verify.judge.result import Verdict
from verify.scenario.collection import collect
from verify.scenario.limits import Limits
from verify.scenario.load import load


def test_a_folder_is_run_in_the_order_of_names(tmp_path):
    for name in ("b", "a"):
        written(tmp_path, EXAMPLE + f"# {name}", name)
    report = verify.run(tmp_path)
    assert report.ok
    assert [r.id.removeprefix(f"{tmp_path}/") for r in report.results] == [
        "a.toml::dtype=float32", "a.toml::dtype=float64",
        "b.toml::dtype=float32", "b.toml::dtype=float64",
    ]  # fmt: skip
    assert report.counts["found"] == report.counts["judged"] == 4
    assert set(report.environment) >= {"numpy", "torch", "python", "verify"}


def test_files_cases_scenarios_and_lists_of_them_are_run(tmp_path):
    path = written(tmp_path, EXAMPLE)
    (single,) = verify.run(f"{path}::dtype=float64").results
    assert single.case == "dtype=float64"
    cases = collect(path)
    for subject in (path, str(path), load(path), cases, cases[0]):
        assert verify.run(subject).ok
    assert len(verify.run([path, path]).results) == 2


def test_a_keyword_selects_and_may_select_nothing(tmp_path):
    path = written(tmp_path, EXAMPLE)
    assert [r.dtype for r in verify.run(path, keyword="float32").results] == ["float32"]
    assert verify.run(path, keyword="float16").exit_code == 5


def test_another_device_is_counted_as_not_run_or_required(tmp_path, monkeypatch):
    for place in ("verify.network.twin", "verify.judge.runner"):
        monkeypatch.setattr(f"{place}.available", lambda device: device == "cpu")
    path = written(tmp_path, EXAMPLE)
    report = verify.run(path, device="cuda")
    assert report.counts["NOT RUN"] == report.counts["found"] == 2
    assert report.exit_code == 5
    with pytest.raises(EnvironmentUnfit, match="there is no cuda device here"):
        verify.run(path, device="cuda", require_device="cuda")


def test_the_budget_of_the_truth_reaches_the_judge(tmp_path):
    report = verify.run(written(tmp_path, DRAWN), budget=3000)
    assert all(r.rows == (0, 3, 7, 10) for r in report.results)


def test_a_twin_that_there_is_not_is_refused_before_any_file_is_read(tmp_path):
    with pytest.raises(UsageError, match="twin 'backward': choose one of eager, func"):
        verify.run(tmp_path / "absent", twin="backward")


def test_every_pool_has_one_thread_while_cases_run(tmp_path):
    seen = []

    def watch(cases):
        for case in cases:
            seen.extend(p["num_threads"] for p in threadpoolctl.threadpool_info())
            yield case

    np.ones((2, 2)) @ np.ones((2, 2))
    verify.run(written(tmp_path, EXAMPLE), progress=watch)
    assert set(seen) == {1}


def test_a_case_that_the_suite_itself_breaks_at_is_an_error_and_the_others_are_judged(
    tmp_path, monkeypatch
):
    real = runner.judgement

    def judge(case, *rest):
        if case.dtype == "float32":
            raise ZeroDivisionError("a defect")
        return real(case, *rest)

    monkeypatch.setattr(runner, "judgement", judge)
    report = verify.run(written(tmp_path, EXAMPLE))
    assert [r.verdict for r in report.results] == [Verdict.ERROR, Verdict.PASS]
    assert report.exit_code == 3
    assert report.counts["errors"] == 1
    message = report.results[0].findings[0].message
    assert message.startswith("ZeroDivisionError in test_runner.py:")


def test_a_case_without_memory_fails_and_the_others_are_judged(tmp_path, monkeypatch):
    real = runner.judgement

    def judge(case, *rest):
        if case.dtype == "float32":
            raise MemoryError
        return real(case, *rest)

    monkeypatch.setattr(runner, "judgement", judge)
    report = verify.run(written(tmp_path, EXAMPLE))
    assert [r.verdict for r in report.results] == [Verdict.FAIL, Verdict.PASS]
    assert "not enough memory" in report.results[0].findings[0].message


def test_an_error_on_purpose_is_not_taken_for_a_defect(tmp_path, monkeypatch):
    def judge(*_):
        raise EnvironmentUnfit("no")

    monkeypatch.setattr(runner, "judgement", judge)
    with pytest.raises(EnvironmentUnfit):
        verify.run(written(tmp_path, EXAMPLE))


def test_a_case_that_gets_lost_is_not_green(tmp_path):
    report = verify.run(written(tmp_path, EXAMPLE), progress=lambda cases: cases[:1])
    assert report.counts["found"] == 2
    assert report.counts["judged"] == report.counts["PASS"] == report.counts["errors"] == 1
    assert report.exit_code == 3


@pytest.mark.parametrize(("interrupt", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interrupted_run_carries_what_was_judged(interrupt, code, tmp_path):
    def progress(cases):
        yield cases[0]
        raise interrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        verify.run(written(tmp_path, EXAMPLE), progress=progress)
    report = caught.value.report
    assert report.exit_code == code
    assert [r.verdict for r in report.results] == [Verdict.PASS]
    assert report.counts["found"] == 2
    assert "1 of 2 cases were judged" in str(caught.value)


def test_limits_reach_the_files(tmp_path):
    with pytest.raises(ScenarioError, match="N D K = 6"):
        verify.run(written(tmp_path, EXAMPLE), limits=Limits(work=5))


@pytest.mark.process
def test_what_is_done_is_logged_and_not_printed(tmp_path, caplog, capfd):
    caplog.set_level("DEBUG", "verify")
    verify.run(
        written(tmp_path, EXAMPLE),
        candidate=f"{Path(__file__).parents[1]}/examples/with_numpy.py:gradient",
    )
    told = [(r.name, r.levelname, r.getMessage()) for r in caplog.records]
    assert ("verify.judge.runner", "DEBUG", f"PASS {tmp_path}/s.toml::dtype=float64") in told
    assert any(
        name == "verify.candidate.child" and "with_numpy.py" in text for name, _, text in told
    )
    assert any(text.startswith("2 cases, twin eager, candidate") for _, _, text in told)
    assert capfd.readouterr() == ("", "")


@pytest.mark.process
def test_a_candidate_that_hangs_ends_the_run_after_a_few_cases(tmp_path):
    (tmp_path / "lab.py").write_text(
        "import time\ndef f(X, W, P, h):\n    time.sleep(60 * (len(X) == 11))\n    return W * 1\n"
    )
    path = written(tmp_path, DRAWN + "[vary]\nseed = [0, 1, 2, 3]\n")
    report = verify.run(path, candidate=f"{tmp_path / 'lab.py'}:f", timeout=0.3)
    assert (report.counts["FAIL"], report.counts["NOT RUN"], report.exit_code) == (3, 5, 1)
    assert report.stopped == "the candidate gave no answer in time in 3 cases"


@pytest.mark.parametrize(("most", "failed"), [(1, 1), (3, 3), (0, 8)])
def test_a_run_stops_after_as_many_failures_as_were_asked_for(most, failed, tmp_path):
    path = written(tmp_path, DRAWN + "[vary]\nseed = [0, 1, 2, 3]\n")
    report = verify.run(path, candidate=lambda X, W, P, h: W * 0, most_failures=most)
    assert report.counts["FAIL"] == failed
    assert bool(report.stopped) == (failed < 8)


@pytest.mark.parametrize(
    "bad",
    [{"timeout": -1}, {"timeout": 0}, {"timeout": float("inf")}, {"budget": -5},
     {"budget": float("inf")}, {"budget": float("nan")}, {"memory": -1}, {"arrays": "tourch"}],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_refused_without_a_candidate_too(bad, tmp_path):
    with pytest.raises(UsageError, match=next(iter(bad))):
        verify.run(written(tmp_path, EXAMPLE), **bad)


def test_a_device_that_is_required_must_be_there_whatever_the_cases_ask_for(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.judge.runner.available", lambda device: device == "cpu")
    with pytest.raises(EnvironmentUnfit, match="there is no cuda device here"):
        verify.run(written(tmp_path, EXAMPLE), require_device="cuda")


def test_the_device_of_the_run_is_that_of_the_proof_and_of_the_candidate(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("verify.judge.runner.proven", lambda device, _: asked.append(device) or "")
    monkeypatch.setattr(
        "verify.judge.runner.loaded", lambda *a: asked.append(a[2]) or candidate(a[0])
    )
    verify.run(written(tmp_path, EXAMPLE), device="cpu", candidate=lambda X, W, P: W * 0)
    verify.run(written(tmp_path, EXAMPLE), candidate=lambda X, W, P: W * 0)
    assert asked == ["cpu"] * 4


def test_a_report_and_a_result_are_read_in_a_few_lines(tmp_path):
    report = verify.run(written(tmp_path, DRAWN), candidate=lambda X, W, P, h: W * 0)
    assert len(repr(report)) < 1000
    assert "2 FAIL" in repr(report)
    assert len(repr(report.results[0]).splitlines()[0]) < 200


def test_a_program_is_not_ended_by_what_a_function_raises(tmp_path):
    def exits(X, W, P, h):
        raise SystemExit(0)

    report = verify.run(written(tmp_path, EXAMPLE), candidate=exits)
    assert report.exit_code == 1
    assert "SystemExit: 0" in report.results[0].findings[0].message


def test_without_ml_dtypes_cases_of_bfloat16_are_not_run_and_say_what_to_install(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    dtypes = '[vary]\ndtype = ["bfloat16", "float16"]\n'
    report = verify.run(written(tmp_path, EXAMPLE + dtypes), candidate=lambda X, W, P: W * 0)
    absent, wrong = report.results
    assert (absent.verdict, wrong.verdict) == (Verdict.NOT_RUN, Verdict.FAIL)
    assert "pip install 'ml_dtypes" in absent.findings[0].message
