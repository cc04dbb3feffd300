"""Backward passes that people published wrong: each is judged wrong for what is wrong with it.

The right one beside it passes; and what other checks called wrong falsely passes too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

import verify
from tests.public import functions_in_torch as fn
from tests.public import networks as net
from tests.public import operations as op
from tests.support import networks
from verify.candidate.candidate import of_function
from verify.judge import compare
from verify.judge.trial import Trial, tried
from verify.network.network import Layer
from verify.network.problem import Problem

DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])


def _drawn(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


class Operation(NamedTuple):
    """A forward pass, its inputs, a right backward pass, and wrong ones with the kind of each."""

    forward: Callable[..., Any]
    inputs: tuple[Any, ...]
    right: Callable[..., Any]
    wrong: Mapping[Callable[..., Any], str] = {}


ROWS, LABELS = _drawn(4, 3), np.array([0, 2, 1, 2])
MASK = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1]], bool)
NEURON = _drawn(3), _drawn(3, seed=1), np.array(0.25)
OPERATIONS = (
    Operation(op.softmax, (ROWS,), op.softmax_back,
              {op.softmax_diagonal: "formula", op.softmax_doubled: "formula"}),
    Operation(op.log, (1 + np.abs(ROWS),), op.log_back, {op.log_of_result: "formula"}),
    Operation(op.cross_entropy_rows, (ROWS, LABELS), op.cross_entropy_rows_back,
              {op.cross_entropy_rows_averaged: "formula"}),
    Operation(op.cross_entropy, (ROWS, LABELS), op.cross_entropy_back,
              {op.cross_entropy_summed: "formula"}),
    Operation(op.two_sided, (ROWS, op.softmax(_drawn(4, 3, seed=1))), op.two_sided_back,
              {op.two_sided_as_one: "formula"}),
    Operation(op.ctc, (op.softmax(_drawn(6, 3)),), op.ctc_back,
              {op.ctc_without_upstream: "upstream"}),
    Operation(op.huber, (ROWS,), op.huber_back, {op.huber_without_upstream: "upstream"}),
    Operation(op.prod, (ROWS,), op.prod_back, {op.prod_without_upstream: "upstream"}),
    Operation(op.cube, (ROWS,), op.cube_back, {op.cube_by_strides: "layout"}),
    Operation(op.attention, (ROWS, _drawn(4, 3, seed=1), _drawn(4, 3, seed=2)), op.attention_back,
              {op.attention_contiguous: "layout", op.attention_always_causal: "formula"}),
    Operation(op.layer_norm, (_drawn(2, 3, 4), _drawn(4), _drawn(4, seed=1)), op.layer_norm_back,
              {op.layer_norm_of_matrices: "formula"}),
    Operation(op.batch_norm, (_drawn(5, 4), _drawn(4), _drawn(4, seed=1)), op.batch_norm_back,
              {op.batch_norm_with_a_term_more: "formula"}),
    Operation(op.gelu, (ROWS,), op.gelu_back,
              {op.gelu_of_tanh: "formula", op.gelu_of_sigmoid: "formula"}),
    Operation(op.tanh, (ROWS,), op.tanh_back, {op.tanh_without_square: "formula"}),
    Operation(op.tanh, (ROWS,), op.tanh_of_result),
    Operation(op.tanh_by_exp, (np.array([0.5, -3, 20]),), op.tanh_back,
              {op.tanh_of_result: "arithmetic"}),
    Operation(op.sigmoid, (ROWS,), op.sigmoid_with_exp),
    Operation(op.sigmoid, (np.array([0.5, -89, -710]),), op.sigmoid_back,
              {op.sigmoid_with_exp: "arithmetic"}),
    Operation(op.steep, (np.array([0.01, -3.4, -28]),), op.steep_back,
              {op.steep_with_a_square: "arithmetic"}),
    Operation(op.center_loss, (ROWS, LABELS, _drawn(3, 3)), op.center_loss_back,
              {op.center_loss_summed: "formula", op.center_loss_last_one: "formula"}),
    Operation(op.add, (ROWS, _drawn(3)), op.add_back, {op.add_not_summed: "shape"}),
    Operation(op.dropout, (ROWS, _drawn(3, 2), MASK), op.dropout_back,
              {op.dropout_without_mask: "formula"}),
    Operation(op.gather, (np.array([0, 3, 15, 3]), _drawn(16, 10)), op.gather_back,
              {op.gather_by_narrow_offsets: "formula"}),
    Operation(op.gather, (np.array([0, 3, 1, 3]), _drawn(4, 10)), op.gather_by_narrow_offsets),
    Operation(op.hinge, (ROWS, LABELS, _drawn(3, 3)), op.hinge_back,
              {op.hinge_decay_halved: "formula", op.hinge_assigned: "formula"}),
    Operation(op.lstm, (_drawn(3, 2), _drawn(4, 8), _drawn(8)), op.lstm_back,
              {op.lstm_tanh_of_tanh: "formula", op.lstm_not_handed_on: "formula"}),
    Operation(op.normal, (_drawn(2), np.array([[2, 0.5], [0.5, 1]])), op.normal_back,
              {op.normal_wrong_sign: "formula"}),
    Operation(op.neuron, NEURON, op.neuron_back,
              {op.neuron_by_recursion: "formula", op.KeepsHiddenGradients: "repeat"}),
    Operation(op.renorm, (ROWS,), op.renorm_back, {op.renorm_as_constant: "formula"}),
    Operation(op.circular, (_drawn(5), _drawn(5, seed=1)), op.circular_back,
              {op.circular_turned: "formula"}),
    # What other checks called wrong falsely, or could not tell.
    Operation(op.cumprod, (np.array([1.5, 0, -2, 0, 3]),), op.cumprod_back),
    Operation(op.ordered, (_drawn(9),), op.ordered_back),
    Operation(op.ordered, (np.array([1.0, 2, 2, 0]),), op.ordered_back),
    Operation(op.dot, (_drawn(2000), _drawn(2000, seed=1)), op.dot_back),
    Operation(op.dot, (1e-6 * _drawn(5), 1e6 * _drawn(5, seed=1)), op.dot_back),
    Operation(op.relu, (np.array([1.0, 0, -1]),), op.relu_back),
    Operation(op.relu, (np.array([1.0, 0, -1]),), op.relu_back_at_zero),
    Operation(op.relu, (np.array([1.0, 0, -1]),), op.relu_back_halved_at_zero),
)  # fmt: skip


# What follows from a mistake and is told besides.
ALSO = {"upstream": ("formula",), "repeat": ("layout", "upstream")}


def _called(function: Callable[..., Any]) -> str:
    return function.__name__


def _fresh(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; of a class, which keeps something, a new one."""
    return function() if isinstance(function, type) else function


