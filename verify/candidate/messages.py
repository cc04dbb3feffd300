"""Messages between this process and a candidate's: JSON and .npy bytes, nothing unpickled."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from verify.candidate.exact import Exact
from verify.candidate.examine import Call, Reply
from verify.network.problem import Place
from verify.numbers.dtypes import is_of_numbers, named
from verify.numbers.run import Loss


def request_of(call: Call, size: int) -> dict[str, Any]:
    """A call as JSON; `size` is that of the memory in which its arrays lie."""
    return {
        "do": "call", "size": size,
        "places": {name: vars(place) for name, place in call.places.items()},
        "h": call.h if call.h is None else [np.asarray(call.h).dtype.name, float(call.h).hex()],
        "links": list(call.links), "gradients": list(call.gradients),
        "first": call.first, "kept": call.kept, "backward": call.backward,
        "exactly": call.exactly, "t": call.t,
    }  # fmt: skip


def call_of(request: Mapping[str, Any]) -> Call:
    """The call that a request asks for."""
    places = {
        name: Place(p["dtype"], tuple(p["shape"]), tuple(p["strides"]), p["offset"], p["writeable"])
        for name, p in request["places"].items()
    }
    h = request["h"] and named(request["h"][0]).type(float.fromhex(request["h"][1]))
    names = tuple(request["links"]), tuple(request["gradients"])
    how = {name: request[name] for name in ("first", "kept", "backward", "exactly", "t")}
    return Call(places, h, *names, **how)


class Broken(Exception):
    """A message that is no answer."""


def packed(reply: Reply, number: int) -> bytes:
    """The message of an answer to request `number`."""
    made = io.BytesIO()
    header = {
        "n": number, "links": list(reply.links), "aliased": reply.aliased, "notes": reply.notes,
        "dtypes": [array.dtype.name for array in reply.links.values()],
        "trouble": reply.trouble, "misuse": reply.misuse,
        "exact": {link: exact.losses for link, exact in reply.exact.items()},
    }  # fmt: skip
    made.write(json.dumps(header).encode() + b"\n")
    for array in reply.links.values():
        np.save(made, array, allow_pickle=False)
    for exact in reply.exact.values():
        for name in _EXACT:
            np.save(made, getattr(exact, name), allow_pickle=False)
    return made.getvalue()


def _read(array: Any, dtype: str) -> Any:
    """An array from a file, which has but the bytes of bfloat16."""
    return array.view(named(dtype)) if dtype == "bfloat16" else array


def unpacked(message: bytes, number: int) -> Reply:
    """The answer in a message.

    Raises  Broken for anything else, as an answer to an earlier request.
    """
    file = io.BytesIO(message)
    try:
        header = json.loads(file.readline())
        names = [str(name) for name in header["links"]]
        links = {name: np.load(file, allow_pickle=False) for name in names}
        links = {
            n: _read(a, dtype)
            for (n, a), dtype in zip(links.items(), header["dtypes"], strict=True)
        }
        aliased = tuple((str(link), str(name)) for link, name in header["aliased"])
        notes = tuple(str(note) for note in header["notes"])
        exact = {str(n): _exact(file, losses) for n, losses in header["exact"].items()}
        told = str(header["trouble"]), str(header["misuse"])
        answered = header["n"]
    except (ValueError, KeyError, TypeError, EOFError, MemoryError, RecursionError) as error:
        raise Broken(f"no answer but {type(error).__name__}") from None
    if answered != number:
        raise Broken("an answer that nobody asked for")
    if not all(isinstance(a, np.ndarray) and is_of_numbers(a.dtype) for a in links.values()):
        raise Broken("an answer that is no array of numbers")
    return Reply(links, aliased, notes, *told, exact=exact)


_EXACT = ("hi", "lo", "rad", "error", "lost_by")


def _exact(file: io.BytesIO, losses: list[Any]) -> Exact:
    parts = {name: np.load(file, allow_pickle=False) for name in _EXACT}
    return Exact(losses=tuple(Loss(float(f), str(s), str(p)) for f, s, p in losses), **parts)
