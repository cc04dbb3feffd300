"""Case -> Pin, and what has departed from it since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from verify.judge.compare import Reference
from verify.judge.parts import Loss
from verify.judge.result import Finding, Verdict
from verify.network import truth
from verify.scenario.cases import Case, cases
from verify.scenario.load import Scenario
from verify.scenario.manifest import AGAIN, Entry, Pin

LOCK_BUDGET = 2**27  # multiplications for the exact values of one case: a few seconds


def entry(scenario: Scenario) -> Entry:
    """What a scenario is now."""
    pins = {case.name: pin_of(case) for case in cases(scenario)}
    return Entry(content=scenario.digest, count=len(pins), cases=pins)


def pin_of(case: Case) -> Pin:
    """What a case is now: its numbers, and the exact values that belong to them."""
    if case.large:
        return Pin(problem=problem_digest(case), C_before=None, C_after=None, dC_dW=None)
    chain = truth.nearest_chain(case.batches[0], LOCK_BUDGET)
    steps = case.steps if case.network.trains else 0
    costs = truth.losses(case.batches, case.problem, steps, LOCK_BUDGET)
    before, after = (C.hex() for C in costs) if costs else (None, None)
    gradient = None if chain is None else _digest(chain[link] for link in case.network.gradients)
    return Pin(problem=problem_digest(case), C_before=before, C_after=after, dC_dW=gradient)


def problem_digest(case: Case) -> str:
    """SHA-256 of the numbers of a case, whatever their layout in memory; block by block if large"""
    problems = case.in_parts[0].parts() if case.large else [case.problem]
    return _digest(a for p in problems for a in (*p.arrays.values(), p.h))


def changes(case: Case, ref: Reference | None, before: Loss, after: Loss) -> Iterator[Finding]:
    """What in a case is not as it was pinned; nothing of a case without a pin."""
    pin = case.pin
    if pin is None:
        return
    if pin.problem != problem_digest(case):
        message = f"X, W, P or h are other numbers than those that were locked; {AGAIN}"
        yield Finding("lock", Verdict.FAIL, message)
        return
    # How far rounding takes the lead from the exact path is known of the post's network alone.
    costs = [("C_before", before), *([("C_after", after)] if case.of_post else [])]
    for name, loss in costs if not case.large else ():
        locked = getattr(pin, name)
        if locked is None and truth.losses_fit(case.batches, case.problem, case.steps, LOCK_BUDGET):
            yield Finding("lock", Verdict.FAIL, f"{name} was locked, and is null now; {AGAIN}")
        elif locked is not None and not _agrees(float.fromhex(locked), loss):
            message = f"{name} = {locked} was locked; it is {loss.C.hex()}; {AGAIN}"
            yield Finding("lock", Verdict.FAIL, message, link="C")
    if ref is None:
        return
    if pin.dC_dW is None and truth.fits(case.batches[0], LOCK_BUDGET):
        message = f"dC_dW was locked, and is null now; {AGAIN}"
        yield Finding("lock", Verdict.FAIL, message, link="dC_dW")
    elif ref.truth and pin.dC_dW is not None:
        exact = [ref.truth.chain[link].nearest() for link in case.network.gradients]
        if not any(np.isnan(g).any() for g in exact) and _digest(exact) != pin.dC_dW:
            gradients = ", ".join(case.network.gradients)
            message = f"the exact {gradients} is not the one that was locked; {AGAIN}"
            yield Finding("lock", Verdict.FAIL, message, link="dC_dW")


def _agrees(locked: float, loss: Loss) -> bool:
    """Whether the exact C of the pin can be what was found, both being uncertain."""
    return bool(abs((locked - loss.C) - loss.rest) <= loss.spread + np.spacing(locked))


def _digest(arrays: Iterable[Any]) -> str:
    """SHA-256 of numbers: dtype, shape and little-endian bytes in C order; -0 counts as 0."""
    total = hashlib.sha256()
    for array in map(np.asarray, arrays):
        total.update(f"{array.dtype.name} {array.shape};".encode())
        total.update(np.ascontiguousarray(array + 0, array.dtype.newbyteorder("<")).tobytes())
    return total.hexdigest()
