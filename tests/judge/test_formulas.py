"""A candidate's own code in exact arithmetic: which of its formulas are wrong."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.support import networks
from tests.support.problems import drawn, made
from verify.candidate.candidate import of_function
from verify.faults.backwards import BACKWARDS
from verify.faults.table import FAULTS
from verify.judge import compare
from verify.judge.formulas import WORK, followed, told_apart
from verify.judge.result import Finding, Verdict
from verify.judge.trial import tried
from verify.network.layer import Layer
from verify.network.problem import Chain


def post(X, W, P, h):
    y = X @ W
    y_o = 1 / (1 + np.exp(-y))
    dC_dy = -P / y_o / len(X) * (y_o * (1 - y_o))
    dC_dW = X.T @ dC_dy
    return {"y": y, "y_o": y_o, "dC_dy": dC_dy, "dC_dW": dC_dW, "W_next": W - h * dC_dW}


def _followed(function, problem):
    candidate = of_function(function, "it")
    chain = Chain(**candidate.ask(problem).reply.links)
    return followed(candidate, problem, chain, "candidate it")


def _trial(function, problem):
    return tried(of_function(function, "it"), compare.reference(problem, 2.0**30))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_program_is_right_in_exact_arithmetic(dtype: str) -> None:
    run = _followed(post, drawn(3, dtype=dtype))
    assert (run.exact, run.findings, run.notes) == ("right", (), ())
    assert set(run.links) == {"y", "y_o", "dC_dy", "dC_dW", "W_next"}
    assert all((e.rad < 1e-30 * (1 + np.abs(e.hi))).all() for e in run.links.values())


def test_the_line_that_is_wrong_is_named_and_not_those_that_follow_from_it() -> None:
    def wrong(X, W, P, h):
        links = post(X, W, P, h)
        dC_dy = links["dC_dy"] * (1 + 1e-13)
        return links | {"dC_dy": dC_dy, "dC_dW": X.T @ dC_dy, "W_next": W - h * (X.T @ dC_dy)}

    run = _followed(wrong, drawn(3))
    assert run.exact == "wrong"
    (finding,) = run.findings
    assert (finding.check, finding.link) == ("formula", "dC_dy")
    assert "differs from what y gives by" in finding.message


def test_a_hidden_layer_is_followed_and_its_mistake_is_proven_at_any_depth() -> None:
    layers = [Layer("tanh", bias=True)] * 5 + [Layer("softmax")]
    problem = networks.of(*layers, sizes=(3, 4, 5, 4, 5, 4, 3), N=4)
    names = problem.network.parameters

    def gradients(X, W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, P, late=1.0):
        weights, biases = [W1, W2, W3, W4, W5, W6], [b1, b2, b3, b4, b5]
        at = [X]
        for W, b in zip(weights[:-1], biases, strict=True):
            at.append(np.tanh(at[-1] @ W + b))
        z = at[-1] @ weights[-1]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        d = (P.sum(axis=1, keepdims=True) * e / e.sum(axis=1, keepdims=True) - P) / len(X)
        found = [at[-1].T @ d]
        for i in range(4, -1, -1):
            d = (d @ weights[i + 1].T) * (1 - at[i + 1] ** 2)
            found += [d.sum(axis=0), at[i].T @ d * (late if i == 0 else 1.0)]
        return tuple(found[::-1])

    assert _followed(gradients, problem).exact == "right"

    def late(X, W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, P):
        return gradients(X, W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, P, 1 + 1e-12)

    run = _followed(late, problem)
    assert [f.link for f in run.findings] == [f"dC_d{names[0]}"]
    assert "differs from the derivative of C by" in run.findings[0].message


def test_lost_digits_are_told_from_a_mistake() -> None:
    problem = made([[1.0]], [[20.0]], [[1]], 0.5)

    def cancels(X, W, P, h):
        y = X @ W
        y_o = 1 / (1 + np.exp(-y))
        return X.T @ (-P * ((1 + 1e5 - y_o) - 1e5) / len(X))

    (finding,) = _trial(cancels, problem).findings
    assert finding.check == "arithmetic"
    assert finding.kind == "arithmetic"
    assert "the formula of dC_dW is right; its arithmetic loses" in finding.message
    assert "test_formulas.py:" in finding.message


def test_both_are_told_where_both_are_wrong() -> None:
    def both(X, W, P, h):
        y_o = 1 / (1 + np.exp(-X @ W))
        return 2 * X.T @ (-P * ((1 + 1e5 - y_o) - 1e5) / len(X))

    found = _trial(both, made([[1.0]], [[20.0]], [[1]], 0.5)).findings
    assert [f.check for f in found] == ["formula", "arithmetic"]
    assert "besides" in found[1].message


def test_of_a_large_problem_some_rows_are_run_and_it_is_told() -> None:
    problem = drawn(1, N=400, D=9, K=5)
    assert problem.work > WORK

    def wrong(X, W, P, h):
        links = post(X, W, P, h)
        return links["dC_dW"] * (1 + 1e-12)

    run = _followed(wrong, problem)
    assert not run.whole
    assert run.exact == "wrong"
    assert any(n.startswith("in exact arithmetic: ") and "of its 400 rows" in n for n in run.notes)
    assert _followed(post, problem).exact == "right"
    assert _followed(post, drawn(1, N=2, D=90, K=90)).exact == ""


def test_a_program_that_leaves_exact_arithmetic_is_judged_by_its_floats() -> None:
    def leaves(X, W, P, h):
        return np.array([[float(f"{v}") for v in row] for row in post(X, W, P, h)["dC_dW"]])

    def narrows(X, W, P, h):
        return post(X, W, P, h)["dC_dW"].astype(np.float16).astype(X.dtype)

    run = _followed(narrows, drawn(3))
    assert run.exact == "not followed"
    assert "could not be followed: test_formulas.py:" in run.notes[0]
    assert "converts to float16; its floats are judged" in run.notes[0]
    trial = _trial(narrows, drawn(3))
    assert [f.check for f in trial.findings] == ["bound"]
    assert _followed(leaves, drawn(3)).exact == "not followed"


def test_a_program_that_notices_exact_numbers_proves_nothing() -> None:
    def notices(X, W, P, h):
        factor = 1.0 if type(X) is not np.ndarray else 1.5
        return factor * post(X, W, P, h)["dC_dW"]

    trial = _trial(notices, drawn(3))
    assert trial.exact == "not followed"
    assert [f.check for f in trial.findings] == ["bound"]

    def other_way(X, W, P, h):
        factor = 1.5 if type(X) is not np.ndarray else 1.0
        return factor * post(X, W, P, h)["dC_dW"]

    trial = _trial(other_way, drawn(3))
    assert (trial.exact, trial.findings) == ("not followed", ())


def test_what_no_bound_notices_is_proven_and_replaces_that_nothing_was_noticed() -> None:
    blind = Finding("blind", Verdict.CANNOT_JUDGE, "", "it")
    wrong = Finding("formula", Verdict.FAIL, "", "it", "dC_dW")
    run = _followed(post, drawn(3))._replace(exact="wrong", findings=(wrong,))
    assert list(told_apart([blind], run, Chain(), "float64")) == [wrong]
    assert list(told_apart([blind], _followed(post, drawn(3)), Chain(), "float64")) == [blind]


def test_nine_in_ten_of_the_planted_faults_can_be_followed_and_none_is_followed_falsely() -> None:
    counts = Counter()
    problem = drawn(3, N=5, D=4, K=3)
    in_numpy = {n: f for n, f in FAULTS.items() if n not in {name for name, *_ in BACKWARDS}}
    for name, fault in in_numpy.items():
        candidate = of_function(fault.make(), name)
        reply = candidate.ask(problem).reply
        if not reply.trouble:
            run = followed(candidate, problem, Chain(**reply.links), name)
            counts[run.exact] += 1
            if run.exact == "wrong":
                assert fault.formula, name
    assert counts["not followed"] <= 0.1 * counts.total(), counts
    assert counts["wrong"] > 70


def test_what_takes_tensors_is_not_run_in_exact_arithmetic() -> None:
    torch = pytest.importorskip("torch")

    def cost(X, W, P):
        return -(P * torch.nn.functional.logsigmoid(X @ W)).sum() / len(X)

    problem = drawn(3)
    candidate = of_function(cost, "it", "torch")
    chain = Chain(**candidate.ask(problem).reply.links)
    assert followed(candidate, problem, chain, "it").exact == ""
