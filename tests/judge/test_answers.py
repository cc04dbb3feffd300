"""The numbers of one answer: what must be given, what is noticed, which lines are broken."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import networks
from verify.judge import compare
from verify.judge.answers import judged
from verify.judge.result import Verdict
from verify.network import manual
from verify.network.layer import Layer
from verify.network.problem import Chain

HIDDEN = networks.of(Layer("tanh", bias=True), Layer("softmax"))
DEEP = networks.of(*[Layer("tanh")] * 12, Layer("softmax"), sizes=(6,) * 14, dtype="float32",
                   scale=3.0)  # fmt: skip


def found(problem, chain):
    return judged("it", chain, compare.reference(problem, 2.0**30))


def gradients(problem):
    right = manual.stable(problem)
    return Chain(**{link: right[link] for link in problem.network.gradients})


def test_gradients_alone_are_enough():
    answer = found(HIDDEN, gradients(HIDDEN))
    assert answer.findings == []
    assert answer.resolution < 1e-12


@pytest.mark.parametrize("missing", ["dC_dW1", "dC_db1", "dC_dW2"])
def test_a_gradient_that_is_not_given_is_asked_for(missing):
    links = {n: g for n, g in gradients(HIDDEN).items() if n != missing}
    (finding,) = found(HIDDEN, Chain(**links)).findings
    after = missing.replace("dC_d", "") + "_next"
    assert f"but neither {missing} nor {after} to be judged" in finding.message
    links[after] = manual.stable(HIDDEN)[after]
    assert found(HIDDEN, Chain(**links)).findings == []


def test_of_an_operation_without_parameters_dC_dX_is_asked_for():
    problem = networks.of(Layer("tanh", weights=False), cost="upstream", sizes=(3,))
    chain = manual.stable(problem)
    (finding,) = found(problem, Chain(y_o=chain["y_o"])).findings
    assert finding.message == "it gives y_o, but no dC_dX to be judged"
    assert found(problem, Chain(dC_dX=chain["dC_dX"])).findings == []


def test_where_depth_leaves_no_sight_it_asks_for_links_and_with_them_sees():
    (finding,) = found(DEEP, gradients(DEEP)).findings
    assert finding.verdict is Verdict.CANNOT_JUDGE
    assert "give its links, to be judged line by line: y1, y_o1, y2" in finding.message
    assert found(DEEP, manual.stable(DEEP)).findings == []


def test_dC_dX_of_the_posts_network_is_judged_too():
    problem = networks.of(Layer(), sizes=(4, 3))
    chain = manual.stable(problem)
    right = chain | {"dC_dX": chain.dC_dy @ problem.W.T}
    assert found(problem, right).findings == []
    wrong = chain | {"dC_dX": right["dC_dX"] * 1.001}
    assert [f.link for f in found(problem, wrong).findings] == ["dC_dX"]


def test_all_broken_lines_are_found_and_a_wrong_shape_besides():
    chain = dict(manual.stable(HIDDEN))
    chain |= {"dC_db1": np.zeros((1, 5)), "dC_dW1": chain["dC_dW1"] * 2}
    chain |= {"y2": chain["y2"] + 1, "W1_next": HIDDEN.W1 - HIDDEN.h * chain["dC_dW1"]}
    answer = found(HIDDEN, Chain(**chain))
    assert [(f.check, f.link) for f in answer.findings] == [
        ("shape", "dC_db1"), ("bound", "y2"), ("bound", "dC_dW1"),
    ]  # fmt: skip


def test_where_parameters_lead_to_tells_of_a_gradient_only_by_the_step():
    right = manual.stable(DEEP)
    nexts = {n: right[n] for n in right if n.endswith("_next")}
    first = [n for n in nexts if int(n[1:].removesuffix("_next")) <= 6]
    turned = {n: 2 * DEEP.parameters[n[:-5]] - nexts[n] for n in first}
    stopped = {n: DEEP.parameters[n[:-5]] for n in first}
    (finding,) = found(DEEP, Chain(**nexts)).findings
    assert (finding.check, finding.verdict) == ("blind", Verdict.CANNOT_JUDGE)
    for wrong in (turned, stopped):
        assert {f.verdict for f in found(DEEP, Chain(**nexts | wrong)).findings} == {Verdict.FAIL}
    shallow = manual.stable(HIDDEN)
    links = {n: shallow[n] for n in shallow if n.endswith("_next")}
    assert found(HIDDEN, Chain(**links)).findings == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_that_decay_in_the_update_are_right_in_whatever_order(dtype):
    problem = networks.of(Layer("tanh"), Layer("softmax"), weight_decay=0.25, dtype=dtype)
    decay, h, known = problem.dtype.type(0.25), problem.h, manual.stable(problem)
    signals = {"1": problem.X.T @ known["dC_dy1"], "2": known["y_o1"].T @ known["dC_dy2"]}
    for update in (
        lambda W, g: W * (1 - h * decay) - h * g,
        lambda W, g: W - h * g - h * decay * W,
        lambda W, g: W - h * (g + decay * W),
    ):
        links = {f"W{n}_next": update(problem.parameters[f"W{n}"], g) for n, g in signals.items()}
        assert found(problem, Chain(**links)).findings == []
        assert found(problem, known | links).findings == []


def test_of_what_is_no_number_the_first_is_named_where_no_line_is_broken():
    problem = networks.of(Layer("tanh"), Layer("sigmoid"), cost="binary-cross-entropy", scale=60.0)
    with np.errstate(all="ignore"):
        chain = networks.walked(problem, dC_dy2=lambda k: k["dC_dy_o2"] * k["dy_o2_dy2"])
        assert np.isnan(chain["dC_dy2"]).any()
        answer = found(problem, chain)
    assert [f.link for f in answer.findings] == ["dC_dy2"]
