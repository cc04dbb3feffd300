"""A whole stack of problems judged at once: manual against twin, both forms, and the fall of C.

Each side may be off by its bound, so together by two of them. The bounds, the formulas and the
inequality are those that judge a single case; only the loop over the problems is inside NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from verify.network import descent, manual, twin
from verify.network.bounds import Bounds, of_post
from verify.network.links import NK
from verify.network.network import POST
from verify.network.problem import Chain, Problem

FALL = "the fall of C"


class Side(NamedTuple):
    """Manual or twin, in one form."""

    name: str
    form: str


class Compared(NamedTuple):
    """What was held against what, in one link."""

    what: str
    link: str


LEAD = Side("manual", "stable")


@dataclass(frozen=True, eq=False)
class Screening:
    """What was seen of every problem of a stack.

    `chains` are by side, `ratios` by what was compared.

    Shapes  judged, violated, resolution (B,); ratios (B,) each.
    Units   ratios: error over bound at the worst entry, -1 where nothing could be compared;
            resolution as of compare.
    """

    stack: Problem
    bounds: Bounds
    chains: Mapping[Side, Chain]
    judged: Any
    ratios: Mapping[Compared, Any]
    resolution: Any

    @property
    def violated(self) -> Any:
        """The problems with a ratio above 1."""
        return np.any([ratio > 1 for ratio in self.ratios.values()], axis=0)


def screened(stack: Problem, device: str = "cpu") -> Screening:
    """Every problem of a stack.

    Shapes  as Problem, with a first axis.
    Raises  EnvironmentUnfit when the device is absent.
    """
    with np.errstate(all="ignore"), twin.full_precision(device):
        limits = of_post(stack)
        chains: dict[Side, Chain] = {}
        ratios: dict[Compared, Any] = {}
        for form, holds in (("stable", True), ("post", limits.post_holds)):
            judged = limits.fits & holds
            one = chains[Side("manual", form)] = manual.FORMS[form](stack)
            other = chains[Side("twin", form)] = partial(twin.FORMS[form], device=device)(stack)
            for link, ratio in ratios_between(one, other, limits[form], 2):
                compared = Compared(f"manual against twin, {form} form", link)
                ratios[compared] = np.where(judged, ratio, -1)
        lead = chains[LEAD]
        ratios[Compared(FALL, "W_next")] = np.where(limits.fits, _fall(stack, limits, lead), -1)
        share = limits.stable.dC_dW / np.abs(np.asarray(lead.dC_dW, np.float64))
        resolution = np.fmin.reduce(share, axis=NK)
        return Screening(stack, limits, chains, limits.fits, ratios, resolution)


def ratios_between(
    one: Chain, other: Chain, bound: Chain, times: float
) -> Iterator[tuple[str, Any]]:
    """For every link that both give: error over `times` the bound, at each problem's worst entry.

    NaN, which never passes, counts as infinite; where the bound is infinite nothing is judged.

    Shapes  yields (B,).
    """
    theirs = dict(other)
    for link, found in one.items():
        if link in theirs:
            limit = getattr(bound, link)
            ratio = np.subtract(found, theirs[link], dtype=np.float64)
            ratio = np.where(np.isinf(limit), 0.0, np.abs(ratio) / limit)
            worst = ratio.max(axis=NK) if POST.axes(link) else ratio
            yield link, np.where(np.isnan(worst), np.inf, worst / times)


def _fall(stack: Problem, limits: Bounds, chain: Chain) -> Any:
    """How much of its interval the fall of C takes up: 1 at its ends.

    Shapes  (B,).
    """
    after = limits.at({"W": chain.W_next})
    fall = descent.fall(stack, chain, after.cost(), limits.stable, limits.moved(after))
    middle, half = (fall.lowest + fall.highest) / 2, (fall.highest - fall.lowest) / 2
    share = np.where(fall.holds, np.minimum(np.abs(fall.found - middle) / half, 1), np.inf)
    return np.where(after.cost_fits & fall.in_range, share, -1)
