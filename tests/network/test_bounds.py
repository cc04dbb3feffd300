"""The bounds: sound, sharp, and every term of them needed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.support import adversary, oracle
from tests.support.problems import drawn, made, worked_example
from tests.support.soundness import sharpness, worst_of_other_forms, worst_ratios
from verify.network import manual, truth
from verify.network.bounds import bounds
from verify.network.network import POST
from verify.network.problem import DTYPES, LINKS, Problem
from verify.numbers.rounding import MODELS, Model

CASES = 600


@pytest.fixture(scope="module", params=DTYPES)
def dtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_no_correct_answer_is_beyond_its_bound_and_the_bound_is_sharp(dtype):
    worst, judged = worst_ratios(dtype, range(CASES))
    assert {key: r for key, r in worst.items() if not r <= 1} == {}
    assert judged["stable"] == CASES
    assert judged["post"] > 500
    assert sharpness(worst, "dC_dW") >= 0.3
    assert sharpness(worst, "W_next") >= 0.9


def test_every_link_has_a_positive_bound_of_its_shape(dtype):
    problem = worked_example(dtype)
    found = bounds(problem)
    for chain in (found.post, found.stable):
        assert list(chain) == list(LINKS)
        for link, bound in chain.items():
            assert bound.shape == problem.shape(link), link
            assert (bound > 0).all(), link


def test_at_float64_no_relative_term_vanishes(dtype):
    """(1 + u)^5 - 1 evaluates to 0 at u = 2^-53; expm1 does not."""
    found = bounds(made([[1]], [[0]], [[1]], 0.5, dtype))
    u = MODELS[dtype].u
    assert found.post.y_o[0, 0] > 0.5 * u
    assert found.post.dC_dy[0, 0] > 2.5 * u
    assert found.stable.dC_dy[0, 0] > 2.5 * u


# term -> the problem in which it is a large share of a link's bound
Y_NEAR_0 = (0.01, 1.0, 0.5, (1, 1, 1))
Y_MINUS_6 = (-6.0, 1.0, 0.5, (1, 1, 1))
Y_PLUS_9 = (9.0, 1.0, 0.5, (1, 1, 1))
DIRECTED = {
    "exp": ("post", "y_o", Y_NEAR_0, {}),
    "log": ("post", "C", (-3.0, 1.0, 0.5, (1, 1, 1)), {}),
    "sum_y": ("post", "y", (0.5, 1.0, 0.5, (1, 900, 1)), {}),
    "sum_C": ("post", "C", (-1.0, 1.0, 0.5, (300, 1, 2)), {}),
    "sum_dC_dW": ("post", "dC_dW", (-1.0, 1.0, 0.5, (300, 1, 1)), {}),
    "sigma": ("post", "y_o", Y_PLUS_9, {}),
    "one_minus_sigma": ("post", "dC_dy", Y_MINUS_6, {}),
    "stable": ("stable", "dC_dy", Y_NEAR_0, {}),
    "product": ("post", "dC_dy", Y_MINUS_6, {}),
    "quotient": ("post", "dC_dy_o", Y_PLUS_9, {}),
    "step": ("post", "W_next", (-6.0, 1.0, 1.0, (1, 1, 1)), {"x": 1024.0}),
    "subtraction": ("post", "W_next", (1.0, 1.0, 2.0**-20, (1, 1, 1)), {}),
}


def ratio(term: str, dtype: str, model: Model) -> float:
    """Worst admissible error over the bound of a possibly mutated model."""
    form, link, size, more = DIRECTED[term]
    problem = adversary.first_row(*size, dtype, **more)
    found = getattr(bounds(problem, model)[form], link)
    worst = adversary.errors(problem, MODELS[dtype], form)[link]
    return worst / float(found[0, 0] if POST.axes(link) else found)


def test_a_problem_is_directed_at_every_term_of_the_model():
    fixed = {"u", "tiny", "lost", "sums", "largest", "lowest_y", "tanh", "cosh", "erf", "erfc"}
    assert set(DIRECTED) == set(vars(MODELS["float64"])) - fixed


@pytest.mark.parametrize("term", DIRECTED)
def test_the_worst_admissible_execution_attains_the_bound_and_no_more(term, dtype):
    assert 0.9 <= ratio(term, dtype, MODELS[dtype]) <= 1


@pytest.mark.parametrize("factor", [0, 0.5])
@pytest.mark.parametrize("term", DIRECTED)
def test_a_bound_without_a_term_or_with_half_of_it_is_unsound(term, factor, dtype):
    model = MODELS[dtype]
    mutant = replace(model, **{term: factor * getattr(model, term)})
    assert ratio(term, dtype, mutant) > 1


@pytest.mark.parametrize("factor", [10, 1000])
@pytest.mark.parametrize("term", DIRECTED)
def test_a_bound_with_a_term_enlarged_is_blunt(term, factor, dtype):
    model = MODELS[dtype]
    mutant = replace(model, **{term: factor * getattr(model, term)})
    assert ratio(term, dtype, mutant) < 0.5


@pytest.mark.parametrize("form", ["post", "stable"])
def test_to_first_order_every_bound_is_what_the_derivation_says(form):
    X = np.array([[1, -3, 2], [0.5, 4, 0], [-2, 1, 5]])
    W = np.array([[3, 0.25], [-1, 0.5], [0.5, -2.5]])
    problem = made(X, W, [[1, 0.5], [0, 2], [0.25, 1]], 0.5)
    found = getattr(bounds(problem), form)
    for link, expected in first_order(form, problem, MODELS["float64"]).items():
        np.testing.assert_allclose(getattr(found, link), expected, 1e-8, 1e-300, err_msg=link)


def first_order(form: str, p: Problem, m: Model) -> dict[str, Any]:
    """The bounds of both modules' derivations, without terms in u^2 and in tiny."""
    (N, D, K), u, h = p.sizes.values(), m.u, float(p.h)
    y = p.X @ p.W
    y_o, q = 1 / (1 + np.exp(-y)), 1 / (1 + np.exp(y))
    eps = D * u * (np.abs(p.X) @ np.abs(p.W))
    r = q * m.exp * u + 2 * u
    ln_y_o = eps * q + r
    dq_post = q * eps * y_o + y_o * r + u * q
    dq_stable = q * ((m.exp + 5) * u + eps * y_o)
    dC_dy = p.P * ((dq_post if form == "post" else dq_stable) + 5 * u * q) / N
    cost = -p.P * np.log(y_o)
    ln = ln_y_o if form == "post" else eps * q + (m.exp + m.log + 3) * u * -np.log(y_o)
    C = (p.P * ln).sum() + (m.log + N * K + 4) * u * cost.sum()
    magnitude = np.abs(p.X).T @ (p.P * q) / N
    dC_dW = np.abs(p.X).T @ dC_dy + N * u * magnitude
    return {
        "y": eps,
        "y_o": y_o * ln_y_o,
        "C": C / N,
        "dC_dy_o": p.P / y_o * (ln_y_o + 4 * u) / N,
        "dy_o_dy": y_o * (q * ln_y_o + dq_post) + 2 * u * y_o * q,
        "dC_dy": dC_dy,
        "dC_dW": dC_dW,
        "W_next": h * dC_dW + 2 * u * h * magnitude + u * (np.abs(p.W) + h * magnitude),
    }


