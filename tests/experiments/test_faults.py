"""What the committed scenarios can see: every planted fault."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import EXAMPLE, written
from verify.experiments import planting
from verify.experiments.faults import OURS, Sight, comparison, sight
from verify.experiments.kinds import KINDS
from verify.faults import networks
from verify.faults.networks import NETWORK_FAULTS
from verify.faults.table import FAULTS, INVISIBLE
from verify.report import read
from verify.scenario.collection import collect, packaged


def planted_until_caught() -> Sight:
    """Every fault in one committed file of its group after another, least work first."""
    files = {str(path): collect(path) for path in packaged().glob("*.toml")}
    kills: dict[str, dict[str, str]] = {name: {} for name in planting.ALL}
    kinds, groups = {}, {}
    for path in sorted(files, key=lambda path: sum(case.work for case in files[path])):
        here = sight([path], [name for name, by in kills.items() if not by])
        for name, by in here.kills.items():
            kills[name] |= by
        kinds |= here.kinds
        groups |= here.groups
    return Sight(kills, kinds, groups)


def test_no_visible_fault_survives_and_every_kind_of_scenario_that_faults_need_is_there():
    seen = planted_until_caught()
    assert seen.survivors == seen.missing_kinds == []
    unseen = {name for name, by in seen.kills.items() if not by}
    assert unseen & FAULTS.keys() == {"one-ulp"} < INVISIBLE
    assert unseen & NETWORK_FAULTS.keys() <= networks.INVISIBLE
    text = json.dumps(seen.to_dict())
    assert json.loads(text)["survivors"] == []
    assert set(read.matrix(text).faults) == FAULTS.keys() | NETWORK_FAULTS.keys()


FILES = [f"{letter}.toml" for letter in "abcdefgh"]


@given(st.lists(st.sets(st.sampled_from(FILES)), max_size=12), st.sampled_from([1, 2]))
def test_a_minimal_set_catches_everything_and_none_of_it_could_go(caught, times):
    kills = {name: dict.fromkeys(by, "C") for name, by in zip(FAULTS, caught, strict=False)}
    groups = dict.fromkeys(FILES, planting.POSTS)
    chosen = Sight(kills, dict.fromkeys(FILES, frozenset()), groups).minimal(times)
    for left_out in [None, *chosen]:
        rest = [path for path in chosen if path != left_out]
        enough = all(sum(p in by for p in rest) >= min(times, len(by)) for by in kills.values())
        assert enough == (left_out is None)


def test_one_scenario_alone_lets_faults_survive_and_lacks_kinds(tmp_path):
    path = str(written(tmp_path, EXAMPLE))
    alone = sight([path], ["gradient-sign", "upstream-mean-forgotten", "one-ulp"])
    assert alone.survivors == ["upstream-mean-forgotten"]
    assert alone.kills["gradient-sign"] == {path: "bound dC_dW"}
    assert alone.alone(path) == ["gradient-sign"]
    assert "more than one row" in alone.missing_kinds
    assert "one row" not in alone.missing_kinds
    assert set(alone.missing_kinds) < set(KINDS)


LAYERS = """
title = "Two layers"
inputs = { random = "normal" }
labels = { random = "soft" }
features = 3
classes = 2
batch_size = 4
step_size = 0.25
[[layers]]
units = 3
weights = { random = "normal" }
bias = { random = "normal" }
activation = "tanh"
[[layers]]
weights = { random = "normal" }
activation = "softmax"
"""


def test_a_file_of_another_network_is_for_the_faults_of_networks_at_every_layer(tmp_path):
    path = str(written(tmp_path, LAYERS))
    names = ["gradient-sign", "slope-forgotten", "bias-averaged", "relu-mask-reversed"]
    alone = sight([path], names)
    assert alone.survivors == ["relu-mask-reversed"]
    assert alone.kills["slope-forgotten"] == {path: "bound dC_dy1"}
    assert "2 of 3 faults of other networks caught by 1 scenario files" in alone.text()
    assert {"relu", "weight decay"} <= set(alone.missing_kinds)
    assert not {"tanh", "softmax", "square weights"} & set(alone.missing_kinds)
    assert not set(KINDS) & set(alone.missing_kinds) - {"float32", "float64"}


def test_side_by_side_the_faults_of_networks_have_a_table_of_their_own(tmp_path, monkeypatch):
    few = {n: NETWORK_FAULTS[n] for n in ("bias-averaged", "decay-left-on", "back-epsilon")}
    monkeypatch.setitem(planting.GROUPS, planting.OTHERS, few)
    found = comparison([str(written(tmp_path, LAYERS))])
    assert (found.cases, found.others.cases, found.others.faults) == (0, 2, 3)
    assert (found.others.reported[OURS], found.others.alarms[OURS]) == (3, 0)
    assert found.others.reported["gradcheck, slow"] == 2
    assert "central differences, within 1e-7" in found.text()
    assert set(json.loads(json.dumps(found.to_dict()))["networks"]) == {
        "reported", "false_alarms", "faults", "cases"}  # fmt: skip


def test_side_by_side_this_suite_sees_most_and_raises_no_false_alarm(tmp_path):
    names = ("worked-example", "right-side")
    found = comparison([str(packaged() / f"{name}.toml") for name in names])
    assert found.alarms[OURS] == 0
    assert found.cases == 4
    assert found.faults == sum(fault.arrays == "numpy" for fault in FAULTS.values())
    others = [count for name, count in found.reported.items() if name != OURS]
    assert found.reported[OURS] > max(others) > 20
    assert json.dumps(found.to_dict())


def test_of_16_bits_even_the_posts_network_is_for_the_faults_of_networks(tmp_path):
    path = str(written(tmp_path, EXAMPLE + 'dtype = "bfloat16"\n'))
    alone = sight([path], ["gradient-sign", "back-not-divided", "slope-forgotten"])
    assert alone.groups == {path: planting.OTHERS}
    assert alone.kills["slope-forgotten"] == {path: "bound dC_dy"}
