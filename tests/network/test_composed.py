"""Bounds of any network, composed from X on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support import networks, oracle
from tests.support.problems import drawn, random_problem, sixteen
from verify.network import manual, truth, twin
from verify.network.bounds import Bounds, bounds
from verify.network.composed import Composed
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import DTYPES, LINKS
from verify.numbers.dtypes import SIXTEEN
from verify.numbers.rounding import MODELS

HIDDEN = (Layer("tanh", bias=True), Layer("softmax"))


def composed(problem):
    return Composed(problem, MODELS[str(problem.dtype)])


@pytest.mark.parametrize("form", ["post", "stable", "wider"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_of_the_posts_network_they_are_those_that_are_derived_by_hand(dtype, form):
    ratios = {link: [] for link in LINKS}
    for seed in range(50):
        problem = random_problem(seed, dtype)
        hand, found = bounds(problem), composed(problem)
        if not hand.fits or (form == "post" and not hand.post_holds):
            continue
        m = MODELS[dtype]
        for link in LINKS:
            one, other = np.asarray(found[form][link]), np.asarray(hand[form][link])
            # Where what underflows decides, both are a few least numbers.
            plain = np.isfinite(one) & np.isfinite(other) & (other > 1e6 * m.tiny)
            ratios[link] += (one[plain] / other[plain]).ravel().tolist()
    for link, found in ratios.items():
        assert 0.4 < np.median(found) < 1.06, (link, np.median(found))
        assert max(found) < 1.5, (link, max(found))


def test_what_serves_a_problem_is_told_by_its_network():
    assert isinstance(bounds(drawn(1)), Bounds)
    assert isinstance(bounds(networks.of(*HIDDEN)), Composed)


def test_every_link_and_dC_dX_has_a_positive_bound_of_its_shape():
    problem = networks.of(*HIDDEN)
    found = bounds(problem)
    for form in ("post", "stable", "wider"):
        assert [*found[form]] == [*problem.network.links, "dC_dX"]
        for link, bound in found[form].items():
            assert bound.shape == problem.shape(link)
            assert (bound >= 0).all(), link
            assert (bound > 0).any(), link


def test_the_bounds_at_other_parameters_are_those_of_the_problem_there():
    problem = networks.of(*HIDDEN)
    half = {name: a / 2 for name, a in problem.parameters.items()}
    there, anew = bounds(problem).at(half), bounds(problem.having(**half))
    assert all(np.array_equal(there.stable[link], anew.stable[link]) for link in anew.stable)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_reference_value_of_C_is_within_its_own_bound(dtype):
    problem = networks.of(*HIDDEN, dtype=dtype)
    value, off = bounds(problem).cost()
    exact = truth.cost(problem)
    assert 0 < abs(value - exact.hi) + float(exact.rad) <= off < 1e-12 * abs(value)


def test_an_entry_that_no_form_holds_has_no_bound_and_is_counted():
    problem = networks.of(Layer("relu"), Layer("identity"), cost="squared-error", dtype="float32")
    huge = problem.having(X=problem.X * np.float32(1e25))
    found = bounds(huge)
    assert np.isinf(found.stable.C)
    assert (found.cost_fits, found.fits) == (False, False)
    assert found.unbounded["C"] == 1
    assert bounds(problem).unbounded == {}
    assert bounds(problem).fits


def test_the_literal_form_holds_where_each_of_its_formulas_does():
    network = Network((Layer("softmax"),))
    problem = networks.of(*network.layers, sizes=(4, 3))
    assert bounds(problem).post_holds
    far = problem.having(X=problem.X * 1e4)
    assert not bounds(far).post_holds
    with np.errstate(all="ignore"):
        assert not np.isfinite(manual.literal(far).C)
        assert np.isfinite(manual.stable(far).C)


@pytest.mark.parametrize("dtype", DTYPES)
def test_manual_by_the_table_is_within_them_in_both_forms(dtype):
    for seed in range(25):
        problem = networks.problem(seed, dtype)
        limits = bounds(problem)
        with np.errstate(all="ignore"):
            for form in ("stable", *(["post"] if limits.post_holds else [])):
                chain = manual.FORMS[form](problem)
                exact = truth.truth(problem, limits.stable).chain
                for link in problem.network.links:
                    limit = limits[form][link]
                    error = exact[link].error_within(chain[link], limit)
                    assert (np.isinf(limit) | (error <= limit)).all(), (seed, form, link)


# ---- 16 bits


def worst(problem, limits):
    """error / bound of manual and twin, by an oracle of the standard library."""
    exact, found = oracle.links(problem), [0.0]
    for chain in (manual.stable(problem), twin.stable_form(problem)):
        for link in problem.network.links:
            error, limit = oracle.distance(chain[link], exact[link]), limits.stable[link]
            with np.errstate(all="ignore"):
                found.append(float(np.max(np.where(error == 0, 0, error / limit))))
    return max(found)


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_of_16_bits_they_hold_for_an_oracle_of_the_standard_library_and_half_of_them_do_not(dtype):
    problem = sixteen(networks.of(*HIDDEN), dtype)
    half = replace(MODELS[dtype], u=MODELS[dtype].u / 2)
    assert isinstance(bounds(problem), Composed)
    assert 0.5 < worst(problem, bounds(problem)) <= 1
    assert worst(problem, Composed(problem, half)) > 1


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_of_16_bits_a_sum_of_many_terms_has_the_bound_of_one_rounding(dtype):
    problem = sixteen(drawn(1, N=800, D=30), dtype)
    found, m = bounds(problem).stable, MODELS[dtype]
    in_16_bits = Composed(problem, replace(m, sums=None)).stable
    y = np.asarray(problem.X, float) @ np.asarray(problem.W, float)
    assert (found.y <= 1.1 * m.u * np.abs(y) + 2.0**-14).all()
    assert (in_16_bits.y >= 10 * m.u * np.abs(y)).all()
    assert (in_16_bits.dC_dW > 2 * found.dC_dW).all()
