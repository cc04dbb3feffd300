"""How far a link may lie from the truth, entry by entry, for any correct rounding of either form.

The derivation

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
  dC_dW adds gamma_N |X|^T |dC_dy|; C adds gamma_(NK+4) sum p |log y_o| / N; W_next adds the
  roundings of h dC_dW and of the subtraction.

Everything is evaluated in float64 by expm1 and log1p ((1 + u)^5 - 1 would be 0 or noise), at values
of y widened by float64's own rounding; the factor 1 + 1e-9 covers what is left of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from verify.chain import NK, Array, Chain, Problem
from verify.rounding import EVALUATION, MODELS, Float64, Model, absolute, magnitudes


@dataclass(frozen=True, eq=False)
class Bounds:
    """The bound of every link in each form, as Chains of float64 arrays.

    An entry is infinite where the dtype cannot hold the link (dC_dy_o, when p / y_o overflows).
    What needs X^T is computed when it is first asked for: of the last W only C is.
    """

    problem: Problem
    model: Model
    forward: _Forward

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

    def at(self, W: Array) -> Bounds:
        """The bounds of the same rows at other weights.

        Shapes  W (D, K).
        """
        problem = replace(self.problem, W=W)
        with np.errstate(all="ignore"):
            return Bounds(problem, self.model, _forward(problem, self.model, self.forward.abs_X))

    @cached_property
    def wider(self) -> Chain:
        """The bound that any correct algorithm keeps: at every entry the wider of the forms that
        hold there. Beyond the post form's domain that is the stable form."""
        return self._chain("wider")

    def C(self, form: str) -> Any:
        """The bound of C alone."""
        with np.errstate(all="ignore"):
            return self.forward.C(form)

    def cost(self) -> tuple[Any, Any]:
        """C itself, by the stable form in float64, and its bound there: nobody's answer.

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

    def moved(self, after: Bounds) -> tuple[Any, Any]:
        """X (W_after - W) for the same rows, and how far this evaluation of it may be off.

        Shapes  (N, K).
        """
        return after.forward.y - self.forward.y, after.forward.own + self.forward.own

    @property
    def post_holds(self) -> Any:
        """Every y is where exp(-y) is finite, sigma(y) normal, and p / sigma(y) in range."""
        with np.errstate(all="ignore"):
            return self.forward.post_holds

    @property
    def cost_fits(self) -> Any:
        """No product of X W comes near the largest number of the dtype."""
        return self.forward.largest < self.model.largest / 4

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
            own = _widened({"dC_dy": self.dC_dy(form), "dC_dW": B, "W_next": W_next})
            return Chain(**f.shared, **own, C=self.C(form))


def bounds(problem: Problem, model: Model | None = None) -> Bounds:
    """The bound of every link, both forms, by the derivation above.

    Shapes  X (N, D), W (D, K), P (N, K) give Chains with the shapes of SHAPES; of a stack of
            problems, each with its first axis.
    Units   those of the link itself; float64.
    Source  the module's derivation.
    """
    m = model or MODELS[str(problem.dtype)]
    with np.errstate(all="ignore"):
        return Bounds(problem, m, _forward(problem, m, absolute(problem)))


@dataclass(frozen=True, eq=False)
class _Forward:
    """What the bounds need of X W: everything but X^T, and each part when it is first asked for.

    Shapes  abs_X (N, D); y, own, eps (N, K): y, how far this evaluation of it may be off, and the
            bound of y.
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
        return self.y - self.own

    @cached_property
    def high(self) -> Float64:
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
        return _sigma(-self.low)

    @cached_property
    def pq(self) -> Any:
        return self.P * self.q

    @cached_property
    def r(self) -> Any:
        """sigma's own relative error."""
        m, k = self.model, self.model.exp * self.model.u
        return np.expm1(self.c * k / (1 - self.c * k) + m.sigma * m.u / (1 - m.u) + 4 * m.tiny)

    @cached_property
    def ln_y_o(self) -> Any:
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
        """The same, at every entry of the wider form that holds there."""
        post, stable = self.dG.values()
        return np.asarray(np.where(self.in_range, np.fmax(post, stable), stable))

    @cached_property
    def shared(self) -> dict[str, Float64]:
        """The bounds of y, y_o, dC_dy_o and dy_o_dy, which are the same in both forms."""
        m, u, tiny, N = self.model, self.model.u, self.model.tiny, self.P.shape[-2]
        y_o, q, rho = _sigma(self.high), self.q, np.expm1(self.ln_y_o)
        relative = np.expm1(self.ln_y_o + m.quotient * u / (1 - u))
        # Where eps is so large that relative errors mean nothing, no value exceeds the largest y_o.
        largest_y_o = self.cp * (1 + self.r) * (1 + 2 * u)
        dy_o_dy = np.fmin(y_o * (rho * q + (1 + rho) * self._dq[0]), largest_y_o)
        return _widened({
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
            d = np.where(self.in_range, np.fmax(self.ln_y_o, d), d)
        t = (1 + log) * _sum(self.P, d) + log * self._all_costs
        return (((1 + g_C) * t + g_C * self._all_costs) / N + (N * K + 4) * m.tiny) * EVALUATION

    @cached_property
    def cost(self) -> tuple[Any, Any]:
        """C by the stable form, and how far this evaluation of it may be off."""
        m = MODELS["float64"]
        exact = self if self.model is m else replace(self, model=m, eps=self.own)
        return np.sum(self.P * self._log, axis=NK) / self.P.shape[-2], exact.C("stable")

    @cached_property
    def _log(self) -> Float64:
        """|log y_o| = max(0, -y) + log1p(e^-|y|), at this evaluation of y."""
        return np.log1p(np.exp(-np.abs(self.y))) - np.minimum(self.y, 0)

    @cached_property
    def _largest_log(self) -> Float64:
        """|log y_o| at most: its slope is nowhere steeper than 1."""
        return self._log + self.own

    @cached_property
    def _all_costs(self) -> Any:
        return _sum(self.P, self._largest_log)

    @cached_property
    def _stable_log(self) -> Any:
        m, moved = self.model, self.eps * self.c
        return moved + (m.exp + m.log + 3) * m.u * (self._largest_log + moved) + 2 * m.tiny


def _forward(problem: Problem, m: Model, abs_X: Array) -> _Forward:
    X, W, P = (np.asarray(a, np.float64) for a in (problem.X, problem.W, problem.P))
    D = problem.sizes["D"]
    abs_W = np.abs(W)
    products, y = magnitudes(abs_X, abs_W), X @ W
    own = MODELS["float64"].gamma(D) * products + D * MODELS["float64"].tiny
    eps = m.gamma(D, m.sum_y) * products + (1 + m.gamma(D)) * D * m.tiny
    largest = np.maximum(products.max(axis=NK), abs_W.max(axis=NK))
    return _Forward(m, abs_X, P, y, own, eps, largest)


def _sigma(z: Float64) -> Any:
    """The sigmoid; 0 instead of less than 1e-308, which the terms in tiny cover."""
    return 1 / (1 + np.exp(-z))


def _sum(P: Float64, terms: Float64) -> Any:
    """sum p t over rows and classes, in one pass."""
    return np.einsum("...nk,...nk->...", P, terms)


def _widened(links: Mapping[str, Any]) -> dict[str, Float64]:
    """The bounds, with what their own evaluation may have lost."""
    return {link: np.asarray(bound * EVALUATION) for link, bound in links.items()}
