"""What a wrong answer is like on one case: a planted fault, or a multiple of what is right."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import networks
from tests.support.problems import drawn, made
from verify.faults.arithmetic import with_formulas
from verify.faults.networks import NETWORK_FAULTS, planted
from verify.faults.table import FAULTS
from verify.judge import compare
from verify.judge.likeness import likenesses
from verify.judge.result import Likeness
from verify.network import manual
from verify.network.layer import Layer
from verify.network.manual import stable_form
from verify.network.problem import Chain


def of(chain, problem=None):
    ref = compare.reference(problem or drawn(1), budget=2.0**30)
    return likenesses(chain, ref)


def answer(name, problem=None):
    p = problem or drawn(1)
    with np.errstate(all="ignore"):
        return FAULTS[name].make()(p.X.copy(), p.W.copy(), p.P.copy(), p.h)


NAMED = [
    "softmax-minus-labels", "squared-error", "binary-cross-entropy", "difference-reversed",
    "cost-softmax", "cost-binary", "cost-squared-error", "cost-summed", "upstream-mean-forgotten",
    "upstream-mean-twice", "upstream-by-classes", "next-weights-for-gradient", "inputs-forgotten",
    "sigmoid-derivative-forgotten", "derivative-of-tanh", "rows-shuffled", "weight-decay",
    "labels-rolled", "errors-summed-over-classes",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMED)
def test_a_planted_mistake_is_recognised_by_all_its_links_or_its_gradient_alone(name, dtype):
    problem = drawn(1, N=7, dtype=dtype)
    found = answer(name, problem)
    assert name in {like.fault for like in of(Chain(**found), problem) if like.factor == "1"}
    alone = of(Chain(dC_dW=found["dC_dW"]), problem)
    assert name in {like.fault for like in alone if like.factor == "1"}


@pytest.mark.parametrize(
    ("factor", "words"),
    [(6, {"N", "6"}), (1 / 6, {"1/N", "0.16667"}), (2, {"2"}), (-1, {"-1"}), (0, {"0"}),
     (3, {"K", "3"}), (0.125, {"h", "0.125"}), (18, {"N K", "18"}), (7.5, {"7.5"})],
)  # fmt: skip
def test_a_multiple_is_named_by_all_that_it_is(factor, words):
    g = stable_form(drawn(1)).dC_dW
    found = {like.factor for like in of(Chain(dC_dW=factor * g)) if like.fault == ""}
    assert words <= found


def test_a_multiple_is_one_in_every_entry_zeros_among_them():
    problem = made([[2, 0, 1], [1, 0, 3]], [[1, 0.5], [2, 1], [0, 1]], [[1, 0], [0.5, 1]])
    g = stable_form(problem).dC_dW
    assert (g[1] == 0).all()
    assert {like.factor for like in of(Chain(dC_dW=3 * g), problem)} >= {"3"}
    assert of(Chain(dC_dW=np.where(g == 0, 7.0, 3 * g)), problem) == ()


def test_of_a_scalar_no_multiple_is_told():
    C = stable_form(drawn(1)).C
    assert [like for like in of(Chain(C=1.04715 * C)) if like.fault == ""] == []


def test_that_the_gradient_is_right_none_the_less_is_kept():
    right = stable_form(drawn(1))
    found = of(Chain(dC_dy=6 * right.dC_dy, dC_dW=right.dC_dW))
    assert Likeness("", "N", "dC_dy", "right") in found
    both = of(Chain(dC_dy=6 * right.dC_dy, dC_dW=6 * right.dC_dW))
    assert Likeness("", "N", "dC_dy", "same") in both
    neither = of(Chain(dC_dy=6 * right.dC_dy, dC_dW=right.dC_dW[::-1]))
    assert neither == ()


def test_what_is_like_nothing_is_told_to_be_like_nothing():
    rng = np.random.default_rng(0)
    assert of(Chain(dC_dW=rng.normal(size=(4, 3)))) == ()
    g = stable_form(drawn(1)).dC_dW
    assert of(Chain(dC_dW=g * (1 + 1e-3 * rng.normal(size=g.shape)))) == ()


def test_a_tiny_error_is_explained_only_by_what_leaves_none_of_it():
    g = stable_form(drawn(1)).dC_dW
    assert of(Chain(dC_dW=g * (1 + 1e-6))) != ()
    assert {like.fault for like in of(Chain(dC_dW=g * (1 + 1e-6)))} <= {
        "", "gradient-a-millionth-off"}  # fmt: skip


def test_nothing_is_compared_of_what_is_right_or_not_finite():
    problem = drawn(1)
    assert of(Chain(**with_formulas()()(problem.X, problem.W, problem.P, problem.h))) is None
    assert of(Chain(dC_dW=np.full((4, 3), np.nan))) is None


def by_size(name, factor, problem):
    return {
        like.factor for like in of(Chain(dC_dW=factor * answer(name, problem)["dC_dW"]), problem)
        if like.fault == name
    }  # fmt: skip


def test_a_planted_mistake_is_recognised_by_a_size_besides():
    """Averaged over all entries, summed over rows, or halved, as the costs of libraries are."""
    problem = drawn(1, N=7)
    assert "1/K" in by_size("binary-cross-entropy", 1 / 3, problem)
    assert "N" in by_size("softmax-minus-labels", 7, problem)
    assert "N/2" in by_size("squared-error", 7 / 2, problem)
    one_row = drawn(1, N=1)
    assert {"1", "N", "1/N"} <= by_size("softmax-minus-labels", 1, one_row)


def test_a_cost_is_recognised_beside_a_right_gradient():
    p = drawn(1)
    right = stable_form(p)
    found = of(Chain(C=answer("cost-summed")["C"], dC_dW=right.dC_dW))
    assert Likeness("cost-summed", "1", "C", "right") in found


def test_a_large_problem_is_held_against_multiples_alone():
    large = drawn(1, N=2**11, D=2**10, K=2)
    assert {like.fault for like in of(Chain(dC_dW=0 * large.W), large)} == {""}
    noise = np.random.default_rng(0).normal(size=large.W.shape)
    assert of(Chain(dC_dW=noise), large) is None


HIDDEN = networks.of(Layer("tanh", bias=True), Layer("softmax"))
OF_A_NETWORK = {
    "bias-averaged": "dC_db1", "tanh-slope-at-y": "dy_o1_dy1",
    "weights-error-before-the-slope": "dC_dW1",
}  # fmt: skip


@pytest.mark.parametrize("name", OF_A_NETWORK)
def test_a_mistake_in_a_hidden_layer_is_recognised_by_its_gradients_alone(name):
    with np.errstate(all="ignore"):
        right = manual.stable(HIDDEN)
        (wrong, *_) = planted(NETWORK_FAULTS[name], HIDDEN, right)
        found = wrong(HIDDEN)
    gradients = Chain(**{link: found[link] for link in HIDDEN.network.gradients})
    assert name in {like.fault for like in of(gradients, HIDDEN)}
    assert wrong.link == OF_A_NETWORK[name]


def test_a_factor_in_a_network_is_named_by_its_sizes():
    right = manual.stable(HIDDEN)
    doubled = Chain(dC_dW1=right["dC_dW1"], dC_db1=2 * right["dC_db1"], dC_dW2=right["dC_dW2"])
    assert Likeness("", "2", "dC_db1") in of(doubled, HIDDEN)
    assert of(Chain(**{g: right[g] for g in HIDDEN.network.gradients}), HIDDEN) is None
