"""Backward passes that people published wrong: each is judged wrong for what is wrong with it.

The right one beside it passes; and what other checks called wrong falsely passes too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

import verify
from tests.public import operations as op

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


def test_an_upstream_gradient_of_ones_hides_what_a_drawn_one_shows() -> None:
    x, w = _drawn(5), _drawn(5, seed=1)
    assert verify.gradcheck(op.circular, op.circular_turned, [x, w], np.ones(5)).ok
    assert not verify.gradcheck(op.circular, op.circular_turned, [x, w]).ok
