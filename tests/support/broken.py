"""Manual and twin with one link broken, as a person would break it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from verify.faults.arithmetic import RIGHT as STABLE
from verify.faults.arithmetic import with_formulas
from verify.network import twin
from verify.network.problem import Chain, Problem

_POST = {
    "y_o": lambda v: 1 / (1 + np.exp(-v.y)),
    "C": lambda v: -np.sum(v.P * np.log(v.y_o)) / v.N,
    "dy_o_dy": lambda v: v.y_o * (1 - v.y_o),
    "dC_dy": lambda v: v.dC_dy_o * v.dy_o_dy,
}
"""Where the post's formulas are others than those of the stable form."""

RIGHT = {"post": _POST, "stable": {}}
SCALE = 1.0009765625  # exact in both dtypes


def manual(form: str, **wrong: Callable[[Any], Any]) -> Callable[[Problem], Chain]:
    """A form of manual, link by link, with some formulas replaced; later links are made of them."""
    chain = with_formulas(**{**RIGHT[form], **wrong})()
    return lambda problem: Chain(**chain(problem.X, problem.W, problem.P, problem.h))


def scaled(form: str, link: str) -> Callable[[Problem], Chain]:
    """A form of manual with one link a thousandth too large."""
    right = RIGHT[form].get(link, STABLE[link])
    return manual(form, **{link: lambda v: right(v) * v.X.dtype.type(SCALE)})


class _Scaled:
    """torch, whose sigmoid is a thousandth too large."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._torch, name)

    def sigmoid(self, y: Any) -> Any:
        return self._torch.sigmoid(y) * SCALE


def twin_forward(link: str) -> Callable[..., tuple[Any, ...]]:
    """The twin's own forward pass with one of its links a thousandth too large."""
    right = twin.forward

    def forward(torch: Any, network: Any, t: Any, N: int, form: str) -> tuple[Any, ...]:
        if link == "y":
            return right(torch, network, {**t, "X": t["X"] * SCALE}, N, form)
        if link == "y_o":
            return right(_Scaled(torch), network, t, N, form)
        kept, links = right(torch, network, t, N, form)
        return kept, {**links, link: links[link] * SCALE}

    return forward
