"""Totals of one subject over the rows of a step, which may come in parts that memory holds.

Each part of n of the N rows is a problem of its own. C and the gradients of all rows are the sums
of n/N times those of the parts; a sum of m terms t in float64 errs by gamma_(m+2) sum |t|, which is
added to the sum of the parts' bounds. In float32 itself the bound of a sum over 2^24 rows would be
infinite. Where there is but one part, everything is its own.

Source  Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from verify.judge.compare import Subject
from verify.network import descent, truth
from verify.network.bounds import Bounds, bounds
from verify.network.composed import Composed
from verify.network.given import is_state
from verify.network.problem import Chain, Problem
from verify.numbers.rounding import EVALUATION, MODELS, Array, Off
from verify.scenario.cases import Batch


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A problem with its bounds and one subject's chain; made once wherever W has been.

    Where a path ends only the cost is asked for, and there is no chain.
    """

    problem: Problem
    bounds: Bounds | Composed
    chain: Chain | None

    def holds(self, form: str) -> bool:
        """Whether the bounds of the form hold here."""
        return self.bounds.fits and self.cost_holds(form)

    def cost_holds(self, form: str) -> bool:
        """The same of C alone."""
        return self.bounds.cost_fits and (form != "post" or self.bounds.post_holds)

    def cost(self, form: str) -> Off:
        """The subject's C with its bound; where it gives none, the float64 value with its own."""
        if self.chain is None or self.chain.C is None:
            return Off(*map(float, self.bounds.cost()))
        return Off(float(self.chain.C), float(self.bounds.C(form)))


def evaluated(subject: Subject, problem: Problem) -> Evaluation:
    """The bounds and the subject's chain at one problem.

    Shapes  as Problem.
    """
    return Evaluation(problem, bounds(problem), subject.implementation(problem))


class Loss(NamedTuple):
    """C where a subject went, to twice float64's digits, and how uncertain it is.

    Units   nats a row. `radius` of the value itself; `spread` of the value on the exact trajectory;
            `printed` of what any correct program prints there.
    """

    C: float
    rest: float
    radius: float
    spread: float
    printed: float

    def minus(self, other: Loss) -> float:
        return (self.C - other.C) + (self.rest - other.rest)


@dataclass(eq=False)
class Totals:
    """One subject at one W, over the parts of a batch as they are added.

    `only` is the one part of a batch that has no more. `losses` are kept of a subject that leads.

    Shapes  gradients, limits, magnitudes by parameter, as these; drift of the post's network (K,):
            how far each column of W may be from the exact trajectory; of others (): what C may be
            off by for it.
    """

    subject: Subject
    batch: Batch
    parameters: Mapping[str, Array]
    drift: Any
    leads: bool = False
    only: Evaluation | None = None
    parts: int = 0
    chains: int = 0
    all_hold: bool = True
    costs_hold: bool = True
    costs_fit: bool = True
    C: float = 0.0
    bound_C: float = 0.0
    gradients: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    magnitudes: dict[str, Any] = field(default_factory=dict)
    losses: list[tuple[float, Loss]] = field(default_factory=list)

    def add(self, share: float, here: Evaluation) -> None:
        """A part with its share of all rows; its gradient too, where the path goes on."""
        form = self.subject.form
        self.parts += 1
        self.chains += here.chain is not None
        if share == 1:  # to the last bit its own: nothing is summed, and nothing computed early
            self.only = here
            return
        C, bound_C = here.cost(form)
        self.C += share * C
        self.bound_C += share * bound_C
        self.costs_hold &= bool(here.cost_holds(form))
        self.costs_fit &= bool(here.bounds.cost_fits)
        if self.leads:
            self.losses.append((share, loss_at(here, self.drift, None)))
        if here.chain is not None:
            self.all_hold &= bool(here.holds(form))
            for link in self.links:
                g = share * np.asarray(here.chain[link], np.float64)
                limit = share * here.bounds[form][link]
                for total, term in (
                    (self.gradients, g), (self.limits, limit), (self.magnitudes, np.abs(g))
                ):  # fmt: skip
                    total[link] = total.get(link, 0.0) + term

    @property
    def links(self) -> tuple[str, ...]:
        """The gradients by the parameters."""
        return tuple(f"dC_d{name}" for name in self.parameters if not is_state(name))

    @property
    def cost(self) -> Off:
        """C of all rows with its bound."""
        if self.only is not None:
            return self.only.cost(self.subject.form)
        gamma = self._gamma
        return Off(self.C, (1 + gamma) * self.bound_C + gamma * abs(self.C))

    @property
    def _gamma(self) -> float:
        """What a sum over the parts may lose, relatively."""
        return MODELS["float64"].gamma(self.parts + 2)

    @property
    def holds(self) -> bool:
        """Whether the bounds of the form hold in every part."""
        return self.only.holds(self.subject.form) if self.only else self.all_hold

    @property
    def cost_holds(self) -> bool:
        """The same of C alone."""
        return self.only.cost_holds(self.subject.form) if self.only else self.costs_hold

    @property
    def cost_fits(self) -> bool:
        """Whether C is far enough inside the dtype in every part."""
        return bool(self.only.bounds.cost_fits) if self.only else self.costs_fit

    @property
    def evaluated(self) -> bool:
        """Whether there is a chain of every part, to go on from."""
        return 0 < self.parts == self.chains

    def joined(self, h: Any) -> tuple[Chain, Chain]:
        """The links of all rows, and their bounds: of several parts C, gradients and updates."""
        if self.only is not None:
            return self.only.chain or Chain(), self.only.bounds[self.subject.form]
        chain, bound = ({"C": part} for part in self.cost)
        chain["C"] = np.float64(chain["C"])
        gamma, h = self._gamma, float(h)
        for name, parameter in self.parameters.items():
            link, m = f"dC_d{name}", MODELS[str(parameter.dtype)]
            g, at = self.gradients[link], np.asarray(parameter, np.float64)
            B = ((1 + gamma) * self.limits[link] + gamma * self.magnitudes[link]) * EVALUATION
            # The next is computed in float64 and rounded to the dtype: three roundings at most.
            rounding = 3 * m.u * (np.abs(at) + h * (np.abs(g) + B)) + 2 * m.tiny
            chain |= {link: g, f"{name}_next": (at - h * g).astype(parameter.dtype)}
            bound |= {link: B, f"{name}_next": (h * B + rounding) * EVALUATION}
        return Chain(**chain), Chain(**bound)

    def loss(self, exact: truth.Enclosure | None) -> Loss:
        """C of all rows here; `exact` is its enclosure, None where no truth can be afforded."""
        return mean(self.losses) if self.only is None else loss_at(self.only, self.drift, exact)


