"""The table of links: every form of a link is one function, bounded where it is computed."""

from __future__ import annotations

import inspect
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from tests.support import oracle
from verify.network import links
from verify.network.links import ACTIVATIONS, SCALED, local, other, through
from verify.network.norms import NORMS
from verify.network.problem import DTYPES
from verify.numbers.balls import Balls, enclosed
from verify.numbers.bounded import Bounded
from verify.numbers.constant import precision
from verify.numbers.derivative import Recorded, derivatives
from verify.numbers.rounding import MODELS

LEAK = Decimal("0.125")


EPSILON = 0.0625
TABLE = {**ACTIVATIONS, **{f"{name} with gamma and beta": of for name, of in SCALED.items()}}


def numbers(y, **more):
    return {"y": y, "leak": Balls.of(float(LEAK)), "epsilon": Balls.of(EPSILON), **more}


@pytest.mark.parametrize("name", oracle.elements(LEAK))
def test_an_activation_and_its_derivative_are_what_decimal_says(name):
    y = [-3.5, -0.75, 0.0, 0.5, 2.25]
    with localcontext(prec=60), precision(300):
        given = numbers(Recorded(Balls.of(y)))
        formula = ACTIVATIONS[name].definition
        y_o = formula(*(given[p] for p in inspect.signature(formula).parameters))
        (slope,) = derivatives(y_o, [given["y"]])
        for found, exact in zip((y_o.number, slope), oracle.elements(LEAK)[name], strict=True):
            hi, lo, _ = enclosed(found)
            for h, low, v in zip(hi, lo, y, strict=True):
                assert abs(Decimal(h) + Decimal(low) - exact(Decimal(v))) < Decimal("1e-29")


@pytest.mark.parametrize("name", ["softmax", "log-softmax"])
def test_a_row_of_classes_is_what_decimal_says(name):
    y = [[-1.5, 0.25, 3.0]]
    with localcontext(prec=60), precision(300):
        hi, lo, _ = enclosed(ACTIVATIONS[name].definition(Balls.of(y)))
        e = [Decimal(v).exp() for v in y[0]]
        q = [v / sum(e) for v in e]
        exact = q if name == "softmax" else [v.ln() for v in q]
        for h, low, v in zip(hi[0], lo[0], exact, strict=True):
            assert abs(Decimal(h) + Decimal(low) - v) < Decimal("1e-29")


def test_every_activation_has_an_oracle():
    assert {*oracle.elements(LEAK), "softmax", "log-softmax", *NORMS} == set(ACTIVATIONS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TABLE)
def test_every_form_is_bounded_at_the_corners_of_its_inputs_errors(name, dtype):
    """Each form alone, composed of single operations, with errors from none to 0.1."""
    f, model = TABLE[name], MODELS[dtype]
    slope = f.dy_o_dy or (*f.dC_dy, *sum(f.gradients.values(), ()))
    for form in (*f.y_o, *slope, *through(f.dy_o_dy)):
        worst = 0.0
        for seed in range(20):
            rng = np.random.default_rng((seed, *name.encode()))
            given, exact, computed = {}, {}, {}
            y = rng.normal(size=(2, 4)) * 10.0 ** rng.uniform(-2, 1)
            values = {"y": y, "dC_dy_o": rng.normal(size=(2, 4)), "leak": np.float64(0.01)}
            values["dy_o_dy"] = rng.normal(size=(2, 4))
            values |= {"gamma": rng.normal(size=4), "beta": rng.normal(size=4)}
            values["epsilon"] = np.float64(EPSILON)
            with precision(212):
                scales = {p: Balls.of(values[p]) for p in ("gamma", "beta")}
                at = numbers(Balls.of(y), **scales)
                y_o = f.definition(*(at[p] for p in inspect.signature(f.definition).parameters))
                values["y_o"] = enclosed(y_o)[0]
            scale = rng.choice([0.0, 1e-12, 1e-5, 0.1])
            for key, v in values.items():
                computed[key] = np.asarray(v, dtype)[()]
                corner = rng.choice([-1, 1], size=np.shape(v)) * scale * np.abs(computed[key])
                corner = corner * (key != "leak")
                exact[key] = np.float64(computed[key]) + corner * (1 - 1e-12)
                error = np.abs(exact[key] - computed[key]) * (1 + 1e-15)
                given[key] = Bounded(model, computed[key], error if scale else None)
            with np.errstate(all="ignore"), precision(300):
                found = form.formula(*(given[p] for p in form.of))
                right = form.formula(*(Balls.of(exact[p]) for p in form.of))
                typed = form.formula(*(computed[p] for p in form.of))
                hi, lo, rad = enclosed(right)
                error = np.abs(np.float64(typed) - hi - lo) - rad
                ratio = np.where(found.bound() > 0, error / found.bound(), np.inf)
            judged = np.isfinite(found.bound()) & np.isfinite(hi) & (error > 0)
            worst = max(worst, float(np.max(ratio, where=judged, initial=0)))
        assert worst <= 1, form


def test_forms_say_what_they_are_computed_from():
    (form,) = other(lambda y_o, P, N: y_o)
    assert form.of == ("y_o", "P", "N")
    assert form.kind == "other"
    assert [f.kind for f in local((form,))] == ["local"]


def test_the_stable_forms_see_no_large_exponential():
    y = np.array([[-800.0, 800.0, 0.0]])
    with np.errstate(all="raise", under="ignore"):
        assert links.stable_sigma(y).tolist() == [[0.0, 1.0, 0.5]]
        assert links.stable_softmax(y).tolist() == [[0.0, 1.0, 0.0]]
        assert links.log_sigma(y).tolist() == [[-800.0, -0.0, -math.log(2)]]
        assert links.fused_log_sigma(y).tolist() == [[-800.0, 0.0, -math.log(2)]]
