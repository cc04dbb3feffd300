from __future__ import annotations

import pytest

from tests.support.texts import DRAWN, EXAMPLE, written
from verify.scenario.load import load
from verify.scenario.sizes import Sizes, sizes


def of_post(N, D, K):
    return {"X": (N, D), "W": (D, K), "P": (N, K)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EXAMPLE, Sizes(of_post(1, 3, 2), 1)),
        (DRAWN, Sizes(of_post(11, 5, 3), 11)),
        (EXAMPLE.replace("[[2, 4, -2]]", "[[2, 4, -2], [1, 1, 1]]").replace("[0]", "[0, 1]")
         + "batch_size = 1\n", Sizes(of_post(2, 3, 2), 1)),
    ],
)  # fmt: skip
def test_sizes_come_from_the_matrices_and_else_from_the_parameters(text, expected, tmp_path):
    scenario = load(written(tmp_path, text))
    first = {name: values[0] for name, values in scenario.axes.items()}
    assert sizes(scenario.document, scenario.data, first) == expected


def test_sizes_are_the_shapes_of_all_arrays_and_what_follows_from_them():
    shapes = {"X": (7, 4), "W1": (4, 5), "b1": (5,), "W2": (5, 3), "P": (7, 3)}
    at = Sizes(shapes, 7)
    assert (at.N, at.D, at.K) == (7, 4, 3)
    assert at.weights == {"W1": (4, 5), "W2": (5, 3)}
    assert (at.work, at.numbers) == (7 * (4 * 5 + 5 * 3), 28 + 20 + 5 + 15 + 21)
    assert Sizes({"X": (7, 4), "G": (7, 4)}, 7).work == 28  # of a network without weights