def test_the_post_form_holds_down_to_its_edge_and_not_beyond():
    for dtype, inside, beyond in (("float32", -86.9, -87.1), ("float64", -707.9, -708.1)):
        assert bounds(made([[1]], [[inside]], [[1]], 1, dtype)).post_holds
        assert not bounds(made([[1]], [[beyond]], [[1]], 1, dtype)).post_holds


def test_a_label_above_one_moves_the_edge_of_the_post_form():
    assert bounds(made([[1]], [[-80]], [[1]], 1, "float32")).post_holds
    assert not bounds(made([[1]], [[-80]], [[1e5]], 1, "float32")).post_holds
    for p, holds in ((0.1249, True), (0.1251, False)):  # p / y_o is twice as large
        assert bounds(made([[1]], [[0]], [[p * 2.0**128]], 1, "float32")).post_holds == holds


@pytest.mark.parametrize(
    ("X", "W", "h"),
    [
        ([[1, 0]], [[0], [0.25]], 1),  # W itself
        ([[0.5]], [[0]], 1),  # |X|^T |dC_dy|, where every 1 - sigma is a half
        ([[0, 0.5]], [[0], [0]], 1),
        ([[0.125]], [[0]], 4),  # and h times it
        ([[0.5], [0], [0], [0]], [[0]], 1),  # and its sum before it is divided by N
    ],
)
def test_up_to_a_quarter_of_the_largest_number_everything_fits(X, W, h):
    largest, P = 2.0**128, np.ones((len(X), 1))
    for share, fits in ((0.999, True), (1.001, False)):
        X_there, W_there = np.array(X, float), np.array(W, float)
        (W_there if W_there.any() else X_there)[:] *= share * largest
        assert bool(bounds(made(X_there, W_there, P, h, "float32")).fits) == fits


def test_where_y_may_be_anything_y_o_is_still_at_most_the_largest_sigma():
    problem = made([[1e7, 1]], [[1], [-1e7]], [[1]], 1, "float32")  # y is 0, give or take 2.4
    found = bounds(problem).stable
    largest = 1 / (1 + np.exp(-found.y))
    for link in ("y_o", "dy_o_dy"):
        np.testing.assert_allclose(getattr(found, link), largest, rtol=1e-5, err_msg=link)


def test_where_one_entry_has_no_bound_nothing_fits():
    found = bounds(made([[1]], [[0, 0.2 * 2.0**128]], [[1, 1]], 1, "float32"))
    assert np.isfinite(found.stable.dC_dW).tolist() == [[True, False]]
    assert found.cost_fits
    assert not found.fits


