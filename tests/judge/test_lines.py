"""Which lines are wrong: those that broke, not those that inherit."""

from __future__ import annotations

import numpy as np

from tests.support import networks
from tests.support.networks import walked
from verify.judge import compare, lines
from verify.network import manual
from verify.network.layer import Layer
from verify.network.problem import Chain

HIDDEN = (Layer("tanh", bias=True), Layer("softmax", bias=True))


def findings(problem, chain):
    ref = compare.reference(problem, 2.0**30)
    figures = compare.against_truth("it", chain, ref, ref.bounds.wider)
    return list(lines.wrong("bound", figures, lines.locally("it", chain, ref), ref))


def test_every_broken_line_is_named_in_the_order_of_the_computation():
    problem = networks.of(*HIDDEN)
    chain = walked(
        problem,
        dC_db1=lambda k: k["dC_dy1"].mean(0),
        dC_dy2=lambda k: (k["y_o2"] - k["P"]) / 5,
        dC_dy_o1=lambda k: k["dC_dy2"] @ (2 * k["W2"].T),
    )
    found = findings(problem, chain)
    assert [f.link for f in found] == ["dC_dy2", "dC_dy_o1", "dC_db1"]
    assert all("is beyond its bound" in f.message for f in found)


def test_what_merely_inherits_is_not_named_though_it_is_beyond_its_bound():
    problem = networks.of(*HIDDEN)
    chain = walked(problem, y1=lambda k: k["X"] @ k["W1"])
    assert [f.link for f in findings(problem, chain)] == ["y1"]


def test_a_line_that_only_its_own_operands_give_away_says_so():
    deep = [Layer("tanh", bias=True)] * 12 + [Layer("softmax")]
    problem = networks.of(*deep, sizes=(6,) * 14, dtype="float32", scale=2.0)
    chain = walked(problem, dC_dy1=lambda k: k["dC_dy_o1"] * k["dy_o1_dy1"] * np.float32(1.0001))
    (found,) = findings(problem, chain)
    assert found.link == "dC_dy1"
    assert "dC_dy1 is not what the links before it give: error / bound " in found.message


def test_where_no_line_is_broken_and_none_is_given_the_whole_is_what_is_told():
    problem = networks.of(*HIDDEN)
    right = manual.stable(problem)
    chain = Chain(dC_dW2=right["dC_dW2"] * 1.5, dC_dW1=right["dC_dW1"])
    assert [f.link for f in findings(problem, chain)] == ["dC_dW2"]


def test_what_is_noticed_is_that_of_the_link_in_which_least_is():
    problem = networks.of(*HIDDEN)
    ref = compare.reference(problem, 0)
    chain = manual.stable(problem)
    alone = lines.locally("it", Chain(y1=chain["y1"]), ref)
    both = lines.locally("it", Chain(y1=chain["y1"], dC_dW1=chain["dC_dW1"]), ref)
    assert 0 < alone.sees < both.sees < 1e-10
    assert lines.locally("it", Chain(y1=0 * chain["y1"]), ref).sees == 0
