"""A data file is read right, by blocks of rows, or refused; nothing in it is ever run."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


MATRIX = np.arange(6.0).reshape(2, 3)


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """The rows in a file of these bytes."""
    folder = tmp_path_factory.mktemp("npy")

    def call(content):
        path = folder / f"{len(list(folder.iterdir()))}-x.npy"
        path.write_bytes(content)
        return data.opened(path)

    return call


def saved(array, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i4", "<i8"])
@pytest.mark.parametrize("shape", [(2, 3), (6,), (6, 1)])
def test_what_numpy_saves_is_read_bit_for_bit(dtype, shape, parsed):
    array = MATRIX.reshape(shape).astype(dtype)
    found = parsed(saved(array))
    assert (found.dtype, found.shape, len(found)) == (array.dtype, shape, shape[0])
    assert np.array_equal(found[:], array)
    assert np.array_equal(found[1:2], array[1:2])


def test_the_digest_is_that_of_the_whole_file(parsed):
    content = saved(MATRIX)
    assert parsed(content).digest == hashlib.sha256(content).digest()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(version, parsed):
    file = io.BytesIO()
    np.lib.format.write_array(file, MATRIX, version=version)
    assert np.array_equal(parsed(file.getvalue())[:], MATRIX)


def test_headers_as_other_programs_space_them_are_read(parsed):
    header = HEADER.replace(" ", "").replace("3)", "3,)")
    assert np.array_equal(parsed(with_header(header))[:], MATRIX)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (MATRIX.astype(">f8"), "of another kind"),
        (MATRIX.astype("<f2"), "of another kind"),
        (MATRIX.astype("<c16"), "of another kind"),
        (MATRIX.astype("<i2"), "of another kind"),
        (MATRIX.astype(bool), "of another kind"),
        (MATRIX.astype("<U3"), "of another kind"),
        (np.zeros(2, [("a", "<f8")]), "of another kind"),
        (np.asfortranarray(MATRIX), "Fortran order"),
        (np.zeros((0, 3)), "not a matrix or vector"),
        (np.zeros((1, 2, 3)), "not a matrix or vector"),
        (np.array(1.0), "not a matrix or vector"),
        (np.array([[1, np.nan]]), "entry [0, 1] is not finite (nan)"),
        (np.array([[1], [-np.inf]]), "entry [1, 0] is not finite (-inf)"),
    ],
)
def test_other_arrays_are_refused(array, sentence, red, parsed):
    assert sentence in str(red(lambda: parsed(saved(array)), ScenarioError, "x.npy"))


def test_blocks_are_all_rows_each_with_the_number_of_its_first(parsed, monkeypatch):
    monkeypatch.setattr(data, "_BLOCK", 4)
    array = np.arange(15.0).reshape(5, 3)
    blocks = list(parsed(saved(array)).blocks())
    assert [first for first, _ in blocks] == [0, 1, 2, 3, 4]
    assert np.array_equal(np.concatenate([block for _, block in blocks]), array)
    array[4, 2] = np.inf
    with pytest.raises(ScenarioError, match=r"entry \[4, 2\] is not finite \(inf\)"):
        parsed(saved(array))


def test_no_more_of_a_file_is_in_memory_than_a_block(parsed):
    rows = parsed(saved(np.ones((2**17, 40))))
    tracemalloc.start()
    assert sum(float(block.sum()) for _, block in rows.blocks()) == 2**17 * 40
    assert tracemalloc.get_traced_memory()[1] < 2 * 8 * data._BLOCK + 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("change", [
    lambda path, content: path.write_bytes(content + b" "),
    lambda path, content: path.write_bytes(content[:-1]),
    lambda path, content: (path.unlink(), path.write_bytes(content)),
    lambda path, content: os.utime(path, (0, 0)),
    lambda path, content: path.unlink(),
])  # fmt: skip
def test_a_file_that_changes_after_it_was_checked_is_refused(parsed, change):
    rows = parsed(saved(MATRIX))
    other = rows.path.with_name("other")
    other.write_bytes(saved(MATRIX))  # holds the next file's place
    change(rows.path, saved(MATRIX))
    with pytest.raises(ScenarioError, match=r"changed during the run|No such file"):
        rows[:]


class Bomb:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def test_a_pickle_is_refused_and_not_run(red, parsed):
    content = saved(np.array([Bomb()], dtype=object), allow_pickle=True)
    red(lambda: parsed(content), ScenarioError, "not readable .*Python objects")
    red(lambda: parsed(pickle.dumps(Bomb())), ScenarioError, "not a .npy file")
    with pytest.raises(pytest.fail.Exception):  # the counter-test: it would run
        np.load(io.BytesIO(content), allow_pickle=True)


def with_header(header: str, data: bytes = MATRIX.tobytes(), version: bytes = b"\1\0") -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + data


HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a .npy file"),
        (b"PK\3\4", "not a .npy file"),
        (with_header(HEADER)[:-1], "of another size"),
        (with_header(HEADER) + b"x", "of another size"),
        (with_header(HEADER.replace("2, 3", "2, 10**9")), "not readable"),
        (with_header(HEADER.replace("2, 3", "2, 100000000000000000")), "of another size"),
        (with_header(HEADER.replace("2, 3", "-2, -3")), "not readable"),
        (with_header(HEADER.replace("(2, 3)", "__import__('os')")), "not readable"),
        (with_header(HEADER.replace("'<f8'", "'|O'")), "not readable"),
        (with_header(HEADER.replace("2, 3", "4294967296, 4294967296")), "not readable"),
        (with_header(HEADER.replace("<f8", "<a8")), "not readable"),
        (with_header(HEADER.replace("'<f8'", "()")), "not readable"),
        (with_header(HEADER.replace("False", "1")), "not readable"),
        (with_header("{" * 60_000), "not readable"),
        (with_header(HEADER, version=b"\x09\0"), "not readable"),
        (b"\x93NUMPY\1\0\xff\xff" + HEADER.encode(), "not readable"),
    ],
)
def test_a_header_that_lies_is_refused_before_memory_is_taken(content, sentence, red, parsed):
    assert sentence in str(red(lambda: parsed(content), ScenarioError, "x.npy"))


@given(st.integers(0, 150), st.integers(0, 255))
def test_no_damaged_byte_raises_anything_but_a_scenario_error(parsed, place, byte):
    content = bytearray(saved(MATRIX))
    content[place % len(content)] = byte
    try:
        found = parsed(bytes(content))
    except ScenarioError:
        return
    assert found[:].size <= 12
