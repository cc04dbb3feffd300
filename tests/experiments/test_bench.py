"""The benchmark: methods are timed against the base of their table; what they see is counted."""

from __future__ import annotations

import json

import pytest

from verify.experiments import bench, peers

SHAPE = (8, 5, 3)


@pytest.fixture(scope="module")
def found() -> bench.Bench:
    return bench.bench([SHAPE], seconds=0.02)


def test_both_tables_begin_with_their_base_at_a_ratio_of_one(found):
    for table in ("gradient", "verifying", "hidden layer"):
        figures = [f for f in found.figures if f.table == table]
        assert figures[0].ratio == 1
        assert all(f.ratio > 0 and f.seconds > 0 and f.shape == SHAPE for f in figures)


def test_this_suite_sees_what_no_other_check_sees_more_of(found):
    seen = {f.method: f.sees for f in found.figures if f.table == "verifying"}
    assert seen["this suite, with truth"] >= max(seen.values()) >= 4
    assert seen["manual, twin, difference"] == -1


def test_figures_are_json_and_a_table_with_versions(found):
    read = json.loads(json.dumps(found.to_dict()))
    assert read["format"] == 1
    assert read["environment"]["threads"] == "1"
    text = found.text()
    for word in ("manual.block_form", "gradcheck, fast", "two matrix products", "torch 2"):
        assert word in text
    checks = [f for f in found.figures if f.table == "verifying"]
    ours = {f.resolution for f in checks if f.method.startswith("this suite")}
    assert len(ours) == 1
    assert 0 < min(ours) < 1e-14
    assert f"resolution of this suite{min(ours):>28.1e}" in text
    assert {f.resolution for f in found.figures if "suite" not in f.method} == {0.0}


def test_a_check_that_reports_what_is_right_too_sees_nothing(monkeypatch):
    case = bench._case(SHAPE)
    assert bench._sight(case.problem)["gradcheck, fast"] > 0
    monkeypatch.setitem(peers.CHECKS, "gradcheck, fast", lambda function, problem: True)
    assert bench._sight(case.problem)["gradcheck, fast"] == 0


def test_a_method_that_is_too_slow_is_left_out(monkeypatch):
    monkeypatch.setattr(bench, "_ONCE", 0.0005)
    measured = bench.ratios_of({"base": lambda: None, "slow": lambda: sum(range(10**6))}, 0.01)
    assert list(measured) == ["base"]
