"""Faults of networks: each visible one is caught at its link alone, and no right form is blamed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from tests.support import networks
from tests.support.problems import sixteen
from verify.candidate.candidate import of_function
from verify.faults.gradients import GRADIENTS
from verify.faults.networks import INVISIBLE, NETWORK_FAULTS, NONE, Planted, planted
from verify.faults.outputs import OUTPUTS
from verify.faults.slopes import SLOPES
from verify.faults.table import FAULTS
from verify.faults.updates import UPDATES
from verify.faults.where import WHERE, words
from verify.judge import compare
from verify.judge.trial import tried
from verify.network import manual
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import Problem
from verify.network.step import on
from verify.network.updates import DESCENT, Update
from verify.numbers.dtypes import SIXTEEN


def network(
    *activations, cost, reduction="rows", decay=0.0, bias=True, update=DESCENT, embedding=False
) -> Network:
    layers = (Layer(a, bias, embedding=embedding and not i) for i, a in enumerate(activations))
    return Network(tuple(layers), cost, reduction, decay, update)


# A network with its rows and features, and the units of each layer.
NETWORKS = {
    "all alike": (
        network("tanh", "sigmoid", "softmax", cost="cross-entropy", decay=0.25), 4, 4, 4, 4, 4),
    "three layers": (network("silu", "gelu", "identity", cost="squared-error"), 3, 4, 3, 3, 2),
    "binary": (network("relu", "sigmoid", cost="binary-cross-entropy"), 5, 4, 3, 2),
    "mean": (
        network("leaky-relu", "tanh", cost="half-squared-error", reduction="mean"), 6, 3, 5, 2),
    "likelihood": (
        network("softplus", "log-softmax", cost="negative-log-likelihood", reduction="sum"),
        5, 3, 4, 3),
    "no biases": (network("gelu-tanh", "sigmoid", cost="cross-entropy", bias=False), 5, 2, 4, 3),
    "operation": (network("relu", "silu", cost="upstream", reduction="sum"), 4, 4, 4, 4),
    "layer norm": (
        Network((Layer("layer-norm"), Layer("layer-norm", True, scaled=True), Layer("tanh", True)),
                "squared-error"), 5, 4, 6, 3, 2),
    "batch norm": (
        Network((Layer("batch-norm", scaled=True), Layer("tanh", True), Layer("batch-norm")),
                "squared-error"), 5, 4, 6, 3, 2),
    "classes apart": (
        network("tanh", "identity", cost="multi-class-hinge", decay=0.1), 7, 4, 3, 4),
    "sides apart": (network("tanh", "identity", cost="hinge"), 7, 4, 3, 2),
    "momentum": (
        network("tanh", "softmax", cost="cross-entropy", update=Update("momentum", 0.75)),
        5, 4, 4, 4),
    "adam": (
        network("sigmoid", "identity", cost="squared-error", update=Update("adam"), decay=0.1),
        5, 3, 4, 2),
    "embedding": (network("tanh", "softmax", cost="cross-entropy", embedding=True), 6, 2, 6, 3),
    "softmax below": (network("softmax", "softplus", cost="squared-error", decay=0.1), 4, 3, 3, 2),
}  # fmt: skip
BOTH = ("mean", "likelihood", "operation")
CASES = [*((name, "float64") for name in NETWORKS), *((name, "float32") for name in BOTH)]


def problem(name: str, dtype: str = "float64", **numbers) -> Problem:
    made, N, *units = NETWORKS[name]
    rng = np.random.default_rng(1)
    found = {"X": rng.normal(size=(N, units[0]))}
    for names, (inputs, own) in zip(made.names, pairwise(units), strict=True):
        found |= {names["W"]: rng.normal(size=(inputs, own)), names["b"]: rng.normal(size=own)}
        found |= {names[p]: rng.normal(size=own) for p in ("gamma", "beta")}
    found |= {n: rng.uniform(0.01, 0.1, found[n[1:]].shape) for n in made.state}
    if made.embeds:
        found["W1"] = rng.normal(size=(4, units[1] // units[0]))
    signed = made.cost == "upstream" or "squared" in made.cost
    found["P"] = (rng.normal if signed else rng.uniform)(size=(N, units[-1])) * 0.9 + 0.05
    if made.cost == "hinge":
        found["P"] = rng.choice([-1.0, 1.0], (N, units[-1]))
    elif made.cost == "multi-class-hinge":
        found["P"] = np.eye(units[-1])[rng.integers(units[-1], size=N)]
    found = {n: np.array(a, dtype) for n, a in {**found, **numbers}.items()}
    parameters, state = ({n: found[n] for n in of} for of in (made.parameters, made.state))
    X = np.array([[0, 2], [1, 1], [3, 0], [2, 2], [0, 1], [3, 2]]) if made.embeds else found["X"]
    h = np.dtype(dtype).type(0.3)
    return Problem(X, parameters, found["P"], h, made, state, 1 + 2 * bool(state))


def special() -> dict[str, Problem]:
    """Numbers that some faults need: on a kink, with a y_o of next to nothing, beyond exp."""
    X = [[0, 0, 0, 0], [1, 2, 0, -1], [0, 1, -1, 1], [1, 1, 1, 1], [-1, 0, 0, 2]]
    W1 = [[1, -1, 2], [0, 1, 1], [1, 1, 0], [2, 0, -1]]
    return {
        "a y of exactly 0": problem("binary", X=X, W1=W1, b1=[0, 0, 0]),
        "a label at a y_o below 1e-8": problem("all alike", b3=[40, -40, 0, 5]),
        "a mean beyond 100 deviations": problem(
            "layer norm", X=np.eye(5, 4) + 1e4, W1=1 + 1e-4 * (np.arange(24).reshape(4, 6) % 7)
        ),
        "an exp(y) beyond the dtype": problem("all alike", b3=[800, -40, 0, 5]),
    }


def everywhere(p: Problem) -> Iterator[Planted]:
    right = manual.stable(p)
    return (made for f in NETWORK_FAULTS.values() for made in planted(f, p, right))


def differs(made: Planted, p: Problem) -> bool:
    """By more than a thousand roundings of the link's largest number."""
    right, wrong = manual.stable(p)[made.link], made(p)[made.link]
    if np.shape(wrong) != np.shape(right):
        return True
    off, size = np.abs(np.float64(wrong) - right), np.abs(np.float64(right)).max()
    return not off.max() <= 1000 * np.finfo(p.dtype).eps * size


