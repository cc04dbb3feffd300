"""The twin in bfloat16 or float16: what it notices, whether it keeps its bound; never a verdict.

Products accumulate in float32 and are rounded once; every other operation rounds to the 16 bits.
Measured of torch on CPU: 2,000 random problems, largest error over bound 0.57, one change in 20 is
noticed. So few digits inform, and gate nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verify import compare, twin
from verify.bounds import bounds
from verify.compare import Reference
from verify.result import worst_of
from verify.rounding import Model

# exp, log and sigmoid are computed in float32 and rounded once.
MODELS = {
    "bfloat16": Model(
        u=2.0**-8, u_sum=2.0**-24, tiny=2.0**-126, largest=2.0**127, lowest_y=-87, exp=2, log=2
    ),
    "float16": Model(
        u=2.0**-11, u_sum=2.0**-24, tiny=2.0**-14, largest=2.0**16, lowest_y=-9, exp=2, log=2
    ),
}


def note(ref: Reference, dtype: str, device: str = "cpu") -> str:
    """What the stable form of the twin does on one problem in `dtype`.

    Shapes  as Problem.
    """
    problem, name = ref.problem, f"twin in {dtype}"
    with twin.pinned(device) as torch:
        arrays = [torch.from_numpy(np.array(a)) for a in (problem.X, problem.W, problem.P)]
        exact = all((a.to(getattr(torch, dtype)).to(a) == a).all() for a in arrays)
    if not exact:
        return f"{name}: X, W or P is not exact in it, so this is another problem there"
    limits = bounds(problem, MODELS[dtype])
    if ref.truth is None or not limits.fits:
        return f"{name}: no truth, or no bound, to hold it against"
    chain = twin.stable_form(problem, device, dtype)
    judged = replace(chain, dy_o_dy=None, dC_dy_o=None, y_o=None, W_next=None)
    figures = compare.against_truth(name, judged, ref, limits.stable)
    worst = worst_of(figures)
    sees = compare.resolution(limits.stable, chain.dC_dW)
    if worst is None or not worst.holds:
        return f"{name}: beyond its bound" + (
            f" at {worst.link}, {worst.ratio:.3g}" if worst else ""
        )
    return f"{name}: error / bound at most {worst.ratio:.3g}, at {worst.link}; notices {sees:.1%}"
