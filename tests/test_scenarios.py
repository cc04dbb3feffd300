"""The committed scenarios: each says what it sees; together they cover what they must."""

from __future__ import annotations

import re

import pytest

from verify.network.network import POST
from verify.scenario.cases import cases
from verify.scenario.collection import packaged
from verify.scenario.load import load

FILES = sorted(packaged().glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_scenario_begins_by_saying_what_it_sees(path):
    first = path.read_text().split("title")[0]
    assert first.startswith("# ")
    assert re.search("[Ss]ees|ties the suite", first)


def test_ids_are_unique_without_regard_to_case():
    ids = [case.id.lower() for path in FILES for case in cases(load(path))]
    assert len(ids) == len(set(ids))
    assert len(ids) >= 240


def test_the_set_covers_sizes_labels_layouts_steps_and_both_edges():
    every = [case for path in FILES for case in cases(load(path))]
    sizes = [case.sizes for case in every]
    assert {1, 4096} <= {s.N for s in sizes}
    assert 1 in {s.K for s in sizes}
    assert any(len({s.N, s.D, s.K, 1}) == 4 for s in sizes)
    assert any(s.batch < s.N and s.N % s.batch for s in sizes)
    assert {c.layout for c in every} == {"C", "F", "strided"}
    assert max(c.steps for c in every) >= 300
    assert {c.expect.loss for c in every} >= {"falls", "rises"}
    for dtype in ("float32", "float64"):
        posts = [c for c in every if c.network == POST]
        forms = {c.expect.post_form for c in posts if c.dtype == dtype}
        assert forms == {"agrees", "nonfinite", "blind"}
    assert sum(c.expect.loss_before == "7.87" for c in every) >= 8
