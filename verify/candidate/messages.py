"""Messages between this process and a candidate's: JSON and .npy bytes, nothing unpickled."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from verify.candidate.examine import Call, Reply
from verify.network.problem import Place


def request_of(call: Call, size: int) -> dict[str, Any]:
    """A call as JSON; `size` is that of the memory in which its arrays lie."""
    return {
        "do": "call", "size": size,
        "places": {name: vars(place) for name, place in call.places.items()},
        "h": call.h if call.h is None else [np.asarray(call.h).dtype.str, float(call.h).hex()],
        "links": list(call.links), "gradients": list(call.gradients),
        "first": call.first, "kept": call.kept, "backward": call.backward,
        "t": call.t,
    }  # fmt: skip


def call_of(request: Mapping[str, Any]) -> Call:
    """The call that a request asks for."""
    places = {
        name: Place(p["dtype"], tuple(p["shape"]), tuple(p["strides"]), p["offset"], p["writeable"])
        for name, p in request["places"].items()
    }
    h = request["h"] and np.dtype(request["h"][0]).type(float.fromhex(request["h"][1]))
    names = tuple(request["links"]), tuple(request["gradients"])
    how = (request[word] for word in ("first", "kept", "backward", "t"))
    return Call(places, h, *names, *how)


class Broken(Exception):
    """A message that is no answer."""


def packed(reply: Reply, number: int) -> bytes:
    """The message of an answer to request `number`."""
    made = io.BytesIO()
    header = {
        "n": number, "links": list(reply.links), "aliased": reply.aliased, "notes": reply.notes,
        "trouble": reply.trouble, "misuse": reply.misuse,
    }  # fmt: skip
    made.write(json.dumps(header).encode() + b"\n")
    for array in reply.links.values():
        np.save(made, array, allow_pickle=False)
    return made.getvalue()


def unpacked(message: bytes, number: int) -> Reply:
    """The answer in a message.

    Raises  Broken for anything else, as an answer to an earlier request.
    """
    file = io.BytesIO(message)
    try:
        header = json.loads(file.readline())
        names = [str(name) for name in header["links"]]
        links = {name: np.load(file, allow_pickle=False) for name in names}
        aliased = tuple((str(link), str(name)) for link, name in header["aliased"])
        notes = tuple(str(note) for note in header["notes"])
        told = str(header["trouble"]), str(header["misuse"])
        answered = header["n"]
    except (ValueError, KeyError, TypeError, EOFError, MemoryError, RecursionError) as error:
        raise Broken(f"no answer but {type(error).__name__}") from None
    if answered != number:
        raise Broken("an answer that nobody asked for")
    if not all(isinstance(a, np.ndarray) and a.dtype.kind in "fiub" for a in links.values()):
        raise Broken("an answer that is no array of numbers")
    return Reply(links, aliased, notes, *told)
