"""reduced: 16-bit twins keep their bound, and inform only."""

from __future__ import annotations

import numpy as np
import pytest
from test_judge import the_case
from texts import DRAWN, EXAMPLE

from verify import compare, draw, reduced, twin
from verify.bounds import bounds
from verify.chain import Problem
from verify.judge import judge
from verify.result import Verdict

DTYPES = list(reduced.MODELS)


def exact(seed: int, N: int = 9, D: int = 20, K: int = 4) -> Problem:
    """A problem whose numbers have 8 bits, as every drawn scenario's."""
    X = draw.values("normal", "X", seed, (N, D), 0.5)
    W = draw.values("normal", "W", seed, (D, K), 0.25)
    P = draw.labels("soft", "P", seed, (N, K))
    return Problem(*(a.astype("float32") for a in (X, W, P)), np.float32(0.125))


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_keeps_the_bound_of_16_bits_and_the_bound_is_no_ocean(dtype):
    ratios = []
    for seed in range(60):
        ref = compare.reference(exact(seed, N=1 + seed % 12, D=1 + seed), budget=2.0**30)
        told = reduced.note(ref, dtype)
        assert "error / bound at most" in told, told
        ratios.append(float(told.split("at most ")[1].split(",")[0]))
    assert 0.1 < max(ratios) <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_it_notices_a_few_percent(dtype):
    problem = exact(1)
    limits = bounds(problem, reduced.MODELS[dtype])
    sees = compare.resolution(limits.stable, twin.stable_form(problem, dtype=dtype).dC_dW)
    assert {"bfloat16": 0.01, "float16": 0.001}[dtype] < sees < 0.2


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_wrong_one_is_told_and_decides_nothing(dtype, tmp_path, monkeypatch):
    from dataclasses import replace

    right = twin.stable_form

    def wrong(problem, device="cpu", dtype=""):
        chain = right(problem, device, dtype)
        return replace(chain, dC_dW=chain.dC_dW * np.float32(1.5))

    monkeypatch.setattr(twin, "stable_form", wrong)
    result = judge(the_case(tmp_path, DRAWN, "float32"), way=dtype)
    assert result.verdict is Verdict.PASS
    assert any(f"twin in {dtype}: beyond its bound at dC_dW" in note for note in result.notes)


def test_what_16_bits_do_not_hold_is_told(tmp_path):
    result = judge(the_case(tmp_path, EXAMPLE), way="bfloat16")
    assert result.notes[0].startswith("twin in bfloat16: X, W or P is not exact in it")


def test_without_a_truth_nothing_is_claimed(tmp_path):
    result = judge(the_case(tmp_path, DRAWN), 0, way="float16")
    assert result.notes[0].startswith("twin in float16: no truth")
