from __future__ import annotations

import numpy as np

from tests.support.texts import DRAWN, EXAMPLE, the_case, the_cases


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
