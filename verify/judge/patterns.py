"""Patterns of an error: where in a wrong link it lies, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from verify.judge.compare import Reference
from verify.network.manual import stable_form
from verify.network.problem import Chain, Problem

_SAME = 1e-4  # a pattern is recognised by eye, not proven: float32 must show it too


def patterns(chain: Chain, ref: Reference) -> Iterator[str]:
    """What the first wrong link has to do with the right one, in a sentence each.

    Shapes  as Chain; needs a truth.
    """
    if ref.truth is None:
        return
    enclosed = ref.truth.chain
    for link, found in chain.items():
        if link not in enclosed:
            continue
        right = np.asarray(enclosed[link].hi)
        if np.shape(found) != right.shape:
            if right.ndim == 2 and np.shape(found) == right.T.shape and _same(found, right.T):
                yield f"{link} is transposed"
            continue
        wrong = ~(enclosed[link].error(found) <= ref.bounds.wider[link])
        if wrong.any():
            yield from _of_link(link, np.asarray(found, np.float64), right, wrong, ref.problem)
            return


def _of_link(link: str, found: Any, right: Any, wrong: Any, problem: Problem) -> Iterator[str]:
    square = right.ndim == 2 and right.shape[0] == right.shape[1]
    if square and _same(found, right.T) and not _same(right, right.T):
        yield f"{link} is transposed"
        return
    if not np.isfinite(found).all():
        yield f"entries of {link} that are not finite: {int((~np.isfinite(found)).sum())}"
    if right.ndim:
        yield from _where(link, wrong, right)
    if link == "dC_dW" and np.isfinite(found).all() and problem.of_post:
        yield from _missing_rows(found, problem)


def _where(link: str, wrong: Any, right: Any) -> Iterator[str]:
    """The columns or rows that hold the error, or that alone are free of it.

    Those that are 0 and right say nothing: a factor leaves them so.
    """
    kinds = ((0, "column"), (1, "row")) if right.ndim == 2 else (((), "entry"),)
    for axis, kind in kinds:
        bad, telling = wrong.any(axis=axis), (wrong | (right != 0)).any(axis=axis)
        if bad[telling].all():
            continue
        lines, word = (bad, "wrong") if bad.sum() <= len(bad) // 2 else (~bad, "right")
        if lines.any():
            found = np.flatnonzero(lines)
            listed = ", ".join(map(str, found[:6])) + (", ..." if len(found) > 6 else "")
            yield f"{link} is {word} only in {kind} {listed}"


def _missing_rows(found: Any, problem: Problem) -> Iterator[str]:
    """That the gradient is that of a batch without one of its rows, where it is."""
    with np.errstate(all="ignore"):
        dC_dy = np.asarray(stable_form(problem).dC_dy, np.float64)
    X = np.asarray(problem.X, np.float64)
    whole = X.T @ dC_dy
    for n in (len(X) - 1, 0):
        if len(X) > 1 and _same(found, whole - np.outer(X[n], dC_dy[n])):
            yield f"dC_dW is that of the batch without row {n}"
    if len(X) > 1 and _same(found, np.outer(X[0], dC_dy[0])):
        yield "dC_dW is that of row 0 alone"


def _same(one: Any, other: Any) -> bool:
    scale = float(np.max(np.abs(other), initial=0.0))
    return bool(
        np.isfinite(one).all() and (np.abs(one - other) <= _SAME * scale).all() and scale > 0
    )
