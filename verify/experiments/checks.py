"""Checks of a function whose backward pass is by hand, used as their users have them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np

from verify.experiments.forwards import IN_TORCH
from verify.experiments.peers import without_an_explanation
from verify.faults.function import Array, Backward, Function
from verify.judge.gradcheck import gradcheck
from verify.network import twin


@dataclass(frozen=True)
class Trial:
    """A function with its inputs, which a check is given beside a backward pass of it.

    Shapes  `inputs` by name, as the function has them.
    """

    function: Function
    inputs: Mapping[str, Array]

    @property
    def sought(self) -> list[str]:
        """The inputs that have a gradient."""
        return [name for name, a in self.inputs.items() if a.dtype.kind == "f"]

    def forward(self, sought: Sequence[Array]) -> tuple[Array, ...]:
        """All results, where these stand for the inputs that have a gradient."""
        return _as_tuple(self.function.forward(*self._all(sought)))

    def back(self, backward: Backward, G: Sequence[Array], sought: Sequence[Array]) -> list[Array]:
        """The gradients by the same inputs, of the dtype of what they are gradients by.

        Shapes  G as the results; those of the inputs, if they are right.
        """
        upstream = tuple(G) if len(G) > 1 else G[0]
        gradients = _as_tuple(backward(upstream, *self._all(sought)))
        found = dict(zip(self.inputs, gradients, strict=True))
        return [np.asarray(found[name], self.inputs[name].dtype) for name in self.sought]

    def upstream(self, seed: int) -> list[Array]:
        """Random numbers in the shapes of the results."""
        rng = np.random.default_rng(seed)
        values = [self.inputs[name] for name in self.sought]
        return [np.asarray(rng.normal(size=y.shape), y.dtype) for y in self.forward(values)]

    def _all(self, sought: Sequence[Array]) -> list[Array]:
        at = {**self.inputs, **dict(zip(self.sought, sought, strict=True))}
        return [np.array(a) for a in at.values()]


Check: TypeAlias = Callable[[Backward, Trial], bool]
"""True where the check notices something wrong."""


def _as_tuple(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def _ours(backward: Backward, trial: Trial) -> bool:
    """verify.gradcheck."""
    return not gradcheck(trial.function.forward, backward, trial.inputs).ok


def _gradcheck(backward: Backward, trial: Trial, **options: Any) -> bool:
    """torch.autograd.gradcheck of forward and backward as an autograd.Function."""
    with twin.full_precision() as torch:

        def forward(ctx: Any, *sought: Any) -> Any:
            ctx.save_for_backward(*sought)
            found = trial.forward([np.asarray(a.detach()) for a in sought])
            return tuple(map(torch.as_tensor, found))

        def back(ctx: Any, *G: Any) -> Any:
            at = [np.asarray(a.detach()) for a in ctx.saved_tensors]
            found = trial.back(backward, [np.asarray(g) for g in G], at)
            return tuple(map(torch.as_tensor, found))

        passes = {"forward": staticmethod(forward), "backward": staticmethod(back)}
        function: Any = type("ByHand", (torch.autograd.Function,), passes)
        leaves = tuple(torch.tensor(trial.inputs[n], requires_grad=True) for n in trial.sought)
        with without_an_explanation(), warnings.catch_warnings(action="ignore"):
            return not torch.autograd.gradcheck(function.apply, leaves, **options)


def _allclose(backward: Backward, trial: Trial, ones: bool = False) -> bool:
    """allclose with the gradients of the same function in torch, within 1e-3 and 1e-5."""
    with twin.full_precision() as torch:
        tensors = {name: torch.tensor(a) for name, a in trial.inputs.items()}
        sought = [tensors[name].requires_grad_() for name in trial.sought]
        results = _as_tuple(IN_TORCH[trial.function.name](torch, *tensors.values()))
        G = [np.ones_like(g) for g in trial.upstream(1)] if ones else trial.upstream(1)
        right = torch.autograd.grad(results, sought, [torch.as_tensor(g) for g in G])
        found = trial.back(backward, G, [trial.inputs[name] for name in trial.sought])
        return not all(
            g.shape == tuple(r.shape) and np.allclose(g, r, rtol=1e-3, atol=1e-5)
            for g, r in zip(found, right, strict=True)
        )


def _five_points(backward: Backward, trial: Trial) -> bool:
    """Central differences of five points in a random direction of each input, within 1e-9."""
    rng = np.random.default_rng(2)
    G, here = trial.upstream(1), [trial.inputs[name] for name in trial.sought]
    found, step = trial.back(backward, G, here), 3e-4
    for j, x in enumerate(here):
        direction = rng.normal(size=x.shape).astype(x.dtype)
        numeric = 0.0
        for k, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            moved = [*here[:j], x + k * step * direction, *here[j + 1 :]]
            results = trial.forward(moved)
            cost = sum(float(np.sum(g * y)) for g, y in zip(G, results, strict=True))
            numeric += weight * cost / (12 * step)
        if found[j].shape != x.shape:
            return True
        if not np.isclose(np.sum(found[j] * direction), numeric, rtol=1e-9, atol=1e-9):
            return True
    return False


def _jax_check_grads(backward: Backward, trial: Trial) -> bool:
    """jax.test_util.check_grads of forward and backward as callbacks of a custom_vjp."""
    jax, util = import_module("jax"), import_module("jax.test_util")
    jax.config.update("jax_enable_x64", True)
    here = [trial.inputs[name] for name in trial.sought]
    of_results = [jax.ShapeDtypeStruct(y.shape, y.dtype) for y in trial.forward(here)]
    of_inputs = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in here]

    def forward(*sought: Any) -> Any:
        def run(*at: Any) -> Any:
            return _arrays(trial.forward(_arrays(at)))

        return jax.pure_callback(run, of_results, *sought)

    def back(sought: Any, G: Any) -> Any:
        def run(G: Any, sought: Any) -> Any:
            return trial.back(backward, _arrays(G), _arrays(sought))

        return tuple(jax.pure_callback(run, of_inputs, G, sought))

    by_hand = jax.custom_vjp(forward)
    by_hand.defvjp(lambda *sought: (forward(*sought), sought), back)
    util.check_grads(by_hand, tuple(map(jax.numpy.asarray, here)), order=1, modes=["rev"])
    return False


def _arrays(many: Iterable[Any]) -> list[Array]:
    return [np.array(a) for a in many]


OURS = "verify.gradcheck"
BOTH = ("float64", "float32")
CHECKS: Mapping[str, tuple[tuple[str, ...], Check]] = {
    OURS: (BOTH, _ours),
    "gradcheck, slow": (BOTH, _gradcheck),
    "gradcheck, fast": (BOTH, partial(_gradcheck, fast_mode=True)),
    "gradcheck, eps 1e-3, atol 1e-2": (("float32",), partial(_gradcheck, eps=1e-3, atol=1e-2)),
    "gradcheck, eps 1e-3, atol 1e-3": (("float32",), partial(_gradcheck, eps=1e-3, atol=1e-3)),
    "five points, within 1e-9": (("float64",), _five_points),
    "allclose with autograd": (BOTH, _allclose),
    "allclose with autograd, upstream 1": (BOTH, partial(_allclose, ones=True)),
    **({"jax check_grads": (BOTH, _jax_check_grads)} if find_spec("jax") else {}),
}
"""Each check with the dtypes that it is meant for."""
