"""The table of costs: C and its derivative are what decimal says; pairs are the chain rule's."""

from __future__ import annotations

import inspect
from decimal import Decimal, localcontext

import numpy as np
import pytest

from tests.support.problems import sixteen
from verify.judge import compare
from verify.network import twin
from verify.network.costs import COSTS, PAIRS
from verify.network.links import ACTIVATIONS
from verify.network.problem import Problem
from verify.numbers.balls import Balls, enclosed
from verify.numbers.bounded import Bounded
from verify.numbers.constant import precision
from verify.numbers.derivative import Recorded, derivatives
from verify.numbers.rounding import MODELS

Y_O = [[0.25, 0.5, 0.125], [0.75, 0.0625, 0.375]]
P = [[0.0, 1.0, 0.5], [0.25, 0.75, 1.0]]
N = 2
LOG = Decimal.ln
TERMS = {  # the terms of N C, and their derivatives by y_o
    "cross-entropy": (lambda y, p: -p * y.ln(), lambda y, p: -p / y),
    "binary-cross-entropy": (
        lambda y, p: -p * y.ln() - (1 - p) * (1 - y).ln(),
        lambda y, p: -p / y + (1 - p) / (1 - y),
    ),
    "squared-error": (lambda y, p: (y - p) ** 2, lambda y, p: 2 * (y - p)),
    "half-squared-error": (lambda y, p: (y - p) ** 2 / 2, lambda y, p: y - p),
    "negative-log-likelihood": (lambda y, p: -p * y, lambda y, p: -p),
    "upstream": (lambda y, p: 2 * y * p, lambda y, p: 2 * p),  # times N: it is not divided
    "hinge": (lambda y, p: max(1 - p * y, 0), lambda y, p: -p * (p * y < 1)),
}
LABELS = {
    "hinge": [[-1.0, 1.0, 1.0], [1.0, -1.0, 1.0]],
    "multi-class-hinge": [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
}
ELEMENT_WISE = [name for name in COSTS if name != "multi-class-hinge"]


def given(y_o, labels=P):
    p = Balls.of(labels)
    return {"y_o": y_o, "y": y_o, "P": p, "G": p, "N": Balls.of(float(N))}


def on(formula, numbers):
    return formula(*(numbers[p] for p in inspect.signature(formula).parameters))


@pytest.mark.parametrize("name", ELEMENT_WISE)
def test_a_cost_and_its_derivative_are_what_decimal_says(name):
    labels = LABELS.get(name, P)
    with localcontext(prec=60), precision(300):
        numbers = given(Recorded(Balls.of(Y_O)), labels)
        C = on(COSTS[name].definition, numbers)
        (slope,) = derivatives(C, [numbers["y_o"]])
        term, by = TERMS[name]
        pairs = [
            (Decimal(y), Decimal(p)) for y, p in zip(np.ravel(Y_O), np.ravel(labels), strict=True)
        ]
        hi, lo, _ = enclosed(C.number)
        exact = sum(term(y, p) for y, p in pairs) / N
        assert abs(Decimal(float(hi)) + Decimal(float(lo)) - exact) < Decimal("1e-29")
        hi, lo, _ = enclosed(slope)
        for h, low, pair in zip(hi.flat, lo.flat, pairs, strict=True):
            assert abs(Decimal(h) + Decimal(low) - by(*pair) / N) < Decimal("1e-29")


@pytest.mark.parametrize("name", COSTS)
def test_every_form_of_a_cost_is_one_function(name):
    with precision(300):
        numbers = given(Balls.of(Y_O), LABELS.get(name, P))
        C = on(COSTS[name].definition, numbers).entries.item()
        for form in COSTS[name].C:
            assert form.formula(*(numbers[p] for p in form.of)).entries.item().overlaps(C)
        slopes = [
            form.formula(*(numbers[p] for p in form.of)).entries for form in COSTS[name].dC_dy_o
        ]
        for found in slopes[1:]:
            pairs = zip(np.ravel(found), np.ravel(slopes[0]), strict=True)
            assert all(a.overlaps(b) for a, b in pairs)


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_a_pair_is_the_activation_and_the_cost_after_each_other(pair):
    activation, cost = pair
    y = [[-1.5, 0.25, 3.0], [0.5, -0.75, 2.0]]
    with precision(300):
        one = given(Recorded(Balls.of(y)))
        other = given(Recorded(Balls.of(y)))
        C = on(PAIRS[pair].definition, one)
        y_o = ACTIVATIONS[activation].definition(other["y"])
        chained = on(COSTS[cost].definition, other | {"y_o": y_o})
        assert C.number.entries.item().overlaps(chained.number.entries.item())
        slopes = [derivatives(r, [g["y"]])[0] for r, g in ((C, one), (chained, other))]
        pairs = zip(*(np.ravel(s.entries) for s in slopes), strict=True)
        assert all(a.overlaps(b) for a, b in pairs)


def test_costs_say_which_labels_they_take():
    assert {name for name, cost in COSTS.items() if cost.labels != "any"} == {
        "cross-entropy", "binary-cross-entropy", "negative-log-likelihood", "hinge",
        "multi-class-hinge",
    }  # fmt: skip


def test_what_divides_by_N_first_loses_digits_in_float16_and_is_right():
    """1/N of a label is below the normal numbers; y_o, by which it is divided, is small."""
    rng = np.random.default_rng(2)
    X, P = rng.uniform(0.5, 1, size=(64, 3)), rng.uniform(2.0**-13, 2.0**-12, size=(64, 4))
    parameters = {"W": np.full((3, 4), -2.0)}
    problem = Problem(X, parameters, P, np.float64(0.125))
    ref = compare.reference(sixteen(problem, "float16"), 2.0**30)
    figures = compare.against_truth("twin", twin.stable_form(ref.problem), ref, ref.bounds.stable)
    assert all(f.holds for f in figures)
    (back,) = (f for f in figures if f.link == "dC_dy_o")
    assert back.ratio > 0.2


SCORES = [[3.0, 5.0, 4.5, 4.0], [1.0, -2.0, 0.25, 1.25]]  # 4.0 is a margin of exactly 0
ONE_HOT = [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def test_multi_class_hinge_counts_at_the_label_what_comes_near_it():
    """Margins 0.5 of the first row; 0.75 of the second; and the one that is 0 has the slope 0."""
    with precision(300):
        numbers = given(Recorded(Balls.of(SCORES)), ONE_HOT)
        C = on(COSTS["multi-class-hinge"].definition, numbers)
        (slope,) = derivatives(C, [numbers["y_o"]])
        assert enclosed(C.number)[0] == (0.5 + 0.75) / N
        right = [[0, -0.5, 0.5, 0], [0.5, 0, 0, -0.5]]
        assert enclosed(slope)[0].tolist() == right
    for form in COSTS["multi-class-hinge"].dC_dy_o:
        given_ = {"y_o": np.array(SCORES), "P": np.array(ONE_HOT), "N": N}
        assert form.formula(*(given_[p] for p in form.of)).tolist() == right


def test_the_slope_of_a_hinge_on_its_margin_is_0():
    with precision(300):
        numbers = given(Recorded(Balls.of([[1.0, -1.0, 0.5]])), [[1.0, -1.0, 1.0]])
        (slope,) = derivatives(on(COSTS["hinge"].definition, numbers), [numbers["y_o"]])
        assert enclosed(slope)[0].tolist() == [[0, 0, -1 / N]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_kink_that_is_hit_exactly_is_decided_and_one_that_is_near_is_not(dtype):
    model = MODELS[dtype]
    for error, off in ((None, 0.0), (np.full((2, 4), 1e-6), 0.5)):
        numbers = {
            "y_o": Bounded(model, SCORES, error), "P": Bounded(model, ONE_HOT), "N": 2.0,
        }  # fmt: skip
        for form in COSTS["multi-class-hinge"].dC_dy_o:
            found = on(form.formula, numbers)
            assert found.value[0].tolist() == [0, -0.5, 0.5, 0]
            assert off - 1e-6 <= found.error[0, 3] <= 2 * off + 1e-6
            assert found.error[0, 0] < 1e-6
        (hinge,) = COSTS["hinge"].dC_dy_o
        signs = Bounded(model, [[1.0, -1.0, 1.0, -1.0]])
        at = Bounded(model, [[1.0, -1.0, 0.5, -2.0]], None if error is None else error[:1])
        found = hinge.formula(at, signs, 2.0)
        assert found.value.tolist() == [[0, 0, -0.5, 0]]
        assert (found.error[0, :2] >= off).all() or error is None
        assert (found.error[0, 2:] < 1e-6).all()


def test_the_label_is_looked_up_and_not_summed():
    """A sum over 1,000 classes would round 999 times."""
    y_o = np.linspace(0.1, 0.9, 1000)[None]
    model = MODELS["float32"]
    P = np.eye(1000)[[500]]
    numbers = {"y_o": Bounded(model, y_o), "P": Bounded(model, P), "N": 1.0}
    found = on(COSTS["multi-class-hinge"].dC_dy_o[0].formula, numbers)
    near = np.abs(y_o - y_o[0, 500] + 1) < 10 * model.u
    assert not near.any()
    assert (found.error[0, :500] < 1e-6).all()
