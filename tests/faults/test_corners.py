"""A fault of a corner is right everywhere else: that is why it needs a scenario of its own."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import drawn
from verify.faults.arithmetic import with_formulas
from verify.faults.corners import SIZES, VALUES
from verify.faults.table import FAULTS


@pytest.mark.parametrize("name", [entry[0] for entry in (*VALUES, *SIZES)])
def test_on_an_ordinary_problem_it_is_the_right_chain(name):
    problem = drawn(1, N=21, D=5, K=3)
    given = (problem.X, problem.W, problem.P, problem.h)
    found, right = FAULTS[name].make()(*given), with_formulas()()(*given)
    for link, value in right.items():
        assert np.allclose(found[link], value, rtol=1e-14, atol=0), link
        assert found[link].dtype == value.dtype