def _check(of: Operation, backward: Callable[..., Any], dtype: str) -> Any:
    given = [a.astype(dtype) if a.dtype.kind == "f" else a for a in of.inputs]
    return verify.gradcheck(of.forward, _fresh(backward), given)


@DTYPES
@pytest.mark.parametrize("of", OPERATIONS, ids=lambda of: _called(of.right))
def test_a_right_backward_pass_passes(of: Operation, dtype: str) -> None:
    result = _check(of, of.right, dtype)
    assert result.ok, result.findings
    assert not any("followed" in note for note in result.notes)


@DTYPES
@pytest.mark.parametrize(
    ("of", "backward", "kind"),
    [(of, backward, kind) for of in OPERATIONS for backward, kind in of.wrong.items()],
    ids=lambda a: _called(a) if callable(a) else "",
)
def test_a_wrong_backward_pass_is_wrong_for_what_is_wrong_with_it(
    of: Operation, backward: Callable[..., Any], kind: str, dtype: str
) -> None:
    checks = {f.check for f in _check(of, backward, dtype).findings}
    assert kind in checks
    assert checks <= {kind, *ALSO.get(kind, ())}


class Network(NamedTuple):
    """A problem of a dtype, a right function of its gradients, and wrong ones with their kinds."""

    problem: Callable[[str], Problem]
    right: Callable[..., Any]
    wrong: Mapping[Callable[..., Any], str] = {}


def _of(*layers: Layer, **how: Any) -> Callable[[str], Problem]:
    return lambda dtype: networks.of(*layers, dtype=dtype, **how)


def _truths(*layers: Layer, **how: Any) -> Callable[[str], Problem]:
    """Each label 0 or 1."""

    def problem(dtype: str) -> Problem:
        made = networks.of(*layers, cost="binary-cross-entropy", dtype=dtype, **how)
        P = np.random.default_rng(5).integers(0, 2, made.P.shape)
        return replace(made, P=P.astype(dtype))

    return problem


def _surely_wrong(dtype: str) -> Problem:
    """One neuron, large numbers, and every label the other one."""
    made = _truths(SIGMOID, sizes=(3, 1), scale=60.0)(dtype)
    y = made.X @ made.parameters["W"] + made.parameters["b"]
    return replace(made, P=(y < 0).astype(dtype))


