"""What cannot be read or written is said before anything is judged, or at least plainly."""

from __future__ import annotations

import pytest

from verify.errors import UsageError
from verify.files import contents, destination, write


def test_a_file_that_cannot_be_read_is_an_error_of_usage(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff")
    assert contents(tmp_path / "x") == b"\xff"
    with pytest.raises(UsageError, match=r"absent\.json cannot be read: No such file"):
        contents(tmp_path / "absent.json")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        contents(tmp_path)


def test_a_destination_is_a_file_in_a_folder_that_exists(tmp_path, monkeypatch):
    assert destination(str(tmp_path / "x.json")) == tmp_path / "x.json"
    monkeypatch.chdir(tmp_path)
    assert str(destination("x.json")) == "x.json"
    for name in (str(tmp_path), "absent/x.json", "."):
        with pytest.raises(UsageError, match="cannot be written: give a file in a folder that"):
            destination(name)


def test_text_is_written_as_utf_8_and_bytes_as_they_are(tmp_path):
    write(tmp_path / "t", "\u2264")
    write(tmp_path / "b", b"\x00")
    assert (tmp_path / "t").read_bytes() == b"\xe2\x89\xa4"
    assert (tmp_path / "b").read_bytes() == b"\x00"
    with pytest.raises(UsageError, match="cannot be written: Is a directory"):
        write(tmp_path, "text")
