from __future__ import annotations

import pytest

from verify.errors import ScenarioError
from verify.scenario import table

GOOD = "a,b,kind\n1,-2.5,x\n3e2,.5,y\n"


def read(content, limit=1000):
    written = content if isinstance(content, bytes) else content.encode()
    return table.parsed("t.csv", written, limit, f"at most {limit}")


def test_columns_are_read_by_name():
    found = read(GOOD)
    assert len(found) == 2
    assert found.numbers("b") == [-2.5, 0.5]
    assert found.numbers("a") == [1, 300]
    assert found.classes("kind") == ([0, 1], 2)


def test_classes_are_the_sorted_distinct_texts_and_numbers_sort_as_numbers():
    found = read("k\n10\n9\n10\n0\n")
    assert found.classes("k") == ([2, 1, 2, 0], 3)


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        ("", 1, "no rows"),
        ("a,b\n", 1, "no rows"),
        ("a,b\n1,2\n3\n", 3, "a ragged row (1 cells), 2 cells"),
        ("a,b\n1,2,3\n", 2, "a ragged row (3 cells)"),
        ("a,b\n1,\n", 2, "an empty or padded cell"),
        ("a,b\n1, 2\n", 2, "an empty or padded cell"),
        ('a,b\n1,"2"\n', 2, "a quote in a cell"),
        ("a,b\n1,\t2\n", 2, "a tab in a cell"),
        ("a,a\n1,2\n", 1, "a column name twice (a,a)"),
        ("\ufeffa,b\n1,2\n", 1, "a byte order mark"),
        (b"a\n\xff\n", 0, "not UTF-8 (byte 2)"),
        ("a,b\n1,2\n\n", 3, "a ragged row (0 cells)"),
        ("a,b\r1,2\r", 1, "a lone return in a cell"),
        ("a,b\n1,2\0\n", 2, "a null byte in a cell"),
        ("a\n" + "1" * 200_000 + "\n", 2, "not CSV (field larger than field limit"),
        ("a,b\n" + "1,2\n" * 600, 0, "too large (1202 cells), at most 1000"),
    ],
)
def test_what_is_not_strict_csv_is_refused_with_its_line(content, line, sentence):
    with pytest.raises(ScenarioError) as caught:
        read(content)
    assert sentence in str(caught.value)
    assert caught.value.faults[0].line == line


@pytest.mark.parametrize("cell", ["nan", "inf", "1_0", "0x1", "1e", "1.2.3", "+", "x", "1e5e5",
                                  "1;5", "\u0663", "\uff11"])  # fmt: skip
def test_a_cell_that_is_no_decimal_number_is_refused_with_its_line(cell):
    found = read(f"a,b\n1,2\n{cell},2\n")
    with pytest.raises(ScenarioError, match=r"t\.csv:3: a: not a number"):
        found.numbers("a")


@pytest.mark.parametrize(
    ("cell", "what"),
    [("1e400", "beyond float64"), ("-1e400", "beyond"), ("1e-400", "rounds to zero")],
)
def test_a_cell_that_float64_cannot_hold_is_refused_with_its_line(cell, what):
    with pytest.raises(ScenarioError, match=rf"t\.csv:3: a: {what}"):
        read(f"a,b\n1,2\n{cell},2\n").numbers("a")
    assert read("a\n0e-999\n0.0\n").numbers("a") == [0, 0]


def test_carriage_returns_before_newlines_change_nothing():
    assert read(GOOD.replace("\n", "\r\n")).columns == read(GOOD).columns