SIGMOID, RELU, SOFTMAX = (Layer(name, bias=True) for name in ("sigmoid", "relu", "softmax"))
SQUARES = {"cost": "half-squared-error", "reduction": "sum"}
RELUS = _truths(RELU, RELU, SIGMOID, sizes=(4, 5, 4, 2))
NETWORKS = (
    Network(_of(SIGMOID, SIGMOID, sizes=(3, 3, 3), **SQUARES), net.sigmoids,
            {net.output_slope_forgotten: "formula", net.both_slopes_forgotten: "formula",
             net.own_activations: "formula", net.KeptByIdentity: "other data"}),
    Network(_of(SIGMOID, SIGMOID, sizes=(4, 4, 4), N=4, **SQUARES), net.sigmoids,
            {net.bias_not_summed: "shape"}),
    Network(_of(SIGMOID, SIGMOID, N=1, **SQUARES), net.step, {net.updated_before_use: "formula"}),
    Network(_of(SIGMOID, SIGMOID, N=2, **SQUARES), net.loops, {net.loops_off_by_one: "formula"}),
    Network(_of(SIGMOID, SIGMOID, N=1, cost="half-squared-error"), net.averaged,
            {net.averaged_over_features: "formula"}),
    Network(_of(SIGMOID, SIGMOID, cost="half-squared-error"), net.averaged_over_features),
    Network(_truths(SIGMOID, SIGMOID), net.binary, {net.binary_summed: "formula"}),
    Network(_truths(SIGMOID, sizes=(1, 1)), net.neuron, {net.neuron_by_own_activation: "formula"}),
    Network(_surely_wrong, net.neuron, {net.neuron_clipped: "formula"}),
    Network(RELUS, net.relus,
            {net.relus_with_planted_factors: "formula", net.relu_overwrites: "formula"}),
    Network(_of(RELU, Layer("identity", bias=True), cost="half-squared-error"), net.regression,
            {net.bias_averaged: "formula"}),
    Network(_of(Layer("sigmoid"), Layer("identity"), sizes=(5, 4, 1), **SQUARES), net.number,
            {net.number_by_sum_of_weights: "formula"}),
    Network(_of(Layer("tanh", bias=True), SOFTMAX, sizes=(2, 3, 2), weight_decay=net.DECAY),
            net.decayed, {net.decayed_summed: "formula", net.decay_averaged: "formula"}),
    Network(_of(RELU, SOFTMAX, weight_decay=net.DECAY), net.decayed_relu,
            {net.relu_slope_in_place: "formula"}),
    Network(_of(SIGMOID, SOFTMAX), net.classes, {net.softmax_by_element: "formula"}),
    Network(_of(*[Layer("softmax")] * 3, sizes=(4, 3, 5, 2), **SQUARES), net.softmaxes,
            {net.softmax_as_its_slope: "formula"}),
    # What other checks, or readers, called wrong falsely.
    Network(_of(Layer("sigmoid"), Layer("sigmoid"), **SQUARES), net.slope_of_activation),
    Network(RELUS, net.relus_in_another_order),
    Network(_of(Layer("identity", bias=True), cost="squared-error", reduction="sum", sizes=(3, 2)),
            net.line),
)  # fmt: skip


def _trial(problem: Problem, function: Callable[..., Any]) -> Trial:
    return tried(
        of_function(_fresh(function), function.__name__), compare.reference(problem, 2.0**30)
    )


@DTYPES
@pytest.mark.parametrize("of", NETWORKS, ids=lambda of: of.right.__name__)
def test_a_right_network_passes(of: Network, dtype: str) -> None:
    trial = _trial(of.problem(dtype), of.right)
    assert (trial.exact, trial.findings) == ("right", ())
    assert trial.resolution < 1e-3


@DTYPES
@pytest.mark.parametrize(
    ("of", "function", "kind"),
    [(of, function, kind) for of in NETWORKS for function, kind in of.wrong.items()],
    ids=lambda a: a.__name__ if callable(a) else "",
)
def test_a_wrong_network_is_wrong_for_what_is_wrong_with_it(
    of: Network, function: Callable[..., Any], kind: str, dtype: str
) -> None:
    trial = _trial(of.problem(dtype), function)
    assert {f.check for f in trial.findings} == {kind}


TANH = _of(Layer("tanh", weights=False), cost="upstream", reduction="sum", sizes=(4,))
TWO_SIGMOIDS = _of(SIGMOID, SIGMOID, **SQUARES)


@DTYPES
@pytest.mark.parametrize(
    ("problem", "function", "kinds"),
    [
        (TWO_SIGMOIDS, fn.cost(fn.Squares), set()),
        (TWO_SIGMOIDS, fn.cost(fn.SquaresWithoutUpstream), {"backward"}),
        (TANH, fn.Tanh, set()),
        (TANH, fn.TanhWithoutSquare, {"bound"}),
        (TANH, fn.TanhByStrides, {"layout"}),
        (TANH, fn.TanhInPlace, {"mutated", "aliased"}),
    ],
    ids=["squares", "squares without upstream", "tanh", "without square", "strides", "in place"],
)
def test_a_function_of_tensors_is_judged_for_its_own_backward(
    problem: Callable[[str], Problem], function: Any, kinds: set[str], dtype: str
) -> None:
    ref = compare.reference(problem(dtype), 2.0**30)
    trial = tried(of_function(function, "it", "torch"), ref)
    assert {f.check for f in trial.findings} == kinds


