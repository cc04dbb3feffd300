"""Planting: a fault by its name is found as a trial of it at each layer finds it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import drawn
from verify.candidate.candidate import of_function
from verify.experiments.planting import ALL, GROUPS, OTHERS, POSTS, Planting
from verify.judge.trial import tried
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import Problem

NETWORK = Network((Layer("silu", bias=True), Layer("softmax")), "cross-entropy")


def planting(post: bool = False) -> Planting:
    p = drawn(1)
    W2 = np.array([[1, -0.5, 0.25], [0.5, 1, -1], [0.75, 0, 1]])
    other = Problem(p.X, {"W1": p.W, "b1": np.ones(3), "W2": W2}, p.P, p.h, NETWORK)
    return Planting(p if post else other, 2.0**23)


@pytest.mark.parametrize("post", [True, False])
def test_the_right_chain_is_not_caught_and_has_no_name(post):
    here = planting(post)
    assert here.group == (POSTS if post else OTHERS)
    assert here.caught("") is None
    (function,) = here.functions("")
    found = function(*here.problem.arrays.values(), here.problem.h)
    assert all(np.allclose(found[link], a, rtol=1e-13) for link, a in here.right.items())


def test_a_glance_at_the_whole_finds_what_a_trial_finds():
    here = planting()
    for name in filter(here.holds, GROUPS[OTHERS]):
        fault = ALL[name]
        for function, found in zip(here.functions(name), [here.caught(name)], strict=False):
            trial = tried(of_function(function), here.ref, in_full=fault.kept, explained=False)
            assert (found is None) == (not trial.findings), name
            if found is not None and not fault.kept:
                assert (found.check, found.link) == (
                    trial.findings[0].check, trial.findings[0].link)  # fmt: skip


def test_a_fault_is_planted_at_every_layer_where_it_applies():
    here = planting()
    assert here.holds("weights-averaged-once-more")
    assert len(list(here.functions("weights-averaged-once-more"))) == 2
    assert len(list(here.functions("bias-averaged"))) == 1
    assert not here.holds("relu-mask-reversed")
    assert not planting(post=True).holds("upstream-ignored")  # of a torch function
