"""Other checks on the same faults and problems: gradcheck, assert_close, assert_allclose, ...

Each check is used as its documentation shows, with its default tolerances, and judges what it can:
the gradient, as a backward pass of the cost, or the cost before and after one step.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias
from unittest import mock

import numpy as np

from verify.faults.arithmetic import with_formulas
from verify.network import twin
from verify.network.problem import Chain, Problem

Function: TypeAlias = Callable[[Any, Any, Any, Any], Any]
Check: TypeAlias = Callable[[Function, Problem], bool]
"""True where the check notices something wrong; whatever it raises is noticing, too."""


def notices(check: Check, function: Function, problem: Problem) -> bool:
    """Whether a check notices a function on one problem.

    Shapes  as Problem.
    """
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        try:
            return check(function, problem)
        except Exception:  # a wrong shape, a refused array, a failed comparison: all are noticed
            return True


def _answer(function: Function, problem: Problem) -> Chain:
    """The links of one call on private copies, as a plain user would make it."""
    found = function(problem.X.copy(), problem.W.copy(), problem.P.copy(), problem.h)
    return Chain(**found) if isinstance(found, dict) else Chain(dC_dW=found)


def _gradient(function: Function, problem: Problem, W: Any) -> Any:
    """Its gradient at other weights, which may be any library's array.

    Shapes  W (D, K) gives (D, K), if it is right.
    """
    here = problem.having(W=np.asarray(W).astype(problem.dtype))
    return np.asarray(_answer(function, here).dC_dW)


def _assert_close(function: Function, problem: Problem) -> bool:
    """torch.testing.assert_close of dC_dW, C and W_next against the twin."""
    with twin.full_precision() as torch:
        right, found = twin.post_form(problem), _answer(function, problem)
        for link, value in found.items():
            if link in ("C", "dC_dW", "W_next"):
                expected = torch.from_numpy(np.asarray(getattr(right, link)))
                torch.testing.assert_close(torch.as_tensor(np.asarray(value)), expected)
    return False


def _assert_allclose(function: Function, problem: Problem) -> bool:
    """numpy.testing.assert_allclose of the same, with its default rtol of 1e-7."""
    right, found = twin.post_form(problem), _answer(function, problem)
    for link, value in found.items():
        if link in ("C", "dC_dW", "W_next"):
            np.testing.assert_allclose(value, getattr(right, link))
    return False


def _gradcheck(fast: bool) -> Check:
    def check(function: Function, problem: Problem) -> bool:
        """torch.autograd.gradcheck of the fault as the backward pass of the right cost, float64."""
        if problem.dtype != np.float64:
            return False
        with twin.full_precision() as torch:
            X, P = torch.from_numpy(problem.X), torch.from_numpy(problem.P)

            def forward(ctx: Any, W: Any) -> Any:
                ctx.save_for_backward(W)
                return -(P * torch.nn.functional.logsigmoid(X @ W)).sum() / len(X)

            def backward(ctx: Any, upstream: Any) -> Any:
                (W,) = ctx.saved_tensors
                return upstream * torch.as_tensor(_gradient(function, problem, W.detach()))

            passes = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
            cost: Any = type("Cost", (torch.autograd.Function,), passes)
            W = torch.tensor(problem.W, requires_grad=True)
            with _without_an_explanation():
                return not torch.autograd.gradcheck(cost.apply, (W,), fast_mode=fast)

    return check


@contextlib.contextmanager
def _without_an_explanation() -> Iterator[None]:
    """Fast gradcheck that fails runs slow gradcheck for its message: hours, for nothing new."""
    module = sys.modules["torch.autograd.gradcheck"]
    explain = "_run_slow_mode_and_get_error"
    if not hasattr(module, explain):
        yield
        return
    with mock.patch.object(module, explain, return_value=""):
        yield


def _jax_check_grads(function: Function, problem: Problem) -> bool:
    """jax.test_util.check_grads of the fault as the backward pass of the right cost."""
    jax, util = import_module("jax"), import_module("jax.test_util")
    jax.config.update("jax_enable_x64", True)
    X, P = jax.numpy.asarray(problem.X), jax.numpy.asarray(problem.P)
    cost = jax.custom_vjp(lambda W: -(P * jax.nn.log_sigmoid(X @ W)).sum() / len(X))
    cost.defvjp(
        lambda W: (cost(W), W),
        lambda W, upstream: (upstream * jax.numpy.asarray(_gradient(function, problem, W)),),
    )
    util.check_grads(cost, (jax.numpy.asarray(problem.W),), order=1, modes=["rev"])
    return False


def _autograd_check_grads(function: Function, problem: Problem) -> bool:
    """autograd.test_util.check_grads of the fault as the backward pass of the right cost."""
    extend, util = import_module("autograd.extend"), import_module("autograd.test_util")
    cost = extend.primitive(
        lambda W: np.sum(problem.P * np.logaddexp(0, -(problem.X @ W))) / len(problem.X)
    )
    extend.defvjp(cost, lambda _C, W: lambda upstream: upstream * _gradient(function, problem, W))
    util.check_grads(cost, modes=["rev"], order=1)(problem.W)
    return False


def _loss_fell(function: Function, problem: Problem) -> bool:
    """The cost, as the function itself gives it if it does, before and after its own step."""
    right = with_formulas()()
    found = _answer(function, problem)
    W = problem.W - problem.h * found.dC_dW if found.W_next is None else found.W_next
    after = _answer(function, Problem(problem.X, np.asarray(W), problem.P, problem.h))
    before_C, after_C = found.C, after.C
    if before_C is None or after_C is None:
        before_C = right(problem.X, problem.W, problem.P, problem.h)["C"]
        after_C = right(problem.X, W, problem.P, problem.h)["C"]
    return not after_C < before_C


CHECKS: Mapping[str, Check] = {
    "assert_close against the twin": _assert_close,
    "assert_allclose against the twin": _assert_allclose,
    "gradcheck, slow": _gradcheck(fast=False),
    "gradcheck, fast": _gradcheck(fast=True),
    "the loss fell": _loss_fell,
}

OPTIONAL: Mapping[str, Check] = {
    name: check
    for package, name, check in (
        ("jax", "jax check_grads", _jax_check_grads),
        ("autograd", "autograd check_grads", _autograd_check_grads),
    )
    if find_spec(package)
}
"""Those of packages that need not be here."""
