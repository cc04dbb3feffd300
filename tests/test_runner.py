"""The one loop: what is found is judged, in a stable order, and nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
import threadpoolctl
from texts import DRAWN, EXAMPLE, written

import verify
from verify import runner
from verify.errors import EnvironmentUnfit, ScenarioError, UsageError
from verify.scenario import load


def test_a_folder_is_run_in_the_order_of_names(tmp_path):
    for name in ("b", "a"):
        written(tmp_path, EXAMPLE, name)
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
    cases = runner.collect(path)
    for subject in (path, str(path), load(path), cases, cases[0]):
        assert verify.run(subject).ok
    assert len(verify.run([path, path]).results) == 2


def test_a_keyword_selects_and_may_select_nothing(tmp_path):
    path = written(tmp_path, EXAMPLE)
    assert [r.dtype for r in verify.run(path, keyword="float32").results] == ["float32"]
    assert verify.run(path, keyword="float16").exit_code == 5


def test_every_fault_of_every_file_is_told_before_anything_is_judged(tmp_path):
    written(tmp_path, EXAMPLE, "a")
    written(tmp_path, EXAMPLE.replace("0.01", "-1"), "b")
    written(tmp_path, EXAMPLE.replace("labels", "lables"), "c")
    with pytest.raises(ScenarioError) as caught:
        verify.run(tmp_path)
    assert [f.path.removeprefix(f"{tmp_path}/") for f in caught.value.faults] == [
        "b.toml",
        "c.toml",
        "c.toml",
    ][: len(caught.value.faults)]
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("name", ["s.tml", "s.toml~", "S.JSON", ".hidden", "s.yaml"])
def test_a_file_that_nobody_would_run_is_a_fault(name, tmp_path):
    written(tmp_path, EXAMPLE)
    (tmp_path / name).write_text(EXAMPLE)
    with pytest.raises(ScenarioError, match="neither a scenario nor data"):
        verify.run(tmp_path)


def test_data_readme_and_manifest_may_stand_beside(tmp_path):
    written(tmp_path, EXAMPLE)
    (tmp_path / "data").mkdir()
    for name in ("data/t.csv", "README.md", "manifest.json"):
        (tmp_path / name).write_text("")
    assert len(verify.run(tmp_path).results) == 2


def test_a_path_or_case_that_is_not_there_is_named(tmp_path):
    path = written(tmp_path, EXAMPLE)
    with pytest.raises(UsageError, match="no such file or folder"):
        verify.run(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match=r"has no case 'x'; it has dtype=float32, dtype=float64"):
        verify.run(f"{path}::x")


def test_another_device_is_counted_as_not_run_or_required(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.twin.available", lambda device: device == "cpu")
    path = written(tmp_path, EXAMPLE)
    report = verify.run(path, device="cuda")
    assert report.counts["NOT RUN"] == report.counts["found"] == 2
    assert report.exit_code == 5
    with pytest.raises(EnvironmentUnfit, match="2 cases need a cuda device"):
        verify.run(path, device="cuda", require_device="cuda")


def test_the_budget_of_the_truth_reaches_the_judge(tmp_path):
    report = verify.run(written(tmp_path, DRAWN), budget=3000)
    assert all(r.columns == (0,) for r in report.results)


def test_every_pool_has_one_thread_while_cases_run(tmp_path):
    seen = []

    def watch(cases):
        for case in cases:
            seen.extend(p["num_threads"] for p in threadpoolctl.threadpool_info())
            yield case

    np.ones((2, 2)) @ np.ones((2, 2))
    verify.run(written(tmp_path, EXAMPLE), progress=watch)
    assert set(seen) == {1}


def test_the_package_carries_its_scenarios():
    names = [p.name for p in runner.packaged().glob("*.toml")]
    assert "worked-example.toml" in names
    assert len(names) >= 40


def test_a_path_below_the_working_folder_is_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(runner.shown(tmp_path / "a" / "b.toml")) == "a/b.toml"
    assert runner.shown(tmp_path.parent) == tmp_path.parent
