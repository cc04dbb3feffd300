"""A .npy file is read whole and right, or refused; nothing in it is ever run."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify import npy
from verify.errors import ScenarioError

MATRIX = np.arange(6.0).reshape(2, 3)


def saved(array, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i4", "<i8"])
@pytest.mark.parametrize("shape", [(2, 3), (6,), (6, 1)])
def test_what_numpy_saves_is_read_bit_for_bit(dtype, shape):
    array = MATRIX.reshape(shape).astype(dtype)
    found = npy.parsed("x.npy", saved(array))
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)
    assert not found.flags.writeable


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(version):
    file = io.BytesIO()
    np.lib.format.write_array(file, MATRIX, version=version)
    assert np.array_equal(npy.parsed("x.npy", file.getvalue()), MATRIX)


def test_headers_as_other_programs_space_them_are_read():
    header = HEADER.replace(" ", "").replace("3)", "3,)")
    assert np.array_equal(npy.parsed("x.npy", with_header(header)), MATRIX)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (MATRIX.astype(">f8"), "of another kind"),
        (MATRIX.astype("<f2"), "of another kind"),
        (MATRIX.astype("<c16"), "of another kind"),
        (MATRIX.astype("<i2"), "of another kind"),
        (MATRIX.astype(bool), "of another kind"),
        (MATRIX.astype("<U3"), "of another kind"),
        (np.zeros(2, [("a", "<f8")]), "a header that is none"),
        (np.asfortranarray(MATRIX), "Fortran order"),
        (np.zeros((0, 3)), "not a matrix or vector"),
        (np.zeros((1, 2, 3)), "not a matrix or vector"),
        (np.array(1.0), "not a matrix or vector"),
        (np.array([[1, np.nan]]), "entry [0, 1] is not finite (nan)"),
        (np.array([[1], [-np.inf]]), "entry [1, 0] is not finite (-inf)"),
    ],
)
def test_other_arrays_are_refused(array, sentence, red):
    assert sentence in str(red(lambda: npy.parsed("x.npy", saved(array)), ScenarioError, "x.npy"))


class Bomb:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def test_a_pickle_is_refused_and_not_run(red):
    content = saved(np.array([Bomb()], dtype=object), allow_pickle=True)
    red(lambda: npy.parsed("x.npy", content), ScenarioError, "of another kind")
    red(lambda: npy.parsed("x.npy", pickle.dumps(Bomb())), ScenarioError, "not a .npy file")
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
        (with_header(HEADER.replace("2, 3", "2, 10**9")), "a header that is none"),
        (with_header(HEADER.replace("2, 3", "2, 100000000000000000")), "of another size"),
        (with_header(HEADER.replace("2, 3", "-2, -3")), "a header that is none"),
        (with_header(HEADER.replace("(2, 3)", "__import__('os')")), "a header that is none"),
        (with_header(HEADER.replace("'<f8'", "'|O'")), "of another kind"),
        (with_header(HEADER.replace("False", "1")), "a header that is none"),
        (with_header("{" * 60_000), "a header that is none"),
        (with_header(HEADER, version=b"\x09\0"), "not a .npy file"),
        (b"\x93NUMPY\1\0\xff\xff" + HEADER.encode(), "a header that is none"),
    ],
)
def test_a_header_that_lies_is_refused_before_memory_is_taken(content, sentence, red):
    assert sentence in str(red(lambda: npy.parsed("x.npy", content), ScenarioError, "x.npy"))


@given(st.integers(0, 150), st.integers(0, 255))
def test_no_damaged_byte_raises_anything_but_a_scenario_error(place, byte):
    content = bytearray(saved(MATRIX))
    content[place % len(content)] = byte
    try:
        found = npy.parsed("x.npy", bytes(content))
    except ScenarioError:
        return
    assert found.size <= 12