def named(made: Planted, ref: compare.Reference) -> list[tuple[str, str | None]]:
    found = of_function(made.function, made.fault.name)
    trial = tried(found, ref, in_full=made.fault.kept, explained=False)
    return [(f.check, f.link) for f in trial.findings]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_a_fault_is_caught_at_every_layer_and_its_link_alone_is_named(name, dtype):
    p, wrong = problem(name, dtype), []
    with np.errstate(all="ignore"):
        ref = compare.reference(p, 2.0**23)
        for made in everywhere(p):
            found, link = named(made, ref), made.link
            links = [link for _, link in found]
            if (
                made.fault.kept
            ):  # right in the first call, and on other data wrong in all that follows
                good = link in links and {check for check, _ in found} <= {"other data", "repeat"}
            elif ("shape", link) in found:  # so has what is computed from it
                good = links[0] == link and {check for check, _ in found} == {"shape"}
            else:
                good = found == [("bound", link)] or not (found or differs(made, p))
            wrong += [] if good else [(made.fault.name, link, found)]
    assert wrong == []


@pytest.mark.parametrize("word", special())
def test_a_fault_of_rare_numbers_is_named_first(word):
    p = special()[word]
    with np.errstate(all="ignore"):
        ref = compare.reference(p, 2.0**23)
        for made in everywhere(p):
            if word in made.fault.where:
                assert named(made, ref)[0] == ("bound", made.link)


def test_every_fault_has_a_place_where_it_is_another_number():
    seen = set()
    with np.errstate(all="ignore"):
        for p in (*map(problem, NETWORKS), *special().values()):
            seen |= {
                made.fault.name for made in everywhere(p) if made.fault.kept or differs(made, p)
            }
    assert set(NETWORK_FAULTS) - INVISIBLE <= seen


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_no_form_of_a_link_is_blamed(name, dtype):
    p, found = problem(name, dtype), []
    if "softmax" in p.network.told:  # one form takes the sum of labels for 1
        p = p.having(P=p.P / p.P.sum(-1, keepdims=True))
    ref = compare.reference(p, 2.0**23)

    def by(link: str, j: int):
        def function(*arrays):
            known = dict(p.numbers)
            for step in p.network.every_step:
                known[step.name] = (
                    on(step.forms[j], known) if step.name == link else step.on("stable", known)
                )
            return {link: np.array(known[link]) for link in p.network.every_link}

        return function

    for step in p.network.every_step:
        for j in range(len(step.forms)):
            trial = tried(of_function(by(step.name, j)), ref, in_full=False)
            found += [(step.name, j, f.message) for f in trial.findings]
    assert found == []


