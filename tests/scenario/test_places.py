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


LAYERS = """title = "x"
[[layers]]
units = 2
bias = [1, 2]
[layers.weights]
random = "normal"
[[layers]]
weights = [[1, 2],
  [3, "4"]]
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("layers",), (2, 3), (2, 1)),
        (("layers", 0, "units"), (3, 1), (3, 9)),
        (("layers", 0, "bias", 1), (4, 12), (4, 12)),
        (("layers", 0, "weights", "random"), (6, 1), (6, 10)),
        (("layers", 1), (7, 3), (7, 1)),
        (("layers", 1, "weights", 1, 1), (9, 7), (9, 7)),
        (("layers", 1, "units"), (7, 1), (7, 1)),
    ],
)
def test_a_table_of_an_array_has_its_own_keys(path, key, value):
    assert Places(LAYERS).key(path) == key
    assert Places(LAYERS).value(path) == value


def test_tables_in_a_list_have_their_places_too():
    places = Places("layers = [{ units = 2 }, { bias = [1] }]\n")
    assert places.key(("layers", 1, "bias")) == (1, 28)