def test_what_underflows_is_made_no_smaller_by_X():
    problem = made([[1e30, 1]], [[95e-30], [0]], [[1]], 1, "float32")
    found, exact = manual.stable_form(problem).dC_dW, truth.truth(problem, bounds(problem).stable)
    error = exact.chain.dC_dW.error(found)
    assert (error <= bounds(problem).stable.dC_dW).all()
    assert error[0, 0] > 1e-17


def test_up_to_a_quarter_of_the_largest_number_the_cost_does():
    for w, fits in ((0.2499, True), (0.2501, False)):
        assert bool(bounds(made([[1]], [[w * 2.0**128]], [[1]], 1, "float32")).cost_fits) == fits
        problem = made([[1]], [[-1e10]], [[w * 2.0**128 / 1e10]], 1, "float32")
        assert bool(bounds(problem).cost_fits) == fits
    assert not bounds(made([[1]], [[2.0**127]], [[1]], 1, "float32")).fits


@pytest.mark.parametrize("problem", [worked_example(), drawn(1)])
def test_the_wider_bound_is_at_least_that_of_both_forms_where_both_hold(problem):
    found = bounds(problem)
    assert found.post_holds
    for link, wide in found.wider.items():
        for form in (found.post, found.stable):
            assert (wide >= getattr(form, link) * (1 - 1e-15)).all(), link
        room = 2 if link in ("C", "dC_dy", "dC_dW") else 1  # for the forms besides these two
        both = getattr(found.post, link) + getattr(found.stable, link)
        assert (wide <= room * both).all(), link


def test_beyond_the_post_form_the_wider_bound_is_not_the_post_forms():
    found = bounds(made([[1.0]], [[-800, 30]], [[1, 1]], 1))
    assert not found.post_holds
    assert found.wider.dC_dy[0, 0] < 2 * found.stable.dC_dy[0, 0]
    assert found.wider.dC_dy[0, 1] > found.post.dC_dy[0, 1] > 1000 * found.stable.dC_dy[0, 1]


@pytest.mark.parametrize("y", [-50.0, -5.0, -0.5, 0.5, 3.0, 9.0, 20.0, 30.0])
def test_the_bound_of_forms_that_take_1_minus_y_o_from_1_grows_with_y_alone(y):
    """What it costs to admit them: few roundings of 1, and of y where lse - y is taken."""
    u = 2.0**-53
    found = bounds(made([[1.0]], [[y]], [[1]], 1))
    assert u < found.wider.dC_dy[0, 0] < (22 + 4 * max(y, 0) + 8 * max(-y, 0)) * u
    assert u < found.wider.C < (10 + 4 * max(y, 0) + 22 * max(-y, 0)) * u


def test_no_right_answer_in_another_form_is_beyond_the_wider_bound(dtype):
    worst = worst_of_other_forms(dtype, range(300))
    assert {key: r for key, r in worst.items() if not r <= 1} == {}
    for name in ("fused", "softplus"):
        assert worst[name, "dC_dy"] >= 0.3
        assert worst[name, "C"] >= 0.2
    for name in ("quotient", "torch_quotient"):
        assert worst[name, "dC_dy"] >= 0.15


def test_an_infinite_bound_marks_only_what_the_dtype_cannot_hold():
    found = bounds(made([[1], [1]], [[-800.0]], [[1], [1]], 1))
    assert np.isinf(found.stable.dC_dy_o).all()
    for link in ("y", "y_o", "C", "dy_o_dy", "dC_dy", "dC_dW", "W_next"):
        assert np.isfinite(getattr(found.stable, link)).all(), link


def test_the_cost_of_nobody_is_within_its_bound_of_the_exact_one(dtype):
    for seed in range(40):
        problem = drawn(seed, dtype=dtype)
        C, bound_C = bounds(problem).cost()
        exact = truth.cost(problem)
        assert float(exact.error(C)) <= bound_C
        assert bound_C <= 1e-9 * C + 1e-300


def test_the_largest_dC_dy_is_the_exact_one_and_little_more(dtype):
    for seed in range(10):
        problem = drawn(seed, dtype=dtype)
        exact = -oracle.chain(problem)["dC_dy"].astype(float)
        said = bounds(problem).largest_dC_dy
        assert (said >= exact * (1 - 1e-12)).all()
        assert (said <= exact * (1 + 1e-12)).all()


def test_what_X_d_is_off_is_within_what_is_said(dtype):
    for seed in range(20):
        problem = drawn(seed, dtype=dtype)
        after = bounds(problem).at({"W": problem.W * problem.W.dtype.type(1.25)})
        change, off = bounds(problem).moved(after)
        exact = oracle_product(problem, after.problem)
        assert (np.abs(change - exact) <= off).all()


def oracle_product(before, after):
    """X (W_after - W_before), each entry summed exactly and rounded once."""
    X, W, W_after = (
        np.vectorize(Fraction, otypes=[object])(np.asarray(a, np.float64))
        for a in (before.X, before.W, after.W)
    )
    return (X @ (W_after - W)).astype(np.float64)
