"""What the bounds need of X W holds for the exact y, and where y is said to be at most or least."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.support import oracle
from tests.support.problems import drawn, made
from verify.network.forward import Forward, forward
from verify.network.problem import DTYPES
from verify.numbers.rounding import MODELS, absolute


@pytest.fixture(params=DTYPES)
def seen(request: pytest.FixtureRequest) -> tuple[Forward, dict]:
    """An ordinary problem, and every link of it exactly."""
    problem = drawn(3, dtype=request.param)
    return of(problem), oracle.chain(problem)


def of(problem) -> Forward:
    return forward(problem, MODELS[str(problem.dtype)], absolute(problem.X, problem.sizes["K"]))


def test_the_exact_y_lies_between_the_least_and_the_most(seen):
    found, exact = seen
    assert (oracle.distance(found.y, exact["y"]) <= found.own).all()
    assert (found.low < found.high).all()
    assert (found.own <= found.eps).all()


def test_neither_sigma_nor_its_complement_is_larger_within_the_bound_of_y(seen):
    found, _ = seen
    for y in (found.low - found.eps, found.high + found.eps):
        assert (1 / (1 + np.exp(-y)) <= found.cp * (1 + 1e-15)).all()
        assert (1 / (1 + np.exp(y)) <= found.c * (1 + 1e-15)).all()


def test_the_exact_values_are_at_most_what_they_are_said_to_be(seen):
    found, exact = seen
    N = len(found.P)
    assert (found.q >= (1 - exact["y_o"]).astype(float) * (1 - 1e-15)).all()
    assert (found.pq >= -exact["dC_dy"].astype(float) * N * (1 - 1e-15)).all()
    assert (found.upstream >= -exact["dC_dy_o"].astype(float) * N * (1 - 1e-15)).all()


def test_the_cost_of_nobody_is_that_of_the_exact_chain(seen):
    found, exact = seen
    C, bound_C = found.cost
    assert oracle.distance(C, exact["C"]) <= bound_C < 1e-13


def test_the_bound_of_the_cost_is_widest_where_either_form_may_be_used(seen):
    found, _ = seen
    assert found.C("wider") >= max(found.C("post"), found.C("stable")) * (1 - 1e-15)
    far = of(made([[1.0]], [[30.0]], [[1]], 1))  # where log y_o keeps its digits in one form alone
    assert far.C("wider") > far.C("post") > 1e6 * far.C("stable")


def test_an_entry_beyond_the_post_form_excuses_no_other():
    found = of(made([[1.0]], [[-800, -3]], [[1, 1]], 1))
    with np.errstate(all="ignore"):  # as bounds does: exp(800) is inf, and judged as such
        assert found.in_range.tolist() == [[False, True]]
        assert not found.post_holds
        assert found.dG["stable"][0, 0] <= found.dG_wider[0, 0] <= 2 * found.dG["stable"][0, 0]
        both = max(found.dG[form][0, 1] for form in ("post", "stable"))
        assert both <= found.dG_wider[0, 1] < 2 * both


def test_the_largest_product_or_weight_is_told():
    assert of(made([[4.0, -2]], [[-8.0], [16]], [[1]])).largest == 64
    assert of(made([[2.0**-9]], [[32.0]], [[1]])).largest == 32


def test_a_stack_is_each_of_its_problems():
    one, two = drawn(1), drawn(2)
    stacked = type(one)(*(np.stack([getattr(p, a) for p in (one, two)]) for a in "XWP"),
                        np.stack([one.h, two.h]).reshape(2, 1, 1))  # fmt: skip
    both = of(stacked)
    for i, problem in enumerate((one, two)):
        alone = of(problem)
        for name in ("eps", "q", "pq", "c", "cp"):
            assert np.allclose(getattr(both, name)[i], getattr(alone, name), rtol=1e-12, atol=0)
        assert both.C("post")[i] == pytest.approx(alone.C("post"), rel=1e-12)


def test_nothing_is_computed_before_it_is_asked_for():
    found = of(drawn(1))
    assert set(vars(found)) == {"model", "abs_X", "P", "y", "own", "eps", "largest"}
    found.C("stable")
    assert not {"dG", "shared", "pq", "upstream"} & set(vars(found))


def test_float32_is_evaluated_in_float64():
    problem = made([[1 / 3]], [[3.0]], [[1]], 1, "float32")
    exact = Fraction(float(problem.X[0, 0])) * 3
    assert abs(Fraction(float(of(problem).y[0, 0])) - exact) <= Fraction(2) ** -53
