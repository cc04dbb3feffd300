"""Layer norm and batch norm: what decimal says, in every form; a one-pass variance is none."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from tests.support import networks, oracle
from verify.network import manual, truth, twin
from verify.network.bounds import bounds
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS
from verify.network.local import local
from verify.network.network import Network
from verify.network.norms import EPSILON, NORMS
from verify.network.problem import DTYPES, Problem
from verify.numbers.balls import Balls, enclosed
from verify.numbers.constant import precision
from verify.numbers.derivative import Recorded, derivatives

EPS = 0.015625
BOTH = [(name, scaled) for name in NORMS for scaled in (False, True)]


def alone(name, X, dtype, scaled=False) -> Problem:
    """A norm of X with an upstream gradient."""
    rng = np.random.default_rng(1)
    network = Network((Layer(name, weights=False, scaled=scaled),), "upstream", "sum")
    parameters = {p: rng.normal(size=X.shape[1]).astype(dtype) for p in network.parameters}
    G = rng.normal(size=X.shape).astype(dtype)
    return Problem(X.astype(dtype), parameters, G, np.dtype(dtype).type(1), network)


def worst(problem, links) -> float:
    """The largest error over its bound; NaN counts as infinite."""
    limits = bounds(problem)
    exact = truth.truth(problem, limits.stable).chain
    return max(networks.share(a, exact[n], limits.wider[n]) for n, a in links.items())


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_and_its_derivative_are_what_decimal_says(name):
    y, g = [[-1.5, 0.25, 3.0], [0.5, -0.75, 2.0]], [[1.0, -0.5, 0.25], [2.0, 0.125, -3.0]]
    with localcontext(prec=60), precision(300):
        recorded = Recorded(Balls.of(y))
        y_o = ACTIVATIONS[name].definition(recorded, Balls.of(EPS))
        (by_y,) = derivatives(y_o, [recorded], Balls.of(g))
        axis = 1 if name == "layer-norm" else 0
        exact, back = oracle._normed(oracle.decimals(y), Decimal(EPS), axis)
        for found, right in ((y_o.number, exact), (by_y, back(oracle.decimals(g)))):
            hi, lo, _ = enclosed(found)
            for h, low, v in zip(hi.flat, lo.flat, right.flat, strict=True):
                assert abs(Decimal(h) + Decimal(low) - v) < Decimal("1e-29")


@pytest.mark.parametrize(("name", "scaled"), BOTH)
def test_every_form_back_is_the_derivative(name, scaled):
    with precision(300):
        problem = alone(name, np.random.default_rng(2).normal(size=(4, 5)), "float64", scaled)
        known = {n: Balls.of(a) for n, a in problem.numbers.items()}
        for step in problem.network.every_step:
            known[step.name] = step.exactly(known)
            for form in step.forms:
                found = networks.on(form, known).entries
                pairs = zip(np.ravel(found), np.ravel(known[step.name].entries), strict=True)
                assert all(a.overlaps(b) for a, b in pairs), step.name


# What strangers write: x and s are kept from the way forward.


def kept(p: Problem, axis: int):
    c = p.X - p.X.mean(axis, keepdims=True)
    s = np.sqrt(np.mean(c * c, axis, keepdims=True) + p.X.dtype.type(EPSILON))
    return c, s, c / s


def compact(p: Problem, axis: int):
    _, s, x = kept(p, axis)
    g, n = p.P, p.X.shape[axis]
    by_x = (g * x).sum(axis, keepdims=True)
    return {"y_o": x, "dC_dX": (1 / n) / s * (n * g - g.sum(axis, keepdims=True) - x * by_x)}


def step_by_step(p: Problem, axis: int):
    c, s, x = kept(p, axis)
    g, n = p.P, p.X.shape[axis]
    by_inverse = (g * c).sum(axis, keepdims=True)
    by_s = -1 / s**2 * by_inverse
    by_variance = 0.5 / s * by_s
    by_squares = np.ones_like(c) / n * by_variance
    by_c = g / s + 2 * c * by_squares
    by_mean = -by_c.sum(axis, keepdims=True)
    return {"y_o": x, "dC_dX": by_c + np.ones_like(c) / n * by_mean}


def by_a_power(p: Problem, axis: int):
    c, s, _ = kept(p, axis)
    g, n = p.P, p.X.shape[axis]
    by_variance = (g * c * -0.5 * s**-3).sum(axis, keepdims=True)
    by_mean = (-g / s).sum(axis, keepdims=True) + by_variance * (-2 * c).mean(axis, keepdims=True)
    return {"y_o": c / s, "dC_dX": g / s + by_variance * 2 * c / n + by_mean / n}


PROGRAMS = (compact, step_by_step, by_a_power)


def one_pass(p: Problem, axis: int):
    mean = p.X.mean(axis, keepdims=True)
    variance = (p.X * p.X).mean(axis, keepdims=True) - mean * mean
    s = np.sqrt(variance + p.X.dtype.type(EPSILON))
    x, g = (p.X - mean) / s, p.P
    inner = g - g.mean(axis, keepdims=True) - x * (g * x).mean(axis, keepdims=True)
    return {"y_o": x, "dC_dX": inner / s}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", NORMS)
def test_what_people_write_is_within_the_bounds(name, program, dtype):
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        shape = rng.integers(1, 9, 2)
        X = rng.normal(size=shape) * 10.0 ** rng.uniform(-3, 3) + rng.normal() * 10
        p = alone(name, X, dtype)
        found.append(worst(p, program(p, NORMS[name].axis)))
    assert 0.02 < max(found) <= 1


# A mean, and the deviation from it: 10 to 10,000 times as large.
LARGE = [(1e3, 1), (1e4, 1), (1e4, 100), (1e5, 10), (1e6, 100), (1e6, 1000)]


@pytest.mark.parametrize(("mean", "deviation"), LARGE)
@pytest.mark.parametrize("name", NORMS)
def test_a_one_pass_variance_is_beyond_the_bounds_where_the_mean_is_large(name, mean, deviation):
    axis, rng = NORMS[name].axis, np.random.default_rng(0)
    p = alone(name, mean + deviation * rng.normal(size=(8, 8)), "float32")
    for program in PROGRAMS:
        assert worst(p, program(p, axis)) <= 1
    for chain in (manual.literal(p), twin.stable_form(p)):
        assert worst(p, {n: chain[n] for n in ("y_o", "dC_dX")}) <= 1
    with np.errstate(invalid="ignore"):
        wrong = one_pass(p, axis)
    assert worst(p, {"y_o": wrong["y_o"]}) > 3
    assert worst(p, {"dC_dX": wrong["dC_dX"]}) > 3
    near = local(p, wrong)["y_o"]
    off = np.abs(wrong["y_o"] - near.value) / near.bound
    assert not (off <= 1).all()


def test_a_one_pass_variance_of_ordinary_numbers_is_as_good():
    p = alone("layer-norm", np.random.default_rng(0).normal(size=(8, 8)), "float32")
    assert worst(p, one_pass(p, -1)) <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "scaled"), BOTH)
def test_a_bound_notices_a_small_part_of_a_gradient(name, scaled, dtype):
    p = alone(name, np.random.default_rng(3).normal(size=(8, 8)), dtype, scaled)
    limits, chain = bounds(p).wider, manual.literal(p)
    u = 2.0**-24 if dtype == "float32" else 2.0**-53
    for link in ("y_o", "dC_dX", *p.network.gradients):
        assert np.median(limits[link] / np.abs(chain[link])) < 400 * u, link


def test_of_a_single_row_or_unit_nothing_is_left():
    for name, shape in (("batch-norm", (1, 4)), ("layer-norm", (4, 1))):
        p = alone(name, np.random.default_rng(4).normal(size=shape), "float64")
        chain = manual.literal(p)
        assert not np.any(chain["y_o"])
        assert worst(p, dict(chain)) <= 1
