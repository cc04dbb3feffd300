"""A message is an answer, bit for bit, or it is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from verify.candidate.examine import Call, Reply
from verify.candidate.messages import Broken, call_of, packed, request_of, unpacked
from verify.network.problem import placed
from verify.numbers.dtypes import nearest
from verify.numbers.rounding import MODELS


def test_an_answer_is_the_same_on_the_other_side():
    links = {"y": np.array([[1.5, -0.0]], np.float32), "C": np.float64(0.1)[()]}
    reply = Reply(links, (("y", "X"),), ("a note",), "trouble", "misuse")
    found = unpacked(packed(reply, 7), 7)
    assert {n: (a.dtype, a.tobytes()) for n, a in found.links.items()} == {
        n: (a.dtype, a.tobytes()) for n, a in links.items()
    }
    assert (found.aliased, found.notes) == (reply.aliased, reply.notes)
    assert (found.trouble, found.misuse) == ("trouble", "misuse")


def test_an_answer_of_bfloat16_is_one_on_the_other_side_too():
    g = nearest([[1.5, -0.1]], "bfloat16")
    found = unpacked(packed(Reply({"C": np.float64(1), "dC_dW": g}), 1), 1).links
    assert found["dC_dW"].dtype == g.dtype
    assert found["dC_dW"].tobytes() == g.tobytes()
    assert found["C"].dtype == np.float64


@pytest.mark.parametrize("dtype", MODELS)
def test_a_call_is_the_same_on_the_other_side(dtype):
    places = {"X": placed(nearest(np.zeros((2, 3)), dtype), "slice", 5)[0]}
    call = Call(places, nearest(0.1, dtype)[()], first=True, kept=False, backward=True, t=4)
    found = call_of(json.loads(json.dumps(request_of(call, 99))))
    assert found == call
    assert found.h.dtype == dtype


HEADER = {"n": 1, "links": [], "dtypes": [], "aliased": [], "notes": [],
          "trouble": "", "misuse": "", "exact": {}}  # fmt: skip


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"", "JSONDecodeError"),
        (b"[" * 9999, "RecursionError|JSONDecodeError"),
        (b"{}", "KeyError"),
        (b"[]", "TypeError"),
        (json.dumps({**HEADER, "n": 2}).encode(), "nobody asked for"),
        (json.dumps({**HEADER, "links": ["y"]}).encode(), "no answer but"),
        (json.dumps({**HEADER, "links": ["y"]}).encode() + b"\n\x80\x04.", "ValueError"),
        (json.dumps({**HEADER, "aliased": [["y"]]}).encode(), "ValueError"),
        (b"\xff\xfe", "UnicodeDecodeError|JSONDecodeError"),
    ],
)
def test_anything_else_is_refused(message, told):
    with pytest.raises(Broken, match=told):
        unpacked(message, 1)


def test_an_array_that_holds_no_numbers_is_refused():
    text = packed(Reply({"y": np.array(["a"])}), 1)
    with pytest.raises(Broken, match="no array of numbers"):
        unpacked(text, 1)
