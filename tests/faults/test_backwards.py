"""Each fault of a backward pass gives the right gradient where the upstream gradient is 1."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import drawn
from verify.candidate.candidate import of_function
from verify.candidate.load import adapted
from verify.faults.backwards import BACKWARDS, right
from verify.faults.table import FAULTS
from verify.judge import compare
from verify.judge.trial import tried
from verify.network import manual


@pytest.mark.parametrize("name", [entry[0] for entry in BACKWARDS])
def test_its_first_gradient_is_right_and_it_is_made_anew_each_time(name):
    problem = drawn(1)
    given = {"X": problem.X, "W": problem.W, "P": problem.P, "h": problem.h}
    found = adapted(FAULTS[name].make(), "torch").call(given)
    np.testing.assert_allclose(found["dC_dW"], manual.stable_form(problem).dC_dW, rtol=1e-13)
    assert FAULTS[name].make() is not FAULTS[name].make()


def test_the_right_backward_pass_has_no_finding():
    trial = tried(of_function(right(), "right", "torch"), compare.reference(drawn(1), 2.0**30))
    assert trial.findings == ()