def test_a_row_is_of_its_table_and_says_what_is_wrong_in_words_that_are_known():
    links = {
        **dict.fromkeys(("y", "y_o", "C"), OUTPUTS),
        **dict.fromkeys(("dC_dy_o", "dy_o_dy", "dC_dy"), SLOPES),
        **dict.fromkeys(("dC_db", "dC_dx"), GRADIENTS),
        **dict.fromkeys(("dC_dgamma", "dC_dbeta", "gamma_next", "beta_next"), GRADIENTS),
        **dict.fromkeys(("mW_next", "vW_next", "vb_next"), UPDATES),
    }  # fmt: skip
    rows = (*OUTPUTS, *SLOPES, *GRADIENTS, *UPDATES)
    assert len(rows) == len(NETWORK_FAULTS) >= 180
    for row in rows:
        fault = NETWORK_FAULTS[row[0]]
        assert row in UPDATES or row in links.get(fault.link, GRADIENTS)
        assert set(fault.where) <= set(WHERE)
        assert fault.mistake
    assert not NETWORK_FAULTS.keys() & FAULTS.keys()


def test_without_a_mistake_it_is_the_right_chain():
    p = problem("all alike")
    (made,) = planted(NONE, p, manual.stable(p))
    right = manual.stable(p)
    assert all(np.array_equal(made(p)[link], right[link]) for link in right)


def test_what_comes_after_is_computed_from_the_wrong_link_and_what_comes_before_is_right():
    p = problem("all alike")
    right = manual.stable(p)
    (made,) = (m for m in planted(NETWORK_FAULTS["slope-forgotten"], p, right) if m.i == 1)
    off = {link for link, a in made(p).items() if not np.allclose(a, right[link], rtol=1e-13)}
    assert off == {"dC_dy2", "dC_dW2", "dC_db2", "dC_dy_o1", "dC_dy1", "dC_dW1", "dC_db1",
                   "W1_next", "b1_next", "W2_next", "b2_next"}  # fmt: skip


def test_a_stale_number_is_that_of_the_call_before():
    first, second = problem("no biases"), problem("no biases", W1=np.ones((2, 4)))
    made = Planted(NETWORK_FAULTS["stale-product"], first.network, 0)
    assert np.array_equal(made(first).y1, first.X @ first.W1)
    assert np.allclose(made(second).y1, second.X @ first.W1)
    assert np.allclose(made(second).y1, second.X @ second.W1)


def test_words_of_an_embedding_and_of_an_update_hold_there_alone():
    of = {name: words(problem(name), manual.stable(problem(name))) for name in NETWORKS}
    rows = {"embedding", "a row taken twice", "row 0 taken", "features that differ"}
    assert rows <= of["embedding"]
    assert not any(rows & found for name, found in of.items() if name != "embedding")
    assert {"adam", "a velocity", "corrections that count"} <= of["adam"]
    assert "momentum" in of["momentum"] - of["adam"]
    alone = networks.BUILT["an operation first"]()
    assert not rows & words(alone, manual.stable(alone))


def test_words_say_where_a_fault_can_be_seen():
    of_sizes = {"square weights", "as many rows as units", "weights of the shape above"}
    alike, mean = (words(p, manual.stable(p)) for p in map(problem, ("all alike", "mean")))
    assert {"tanh", "softmax", "hidden", "last", "weight decay", "biases"} | of_sizes <= alike
    assert not ({"rows", "softmax", "a y of exactly 0", "weight decay"} | of_sizes) & mean


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_in_16_bits_a_fault_is_planted_among_links_that_are_kept_in_them(dtype):
    narrow = sixteen(problem("all alike"), dtype)
    right = manual.stable(narrow)
    (at, *_) = planted(NETWORK_FAULTS["bias-averaged"], narrow, right)
    found = at(narrow)
    assert {str(np.asarray(link).dtype) for link in found.values()} == {dtype}
    assert np.array_equal(found["dC_dW1"], right["dC_dW1"])
    assert not np.array_equal(found[at.link], right[at.link])
