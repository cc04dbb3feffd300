from __future__ import annotations

import pytest

from verify.behaviour import BEHAVIOUR
from verify.faults import FAULTS


@pytest.mark.parametrize("entry", BEHAVIOUR, ids=lambda e: e[0])
def test_a_fault_of_behaviour_is_made_anew_each_time(entry):
    """Its state must not leak from one case to the next."""
    name, _, _, make = entry
    assert name in FAULTS
    if make().__closure__:
        assert make() is not make()
