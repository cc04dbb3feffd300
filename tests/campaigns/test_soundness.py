"""The long campaign: 20,000 random cases per dtype; `pytest -m campaign -n 2`."""

from __future__ import annotations

import pytest

from tests.support import networks
from tests.support.soundness import sharpness, worst_of_other_forms, worst_ratios
from verify.experiments.campaign import campaign
from verify.experiments.outcome import Plan
from verify.network.problem import DTYPES
from verify.numbers.dtypes import SIXTEEN

pytestmark = [pytest.mark.campaign, pytest.mark.process]

CHUNKS = 10
CASES = 2000  # a chunk


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_correct_answer_is_beyond_its_bound(dtype, chunk, record_property):
    first = 10_000 + chunk * CASES
    worst, judged = worst_ratios(dtype, range(first, first + CASES))
    for name, count in judged.items():
        record_property(f"judged {name}", count)
    for (subject, link), ratio in worst.items():
        record_property(f"{subject} {link}", f"{ratio:.4f}")
    assert {key: r for key, r in worst.items() if not r <= 1} == {}
    assert judged["stable"] == CASES
    assert sharpness(worst, "dC_dW") >= 0.3
    assert sharpness(worst, "W_next") >= 0.9


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_right_answer_in_another_form_is_beyond_the_widest_bound(dtype, chunk, record_property):
    first = 10_000 + chunk * CASES
    worst = worst_of_other_forms(dtype, range(first, first + CASES))
    for (subject, link), ratio in worst.items():
        record_property(f"{subject} {link}", f"{ratio:.4f}")
    assert {key: r for key, r in worst.items() if not r <= 1} == {}


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_right_program_of_a_random_network_is_beyond_its_bounds(dtype, chunk, record_property):
    first = 10_000 + chunk * CASES
    found, judged = networks.worst(range(first, first + CASES), dtype)
    record_property("links judged", judged)
    assert {key: ratio for key, ratio in found.items() if not ratio <= 1} == {}


@pytest.mark.parametrize("network", ["", "drawn"])
@pytest.mark.parametrize("dtype", SIXTEEN)
def test_no_right_answer_in_16_bits_is_beyond_its_bound(dtype, network, record_property):
    plan = Plan(cases=CASES, seed=CHUNKS, dtype=dtype, network=network, truth_every=1)
    found = campaign(plan)
    for key, ratio in found.worst.items():
        record_property(key, f"{ratio:.4f}")
    assert found.violations == ()
    assert found.enclosed == found.judged > 0.9 * CASES
