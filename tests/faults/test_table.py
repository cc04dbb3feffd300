"""The table of planted faults: the right chain in it is right, and every fault is seen."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.problems import drawn, made
from verify.faults.arithmetic import with_formulas
from verify.faults.corners import SIZES, VALUES
from verify.faults.table import FAULTS, INVISIBLE
from verify.judge import compare
from verify.judge.selftest import caught_by
from verify.network.problem import LINKS


def test_there_are_at_least_eighty_each_with_a_link_and_the_mistake_in_words():
    assert len(FAULTS) >= 80
    for fault in FAULTS.values():
        assert fault.link in LINKS
        assert len(fault.mistake) > 5
    assert {f.link for f in FAULTS.values()} == set(LINKS)


OF_CORNERS = {entry[0] for entry in (*VALUES, *SIZES)}


def problems():
    """Small problems that together show every fault."""
    ordinary = drawn(1)
    both = made([[1, 0, 2], [0, 1, 1], [1, 1, 0]], [[-100, 8], [7, -750], [9, 3]],
                [[0.25, 0.75], [1, 0], [0.5, 0.125]], 0.5)  # fmt: skip
    return [ordinary, drawn(2, N=7, D=3, K=1), both, made([[40.0]], [[-1.0]], [[1]], 0.5)]


def corners():
    """Problems of the sizes and values that some faults need."""
    far = made(np.eye(3), [[38, 65], [89.5, 101], [501, 700]], np.ones((3, 2)), 1e16)
    sparse = np.zeros((6, 12))
    sparse[[0, 1, 3], [2, 5, 7]] = 2, -1.5, -0.0
    return [
        made(drawn(1).X, np.zeros((4, 3)), drawn(1).P),
        made(sparse, drawn(1, D=12).W, drawn(1).P),
        made([[1, -2], [3, 0.5]], [[0.5, -1], [1.5, 0.75]], [[1e-6, 250], [3e-6, 120]]),
        made(drawn(1).X * 1e-17, drawn(1).W, drawn(1).P, 1e30),
        made(drawn(1).X * 1e12, drawn(1).W * 1e-12, drawn(1).P, 1e-25),
        far,
        made([[1, 0], [0, 1]], [[-1200, 1500], [2, -4000]], [[1, 1], [0.5, 1]], 0.5),
        made([[1, 0], [0, 1]], [[-21, -25], [-30, 3]], [[1, 1], [1, 0.5]], 0.5),
        *(drawn(3, N=N, D=1, K=1) for N in (2049, 5001, 65537)),
        *(drawn(3, N=2, D=D) for D in (15, 16, 17, 1025)),
        *(drawn(3, N=2, K=K) for K in (8, 13, 129)),
    ]


@pytest.mark.parametrize("name", [n for n in FAULTS if n not in INVISIBLE])
def test_a_fault_is_seen_on_a_small_problem(name):
    with np.errstate(all="ignore"):
        of = corners() if name in OF_CORNERS else problems()
        assert any(caught_by(FAULTS[name], compare.reference(p, budget=2.0**30)) for p in of)


LINK_OF = {name: fault.link for name, fault in FAULTS.items()
           if fault.link in ("y", "y_o", "C", "dC_dy_o", "dy_o_dy", "dC_dy")}  # fmt: skip


@pytest.mark.parametrize("name", LINK_OF)
def test_a_fault_of_a_formula_is_named_at_its_link(name):
    ref = compare.reference(drawn(1, N=7), budget=2.0**30)
    with np.errstate(all="ignore"):
        found = caught_by(FAULTS[name], ref)
    if found is not None and found.check == "bound":
        assert found.link == LINK_OF[name]


RAISES = {"gradient-without-transpose"}  # X dC_dy does not even multiply
OF_FORMULAS = [name for name, fault in FAULTS.items() if fault.formula and name not in RAISES]


def first_difference(name: str, problem) -> str | None:
    """The first link that is not the right one to many digits."""
    given = (problem.X.copy(), problem.W.copy(), problem.P.copy(), problem.h)
    with np.errstate(all="ignore"):
        wrong, right = FAULTS[name].make()(*given), with_formulas()()(*given)
    assert list(wrong) == list(LINKS)
    for link in LINKS:
        one, other = wrong[link], right[link]
        same = np.shape(one) == np.shape(other)
        # Where p / y_o is 0 / 0 both are NaN, whose link nobody has got wrong.
        if not same or not np.allclose(one, other, rtol=1e-13, atol=0, equal_nan=True):
            return link
    return None


@pytest.mark.parametrize("name", [n for n in OF_FORMULAS if n not in INVISIBLE | {"other-dtype"}])
def test_a_fault_is_right_before_its_link_and_wrong_there(name):
    of = corners() if name in OF_CORNERS else problems()
    found = {first_difference(name, problem) for problem in of}
    assert found - {None} == {FAULTS[name].link}


def test_the_other_dtype_is_all_that_is_wrong_with_it():
    p = drawn(1)
    found = FAULTS["other-dtype"].make()(p.X, p.W, p.P, p.h)["dC_dW"]
    assert found.dtype == np.float32
    assert np.allclose(found, with_formulas()()(p.X, p.W, p.P, p.h)["dC_dW"], rtol=1e-6)


@pytest.mark.parametrize("name", sorted(INVISIBLE))
def test_what_is_declared_invisible_is_inside_the_bound(name):
    with np.errstate(all="ignore"):
        for problem in problems():
            assert caught_by(FAULTS[name], compare.reference(problem, budget=2.0**30)) is None
