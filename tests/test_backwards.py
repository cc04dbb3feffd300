"""Each fault of a backward pass gives the right gradient where the upstream gradient is 1."""

from __future__ import annotations

import numpy as np
import pytest
from problems import drawn

from verify import compare, manual
from verify.backwards import BACKWARDS, right
from verify.candidate import of_function
from verify.faults import FAULTS
from verify.loading import adapted
from verify.trial import tried


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
