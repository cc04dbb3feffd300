"""The forward half of the bounds: everything but X^T, entry by entry.

The derivation, up to the error of dC_dy

  The pre-activation is computed as t with |t - y| <= eps = gamma_D |X||W| + (1 + gamma_D) D tiny.
  (ln sigma)' = 1 - sigma and (ln(1 - sigma))' = -sigma, so with c and cp the largest 1 - sigma and
  sigma within eps of y: sigma(t) = sigma(y) e^(+-eps c) and
  1 - sigma(t) = (1 - sigma(y)) e^(+-eps cp).
  In 1 / (1 + E), the error of E = exp(-t) is damped by E / (1 + E) <= c:
      r = expm1(c k / (1 - c k) + 2u / (1 - u)),  k = exp u,
  is sigma's own relative error, and |ln y_o^ - ln y_o| <= l = eps c - log1p(-r).
  Post form, q = 1 - sigma(y): 1 - y_o^ has the absolute error dq = q expm1(eps cp) + cp r, and one
  rounding u (q + dq) more. The product (p / y_o) y_o cancels exactly because both y_o are the same
  bits, so that only `product` roundings are left: dC_dy errs by ((1 + pi) dq + pi q) p / N.
  Stable form: everything is relative, dq = q expm1(k / (1 - k) + 5u / (1 - u) + eps cp).
  Two more right forms in wide use take 1 - y_o from numbers of size 1, so that what they err by is
  absolute:
  Fused cross-entropy: m = max(y, 0), E = exp(-|y|), lse = m + log(1 + E), log y_o = y - lse,
  1 - y_o = 1 - exp(y - lse). The logarithm errs by u + k E / (1 + E) from its argument and by
  log u log(1 + E) itself, the sum lse and the difference by u of their size, altogether by z; then
  dq = q expm1(eps cp) + cp expm1(z + k), and one rounding more.
  A quotient differentiated by itself: y_o = e / d, d = 1 + e, e = exp(y), backwards
  (g / d - g e / d / d) e. The first term errs by u, the second by 3 u y_o, both of size 1:
  dq = q expm1(eps cp) + cp r + (1 + 3 cp) u, and three roundings more than the post's form has.
  C adds gamma_(NK+4) sum p |log y_o| / N to the errors of its terms.

Everything is evaluated by expm1 and log1p ((1 + u)^5 - 1 would be 0 or noise), at values of y
widened by float64's own rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from verify.network.links import NK
from verify.network.problem import Problem
from verify.numbers.rounding import (
    EVALUATION,
    MODELS,
    Array,
    Float64,
    Model,
    Off,
    magnitudes,
    widened,
)


@dataclass(frozen=True, eq=False)
class Forward:
    """One evaluation of y, and what follows from it; each part when it is first asked for.

    Shapes  abs_X (N, D); y, own, eps (N, K): y, how far this evaluation of it may be off, and the
            bound of y; everything else (N, K), but C and cost. Of a stack, with its first axis.
    Units   largest: of the products in X W.
    """

    model: Model
    abs_X: Array
    P: Float64
    y: Float64
    own: Float64
    eps: Float64
    largest: Any

    @cached_property
    def low(self) -> Float64:
        """The least that y may be."""
        return self.y - self.own

    @cached_property
    def high(self) -> Float64:
        """The most that y may be."""
        return self.y + self.own

    @cached_property
    def upstream(self) -> Any:
        """p / y_o."""
        return self.P / _sigma(self.low)

    @cached_property
    def in_range(self) -> Any:
        """Where the post's formulas stay in range."""
        m = self.model
        return (self.low - self.eps >= m.lowest_y) & (self.upstream < m.largest / 4)

    @cached_property
    def post_holds(self) -> Any:
        """Whether they do so everywhere."""
        return self.in_range.all(axis=NK)

    @cached_property
    def c(self) -> Any:
        """The largest 1 - sigma within eps of y."""
        return _sigma(self.eps - self.low)

    @cached_property
    def cp(self) -> Any:
        """The largest sigma within eps of y."""
        return _sigma(self.eps + self.high)

    @cached_property
    def q(self) -> Any:
        """1 - sigma at most."""
        return _sigma(-self.low)

    @cached_property
    def pq(self) -> Any:
        """N times |dC_dy| at most."""
        return self.P * self.q

    @cached_property
    def r(self) -> Any:
        """sigma's own relative error."""
        m, k = self.model, self.model.exp * self.model.u
        return np.expm1(self.c * k / (1 - self.c * k) + m.sigma * m.u / (1 - m.u) + 4 * m.tiny)

    @cached_property
    def ln_y_o(self) -> Any:
        """The error of ln y_o."""
        return self.eps * self.c - np.log1p(-self.r)

    @cached_property
    def _dq(self) -> tuple[Float64, Float64]:
        """The bound of 1 - y_o, in the post form and in the stable one."""
        m, q, k = self.model, self.q, self.model.exp * self.model.u
        moved = self.eps * self.cp
        post = q * np.expm1(moved) + self.cp * self.r
        post = post + m.one_minus_sigma * m.u * (q + post)
        own = k / (1 - k) + m.stable * m.u / (1 - m.u)
        stable = q * np.expm1(own + moved) + 2 * m.tiny
        return post, stable

    @cached_property
    def dG(self) -> Mapping[str, Float64]:
        """N times the bound of dC_dy, in both forms."""
        m = self.model
        pi = np.expm1(m.product * m.u / (1 - m.u))
        own = pi * self.pq + 2 * m.tiny
        post, stable = (self.P * ((1 + pi) * dq) + own for dq in self._dq)
        return {"post": post, "stable": stable}

    @cached_property
    def dG_wider(self) -> Float64:
        """The same, at every entry of the widest form that holds there."""
        post, stable = self.dG.values()
        pi = np.expm1(self.model.product * self.model.u / (1 - self.model.u))
        absolute = np.fmax(*(self.P * ((1 + pi) * dq) for dq in self._dq_of_size_1))
        absolute = absolute + pi * self.pq + 2 * self.model.tiny
        widest = np.fmax(np.where(self.in_range, post, stable), np.fmax(stable, absolute))
        return np.asarray(widest)

    @cached_property
    def _dq_of_size_1(self) -> tuple[Float64, Float64]:
        """The bound of 1 - y_o in a fused cross-entropy, and in a differentiated quotient."""
        m, q, k = self.model, self.q, self.model.exp * self.model.u
        moved = q * np.expm1(self.eps * self.cp)
        fused = moved + self.cp * np.expm1(self._fused_log + k / (1 - k))
        quotient = moved + self.cp * self.r + (1 + 3 * self.cp) * m.u * (1 + 4 * m.u)
        return fused + m.u * (q + fused), quotient + 3 * m.u * (q + quotient)

    @cached_property
    def _fused_log(self) -> Any:
        """What y - lse errs by besides what eps moves it by."""
        m, k = self.model, self.model.exp * self.model.u
        softplus = np.log1p(np.exp(-np.abs(self.y)))
        moved = self.own + self.eps
        argument = m.u + k * np.fmin(self.c, self.cp) + m.log * m.u * softplus
        sums = m.u * (np.maximum(self.y, 0) + softplus + self.largest_log + 2 * moved)
        return (argument + sums) * (1 + 16 * k) + 2 * m.tiny

    @cached_property
    def shared(self) -> dict[str, Float64]:
        """The bounds of y, y_o, dC_dy_o and dy_o_dy, which are the same in both forms."""
        m, u, tiny, N = self.model, self.model.u, self.model.tiny, self.P.shape[-2]
        y_o, q, rho = _sigma(self.high), self.q, np.expm1(self.ln_y_o)
        relative = np.expm1(self.ln_y_o + m.quotient * u / (1 - u))
        # Where eps is so large that relative errors mean nothing, no value exceeds the largest y_o.
        largest_y_o = self.cp * (1 + self.r) * (1 + 2 * u)
        dy_o_dy = np.fmin(y_o * (rho * q + (1 + rho) * self._dq[0]), largest_y_o)
        return widened({
            "y": self.eps,
            "y_o": np.fmin(y_o * rho, largest_y_o) + 2 * tiny,
            "dC_dy_o": np.where(self.in_range, self.upstream * relative / N + tiny, np.inf),
            "dy_o_dy": dy_o_dy * (1 + 2 * u) + 2 * u * y_o * q + 2 * tiny,
        })  # fmt: skip

    def C(self, form: str) -> Any:
        """The bound of C in one form."""
        if form not in self._bounds_of_C:
            self._bounds_of_C[form] = self._of_C(form)
        return self._bounds_of_C[form]

    @cached_property
    def _bounds_of_C(self) -> dict[str, Any]:
        return {}

    def _of_C(self, form: str) -> Any:
        m, log = self.model, self.model.log * self.model.u
        N, K = self.P.shape[-2:]
        g_C = m.gamma(N * K + 4, m.sum_C)
        d = self.ln_y_o if form == "post" else self._stable_log
        if form == "wider":
            d = self.log_error
        t = (1 + log) * _sum(self.P, d) + log * self.all_costs
        return (((1 + g_C) * t + g_C * self.all_costs) / N + (N * K + 4) * m.tiny) * EVALUATION

    @cached_property
    def log_error(self) -> Any:
        """The error of log y_o, at every entry of the widest form that holds there."""
        d = np.fmax(self._stable_log, self.eps * self.c + self._fused_log)
        return np.where(self.in_range, np.fmax(self.ln_y_o, d), d)

    @cached_property
    def cost(self) -> Off:
        """C by the stable form, by an evaluation in float64."""
        m = MODELS["float64"]
        exact = self if self.model is m else replace(self, model=m, eps=self.own)
        return Off(np.sum(self.P * self.log, axis=NK) / self.P.shape[-2], exact.C("stable"))

    @cached_property
    def log(self) -> Float64:
        """|log y_o| = max(0, -y) + log1p(e^-|y|), at this evaluation of y."""
        return np.log1p(np.exp(-np.abs(self.y))) - np.minimum(self.y, 0)

    @cached_property
    def largest_log(self) -> Float64:
        """|log y_o| at most: its slope is nowhere steeper than 1."""
        return self.log + self.own

    @cached_property
    def all_costs(self) -> Any:
        """N C at most."""
        return _sum(self.P, self.largest_log)

    @cached_property
    def _stable_log(self) -> Any:
        m, moved = self.model, self.eps * self.c
        return moved + (m.exp + m.log + 3) * m.u * (self.largest_log + moved) + 2 * m.tiny


def forward(problem: Problem, m: Model, abs_X: Array) -> Forward:
    """What a model of rounding says of X W; `abs_X` is rounding.absolute of X.

    Shapes  X (N, D), W (D, K), P (N, K); of a stack, each with its first axis.
    Source  the module's derivation.
    """
    X, W, P = (np.asarray(a, np.float64) for a in (problem.X, problem.W, problem.P))
    D = problem.sizes["D"]
    abs_W = np.abs(W)
    products, y = magnitudes(abs_X, abs_W), X @ W
    own = MODELS["float64"].gamma(D) * products + D * MODELS["float64"].tiny
    eps = m.gamma(D, m.sum_y) * products + (1 + m.gamma(D)) * D * m.tiny
    largest = np.maximum(products.max(axis=NK), abs_W.max(axis=NK))
    return Forward(m, abs_X, P, y, own, eps, largest)


def _sigma(z: Float64) -> Any:
    """The sigmoid; 0 instead of less than 1e-308, which the terms in tiny cover."""
    return 1 / (1 + np.exp(-z))


def _sum(P: Float64, terms: Float64) -> Any:
    """sum p t over rows and classes, in one pass."""
    return np.einsum("...nk,...nk->...", P, terms)
