from __future__ import annotations

import pytest

from tests.support.texts import DRAWN, EXAMPLE, written
from verify.scenario.load import load
from verify.scenario.sizes import Sizes, sizes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EXAMPLE, Sizes(1, 3, 2, 1)),
        (DRAWN, Sizes(11, 5, 3, 11)),
        (EXAMPLE.replace("[[2, 4, -2]]", "[[2, 4, -2], [1, 1, 1]]").replace("[0]", "[0, 1]")
         + "batch_size = 1\n", Sizes(2, 3, 2, 1)),
    ],
)  # fmt: skip
def test_sizes_come_from_the_matrices_and_else_from_the_parameters(text, expected, tmp_path):
    scenario = load(written(tmp_path, text))
    first = {name: values[0] for name, values in scenario.axes.items()}
    assert sizes(scenario.document, scenario.data, first) == expected
