"""What the committed scenarios can see: every planted fault, by scenarios that earn their keep."""

from __future__ import annotations

import json

import pytest

from tests.support.texts import EXAMPLE, written
from verify.experiments.faults import OURS, Sight, comparison, sight
from verify.experiments.kinds import KINDS
from verify.faults.table import FAULTS, INVISIBLE
from verify.scenario.collection import packaged


@pytest.fixture(scope="module")
def seen() -> Sight:
    return sight([str(p) for p in sorted(packaged().glob("*.toml"))], workers=2)


@pytest.mark.process
def test_no_visible_fault_survives(seen):
    assert seen.survivors == []
    assert {name for name, by in seen.kills.items() if not by} == {"one-ulp"} < INVISIBLE


@pytest.mark.process
def test_every_kind_of_scenario_that_faults_need_is_there(seen):
    assert seen.missing_kinds == []


@pytest.mark.process
def test_a_minimal_set_catches_everything_and_none_of_it_could_go(seen):
    for times in (1, 2):
        chosen = seen.minimal(times)
        assert len(chosen) < 20
        for left_out in [None, *chosen]:
            rest = [path for path in chosen if path != left_out]
            enough = all(
                sum(p in by for p in rest) >= min(times, len(by)) for by in seen.kills.values()
            )
            assert enough == (left_out is None)


@pytest.mark.process
def test_the_matrix_is_json(seen):
    read = json.loads(json.dumps(seen.to_dict()))
    assert set(read["faults"]) == set(FAULTS)
    assert read["survivors"] == []


def test_one_scenario_alone_lets_faults_survive_and_lacks_kinds(tmp_path):
    path = str(written(tmp_path, EXAMPLE))
    alone = sight([path], ["gradient-sign", "upstream-mean-forgotten", "one-ulp"])
    assert alone.survivors == ["upstream-mean-forgotten"]
    assert alone.kills["gradient-sign"] == {path: "bound dC_dW"}
    assert alone.alone(path) == ["gradient-sign"]
    assert "more than one row" in alone.missing_kinds
    assert "one row" not in alone.missing_kinds
    assert set(alone.missing_kinds) < set(KINDS)


def test_side_by_side_this_suite_sees_most_and_raises_no_false_alarm(tmp_path):
    names = ("distinct-sizes", "right-side")
    found = comparison([str(packaged() / f"{name}.toml") for name in names])
    assert found.alarms[OURS] == 0
    assert found.cases > 10
    assert found.faults == sum(fault.arrays == "numpy" for fault in FAULTS.values())
    others = [count for name, count in found.reported.items() if name != OURS]
    assert found.reported[OURS] > max(others) > 20
    assert json.dumps(found.to_dict())
