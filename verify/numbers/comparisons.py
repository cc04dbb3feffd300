"""Comparisons of shadows: decided where their balls are apart, or known to be equal."""

from __future__ import annotations

from typing import Any

from verify.numbers.kinks import ahead
from verify.numbers.run import Undecided, now, place


def greater(a: Any, b: Any) -> bool:
    """a > b.

    Raises  Undecided.
    """
    if a is b:
        return False
    if a.ball > b.ball:
        return _decided(a, b, True)
    if not a.ball <= b.ball:
        raise Undecided(place()[0])
    return _decided(a, b, False)


def greater_equal(a: Any, b: Any) -> bool:
    """a >= b.

    Raises  Undecided.
    """
    return not greater(b, a)


def equal(a: Any, b: Any) -> bool:
    """a == b; who compares so asks of floats what is not meant of numbers, so it is no tie.

    Raises  Undecided.
    """
    if a is b:
        return True
    if not a.ball.overlaps(b.ball):
        return False
    if not (a.ball.is_exact() and b.ball.is_exact()):
        raise Undecided(place()[0])
    return True


def _decided(a: Any, b: Any, answer: bool) -> bool:
    if a.ball == b.ball:
        if a.made_of is not None or b.made_of is not None or a.computed or b.computed:
            now().ties[place()[0]] = None
        return ahead(a, b) > 0 if now().recording else answer
    off = a.error + b.error
    if off and not abs(a.value - b.value) > off:
        now().close[place()[0]] = None
    return answer
