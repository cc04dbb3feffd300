"""Updates: what they keep, where they lead, and that torch's own optimisers keep their bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support import networks
from verify.errors import UsageError
from verify.network import manual
from verify.network.bounds import bounds
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import DTYPES, Problem
from verify.network.updates import DESCENT, UPDATES, Update

LAYERS = (Layer("tanh", bias=True), Layer("softmax"))
OPTIMISERS = {
    "gradient-descent": lambda p, by, h: torch.optim.SGD(p, h),
    "momentum": lambda p, by, h: torch.optim.SGD(p, h, by.momentum),
    "adam": lambda p, by, h: torch.optim.Adam(p, h, (by.beta1, by.beta2), by.eps),
}


def problem(update: Update, dtype: str = "float64", **numbers) -> Problem:
    return networks.of(*LAYERS, dtype=dtype, update=update, **numbers)


def test_gradient_descent_keeps_nothing_momentum_a_velocity_and_adam_two_means():
    kept = {name: Network(LAYERS, update=Update(name)).state for name in UPDATES}
    assert kept["gradient-descent"] == ()
    assert kept["momentum"] == ("vW1", "vb1", "vW2")
    assert kept["adam"] == ("mW1", "vW1", "mb1", "vb1", "mW2", "vW2")
    assert Network((Layer("relu"),), "upstream", update=Update("adam")).state == ()


def test_what_is_kept_is_0_at_first_and_the_links_say_what_it_is_next():
    found = problem(Update("momentum"))
    assert not found.state["vW1"].any()
    assert found.network.links[-6:] == (
        "vW1_next", "W1_next", "vb1_next", "b1_next", "vW2_next", "W2_next",
    )  # fmt: skip
    right = manual.stable(found)
    assert np.array_equal(right["vW1_next"], right["dC_dW1"])
    later = manual.stable(found.having(vW1=right["vW1_next"], t=2))
    assert np.allclose(later["vW1_next"], 1.9 * right["dC_dW1"], rtol=1e-15)


def test_a_first_step_of_adam_goes_h_along_every_sign():
    found = problem(Update("adam", eps=1e-30))
    right = manual.stable(found)
    moved = found.parameters["W1"] - right["W1_next"]
    assert np.allclose(moved, found.h * np.sign(right["dC_dW1"]), rtol=1e-13)


def test_what_is_no_state_of_the_network_is_refused():
    with pytest.raises(UsageError, match=r"vW3 \(2,\) does not fit; the update keeps vW1, vb1"):
        Problem(*_of(problem(Update("momentum"))), {"vW3": np.ones(2)})
    with pytest.raises(UsageError, match="the update keeps nothing"):
        Problem(*_of(problem(DESCENT)), {"vW1": np.ones(2)})
    with pytest.raises(UsageError, match="t = 0 does not fit"):
        problem(Update("adam")).having(t=0)


def _of(made: Problem):
    return made.X, made.parameters, made.P, made.h, made.network


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UPDATES)
def test_torchs_own_optimisers_are_within_the_bounds_step_after_step(name, dtype):
    here = problem(Update(name), dtype)
    for t in range(1, 6):
        right, bound = manual.stable(here), bounds(here).wider
        leaves = {n: torch.tensor(a, requires_grad=True) for n, a in here.parameters.items()}
        made = OPTIMISERS[name](list(leaves.values()), here.network.update, float(here.h))
        for n, leaf in leaves.items():
            leaf.grad = torch.tensor(right[f"dC_d{n}"])
            kept = {k: torch.tensor(a) for k, a in here.state.items() if k[1:] == n}
            if name == "momentum":
                made.state[leaf]["momentum_buffer"] = kept[f"v{n}"]
            elif name == "adam":
                made.state[leaf]["step"] = torch.tensor(float(t - 1))
                made.state[leaf]["exp_avg"] = kept[f"m{n}"]
                made.state[leaf]["exp_avg_sq"] = kept[f"v{n}"]
        made.step()
        for n, leaf in leaves.items():
            link = f"{n}_next"
            off = np.abs(np.float64(leaf.detach().numpy()) - right[link])
            assert (off <= 2 * bound[link]).all(), (t, link)
        after = {link.removesuffix("_next"): right[link] for link in here.network.updates}
        here = here.having(t=t + 1, **after)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_of_given_gradients_and_state_every_step_is_bounded_to_a_few_roundings(name):
    found = problem(Update(name), "float64")
    bound, right = bounds(found).wider, manual.stable(found)
    ratio = bound["vW1_next"] / np.abs(right["vW1_next"])
    assert np.median(ratio) < 1e-12


def test_an_error_goes_on_for_as_many_steps_as_the_memory_is_long():
    assert DESCENT.memory == 1
    assert Update("momentum").memory == pytest.approx(10)
    assert Update("adam").memory == pytest.approx(1000)
