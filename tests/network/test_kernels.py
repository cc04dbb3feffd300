"""torch's kernels are the table's activations and costs; those that err are named."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from verify.network import kernels
from verify.network.costs import COSTS, PAIRS
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS
from verify.network.norms import NORMS

RNG = np.random.default_rng(0)
Y = RNG.normal(size=(5, 4))
Y_O = RNG.uniform(0.1, 0.9, (5, 4))
P = RNG.dirichlet(np.ones(4), 5)
ONE_HOT = np.eye(4)[RNG.integers(4, size=5)]
SIGNS = 2 * ONE_HOT - 1


def test_there_is_a_kernel_for_every_row_of_the_tables():
    assert kernels.ACTIVATIONS.keys() | kernels.NORMS.keys() == ACTIVATIONS.keys()
    assert kernels.NORMS.keys() == NORMS.keys()
    assert kernels.COSTS.keys() == COSTS.keys()
    assert kernels.PAIRS.keys() == PAIRS.keys()


@pytest.mark.parametrize("name", kernels.ACTIVATIONS)
def test_an_activation_is_the_tables(name):
    leak = np.float64(0.01)
    found = kernels.ACTIVATIONS[name](torch, torch.tensor(Y), leak)
    given = {"y": Y, "leak": leak}
    form = ACTIVATIONS[name].y_o[-1]
    np.testing.assert_allclose(found, form.formula(*(given[p] for p in form.of)), rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("name", kernels.NORMS)
def test_a_norm_is_the_tables(name, scaled, rows):
    y, eps = Y[:rows], 0.001
    scales = {"gamma": RNG.normal(size=4), "beta": RNG.normal(size=4)} if scaled else {}
    tensors = (torch.tensor(scales[p]) if scaled else None for p in ("gamma", "beta"))
    found = kernels.NORMS[name](torch, torch.tensor(y), eps, *tensors)
    definition = Layer(name, scaled=scaled).links.definition
    np.testing.assert_allclose(found, definition(y, eps, **scales), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", COSTS)
def test_a_cost_is_the_tables(name):
    labels = {"hinge": SIGNS, "multi-class-hinge": ONE_HOT}.get(name, P)
    found = kernels.total(kernels.COSTS[name](torch, torch.tensor(Y_O), torch.tensor(labels)))
    given = {"y_o": Y_O, "P": labels, "G": P, "N": 1}
    formula = COSTS[name].definition
    expected = formula(*(given[p] for p in inspect.signature(formula).parameters))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_a_pairs_kernel_is_the_tables(pair):
    found = kernels.total(kernels.PAIRS[pair](torch, torch.tensor(Y), torch.tensor(P)))
    expected = PAIRS[pair].definition(Y, P, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_of_a_stack_each_problem_has_its_own_total():
    terms = torch.ones((3, 5, 4))
    assert kernels.total(terms).tolist() == [20.0, 20.0, 20.0]
    assert kernels.total(torch.ones(5)).item() == 5.0


def test_the_kernels_that_err_do_err():
    """A kernel that torch mends is to leave the list."""
    gelu = torch.nn.functional.gelu(torch.tensor(-5.0)).item()
    assert abs(gelu / -1.4332e-06 - 1) > 1e-3
    x = torch.tensor(21.0, dtype=torch.float64)
    assert torch.nn.functional.softplus(x).item() == 21.0 != np.logaddexp(0, 21.0)
    y = torch.tensor(-30.5, dtype=torch.float64)
    bce = torch.nn.functional.binary_cross_entropy_with_logits(y, torch.zeros_like(y)).item()
    assert abs(bce / np.exp(-30.5) - 1) > 1e-4
    assert len(kernels.BEYOND) == 3