def start_of(subject: Subject, batch: Batch, leads: bool = False) -> Totals:
    """Where a subject begins: at the first parameters, without any drift."""
    first = batch.first
    drift = np.zeros(batch.K) if first.of_post else 0.0
    return Totals(subject, batch, first.trained, drift, leads)


def everywhere(totals: Totals) -> Totals:
    """The subject's chain for every part of the batch, added up.

    Shapes  as Totals.
    """
    for share, part in totals.batch:
        totals.add(share, evaluated(totals.subject, part.having(**totals.parameters)))
    return totals


def mean(parts: Sequence[tuple[float, Loss]]) -> Loss:
    """The C of all rows, from (share of the rows, C of the share)."""
    made = Loss(*(math.fsum(share * part[i] for share, part in parts) for i in range(5)))
    rounding = (len(parts) + 2) * 2.0**-53 * abs(made.C)  # of shares and products
    radius, spread, printed = (r + rounding for r in (made.radius, made.spread, made.printed))
    return made._replace(radius=radius, spread=spread, printed=printed)


def loss_at(at: Evaluation, drift: Any, exact: truth.Enclosure | None) -> Loss:
    """C of all rows where a stable form was evaluated, at weights within `drift` of the exact ones.

    `exact` is the enclosed C there, None where no truth can be afforded.

    Shapes  drift as Totals.
    Units   nats a row.
    Source  Taylor and the trace bound of L_k; and the bound of C.
    """
    bound_C = at.bounds.C("wider")
    if exact:
        C, rest, rad = float(exact.hi), float(exact.lo), float(exact.rad)
        if abs(C) <= rad:  # as far as can be told it is 0
            C, rest, rad = 0.0, 0.0, abs(C) + rad
    else:
        (C, rad), rest = map(float, at.bounds.cost()), 0.0
    spread = rad + (_spread(at, drift) if np.any(drift) else 0.0)
    return Loss(C, rest, rad, spread, 2 * spread + bound_C)


def _spread(at: Evaluation, drift: Any) -> float:
    """sum_k |g_k| drift_k + L_k drift_k^2 / 2, with |g_k| <= sum_n |x_n||dC_dy_nk|."""
    if isinstance(at.bounds, Composed):
        return float(drift)
    rows = descent.row_lengths(at.problem)
    g, L = rows @ at.bounds.largest_dC_dy, descent.trace(rows, at.problem.P)
    return float(np.sum(g * drift + L * drift * drift / 2))
