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
from typing import Any, TypeAlias, TypeVar
from unittest import mock

import numpy as np

from verify.network import kernels, manual, twin
from verify.network.problem import Chain, Problem

Function: TypeAlias = Callable[..., Any]
Check: TypeAlias = Callable[[Function, Problem], bool]
"""True where the check notices something wrong; whatever it raises is noticing, too."""
_F = TypeVar("_F")
_P = TypeVar("_P")


def notices(check: Callable[[_F, _P], bool], function: _F, problem: _P) -> bool:
    """Whether a check notices a function on one problem.

    Shapes  as the problem has them.
    """
    with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        try:
            return check(function, problem)
        except Exception:  # a wrong shape, a refused array, a failed comparison: all are noticed
            return True


def _answer(function: Function, problem: Problem) -> Chain:
    """The links of one call on private copies, as a plain user would make it."""
    found = function(*(np.copy(a)[()] for a in problem.given.values()))
    return Chain(**found) if isinstance(found, dict) else Chain(dC_dW=found)


def _gradients(function: Function, problem: Problem, at: Mapping[str, Any]) -> list[Any]:
    """Its gradients at other parameters, which may be any library's arrays.

    Shapes  those of the parameters, if they are right.
    """
    here = problem.having(**{n: np.asarray(a).astype(problem.dtype) for n, a in at.items()})
    found = _answer(function, here)
    return [np.asarray(found.get(f"dC_d{name}")) for name in at]


def _compared(function: Function, problem: Problem) -> Iterator[tuple[Any, Any]]:
    """C, the gradients and the next parameters, where it gives them, each with the twin's."""
    network, right = problem.network, twin.post_form(problem)
    updated = network.updates
    for link, value in _answer(function, problem).items():
        if link in ("C", *network.gradients, *updated):
            yield value, right[link]


def _assert_close(function: Function, problem: Problem) -> bool:
    """torch.testing.assert_close of C, gradients and next parameters against the twin."""
    with twin.full_precision() as torch:
        for value, expected in _compared(function, problem):
            right = torch.from_numpy(np.asarray(expected))
            torch.testing.assert_close(torch.as_tensor(np.asarray(value)), right)
    return False


def _assert_allclose(function: Function, problem: Problem) -> bool:
    """numpy.testing.assert_allclose of the same, with its default rtol of 1e-7."""
    for value, right in _compared(function, problem):
        np.testing.assert_allclose(value, right)
    return False


def _right_cost(torch: Any, problem: Problem, at: Mapping[str, Any]) -> Any:
    """C by torch's kernels."""
    network = problem.network
    _, terms = kernels.forward(torch, network, at, "stable")
    decayed = (kernels.decay(at[W], at["decay"]) for W in network.weights if network.decays)
    return kernels.total(terms) / at["N"] + sum(map(kernels.total, decayed))


def _gradcheck(fast: bool) -> Check:
    def check(function: Function, problem: Problem) -> bool:
        """torch.autograd.gradcheck of the fault as the backward pass of the right cost, float64."""
        if problem.dtype != np.float64:
            return False
        names = problem.network.sought
        with twin.full_precision() as torch:
            given = twin.tensors(torch, problem.numbers, "cpu")

            def forward(ctx: Any, *parameters: Any) -> Any:
                ctx.save_for_backward(*parameters)
                at = given | dict(zip(names, parameters, strict=True))
                return _right_cost(torch, problem, at)

            def backward(ctx: Any, upstream: Any) -> Any:
                at = dict(zip(names, (p.detach() for p in ctx.saved_tensors), strict=True))
                found = _gradients(function, problem, at)
                return tuple(upstream * torch.as_tensor(g) for g in found)

            passes = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
            cost: Any = type("Cost", (torch.autograd.Function,), passes)
            leaves = tuple(torch.tensor(problem.numbers[n], requires_grad=True) for n in names)
            with without_an_explanation():
                return not torch.autograd.gradcheck(cost.apply, leaves, fast_mode=fast)

    return check


def _differences(limit: float) -> Check:
    def check(function: Function, problem: Problem) -> bool:
        """The largest relative error against central differences of its own C, h = 1e-5, float64:
        as the exercises of cs231n have it."""
        if problem.dtype != np.float64:
            return False
        found, step = _answer(function, problem), 1e-5
        for name in problem.network.sought:
            at = np.array(problem.numbers[name])
            numeric, gradient = np.zeros_like(at), np.asarray(found[f"dC_d{name}"])
            for i in np.ndindex(at.shape):
                ends = []
                for moved in (at[i] + step, at[i] - step):
                    there = at.copy()
                    there[i] = moved
                    ends.append(_cost(function, problem.having(**{name: there})))
                numeric[i] = (ends[0] - ends[1]) / (2 * step)
            size = np.maximum(1e-8, np.abs(gradient) + np.abs(numeric))
            if not np.max(np.abs(gradient - numeric) / size) <= limit:
                return True
        return False

    return check


def _cost(function: Function, problem: Problem) -> Any:
    """C, as the function itself gives it if it does."""
    own = _answer(function, problem).C
    return manual.stable(problem).C if own is None else own


@contextlib.contextmanager
def without_an_explanation() -> Iterator[None]:
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
        lambda W, upstream: (
            upstream * jax.numpy.asarray(_gradients(function, problem, {"W": W})[0]),
        ),
    )
    util.check_grads(cost, (jax.numpy.asarray(problem.W),), order=1, modes=["rev"])
    return False


def _autograd_check_grads(function: Function, problem: Problem) -> bool:
    """autograd.test_util.check_grads of the fault as the backward pass of the right cost."""
    extend, util = import_module("autograd.extend"), import_module("autograd.test_util")
    cost = extend.primitive(
        lambda W: np.sum(problem.P * np.logaddexp(0, -(problem.X @ W))) / len(problem.X)
    )
    extend.defvjp(
        cost, lambda _C, W: lambda upstream: upstream * _gradients(function, problem, {"W": W})[0]
    )
    util.check_grads(cost, modes=["rev"], order=1)(problem.W)
    return False


def _loss_fell(function: Function, problem: Problem) -> bool:
    """The cost, as the function itself gives it if it does, before and after its own step."""
    if not problem.network.trains:
        return False
    found = _answer(function, problem)
    after = {}
    for name, a in problem.parameters.items():
        own = found.get(f"{name}_next")
        after[name] = np.asarray(a - problem.h * found[f"dC_d{name}"] if own is None else own)
    there = problem.having(**after)
    return not _cost(function, there) < _cost(function, problem)


CHECKS: Mapping[str, Check] = {
    "assert_close against the twin": _assert_close,
    "assert_allclose against the twin": _assert_allclose,
    "gradcheck, slow": _gradcheck(fast=False),
    "gradcheck, fast": _gradcheck(fast=True),
    "the loss fell": _loss_fell,
}
OF_NETWORKS: Mapping[str, Check] = {
    **CHECKS,
    "central differences, within 1e-7": _differences(1e-7),
    "central differences, within 1e-5": _differences(1e-5),
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
