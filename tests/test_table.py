from __future__ import annotations

import pytest

from verify import table
from verify.errors import ScenarioError

GOOD = "a,b,kind\n1,-2.5,x\n3e2,.5,y\n"


def read(folder, content, name="t.csv"):
    (folder / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return table.read(folder, name)


def test_columns_are_read_by_name(tmp_path):
    found = read(tmp_path, GOOD)
    assert len(found) == 2
    assert found.numbers("b") == [-2.5, 0.5]
    assert found.numbers("a") == [1, 300]
    assert found.classes("kind") == ([0, 1], 2)


def test_classes_are_the_sorted_distinct_texts_and_numbers_sort_as_numbers(tmp_path):
    found = read(tmp_path, "k\n10\n9\n10\n0\n")
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
    ],
)
def test_what_is_not_strict_csv_is_refused_with_its_line(content, line, sentence, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        read(tmp_path, content)
    assert sentence in str(caught.value)
    assert caught.value.faults[0].line == line


@pytest.mark.parametrize("cell", ["nan", "inf", "1_0", "0x1", "1e", "1.2.3", "+", "x", "1e5e5"])
def test_a_cell_that_is_no_decimal_number_is_refused_with_its_line(cell, tmp_path):
    found = read(tmp_path, f"a,b\n1,2\n{cell},2\n")
    with pytest.raises(ScenarioError, match=r"t\.csv:3: a: not a number"):
        found.numbers("a")


@pytest.mark.parametrize(
    "name",
    ["../t.csv", "/t.csv", "a/../t.csv", "~/t.csv", "t", "t.csv\0", "", "a//t.csv", "C:t.csv"],
)
def test_a_name_that_is_not_plain_and_relative_is_refused(name, tmp_path):
    with pytest.raises(ScenarioError, match="not a plain relative name"):
        read(tmp_path, GOOD, name)


def test_links_are_not_followed(tmp_path):
    read(tmp_path, GOOD)
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    (tmp_path / "inside").symlink_to(tmp_path)
    for name in ("link.csv", "inside/t.csv"):
        with pytest.raises(ScenarioError, match="a symbolic link"):
            table.read(tmp_path, name)


def test_what_is_not_a_regular_file_of_bounded_size_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ScenarioError, match="not a regular file"):
        table.read(tmp_path, "folder.csv")
    monkeypatch.setattr(table, "MAX_BYTES", 5)
    with pytest.raises(ScenarioError, match="too large"):
        read(tmp_path, GOOD)
    with pytest.raises(ScenarioError, match="cannot be read"):
        table.read(tmp_path, "absent.csv")
