"""Right algorithms in wide use that are neither the post's form nor the stable one."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.network import twin
from verify.network.problem import Chain, Problem


def _rest(problem: Problem, y: Any, log_y_o: Any, dC_dy: Any) -> Chain:
    X, W, P, h = problem.X, problem.W, problem.P, problem.h
    dC_dW = X.T @ dC_dy
    return Chain(
        y=y, C=np.sum(P * -log_y_o) / len(X), dC_dy=dC_dy, dC_dW=dC_dW, W_next=W - h * dC_dW
    )


def fused(problem: Problem) -> Chain:
    """The fused cross-entropy of kernels, over the two logits (y, 0): exp(y - lse) - 1."""
    y, P, N = problem.X @ problem.W, problem.P, len(problem.X)
    m = np.maximum(y, 0)
    lse = m + np.log(np.exp(y - m) + np.exp(-m))
    return _rest(problem, y, y - lse, P * (np.exp(y - lse) - 1) / N)


def softplus(problem: Problem) -> Chain:
    """The same with a library's softplus for lse."""
    y, P, N = problem.X @ problem.W, problem.P, len(problem.X)
    lse = np.logaddexp(y, y.dtype.type(0))
    return _rest(problem, y, y - lse, P * (np.exp(y - lse) - 1) / N)


def quotient(problem: Problem) -> Chain:
    """An engine's backward pass of -log(e / (1 + e)), e = exp(y), which is used twice.

    Breaks  where exp(y) overflows.
    """
    y, P, N = problem.X @ problem.W, problem.P, len(problem.X)
    e = np.exp(y)
    d = e + 1
    y_o = e / d
    g = -P * y.dtype.type(1 / N) / y_o
    by_e = g / d + (-g * e / d / d)
    return _rest(problem, y, np.log(y_o), by_e * e)


def torch_quotient(problem: Problem) -> Chain:
    """The same by torch's autograd."""
    with twin.full_precision() as torch:
        X, P = torch.tensor(problem.X), torch.tensor(problem.P)
        y = (X @ torch.tensor(problem.W)).requires_grad_()
        e = y.exp()
        log_y_o = (e / (e + 1)).log()
        (-(P * log_y_o).sum() / len(X)).backward()
        found = [t.detach().numpy() for t in (y, log_y_o, y.grad)]
    return _rest(problem, *found)


FORMS = {f.__name__: f for f in (fused, softplus, quotient, torch_quotient)}


def holds(name: str, problem: Problem) -> bool:
    """Whether a form does not overflow on a problem, nor lose what it divides by."""
    y = problem.X @ problem.W
    limit = 80 if problem.dtype == np.float32 else 700
    return "quotient" not in name or bool((np.abs(y) < limit).all())
