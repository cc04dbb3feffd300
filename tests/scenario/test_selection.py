from __future__ import annotations

import pytest

from verify.errors import UsageError
from verify.scenario.selection import matching

ID = "scenarios/batch-sizes.toml::batch_size=7-seed=0-dtype=float32"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("batch", True),
        ("FLOAT32", True),
        ("batch_size=7", True),
        ("batch_size=8", False),
        ("batch and float64", False),
        ("batch and not float64", True),
        ("wine or float32", True),
        ("not (wine or float32)", False),
        ("wine or batch and seed=0", True),
        ("(wine or batch) and seed=1", False),
        ("not not batch", True),
    ],
)
def test_an_expression_selects_by_words_of_the_id(expression, expected):
    assert matching(expression)(ID) == expected


@pytest.mark.parametrize(
    "expression", ["and", "a and", "not", "(a", "a)", "a b", "a or or b", "()"]
)
def test_what_does_not_read_is_refused(expression):
    with pytest.raises(UsageError, match="does not read"):
        matching(expression)
