"""The bound of every link, entry by entry, for any correct rounding of either form.

The derivation; forward has the first half of it, up to the error of dC_dy.

  dC_dW = X^T dC_dy is a sum over N rows: |X|^T times the bound of |dC_dy|, and its own roundings
  gamma_N |X|^T |dC_dy|. Whether 1/N stands before the product or after it does not matter.
  W_next = W - h dC_dW adds the roundings of h, of h dC_dW and of the subtraction.
  What needs X^T is one product for both forms: X is read once.

Everything is evaluated in float64; the factor 1 + 1e-9 covers the rounding of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verify.network.composed import Composed
from verify.network.forward import Forward, forward
from verify.network.links import NK
from verify.network.problem import Chain, Problem
from verify.numbers.rounding import (
    MODELS,
    Array,
    Float64,
    Model,
    Off,
    absolute,
    magnitudes,
    widened,
)


@dataclass(frozen=True, eq=False)
class Bounds:
    """The bound of every link in each form, as Chains of float64 arrays.

    An entry is infinite where the dtype cannot hold the link (dC_dy_o, when p / y_o overflows).
    What needs X^T is computed when it is first asked for: of the last W only C is.
    """

    problem: Problem
    model: Model
    forward: Forward

    def __getitem__(self, form: str) -> Chain:
        """The chain of "post", "stable" or "wider"."""
        chain: Chain = getattr(self, form)
        return chain

    @cached_property
    def post(self) -> Chain:
        return self._chain("post")

    @cached_property
    def stable(self) -> Chain:
        return self._chain("stable")

    @property
    def unbounded(self) -> dict[str, int]:
        """Entries without a bound are those of dC_dy_o beyond the dtype, which is no news."""
        return {}

    def at(self, parameters: Mapping[str, Array]) -> Bounds:
        """The bounds of the same rows at other weights.

        Shapes  W (D, K).
        """
        problem = self.problem.having(**parameters)
        with np.errstate(all="ignore"):
            return Bounds(problem, self.model, forward(problem, self.model, self.forward.abs_X))

    @cached_property
    def wider(self) -> Chain:
        """The bound that any correct algorithm keeps: at every entry the wider of the forms that
        hold there. Beyond the post form's domain that is the stable form."""
        return self._chain("wider")

    def C(self, form: str) -> Any:
        """The bound of C alone."""
        with np.errstate(all="ignore"):
            return self.forward.C(form)

    def cost(self) -> Off:
        """The reference value of C, by the stable form in float64, and its bound there.

        Units   nats a row.
        """
        with np.errstate(all="ignore"):
            return self.forward.cost

    def dC_dy(self, form: str) -> Float64:
        """The bound of dC_dy alone."""
        with np.errstate(all="ignore"):
            f = self.forward
            dG = f.dG_wider if form == "wider" else f.dG[form]
            return dG / self.problem.sizes["N"] + self.model.tiny

    @property
    def largest_dC_dy(self) -> Float64:
        """What |dC_dy| is at most."""
        return np.asarray(self.forward.pq / self.problem.sizes["N"])

    def moved(self, after: Bounds) -> Off:
        """X (W_after - W) for the same rows, and how far this evaluation of it may be off.

        Shapes  (N, K).
        """
        # The same rows at both weights: X W_after - X W, each with its own error.
        return Off(after.forward.y - self.forward.y, after.forward.own + self.forward.own)

    @property
    def post_holds(self) -> Any:
        """Every y is where exp(-y) is finite, sigma(y) normal, and p / sigma(y) in range."""
        with np.errstate(all="ignore"):
            return self.forward.post_holds

    @property
    def cost_fits(self) -> Any:
        """Neither a product of X W nor C comes near the largest number of the dtype."""
        with np.errstate(all="ignore"):
            f = self.forward
            return np.maximum(f.largest, f.all_costs) < self.model.largest / 4

    @cached_property
    def fits(self) -> Any:
        """No product or sum of the whole chain comes near the largest number of the dtype."""
        N, h = self.problem.sizes["N"], np.asarray(self.problem.h, np.float64)
        largest = np.max(self._backward["magnitude"] * np.maximum(N, h), axis=NK)
        finite = [np.isfinite(b).all(axis=NK) for b in self._backward.values()]
        return self.cost_fits & (largest < self.model.largest / 4) & np.logical_and.reduce(finite)

    @cached_property
    def _backward(self) -> dict[str, Float64]:
        """dC_dW's bound in both forms, and |X|^T|dC_dy|; in one product, because X is read once."""
        N, K, f = self.problem.sizes["N"], self.problem.sizes["K"], self.forward
        with np.errstate(all="ignore"):
            rows = np.concatenate([f.dG["post"], f.dG["stable"], f.pq], axis=-1)
            products = magnitudes(rows.mT, f.abs_X).mT / N
        post, stable, magnitude = (products[..., i * K : (i + 1) * K] for i in range(3))
        return {
            "post": self._summed(post, magnitude),
            "stable": self._summed(stable, magnitude),
            "magnitude": magnitude,
        }

    def _summed(self, product: Float64, magnitude: Float64) -> Float64:
        """The bound of a sum over N rows, from |X|^T times the bound of its terms."""
        m, N = self.model, self.problem.sizes["N"]
        g_N = m.gamma(N, m.sum_dC_dW)
        largest = self.forward.abs_X.max(axis=NK, keepdims=True) * (1 + 2.0**-23)
        underflow = N * m.tiny * (1 + largest)
        with np.errstate(all="ignore"):
            return np.asarray((1 + g_N) * product + g_N * magnitude + underflow)

    def _of_dC_dW(self, form: str) -> Float64:
        if form != "wider":
            return self._backward[form]
        with np.errstate(all="ignore"):
            rows = self.forward.dG_wider
            product = magnitudes(rows.mT, self.forward.abs_X).mT / self.problem.sizes["N"]
        return self._summed(product, self._backward["magnitude"])

    def _chain(self, form: str) -> Chain:
        m, f, h = self.model, self.forward, np.asarray(self.problem.h, np.float64)
        B, u = self._of_dC_dW(form), self.model.u
        with np.errstate(all="ignore"):
            step = h * (self._backward["magnitude"] + B)
            W_next = h * B + m.step * u * step + m.tiny
            W_next += m.subtraction * u * (np.abs(self.problem.W) + step * (1 + u))
            own = widened({"dC_dy": self.dC_dy(form), "dC_dW": B, "W_next": W_next})
            return Chain(**f.shared, **own, C=self.C(form))


def bounds(problem: Problem, model: Model | None = None) -> Bounds | Composed:
    """The bound of every link, both forms: of the post's network by the derivation above.

    That is made for numbers whose sums round as their products do; of 16 bits all are composed.

    Shapes  X (N, D), W (D, K), P (N, K) give Chains of the links' shapes; of a stack of problems,
            each with its first axis.
    Units   those of the link itself; float64.
    Source  the module's derivation.
    """
    if not problem.of_post:
        return Composed(problem, model or MODELS[str(problem.dtype)])
    return of_post(problem, model)


def of_post(problem: Problem, model: Model | None = None) -> Bounds:
    """The same of the post's network alone, and of stacks of its problems.

    Shapes  as bounds.
    """
    m = model or MODELS[str(problem.dtype)]
    with np.errstate(all="ignore"):
        return Bounds(problem, m, forward(problem, m, absolute(problem.X, problem.sizes["K"])))
