from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.support.texts import DRAWN, EXAMPLE, the_case, the_cases
from verify.errors import ScenarioError
from verify.network.layer import Layer
from verify.network.network import POST, Network
from verify.scenario import draw
from verify.scenario.cases import of_problem
from verify.scenario.limits import Limits


def test_what_varies_is_crossed_and_named_in_a_fixed_order(tmp_path):
    text = DRAWN + "[vary]\nseed = [0, 1]\nclasses = [2, 4]\n"
    names = [c.name for c in the_cases(tmp_path, text.replace("classes = 3\n", ""))]
    assert len(names) == len(set(names)) == 8
    assert names[0] == "classes=2-seed=0-dtype=float32"
    assert names[-1] == "classes=4-seed=1-dtype=float64"


def test_a_written_problem_is_the_problem(tmp_path):
    problem = the_case(tmp_path, EXAMPLE).problem
    assert problem.X.tolist() == [[2, 4, -2]]
    assert problem.W[1].tolist() == [-1.3117, -0.1]
    assert problem.P.tolist() == [[1, 0]]
    assert problem.h == 0.01


def test_a_case_in_memory_is_one_block_of_its_first_batch(tmp_path):
    case = the_case(tmp_path, DRAWN + "[vary]\nsteps = [4]\n")
    ((share, part),) = case.in_parts[0]
    assert (share, len(part.X)) == (1, 11)
    assert part is case.batches[0]


def test_a_case_says_where_it_is_from(tmp_path):
    case = the_case(tmp_path, EXAMPLE)
    assert case.path == str(tmp_path / "s.toml")
    assert case.id == f"{case.path}::dtype=float64"
    assert case.origin.line == 2  # of the title, where a report points to


TABLE = """
title = "table"
inputs = { file = "t.csv", columns = ["a"] }
weights = { random = "normal" }
labels = { file = "t.csv", column = "k" }
step_size = 0.1
batch_size = 2
"""


def test_a_table_is_taken_in_batches_and_a_seed_shuffles_its_rows(tmp_path):
    (tmp_path / "t.csv").write_text("a,k\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(1, 6)))
    case = the_case(tmp_path, TABLE)
    assert [b.X.ravel().tolist() for b in case.batches] == [[1, 2], [3, 4], [5]]
    assert case.problem.P.tolist() == [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1]]
    shuffled = the_case(tmp_path, TABLE + "seed = 0\n").problem
    assert sorted(shuffled.X.ravel()) == [1, 2, 3, 4, 5]
    assert shuffled.X.ravel().tolist() != [1, 2, 3, 4, 5]
    assert np.array_equal(shuffled.P[:, 1], shuffled.X.ravel() % 2)


def test_without_a_batch_size_all_rows_are_one_batch(tmp_path):
    (case, _) = the_cases(tmp_path, DRAWN)
    assert case.batches == [case.problem]


NETWORK = """
title = "a network"
inputs = { random = "normal" }
labels = { random = "normal" }
features = 4
batch_size = 7
classes = 3
step_size = 0.125
cost = "squared-error"
reduction = "mean"
weight_decay = 0.25
seed = 5

[[layers]]
units = 5
weights = { random = "normal" }
bias = { random = "uniform", scale = 0.5 }
activation = "tanh"

[[layers]]
activation = "relu"

[[layers]]
weights = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 2, 3], [4, 5, 6]]
bias = [1, -2, 0.5]
activation = "identity"
"""
OPERATION = """
title = "an operation"
inputs = { random = "normal" }
upstream = { random = "uniform", scale = 2 }
features = 4
batch_size = 7
activation = "gelu"
"""


def test_a_case_of_a_network_knows_it_and_its_work_before_arrays_are_made(tmp_path):
    case = replace(the_case(tmp_path, NETWORK), rows=None)
    layers = Layer("tanh", bias=True), Layer("relu", weights=False), Layer("identity", bias=True)
    assert case.network == Network(layers, "squared-error", "mean", 0.25)
    assert case.work == 7 * (4 * 5 + 5 * 3)
    assert (case.expect.loss, case.expect.post_form) == ("falls", None)
    post = the_case(tmp_path, EXAMPLE)
    assert (post.network, post.work, post.expect.post_form) == (POST, 6, "agrees")


def test_every_array_of_a_network_is_drawn_from_the_stream_of_its_name(tmp_path):
    problem = the_case(tmp_path, NETWORK).problem
    assert list(problem.parameters) == ["W1", "b1", "W3", "b3"]
    assert np.array_equal(problem.W1, draw.values("normal", "W1", 5, (4, 5), 1.0))
    assert np.array_equal(problem.b1, draw.values("uniform", "b1", 5, (5,), 0.5))
    assert problem.W3[1].tolist() == [4, 5, 6]
    assert problem.b3.tolist() == [1, -2, 0.5]
    assert np.array_equal(problem.P, draw.values("normal", "P", 5, (7, 3), 1.0))
    assert (problem.network.cost, problem.h) == ("squared-error", 0.125)


def test_one_layer_draws_from_the_streams_without_a_number(tmp_path):
    text = DRAWN + 'bias = { random = "normal" }\nactivation = "softmax"\n'
    problem = the_case(tmp_path, text).problem
    assert np.array_equal(problem.W, the_case(tmp_path, DRAWN).problem.W)
    assert np.array_equal(problem.b, draw.values("normal", "b", 0, (3,), 1.0))