# Every public case, in words, and the functions that express it; or why none does.
CASES: Mapping[str, tuple[Callable[..., Any], ...] | str] = {
    "no sigma' at the output; weights updated before the layer below has used them": (
        net.output_slope_forgotten, net.updated_before_use),
    "no o (1 - o) in either delta": (net.both_slopes_forgotten,),
    "gradient of the summed loss; the regulariser averaged": (
        net.decayed_summed, net.decay_averaged),
    "an exercise's planted factors 2 and 4 / m": (net.relus_with_planted_factors,),
    "factor 2 of the L2 term": (op.hinge_decay_halved,),
    "'=' for '-=' in a support vector machine's mask": (op.hinge_assigned,),
    "a term too much in batch norm": (op.batch_norm_with_a_term_more,),
    "a number used twice sends its gradient twice": (op.neuron_by_recursion,),
    "a second backward pass adds to the first": (op.KeepsHiddenGradients,),
    "another slope for log": (op.log_of_result,),
    "softmax: the Jacobian's diagonal": (op.softmax_diagonal,),
    "softmax element by element in a network": (net.softmax_by_element,),
    "softmax off by two": (op.softmax_doubled,),
    "cross-entropy divided by the batch always, one upstream entry": (
        op.cross_entropy_rows_averaged,),
    "CTC without upstream": (op.ctc_without_upstream,),
    "Huber without upstream": (op.huber_without_upstream,),
    "upstream read by the strides of x": (op.cube_by_strides,),
    "attention with an upstream that is not contiguous": (op.attention_contiguous,),
    "attention always masked on the way back": (op.attention_always_causal,),
    "layer norm of three axes": (op.layer_norm_of_matrices,),
    "GELU: the slope of another approximation": (op.gelu_of_tanh, op.gelu_of_sigmoid),
    "another slope for tanh": (op.tanh_without_square,),
    "s s exp(-x): NaN": (op.sigmoid_with_exp,),
    "exp / (1 + exp)^2 of slope 25": (op.steep_with_a_square,),
    "1 - y^2 where tanh is nearly 1": (op.tanh_of_result,),
    "no gradient at large logits: the probability is clipped": (net.neuron_clipped,),
    "center loss not divided by the batch": (op.center_loss_summed,),
    "softmax with cross-entropy forgets the mean": (op.cross_entropy_summed,),
    "a batch of one row divided by the wrong size": (net.averaged_over_features,),
    "bias gradient averaged": (net.bias_averaged,),
    "bias gradient not summed in a network": (net.bias_not_summed,),
    "broadcast addition not summed": (op.add_not_summed,),
    "binary cross-entropy without the average": (net.binary_summed,),
    "ReLU overwrites the upstream gradient": (net.relu_overwrites,),
    "dropout without its mask": (op.dropout_without_mask,),
    "LSTM: tanh of tanh; nothing handed on through h": (
        op.lstm_tanh_of_tanh, op.lstm_not_handed_on),
    "Adam multiplies by the bias correction": "an update with moments is no derivative of a cost",
    "Adam slightly wrong": "an update with moments is no derivative of a cost",
    "sign of the normal's covariance": (op.normal_wrong_sign,),
    "offsets overflow 32 bits": (op.gather_by_narrow_offsets,),
    "a forward pass kept by the identity of the weights": (net.KeptByIdentity,),
    "dW by the neuron's own activation, one neuron": (net.neuron_by_own_activation,),
    "dW by the neuron's own activation, deep": (net.own_activations,),
    "indices off by one, the bias in the weights": (net.loops_off_by_one,),
    "softmax in every layer, as its own slope": (net.softmax_as_its_slope,),
    "delta by the sum of the weights": (net.number_by_sum_of_weights,),
    "ReLU's slope written in place; two-sided cross-entropy on softmax": (
        net.relu_slope_in_place, op.two_sided_as_one),
    "prod without upstream": (op.prod_without_upstream,),
}  # fmt: skip


def test_nearly_all_public_cases_are_expressed() -> None:
    judged = {wrong for of in (*OPERATIONS, *NETWORKS) for wrong in of.wrong}
    expressed = [case for case in CASES.values() if not isinstance(case, str)]
    assert {function for case in expressed for function in case} <= judged
    assert len(expressed) >= 0.95 * len(CASES)


def test_an_upstream_gradient_of_ones_hides_what_a_drawn_one_shows() -> None:
    x, w = _drawn(5), _drawn(5, seed=1)
    assert verify.gradcheck(op.circular, op.circular_turned, [x, w], np.ones(5)).ok
    assert not verify.gradcheck(op.circular, op.circular_turned, [x, w]).ok
