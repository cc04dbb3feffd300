"""What a scenario file expects of C: that it falls or rises, and the figures that were printed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from verify.judge.result import Finding, Verdict
from verify.judge.steps import Loss
from verify.scenario.cases import Case


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
    message = (
        f"{name} = {figure} is expected by the file; C is {loss.C:.9g}, which any right program"
        f" prints within {loss.printed:.2g}: mend the file's figure"
    )
    yield Finding("figure", verdict, message)
