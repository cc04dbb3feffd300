"""Whether a case can notice anything, and whether the post form is there as it is declared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from verify.judge.result import Finding, Verdict
from verify.judge.sides import both_sides
from verify.network import manual
from verify.scenario.cases import Case

BLIND = 1e-2  # a case that notices no smaller relative error of the gradient is no evidence


def evidence(case: Case, holds: bool, sees: float, post_sees: float) -> Iterator[Finding]:
    """What keeps a case from being evidence.

    `holds`: the post form's bounds do, in every row; `sees`, `post_sees`: the resolution of a case
    by its stable and its post form.
    """
    if not sees <= BLIND:
        message = f"notices no relative error of dC_dW below {sees:.2g}; limit {BLIND:g}"
        yield Finding("resolution", Verdict.CANNOT_JUDGE, message)
    declared = case.expect.post_form
    if declared is None:
        return
    if declared == "nonfinite":
        yield from _finite(case)
    elif not holds:
        lowest = min(float(np.min(manual.stable_form(rows).y)) for rows in case.blocks())
        message = (
            f"y is as low as {lowest:.4g}: exp(-y) leaves"
            f" the range of {case.dtype} and the post's formulas do not hold; raise y, or declare"
            ' post_form = "nonfinite" where they give inf or nan'
        )
        yield Finding("post_form", Verdict.CANNOT_JUDGE, message)
    elif declared == "agrees" and not post_sees <= BLIND and sees <= BLIND:
        message = (
            f"the post's formulas notice no relative error below {post_sees:.2g}: 1 - y_o has lost"
            ' its digits; lower y, or declare post_form = "blind"'
        )
        yield Finding("post_form", Verdict.CANNOT_JUDGE, message)
    elif declared == "blind" and post_sees <= BLIND:
        message = (
            f'post_form = "blind" is declared, but it notices a relative error of {post_sees:.2g}'
        )
        yield Finding("post_form", Verdict.FAIL, message)


def _finite(case: Case) -> Iterator[Finding]:
    for subject in both_sides("post", case.device):
        chains = map(subject.implementation, case.blocks())
        if all(np.isfinite(c.C) and np.isfinite(c.dC_dW).all() for c in chains):
            message = 'post_form = "nonfinite" is declared, but C and dC_dW are finite'
            yield Finding("post_form", Verdict.FAIL, message, subject.name, "C")