def test_an_operation_has_an_upstream_gradient_and_no_step(tmp_path):
    case = the_case(tmp_path, OPERATION, "float32")
    problem = case.problem
    assert case.network == Network((Layer("gelu", weights=False),), "upstream", "sum")
    assert np.array_equal(problem.P, draw.values("uniform", "G", 0, (7, 4), 2.0))
    assert (problem.h, problem.h.dtype, dict(problem.parameters)) == (1, "float32", {})
    assert (case.steps, case.work, len(case.batches)) == (1, 28, 1)
    assert (case.expect.loss, case.expect.post_form) == ("any", None)


def test_the_batches_of_a_network_are_of_the_network(tmp_path):
    rows = NETWORK.replace('{ random = "normal" }', "[[1, 2, 3, 4], [5, 6, 7, 8]]", 1)
    case = the_case(tmp_path, rows.replace("batch_size = 7", "batch_size = 1"))
    assert [batch.network for batch in case.batches] == [case.network] * 2
    assert case.batches[1].X.tolist() == [[5, 6, 7, 8]]
    assert np.array_equal(case.batches[1].W3, case.problem.W3)


@pytest.mark.parametrize(("reduction", "large"), [("rows", True), ("mean", True), ("sum", False)])
def test_a_sum_is_not_judged_by_parts_whose_shares_add_up(reduction, large, tmp_path, monkeypatch):
    monkeypatch.setattr("verify.scenario.cases.HELD", 0)
    np.save(tmp_path / "X.npy", np.ones((4, 2), "f4"))
    np.save(tmp_path / "P.npy", np.array([0, 1, 0, 1]))
    text = (
        'title = "files"\ninputs = { file = "X.npy" }\nlabels = { file = "P.npy" }\n'
        f'classes = 2\nstep_size = 0.5\nreduction = "{reduction}"\n'
        '[[layers]]\nunits = 3\nweights = { random = "normal" }\n'
        '[[layers]]\nweights = { random = "normal" }\nactivation = "softmax"\n'
    )
    case = the_case(tmp_path, text)
    assert case.large == large
    normed = text.replace('"softmax"', '"batch-norm"').replace(
        "classes = 2", 'classes = 2\ncost = "squared-error"'
    )
    assert not the_case(tmp_path, normed).large  # no row of it stands alone
    assert sum(len(part.X) for _, part in case.in_parts[0]) == 4
    assert case.in_parts[0].first.network == case.network


def test_a_problem_of_any_network_is_a_case(tmp_path):
    problem = the_case(tmp_path, NETWORK).problem
    case = of_problem(problem)
    assert case.problem is problem
    assert (case.network, case.work) == (problem.network, problem.work)
    part = case.rows(slice(2, 4))
    assert (len(part.X), part.network) == (2, problem.network)
    assert np.array_equal(part.W1, problem.W1)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({"b1": np.full(5, np.inf)}, "b1[0]: not a number of a float64 case (inf), 0 or 2.23e-308"),
        ({"W3": np.full((5, 3), 1e-310)}, "W3[0, 0]: not a number of a float64 case (1e-310)"),
        ({"P": np.full((7, 3), np.nan)}, "P[0, 0]: not a number of a float64 case (nan), 0 or"),
        ({"h": np.float64(-1)}, "h: not a number of a float64 case (-1.0), 2.23e-308 to 1.8e+308"),
    ],
)  # fmt: skip
def test_of_every_array_in_memory_the_first_number_that_no_file_has_is_told(
    numbers, told, tmp_path
):
    problem = the_case(tmp_path, NETWORK).problem.having(**numbers)
    with pytest.raises(ScenarioError, match=re.escape(told)):
        of_problem(problem)


@pytest.mark.parametrize(
    ("cost", "label", "told"),
    [("squared-error", -1, ""), ("squared-error", 0, ""), ("upstream", -1, ""),
     ("binary-cross-entropy", 0, ""),
     ("binary-cross-entropy", 1.5, "P[0, 0]: not a number of a float64 case (1.5), 0 or 2.23e-308"
      " to 1"),
     ("cross-entropy", 0, "P: all labels are 0"),
     ("cross-entropy", -1, "P[0, 0]: not a number of a float64 case (-1.0), 0 or 2.23e-308 to")],
)  # fmt: skip
def test_labels_in_memory_are_those_that_the_cost_takes(cost, label, told, tmp_path):
    problem = the_case(tmp_path, EXAMPLE).problem
    problem = replace(problem, P=np.full((1, 2), float(label)), network=Network(cost=cost))
    if not told:
        assert of_problem(problem).network.cost == cost
        return
    with pytest.raises(ScenarioError, match=re.escape(told)):
        of_problem(problem)


def test_a_problem_in_memory_has_the_limits_of_a_file(tmp_path):
    problem = the_case(tmp_path, NETWORK).problem
    for name, size in (("work", 245), ("numbers", 7 * 4 + 4 * 5 + 5 + 5 * 3 + 3 + 7 * 3)):
        assert of_problem(problem, limits=Limits(**{name: size}))
        with pytest.raises(ScenarioError, match=f"{name} = {size}"):
            of_problem(problem, limits=Limits(**{name: size - 1}))
