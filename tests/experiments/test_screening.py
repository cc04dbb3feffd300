"""screening: a whole stack judged at once, as each of its problems would be alone."""

from dataclasses import replace

import numpy as np
import pytest

from verify.experiments import screening, stacks
from verify.judge import compare
from verify.network import descent, manual, twin
from verify.network.bounds import bounds
from verify.network.problem import LINKS
from verify.numbers.rounding import Off

SHAPE = (4, 3, 2)


@pytest.fixture(autouse=True)
def _numbers_beyond_the_dtype_are_numbers():
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="module", params=["float32", "float64"])
def stack(request):
    return stacks.drawn(3, 5, request.param, SHAPE)


def test_right_answers_have_no_violation(stack):
    seen = screening.screened(stack)
    assert not seen.violated.any()
    assert seen.judged.all()
    assert {link for _, link in seen.ratios} == set(LINKS)
    assert all(0 < ratio.max() <= 1 for ratio in seen.ratios.values())


@pytest.mark.parametrize("form", ["post", "stable"])
@pytest.mark.parametrize("module", [manual, twin], ids=["manual", "twin"])
def test_the_links_of_a_stack_are_those_of_its_problems(stack, module, form):
    together, limits = module.FORMS[form](stack), bounds(stack)
    for i in range(0, 1024, 100):
        one, alone = stack.at(i), module.FORMS[form](stack.at(i))
        if form == "stable" or limits.post_holds[i]:
            for link, found in together.at(i).items():
                assert found.shape == one.shape(link)
                assert found.dtype == one.dtype
                limit = 2 * getattr(limits[form].at(i), link)
                apart = np.abs(found - getattr(alone, link))
                assert ((apart <= limit) | np.isinf(limit)).all()


def test_the_fall_of_C_tells_how_near_it_came_to_an_end_of_its_interval(stack):
    seen = screening.screened(stack)
    for i in range(0, 1024, 100):
        chain, limits = seen.chains["manual", "stable"].at(i), bounds(stack.at(i))
        after = limits.at({"W": chain.W_next})
        fall = descent.fall(stack.at(i), chain, after.cost(), limits.stable, limits.moved(after))
        nearer = min(fall.found - fall.lowest, fall.highest - fall.found)
        share = 1 - 2 * nearer / (fall.highest - fall.lowest)
        assert seen.ratios[screening.FALL, "W_next"][i] == pytest.approx(share, abs=1e-6)


def test_where_a_step_leaves_the_dtype_no_fall_is_judged(stack):
    far = replace(stack, h=np.full_like(stack.h, np.finfo(stack.dtype).max / 16))
    seen = screening.screened(far)
    assert (seen.ratios[screening.FALL, "W_next"] == -1).any()
    assert not seen.violated.any()


def test_the_bounds_of_a_stack_are_those_of_its_problems(stack):
    limits = bounds(stack)
    for i in range(0, 1024, 100):
        alone = bounds(stack.at(i))
        assert alone.post_holds == limits.post_holds[i]
        assert alone.fits == limits.fits[i]
        for form in ("post", "stable", "wider"):
            for link, limit in limits[form].at(i).items():
                np.testing.assert_allclose(limit, getattr(alone[form], link), rtol=1e-9)


def test_the_fall_in_a_stack_is_that_of_each_problem(stack):
    chain, limits = manual.stable_form(stack), bounds(stack).stable
    moved = bounds(stack).moved(bounds(stack).at({"W": chain.W_next}))
    together = descent.fall(stack, chain, Off(chain.C, limits.C), limits, moved)
    for i in range(0, 1024, 100):
        one, mine = chain.at(i), limits.at(i)
        change = Off(moved.value[i], moved.off[i])
        alone = descent.fall(stack.at(i), one, Off(one.C, mine.C), mine, change)
        for name in ("lowest", "highest", "found", "slack"):
            found = getattr(together, name)[i]
            assert found == pytest.approx(getattr(alone, name), rel=1e-9, abs=1e-300)
        assert together.holds[i] == alone.holds


def test_the_resolution_is_that_of_each_problem(stack):
    seen = screening.screened(stack)
    for i in (0, 511, 1023):
        one = manual.stable_form(stack.at(i))
        alone = compare.resolution(bounds(stack.at(i)).stable, {"dC_dW": one.dC_dW})
        assert seen.resolution[i] == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize("link", [n for n in LINKS if n not in ("y_o", "dC_dy_o", "dy_o_dy")])
def test_a_broken_link_in_one_problem_is_a_violation_there(stack, link, monkeypatch):
    """In the problem with the most telling gradient; y_o and its neighbours may be 0 there."""
    right = manual.stable_form
    at = int(np.argmax(np.abs(right(stack).dC_dW).max(axis=(1, 2))))

    def wrong(problem):
        chain = right(problem)
        value = np.array(getattr(chain, link))
        value[at] = value[at] * 1.001 + problem.dtype.type(1e-30)
        return chain | {link: value}

    monkeypatch.setitem(manual.FORMS, "stable", wrong)
    assert np.flatnonzero(screening.screened(stack).violated).tolist() == [at]


def test_nan_is_a_violation(stack, monkeypatch):
    right = manual.stable_form

    def wrong(problem):
        chain = right(problem)
        chain.dC_dW[17, 0, 0] = np.nan
        return chain

    monkeypatch.setitem(manual.FORMS, "stable", wrong)
    assert screening.screened(stack).violated[17]


def test_a_gradient_that_is_wrong_on_both_sides_is_seen_by_the_fall_alone(stack, monkeypatch):
    for module in (manual, twin):
        right = module.FORMS["stable"]

        def doubled(problem, right=right, **options):
            chain = right(problem, **options)
            g = 2 * chain.dC_dW
            return chain | {"dC_dW": g, "W_next": problem.W - problem.h * g}

        monkeypatch.setitem(module.FORMS, "stable", doubled)
    seen = screening.screened(stack)
    agree = [r for (what, _), r in seen.ratios.items() if what.endswith("stable form")]
    assert all(ratio.max() <= 1 for ratio in agree)
    assert (seen.ratios[screening.FALL, "W_next"] > 1).mean() > 0.2
