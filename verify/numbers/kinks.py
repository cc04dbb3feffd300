"""On which side of a kink a run is: where equal numbers are compared, the inputs part ways.

Every input of a tape has a direction. Numbers that are equal part ways along it, as fast as their
derivatives say; so all kinks of a run are passed on one side together, and what it differentiates
is one of the smooth pieces that meet at its inputs. Kinks that cancel, as those of a cost whose
branches join smoothly, leave no trace.

Source  A. Griewank, "On stable piecewise linearization and generalized algorithmic
        differentiation", Optimization Methods and Software 28 (2013).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.numbers.run import now

SIDES = 4  # directions: all inputs up, all down, and two opposite ones of either sign
_SEED = 20130401


def direction(count: int) -> list[float]:
    """The directions of some inputs of a run, the same ones every time.

    Units   none: only their signs and their order matter.
    """
    run = now()
    if run.directions is None:
        run.directions = np.random.default_rng(_SEED)
    sizes = run.directions.normal(size=count)
    sign = -1 if run.side % 2 else 1
    return [sign * float(abs(size) if run.side < 2 else size) for size in sizes]


def ahead(a: Any, b: Any) -> float:
    """How much faster one of two equal numbers grows than the other, along the run's direction."""
    run = now()
    before, run.recording = run.recording, False
    try:
        return _lean(a) - _lean(b)
    finally:
        run.recording = before


def _lean(node: Any) -> float:
    """How fast a number grows along the run's direction."""
    leans, to_do = now().leans, [node]
    while to_do:
        top = to_do[-1]
        below = top.made_of or ()
        missing = [n for n, _ in below if n.serial not in leans]
        if top.serial in leans or not missing:
            leans.setdefault(top.serial, sum(leans[n.serial] * _value(s) for n, s in below))
            to_do.pop()
        else:
            to_do += missing
    return float(leans[node.serial])


def _value(slope: Any) -> float:
    made = slope() if callable(slope) else slope
    return float(getattr(made, "value", made))
