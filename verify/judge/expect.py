"""Expectations of a case: that it can notice something, and all that its file declares."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np

from verify.judge.parts import Loss
from verify.judge.result import Finding, Verdict
from verify.judge.sides import blind, both_sides
from verify.network import manual
from verify.network.network import POST
from verify.scenario.cases import Case


def evidence(case: Case, holds: bool, sees: float, post_sees: float) -> Iterator[Finding]:
    """What keeps a case from being evidence.

    `holds`: the post form's bounds do, in every row; `sees`, `post_sees`: the resolution of a case
    by its stable and its post form.
    """
    declared, least = case.expect.post_form, blind(case.dtype)
    if not sees <= least:
        gradient = "dC_dW" if case.network == POST else "a gradient"
        message = f"notices no relative error of {gradient} below {sees:.2g}; limit {least:g}"
        yield Finding("resolution", Verdict.CANNOT_JUDGE, message)
    if declared is None or not case.of_post:
        return
    if declared == "nonfinite":
        yield from _finite(case)
    elif not holds:
        lowest = min(float(np.min(manual.stable_form(rows).y)) for _, rows in case.in_parts[0])
        message = (
            f"y is as low as {lowest:.4g}: exp(-y) leaves"
            f" the range of {case.dtype} and the post's formulas do not hold; raise y, or declare"
            ' post_form = "nonfinite" where they give inf or nan'
        )
        yield Finding("post_form", Verdict.CANNOT_JUDGE, message)
    elif declared == "agrees" and not post_sees <= least and sees <= least:
        message = (
            f"the post's formulas notice no relative error below {post_sees:.2g}: 1 - y_o has lost"
            ' its digits; lower y, or declare post_form = "blind"'
        )
        yield Finding("post_form", Verdict.CANNOT_JUDGE, message)
    elif declared == "blind" and post_sees <= least:
        message = (
            f'post_form = "blind" is declared, but it notices a relative error of {post_sees:.2g}'
        )
        yield Finding("post_form", Verdict.FAIL, message)


def _finite(case: Case) -> Iterator[Finding]:
    for subject in both_sides("post", case.device):
        chains = (subject.implementation(rows) for _, rows in case.in_parts[0])
        if all(np.isfinite(c.C) and np.isfinite(c.dC_dW).all() for c in chains):
            message = 'post_form = "nonfinite" is declared, but C and dC_dW are finite'
            yield Finding("post_form", Verdict.FAIL, message, subject.name, "C")


def expectations(case: Case, before: Loss, after: Loss) -> Iterator[Finding]:
    """What the file says of C: its direction, and its printed figures."""
    change, doubt = after.minus(before), before.spread + after.spread
    wanted = {"falls": -1, "rises": 1}.get(case.expect.loss)
    if wanted is not None and not change * wanted > before.radius + after.radius:
        # Rounding alone may undo a very small step; that is nobody's fault.
        verdict = Verdict.FAIL if change * wanted < -doubt else Verdict.CANNOT_JUDGE
        message = (
            f'loss = "{case.expect.loss}" is expected; C goes from {before.C:.9g} to {after.C:.9g},'
            f" uncertain by {doubt:.2g}"
        )
        yield Finding("loss", verdict, message, link="W_next")
    for name, loss in (("loss_before", before), ("loss_after", after)):
        figure: Any = getattr(case.expect, name)
        if figure is not None:
            yield from _printed(name, Decimal(figure), loss)


def _printed(name: str, figure: Decimal, loss: Loss) -> Iterator[Finding]:
    """A printed figure means half a unit of its last digit to either side."""
    half = Decimal(1).scaleb(int(figure.as_tuple().exponent)) / 2
    ends = loss.C - loss.printed, loss.C + loss.printed
    low, high = map(Decimal, ends if all(map(math.isfinite, ends)) else (-math.inf, math.inf))
    if figure - half <= low and high <= figure + half:
        return
    outside = high < figure - half or low > figure + half
    verdict = Verdict.FAIL if outside else Verdict.CANNOT_JUDGE
    mend = "mend the file's figure" if outside else "give fewer digits, or more precision"
    message = (
        f"{name} = {figure} is expected by the file; C is {loss.C:.9g}, which any right program"
        f" prints within {loss.printed:.2g}: {mend}"
    )
    yield Finding("figure", verdict, message)
