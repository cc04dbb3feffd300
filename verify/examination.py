"""What is asked of a stranger's function besides its numbers, in whatever process it runs.

It gets private copies. It is called on the problem, on other data of the same shape, and on the
problem again; then, if asked, with X in other memory layouts and read-only. What it changes of the
process is put back and told.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import pickle
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.chain import LINKS
from verify.layout import laid_out, same_layout


@dataclass(frozen=True, eq=False)
class Inputs:
    """One examination: the problem, other inputs of the same shape, and what to try.

    Shapes  X, X_other (N, D), W (D, K), P (N, K), h ().
    """

    X: Any
    W: Any
    P: Any
    h: Any
    X_other: Any = None
    layouts: tuple[str, ...] = ()
    calls: int = 3


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back: links on the problem, on the other data, and dC_dW per layout.

    `faults` are broken promises, each a sentence that names its check first; `notes` are told but
    break nothing; `trouble` says why there is no answer.
    """

    links: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)
    layouts: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""


def examine(
    function: Callable[..., Any], inputs: Inputs, called: Callable[[], None] = lambda: None
) -> Answer:
    """Call the function as the module's docstring says, and tell everything that was seen.

    `called` is called after every call: a sign of life.
    """
    seen = _Seen(called)
    try:
        with np.errstate(all="ignore"), _undisturbed(seen):
            first = seen.call(function, inputs, inputs.X)
            links, kept = dict(first), {n: np.array(a) for n, a in first.items()}
            other: dict[str, Any] = {}
            if inputs.calls > 1 and inputs.X_other is not None:
                other = seen.call(function, inputs, inputs.X_other)
                seen.later(links, kept)
            if inputs.calls > 2:
                again = seen.call(function, inputs, inputs.X)
                seen.repeated(kept, again)
            layouts = {n: seen.laid_out(function, inputs, n) for n in inputs.layouts}
    except Exception as error:  # a stranger's function may raise anything, and that is told
        text = f"{type(error).__name__}: {error}"
        return Answer(faults=tuple(seen.faults), notes=tuple(seen.notes), trouble=text[:500])
    return Answer(kept, other, layouts, tuple(seen.faults), tuple(seen.notes))


class _Seen:
    """The faults and notes of one examination."""

    def __init__(self, called: Callable[[], None]) -> None:
        self.called = called
        self.faults: dict[str, None] = {}
        self.notes: dict[str, None] = {}

    def call(self, function: Callable[..., Any], inputs: Inputs, X: Any) -> dict[str, Any]:
        """One call on private copies, which must come back unchanged and unshared."""
        return self._call(function, same_layout(X, X), inputs)

    def laid_out(self, function: Callable[..., Any], inputs: Inputs, layout: str) -> Any:
        X = laid_out(inputs.X, layout)
        X.flags.writeable = layout != "read-only"
        try:
            found = self._call(function, X, inputs)
        except Exception as error:  # told as any other, with the layout that it happened in
            raise RuntimeError(f"with X {layout}: {type(error).__name__}: {error}") from error
        return found.get("dC_dW")

    def _call(self, function: Any, X: Any, inputs: Inputs) -> dict[str, Any]:
        given = {"X": X, "W": inputs.W.copy(), "P": inputs.P.copy()}
        before = {name: a.tobytes() for name, a in given.items()}
        h = inputs.h[()]
        raw = function(*given.values(), h) if _takes_h(function) else function(*given.values())
        self.called()
        links = _links(raw)
        for name, a in given.items():
            if a.tobytes() != before[name]:
                self.faults[f"mutated: {name} was changed in place; work on a copy"] = None
        for link, value in links.items():
            for name, a in given.items():
                if np.may_share_memory(value, a) and np.shares_memory(value, a):
                    self.faults[f"aliased: {link} shares memory with {name}; return a copy"] = None
        return links

    def later(self, links: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
        for link, value in links.items():
            if _bits(value) != _bits(kept[link]):
                text = f"reused: {link} of an earlier call was changed by a later one"
                self.faults[f"{text}; return fresh memory"] = None

    def repeated(self, kept: Mapping[str, Any], again: Mapping[str, Any]) -> None:
        for link, value in kept.items():
            if link not in again or _bits(value) != _bits(again[link]):
                text = f"repeat: the same call twice gives other bits in {link}"
                self.faults[f"{text}; is a state kept between calls?"] = None
                return


def _links(raw: Any) -> dict[str, Any]:
    """An answer as arrays by link: dC_dW alone, or a mapping of link names."""
    if isinstance(raw, Mapping):
        strangers = [str(key) for key in raw if key not in LINKS]
        if strangers:
            raise KeyError(f"unknown link {strangers[0]!r}; allowed are {', '.join(LINKS)}")
        if not raw:
            raise KeyError(f"an empty mapping; give at least one of {', '.join(LINKS)}")
        return {link: _array(raw[link]) for link in LINKS if link in raw}
    return {"dC_dW": _array(raw)}


def _array(value: Any) -> Any:
    """What numpy.asarray or DLPack takes, as an array; a tensor without its graph."""
    if value is None:
        raise TypeError("None is no answer; return dC_dW, or a mapping of link names to arrays")
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray):
        return np.from_dlpack(value)
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{type(value).__name__} of dtype {array.dtype} is no array of numbers")
    return array


def _takes_h(function: Any) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return len(parameters) != 3 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def _bits(value: Any) -> bytes:
    return np.ascontiguousarray(value).tobytes()


@contextmanager
def _undisturbed(seen: _Seen) -> Iterator[None]:
    """What the function changes of the process is put back, and told; so is what it prints."""
    watched = _watched()
    before = {name: get() for name, (get, _) in watched.items()}
    with tempfile.TemporaryFile() as printed:
        sys.stdout.flush()
        saved = os.dup(1)
        os.dup2(printed.fileno(), 1)  # for what C prints
        stdout = os.fdopen(os.dup(1), "w", buffering=1)
        try:
            with stdout, contextlib.redirect_stdout(stdout):
                yield
        finally:
            os.dup2(saved, 1)
            os.close(saved)
            printed.seek(0)
            text = printed.read(60).decode(errors="replace")
            if text:
                seen.notes[f"it prints {text!a}"] = None
            for name, (get, put_back) in watched.items():
                if pickle.dumps(get()) != pickle.dumps(before[name]):
                    seen.notes[f"it changes {name}, which was put back"] = None
                    put_back(before[name])


def _watched() -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """The state of a process that one case could leave behind for the next: how to read and set."""
    watched: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
        "the working directory": (os.getcwd, os.chdir),
        "np.seterr": (np.geterr, lambda kinds: np.seterr(**kinds)),
        "random's state": (random.getstate, random.setstate),
        "numpy.random's state": (np.random.get_state, np.random.set_state),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        watched["torch's default dtype"] = (torch.get_default_dtype, torch.set_default_dtype)
        watched["torch's random state"] = (
            lambda: torch.get_rng_state().numpy().tobytes(),
            lambda state: torch.set_rng_state(
                torch.frombuffer(bytearray(state), dtype=torch.uint8)
            ),
        )
    return watched
