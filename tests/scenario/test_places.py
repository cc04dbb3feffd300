from __future__ import annotations

import sys

import pytest

from verify.scenario.places import Places

TEXT = """title = "x"  # a comment
inputs = [[1, 2], # another
  [3, "é", 4]]
labels = { file = "é", column = "b" }
vary.dtype = ["a", "b"]
[expect]
"loss" = "falls"
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("title",), (1, 1), (1, 9)),
        (("inputs", 0, 1), (2, 15), (2, 15)),
        (("inputs", 1, 2), (3, 12), (3, 12)),
        (("labels", "column"), (4, 24), (4, 33)),
        (("vary", "dtype", 1), (5, 20), (5, 20)),
        (("expect",), (6, 2), (6, 1)),
        (("expect", "loss"), (7, 1), (7, 10)),
        (("expect", "absent"), (6, 1), (6, 1)),
        (("absent",), (1, 1), (1, 1)),
    ],
)
def test_keys_and_values_have_a_line_and_a_column(path, key, value):
    places = Places(TEXT)
    assert places.key(path) == key
    assert places.value(path) == value


def test_without_the_grammar_nothing_has_a_place(monkeypatch):
    monkeypatch.setitem(sys.modules, "tree_sitter_toml", None)
    assert Places(TEXT).value(("title",)) == (0, 0)
