from __future__ import annotations

import os

import pytest

from verify.errors import ScenarioError
from verify.scenario import data


def read(folder, name, limit=10):
    path = data.located(folder, name, f"at most {limit}", limit)
    return data.regular(path, f"at most {limit}", limit)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "t.csv").write_bytes(b"a\n1\n")
    (tmp_path / "x.npy").write_bytes(b"x" * 10)
    return tmp_path


def test_a_plain_name_below_the_folder_is_read(folder):
    assert read(folder, "data/t.csv") == b"a\n1\n"
    assert read(folder, "x.npy") == b"x" * 10


@pytest.mark.parametrize(
    "name",
    ["../t.csv", "/t.csv", "a/../t.csv", "~/t.csv", "t", "t.csv\0", "", "a//t.csv", "C:t.csv",
     "C:\\t.csv", "http://x/t.csv", "t.npz", "t.CSV", ".t.csv", "data/.t.csv", "t.csv\n", "é.csv"],
)  # fmt: skip
def test_a_name_that_is_not_plain_and_relative_is_refused(name, folder):
    with pytest.raises(ScenarioError, match="not a plain relative name"):
        read(folder, name)


def test_links_are_not_followed(folder):
    (folder / "link.csv").symlink_to(folder / "data" / "t.csv")
    (folder / "inside").symlink_to(folder / "data")
    (folder / "loop").symlink_to(folder / "loop")
    for name in ("link.csv", "inside/t.csv", "loop/t.csv"):
        with pytest.raises(ScenarioError, match="a symbolic link"):
            read(folder, name)


def test_what_is_not_a_regular_file_of_bounded_size_is_not_read(folder):
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    for name in ("folder.csv", "pipe.csv"):
        with pytest.raises(ScenarioError, match="not a regular file"):
            read(folder, name)
    with pytest.raises(ScenarioError, match=r"too large \(10 bytes\), at most 9"):
        read(folder, "x.npy", 9)
    with pytest.raises(ScenarioError, match=r"cannot be read \(No such file"):
        read(folder, "absent.csv")


def test_a_file_that_is_only_located_is_looked_at_all_the_same(folder):
    """What stays on disk is never read as a whole, and must be small and regular, too."""
    (folder / "folder.npy").mkdir()
    for name, limit, why in (("x.npy", 9, "too large"), ("folder.npy", 10, "not a regular file"),
                             ("absent.npy", 10, "cannot be read")):  # fmt: skip
        with pytest.raises(ScenarioError, match=why):
            data.located(folder, name, f"at most {limit}", limit)


def test_a_file_that_goes_away_after_it_was_found_is_told(folder, red):
    path = data.located(folder, "x.npy", "", 10)
    path.unlink()
    red(lambda: data.regular(path, "", 10), ScenarioError, "cannot be read")


def test_text_is_utf_8_without_a_mark():
    assert data.decoded("p", "é".encode()) == "é"
    for content, what in ((b"\xff", r"not UTF-8 \(byte 0\)"), (b"\xef\xbb\xbfa", "byte order")):
        with pytest.raises(ScenarioError, match=what):
            data.decoded("p", content)
