"""The functions in torch: they are the same functions, and autograd has the same gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from verify.experiments.checks import Trial
from verify.experiments.forwards import IN_TORCH
from verify.faults.functions import FUNCTIONS


def in_torch(trial: Trial, G):
    """The results, and the gradients by autograd."""
    tensors = {name: torch.tensor(a) for name, a in trial.inputs.items()}
    sought = [tensors[name].requires_grad_() for name in trial.sought]
    found = IN_TORCH[trial.function.name](torch, *tensors.values())
    found = found if isinstance(found, tuple) else (found,)
    by_autograd = torch.autograd.grad(found, sought, [torch.as_tensor(g) for g in G])
    return [y.detach().numpy() for y in found], [g.numpy() for g in by_autograd]


def test_every_function_is_there():
    assert list(IN_TORCH) == list(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_forward_and_the_right_backward_pass_are_those_of_torch(name, seed):
    trial = Trial(FUNCTIONS[name], FUNCTIONS[name].inputs("float64", seed))
    G, here = trial.upstream(1), [trial.inputs[name] for name in trial.sought]
    found = [*trial.forward(here), *trial.back(trial.function.backward, G, here)]
    results, by_autograd = in_torch(trial, G)
    for a, b in zip(found, [*results, *by_autograd], strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.max(np.abs(a - b)) <= 1e-11 * np.max(np.abs(b))
