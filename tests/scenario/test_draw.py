"""The frozen stream: its digests may never change, and every dtype holds its values exactly."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from verify.scenario import draw

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "draws.json").read_text())


def digest(a) -> str:
    return hashlib.sha256(np.ascontiguousarray(a, "<f8").tobytes()).hexdigest()


def drawn(name: str):
    kind, seed = name.split(" ")
    if kind == "order":
        return draw.order("rows", int(seed), 100).astype(float)
    if kind in draw.LABELS and kind not in draw.VALUES:
        return draw.labels(kind, "P", int(seed), (50, 7))
    return draw.values(kind, "X", int(seed), (50, 7), 1.0)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_stream_is_what_it_always_was(name):
    assert digest(drawn(name)) == GOLDEN[name]


def test_every_kind_is_pinned():
    kinds = {name.split(" ")[0] for name in GOLDEN}
    assert kinds == {*draw.VALUES, *draw.LABELS, "order"}


@pytest.mark.parametrize("kind", draw.VALUES)
@given(seed=st.integers(0, 2**63 - 1), scale=st.floats(1e-30, 1e30))
def test_every_value_is_exact_in_float32_and_bfloat16(kind, seed, scale):
    a = draw.values(kind, "X", seed, (5, 4), scale)
    assert np.array_equal(a.astype(np.float32).astype(np.float64), a)
    assert np.array_equal(torch.tensor(a).to(torch.bfloat16).to(torch.float64).numpy(), a)


@pytest.mark.parametrize("kind", sorted({*draw.LABELS} - {"normal", "signs"}))
@given(seed=st.integers(0, 2**63 - 1), N=st.integers(1, 20), K=st.integers(1, 20))
def test_labels_are_exact_in_float32_not_negative_and_never_absent(kind, seed, N, K):
    P = draw.labels(kind, "P", seed, (N, K))
    assert P.shape == (N, K)
    assert np.array_equal(P.astype(np.float32).astype(np.float64), P)
    assert (P >= 0).all()
    assert (P.sum(axis=1) > 0.9).all()
    if kind in ("classes", "soft"):
        assert (P.sum(axis=1) == 1).all()


def test_signs_are_minus_1_or_1_and_both_about_as_often():
    P = draw.labels("signs", "P", 3, (50, 20))
    assert set(P.ravel()) == {-1.0, 1.0}
    assert abs(P.mean()) < 0.1


def test_a_larger_batch_begins_with_the_smaller_one():
    small, large = (draw.values("normal", "X", 3, (n, 4), 1.0) for n in (5, 9))
    assert np.array_equal(small, large[:5])


def test_streams_and_seeds_differ():
    one, seed, stream = (
        draw.values("normal", *a, (9, 4), 1.0) for a in (("X", 0), ("X", 1), ("W", 0))
    )
    assert not np.array_equal(one, seed)
    assert not np.array_equal(one, stream)


def test_the_normal_has_the_mean_and_width_of_one():
    a = draw.values("normal", "X", 0, (1000, 100), 1.0)
    assert abs(a.mean()) < 0.02
    assert abs(a.std() - 1) < 0.01
    assert np.abs(a).max() <= 255 / 64


def test_an_order_is_a_permutation():
    assert sorted(draw.order("rows", 5, 77)) == list(range(77))


def test_labels_of_any_sign_are_the_values_of_their_stream():
    assert np.array_equal(
        draw.labels("normal", "P", 3, (9, 4)), draw.values("normal", "P", 3, (9, 4), 1.0)
    )


def test_a_bias_is_drawn_as_a_row_is():
    row = draw.values("normal", "b", 3, (1, 4), 0.5)
    assert np.array_equal(draw.values("normal", "b", 3, (4,), 0.5), row[0])
