"""What cannot be read or written is said before anything is judged, or at least plainly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from verify.errors import UsageError
from verify.files import contents, create, destination, shadowed, writable, write


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


def test_what_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "x"
    write(path, "before")

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        write(path, "after")
    with pytest.raises(UsageError, match="cannot be written"):
        create(tmp_path / "new", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert path.read_text() == "before"


def test_a_new_file_takes_no_others_place(tmp_path):
    create(tmp_path / "x", "\u2264")
    assert (tmp_path / "x").read_bytes() == b"\xe2\x89\xa4"
    with pytest.raises(UsageError, match="exists already"):
        create(tmp_path / "x", "other")


def test_a_device_is_written_and_not_replaced_and_a_link_is_followed(tmp_path):
    write(Path(os.devnull), "text")
    assert not Path(os.devnull).is_file()
    write(tmp_path / "real", "a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link", "b")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "b"


def test_a_folder_that_is_read_only_or_absent_is_told_before_the_work(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="no such folder; make it"):
        writable(tmp_path / "absent")
    monkeypatch.setattr("os.access", lambda *_: False)
    for call in (lambda: writable(tmp_path), lambda: destination(str(tmp_path / "x"))):
        with pytest.raises(UsageError, match="takes no files: it is read-only"):
            call()


def test_a_checkout_that_is_not_what_runs_is_told(tmp_path):
    assert shadowed(tmp_path) == ""
    (tmp_path / "verify" / "network").mkdir(parents=True)
    assert "not of ./verify" in shadowed(tmp_path)
    assert "pip install -e ." in shadowed(tmp_path)


def test_the_checkout_itself_is_not():
    assert shadowed(Path(__file__).parent.parent) == ""
