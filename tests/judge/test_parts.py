"""A batch in parts: what a case says whole it says so, and only parts are in memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import broken, networks, oracle
from tests.support.problems import drawn
from tests.support.texts import written
from verify.candidate.candidate import candidate
from verify.judge import compare, sides
from verify.judge.asked import Asked
from verify.judge.judge import judge
from verify.judge.parts import Loss, Totals, evaluated, everywhere, loss_at, mean, start_of
from verify.judge.result import Verdict
from verify.network import manual, truth, twin
from verify.network.bounds import bounds
from verify.network.layer import Layer
from verify.network.problem import Chain
from verify.scenario import cases as sizes
from verify.scenario.cases import Batch, cases
from verify.scenario.limits import Limits
from verify.scenario.load import load

TEXT = """
title = "from files"
inputs = { file = "X.npy" }
weights = { file = "W.npy" }
labels = { file = "P.npy" }
step_size = 0.125
dtype = "%s"
"""
ROWS = 7
STABLE = compare.Subject("manual.stable_form", manual.stable_form, "stable")
BUDGET = 2.0**30


def halves(problem):
    """The rows in two parts."""
    cut = len(problem.X) // 2
    rows = slice(0, cut), slice(cut, None)
    parts = [replace(problem, X=problem.X[r], P=problem.P[r]) for r in rows]
    return Batch(*problem.sizes.values(), lambda: parts)


def loss_there(problem, W, drift, budget):
    there = problem.having(W=W)
    return loss_at(evaluated(STABLE, there), drift, truth.cost(there, budget))


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(sizes, "HELD", 0)
    monkeypatch.setattr(sizes, "_BLOCK", ROWS * (5 + 2 * 3))


@pytest.fixture
def large(tmp_path):
    """A case that is judged by blocks of seven rows."""

    def call(more="", dtype="float64", N=24, scale=1.0, seed=0):
        rng = np.random.default_rng(seed)
        np.save(tmp_path / "X.npy", scale * rng.normal(size=(N, 5)).astype(dtype))
        np.save(tmp_path / "W.npy", rng.normal(size=(5, 3)).astype(dtype))
        np.save(tmp_path / "P.npy", np.eye(3, dtype=dtype)[rng.integers(0, 3, N)])
        (case,) = cases(load(written(tmp_path, TEXT % dtype + more)))
        return case

    return call


def whole(case, monkeypatch):
    """The same case, in memory."""
    with monkeypatch.context() as patched:
        patched.setattr(sizes, "HELD", 2**24)
        return judge(replace(case))


def test_only_a_file_of_X_larger_than_what_is_held_is_judged_by_blocks(large, monkeypatch):
    assert large().large
    assert not large("batch_size = 4").large
    monkeypatch.setattr(sizes, "HELD", 24 * 5)
    assert not large().large


def test_the_blocks_are_the_rows_of_the_problem_in_their_order(large):
    case = large()
    (batch,) = case.in_parts
    shares, blocks = zip(*batch, strict=True)
    assert [len(b.X) for b in blocks] == [7, 7, 7, 3]
    assert shares == (7 / 24, 7 / 24, 7 / 24, 3 / 24)
    for name in ("X", "P"):
        joined = np.concatenate([getattr(b, name) for b in blocks])
        assert np.array_equal(joined, getattr(case.problem, name))


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_case_is_green_and_says_what_it_says_whole(large, dtype, steps, monkeypatch):
    case = large(f"steps = {steps}", dtype)
    found, held = judge(case), whole(case, monkeypatch)
    assert found.verdict is Verdict.PASS, found.findings
    for C in ("loss_before", "loss_after"):
        assert getattr(found, C) == pytest.approx(getattr(held, C), rel=1e-6)
    assert held.resolution / 4 < found.resolution < held.resolution * 4
    assert {f.link for f in found.figures} == {f.link for f in held.figures}
    assert all(f.ratio <= 1 for f in found.figures)
    assert found.work == held.work
    assert [s.step for s in found.steps] == [s.step for s in held.steps] == [*range(1, steps + 1)]
    for one, other in zip(found.steps, held.steps, strict=True):
        assert one.lowest <= one.after <= one.highest
        assert (one.before, one.after) == pytest.approx((other.before, other.after), rel=1e-6)
    assert found.notes == ("judged by blocks of rows; the truth judges 3 of them",)


@given(st.integers(0, 10**6), st.sampled_from(["float32", "float64"]))
def test_the_joined_gradient_is_within_its_bound_of_the_truth(tmp_path_factory, seed, dtype):
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("joined")
    N, scale = int(rng.integers(2, 40)), 10 ** rng.uniform(-2, 1)
    for name, array in (("X", scale * rng.normal(size=(N, 5))), ("W", rng.normal(size=(5, 3))),
                        ("P", rng.dirichlet(np.ones(3), N))):  # fmt: skip
        np.save(folder / f"{name}.npy", array.astype(dtype))
    (case,) = cases(load(written(folder, TEXT % dtype)))
    found = sides.first_step(case, Asked(budget=0))
    exact = oracle.chain(case.problem)
    for totals in found.totals.values():
        chain, bound = totals.joined(case.problem.h)
        for link in ("C", "dC_dW", "W_next"):
            error = oracle.distance(getattr(chain, link), exact[link])
            assert (error <= getattr(bound, link)).all(), (totals.subject.name, link)


@pytest.mark.parametrize(
    "link", ["y", "y_o", "C", "dC_dy_o", "dy_o_dy", "dC_dy", "dC_dW", "W_next"]
)
def test_a_broken_line_is_named_by_its_link(large, link, monkeypatch):
    monkeypatch.setitem(manual.FORMS, "stable", broken.scaled("stable", link))
    result = judge(large())
    assert result.verdict is Verdict.FAIL
    assert result.first_broken_link == link


def test_a_fault_of_one_row_is_named_with_its_row_among_all(large, monkeypatch):
    case = large()
    marked = case.problem.X[17]

    def wrong(problem):
        chain = manual.stable_form(problem)
        at = (marked == problem.X).all(axis=1)
        return chain | {"dC_dy": np.where(at[:, None], 2 * chain.dC_dy, chain.dC_dy)}

    monkeypatch.setitem(manual.FORMS, "stable", wrong)
    result = judge(case, Asked(budget=0))  # the third block of four: no truth, but a twin
    assert result.first_broken_link == "dC_dy"
    assert result.worst.entry[0] == 17
    assert "in rows 14 to 20" in result.findings[0].message


def test_a_wrong_gradient_on_both_sides_is_seen_by_the_fall(large, monkeypatch):
    for module in (manual, twin):
        right = module.FORMS["stable"]
        monkeypatch.setitem(
            module.FORMS, "stable",
            lambda problem, right=right, **k: (
                lambda c: (c | {"dC_dW": -c.dC_dW, "W_next": problem.W + problem.h * c.dC_dW})
            )(right(problem, **k)),
        )  # fmt: skip
    result = judge(large('[expect]\nloss = "any"'), Asked(budget=0))
    assert "descent" in {f.check for f in result.findings}


def test_a_twin_that_goes_another_way_is_seen_at_later_steps(large, monkeypatch):
    right, calls = twin.FORMS["stable"], []

    def tired(problem, **options):
        calls.append(len(problem.X))
        chain = right(problem, **options)
        late = len(calls) > 8  # two passes of four blocks are right
        return (chain | {"dC_dW": chain.dC_dW * 1.01}) if late else chain

    monkeypatch.setitem(twin.FORMS, "stable", tired)
    result = judge(large("steps = 4"))
    assert {f.check for f in result.findings} & {"trajectory", "descent"}


def test_every_side_is_judged_at_every_step_by_its_own_gradient(large, monkeypatch):
    right, calls = twin.FORMS["stable"], []

    def tired(problem, **options):
        calls.append(len(problem.X))
        chain = right(problem, **options)
        return (chain | {"dC_dW": chain.dC_dW * 0.5}) if len(calls) > 4 else chain

    monkeypatch.setitem(twin.FORMS, "stable", tired)
    (finding, *_) = judge(large("steps = 2")).findings
    assert finding.check == "trajectory"
    assert finding.message.startswith("step 2: dC_dW is beyond its bound")
    assert finding.subject == "manual.stable_form against twin.stable_form"


def test_paths_that_too_large_steps_drive_apart_are_not_blamed(large, tmp_path):
    """Rows that conflict, and h L = 2.7: any two paths part by a factor of 1.7 at each step."""
    case = large("steps = 30\n[expect]\nloss = 'any'")
    text = Path(case.path).read_text()
    x = np.random.default_rng(1).uniform(2.5, 3.5, 12)
    np.save(tmp_path / "X.npy", np.concatenate([x, -x])[:, None] * np.eye(5)[:1])
    np.save(tmp_path / "W.npy", np.full((5, 3), 1e-9))
    np.save(tmp_path / "P.npy", np.ones((24, 3)))
    result = judge(cases(load(written(tmp_path, text.replace("0.125", "1.2"))))[0])
    assert result.ok, result.findings


@pytest.mark.parametrize(("h", "budget"), [("1e300", 0), ("1e307", 0), ("1e307", 2.0**24)])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_that_is_too_long_for_the_dtype_is_not_judged_and_not_blamed(
    h, budget, steps, large, tmp_path
):
    more = f'steps = {steps}\n[expect]\nloss = "any"\nloss_after = "1"\n'
    path = Path(large(more).path)
    path.write_text(path.read_text().replace("0.125", h))
    (case,) = cases(load(path))
    result = judge(case, Asked(budget=budget))
    assert {f.check for f in result.findings} == {"range"}
    assert result.verdict is Verdict.CANNOT_JUDGE


def test_the_only_part_has_its_own_links_and_bounds():
    problem = drawn(1)
    totals = everywhere(start_of(STABLE, Batch.of(problem)))
    chain, bound = totals.joined(problem.h)
    assert chain is totals.only.chain
    assert bound is totals.only.bounds.stable


def test_parts_add_up_their_bounds_with_an_update_of_three_roundings():
    problem = drawn(1)
    totals = everywhere(start_of(STABLE, halves(problem)))
    chain, bound = totals.joined(problem.h)
    parts = [(share, bounds(part).stable) for share, part in halves(problem)]
    B_C, B = (sum(share * getattr(b, link) for share, b in parts) for link in ("C", "dC_dW"))
    size = sum(share * np.abs(manual.stable_form(p).dC_dW) for share, p in halves(problem))
    u, gamma = 2.0**-53, 4 * 2.0**-53
    step = np.abs(np.asarray(chain.dC_dW)) * 0.125
    for link, expected in {
        "C": B_C + gamma * chain.C,
        "dC_dW": B + gamma * size,
        "W_next": 0.125 * (B + gamma * size) + 3 * u * (np.abs(problem.W) + step),
    }.items():
        np.testing.assert_allclose(getattr(bound, link), expected, rtol=1e-7, err_msg=link)


def test_the_sum_over_parts_has_room_for_its_own_roundings():
    tenth, zero = np.full((1, 1), 0.1), np.zeros((1, 1))
    totals = Totals(STABLE, Batch(1000, 1, 1, list), {"W": np.zeros((1, 1))}, np.zeros(1))
    for _ in range(1000):
        here = SimpleNamespace(
            chain=Chain(dC_dW=tenth), cost=lambda form: (0.1, 0.0), holds=lambda form: True,
            cost_holds=lambda form: True, bounds=_Zero(stable=Chain(dC_dW=zero)),
        )  # fmt: skip
        totals.add(0.1, here)
    chain, bound = totals.joined(1.0)
    exact = 1000 * Fraction(0.1) ** 2
    for link in ("C", "dC_dW"):
        error = abs(Fraction(np.asarray(getattr(chain, link)).item()) - exact)
        assert 0 < error <= np.asarray(getattr(bound, link)).item() < 1e-11


class _Zero(dict):
    """Bounds by form, of a C that fits."""

    cost_fits = True


def test_a_twin_that_is_a_billionth_off_at_a_later_step_is_seen(large, monkeypatch):
    right, calls = twin.FORMS["stable"], []

    def tired(problem, **options):
        calls.append(len(problem.X))
        chain = right(problem, **options)
        return (chain | {"dC_dW": chain.dC_dW * (1 + 1e-9)}) if len(calls) > 4 else chain

    monkeypatch.setitem(twin.FORMS, "stable", tired)
    result = judge(large("steps = 2"))
    assert {(f.check, f.link) for f in result.findings} == {("trajectory", "dC_dW")}


def test_what_judges_only_some_blocks_says_nothing_of_all_rows(large, monkeypatch):
    """The element-wise loops are for small problems, which here is the last block of three rows."""
    monkeypatch.setattr(sides, "_ELEMENT_WORK", 3 * 5 * 3)
    result = judge(large("steps = 2"))
    assert result.ok, result.findings
    of_all_rows = {f.subject for f in result.figures if "all rows" in f.subject}
    assert of_all_rows == {
        f"manual.{form}_form against twin.{form}_form, all rows" for form in ("stable", "post")
    }


def test_a_form_that_holds_no_longer_at_a_later_step_cannot_be_judged_there(large, tmp_path):
    case = large("steps = 3\n[expect]\nloss = 'any'", N=24)
    X = np.zeros((24, 5))
    X[:23, 0], X[23, 0] = 1, -700
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "W.npy", np.full((5, 3), 0.9))
    np.save(tmp_path / "P.npy", np.eye(3)[[0] * 23 + [1]])
    written(tmp_path, Path(case.path).read_text().replace("0.125", "1.0"))
    result = judge(cases(load(Path(case.path)))[0])
    told = {f.message for f in result.findings}
    assert told == {"step 2: W leaves the domain of the post form"}


def test_a_form_that_does_not_hold_in_one_block_cannot_be_judged(large, tmp_path):
    case = large()
    X = np.load(tmp_path / "X.npy")
    X[20] *= -800 / (X[20] @ np.load(tmp_path / "W.npy")).min()
    X[20] *= np.sign((X[20] @ np.load(tmp_path / "W.npy")).max() - 400) or 1
    np.save(tmp_path / "X.npy", X)
    (case,) = cases(load(Path(case.path)))
    lowest = (case.problem.X @ case.problem.W).min()
    assert lowest < -709
    result = judge(case)
    assert result.verdict is Verdict.CANNOT_JUDGE
    assert f"y is as low as {lowest:.4g}" in result.findings[0].message


def test_numbers_without_a_bound_cannot_be_judged(large):
    result = judge(large(scale=1e307))
    assert [f.check for f in result.findings] == ["range"]
    assert result.verdict is Verdict.CANNOT_JUDGE


def test_what_the_file_expects_of_C_is_judged(large):
    C = judge(large()).loss_before
    assert judge(large(f'[expect]\nloss_before = "{C:.6f}"')).ok
    wrong = judge(large('[expect]\nloss = "rises"\nloss_before = "0.1"'))
    assert {f.check for f in wrong.findings} == {"loss", "figure"}


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, Verdict.PASS), (1.001, Verdict.FAIL)])
def test_a_candidate_is_judged_on_the_blocks_that_have_a_truth(large, factor, verdict):
    def gradient(X, W, P, h):
        return factor * manual.block_form(sizes.Problem(X, W, P, h)).dC_dW

    result = judge(large(), candidate=candidate(gradient))
    assert result.verdict is verdict
    if verdict is Verdict.PASS:
        told = "the candidate is judged on every block, on 3 of them by the truth"
        assert told in result.notes
        assert 0 < result.resolution < 1e-12


def test_a_candidate_is_judged_on_the_blocks_that_have_none_too(large):
    case = large()
    _, _, (_, without), _ = case.in_parts[0]

    def gradient(X, W, P, h):
        g = manual.block_form(sizes.Problem(X, W, P, h)).dC_dW
        return g * 2 if np.array_equal(X, without.X) else g

    result = judge(case, candidate=candidate(gradient))
    assert result.verdict is Verdict.FAIL
    assert result.findings[0].message.endswith("in rows 14 to 20")


def test_memory_holds_blocks_and_not_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sizes, "_BLOCK", 2**14)
    rng, N, D = np.random.default_rng(0), 2**17, 40
    np.save(tmp_path / "X.npy", rng.normal(size=(N, D)))  # 40 MiB
    np.save(tmp_path / "W.npy", rng.normal(size=(D, 2)) / D)
    np.save(tmp_path / "P.npy", rng.integers(0, 2, N))
    (case,) = cases(load(written(tmp_path, TEXT % "float64"), Limits(numbers=2**30)))
    judge(replace(case), Asked(budget=0))  # imports and caches
    tracemalloc.start()
    assert judge(case, Asked(budget=0)).ok
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20 / 4


def test_the_loss_is_the_truths_and_its_spread_covers_the_drift():
    problem = drawn(3)
    exact = loss_there(problem, problem.W, np.zeros(3), BUDGET)
    assert exact.spread < 1e-25
    drift = np.full(3, 1e-6)
    loose = loss_there(problem, problem.W, drift, BUDGET)
    moved = loss_there(problem, problem.W + 1e-6 / np.sqrt(4), np.zeros(3), BUDGET)
    assert 0 < abs(moved.minus(loose)) <= loose.spread
    rows = np.sqrt((problem.X**2).sum(axis=1))
    q = 1 / (1 + np.exp(problem.X @ problem.W))
    g, L = rows @ (problem.P * q) / 6, rows**2 @ problem.P / (4 * 6)
    assert loose.spread == pytest.approx((g * 1e-6 + L * 1e-12 / 2).sum(), rel=1e-9, abs=0)
    bound_C = bounds(problem).C("wider")
    assert loose.printed == pytest.approx(2 * loose.spread + bound_C, rel=1e-12, abs=0)


def test_costs_are_told_apart_to_twice_the_digits_of_float64():
    one, other = (Loss(1.0, rest, 0, 0, 0) for rest in (3e-20, 1e-20))
    assert one.minus(other) == pytest.approx(2e-20, rel=1e-12, abs=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_a_truth_the_loss_is_as_certain_as_float64_makes_it(dtype):
    problem = drawn(3, dtype=dtype)
    found = loss_there(problem, problem.W, np.zeros(3), 0)
    exact = loss_there(problem, problem.W, np.zeros(3), BUDGET)
    assert 1e-17 < found.radius < 1e-13
    assert abs(found.minus(exact)) <= found.radius


def test_the_cost_of_all_rows_is_the_mean_of_their_parts_with_room_for_its_rounding():
    parts = [(0.25, Loss(1.0, 1e-20, 1e-16, 2e-16, 3e-16)),
             (0.75, Loss(3.0, 2e-20, 1e-16, 4e-16, 6e-16))]  # fmt: skip
    found = mean(parts)
    assert (found.C, found.rest) == (2.5, pytest.approx(1.75e-20))
    rounding = 4 * 2.0**-53 * 2.5
    expected = [1e-16 + rounding, 3.5e-16 + rounding, 5.25e-16 + rounding]
    np.testing.assert_allclose([found.radius, found.spread, found.printed], expected, 1e-12, 0)


@pytest.mark.parametrize("reduction", ["rows", "mean"])
def test_the_parts_of_any_network_add_up_to_the_whole(reduction):
    layers = Layer("tanh", bias=True), Layer("softmax")
    problem = networks.of(*layers, reduction=reduction, weight_decay=0.25)
    subject = compare.Subject("manual.stable_form", manual.stable, "stable")
    chain, bound = everywhere(start_of(subject, halves(problem))).joined(problem.h)
    whole, limit = manual.stable(problem), bounds(problem).stable
    for link in ("C", *problem.network.gradients, "W1_next", "b1_next", "W2_next"):
        off = np.abs(chain[link] - whole[link])
        assert (off <= bound[link] + limit[link]).all(), link
        assert np.shape(chain[link]) == problem.shape(link)
