"""A stranger's function in the process where it runs: one call at a time, and what it did besides.

The arrays that it gets lie in memory that whoever asks can read, so that a change of them is seen
from outside. What it changes of the process is put back and told, and so is what it prints.
"""

from __future__ import annotations

import difflib
import sys
import sysconfig
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from verify.candidate.load import BACKWARD, Function, Misuse, adapted
from verify.candidate.undisturbed import RunInterrupted, own_interrupts, undisturbed
from verify.errors import Terminated
from verify.network.problem import LINKS, PAGE, Place

_MEANT = {"dw": "dC_dW", "grad": "dC_dW", "gradient": "dC_dW", "loss": "C", "cost": "C",
          "w": "W_next", "w_new": "W_next"}  # fmt: skip
_LONGEST = 500  # characters of an error that are told


@dataclass(frozen=True)
class Call:
    """One call: where its arrays lie, and h.

    `first`: its answer is the one that is recalled later; `kept`: the very array objects of the
    call before, whose numbers may have changed; `backward`: not the function itself is asked but
    other gradients of its graph, named as in BACKWARD.
    """

    places: Mapping[str, Place]
    h: Any
    first: bool = False
    kept: bool = False
    backward: bool = False


@dataclass(frozen=True, eq=False)
class Reply:
    """What came back: arrays by link, or by the name of another gradient.

    `aliased` has each link that shares memory with an input, and that input; `notes` are told but
    break nothing; `trouble` says why there is no answer, `misuse` why this can be no candidate.
    """

    links: Mapping[str, Any] = field(default_factory=dict)
    aliased: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""
    misuse: str = ""
    timed_out: bool = False


class Session:
    """Calls of one function in this process.

    `memory` is where the next call's arrays are to be put; `reply` makes the call; `recalled` is
    the first answer, as it is now.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.differentiated = function.backward is not None
        self._memory: Any = np.empty(0, np.uint8)
        self._given: dict[str, Any] = {}
        self._first: Mapping[str, Any] = {}

    def memory(self, size: int) -> Any:
        """At least so many bytes, aligned to a page."""
        if self._memory.size < size:
            wide = np.empty(size + PAGE, np.uint8)
            self._memory = wide[-wide.ctypes.data % PAGE :][:size]
        return self._memory.data

    def reply(self, call: Call) -> Reply:
        """The function's answer; whatever it raises is told, not raised."""
        return self.answered(call, self._memory.data)

    def answered(self, call: Call, memory: Any) -> Reply:
        """The same, of arrays in some memory."""
        if not call.kept:
            self._given = {name: place.of(memory) for name, place in call.places.items()}
        given, notes = {**self._given, "h": call.h}, dict[str, None]()
        try:
            with np.errstate(all="ignore"), undisturbed(notes), own_interrupts():
                if call.backward:
                    return self._backward(given, notes)
                links = _links(self.function.call(given))
        except Misuse as misuse:
            return Reply(notes=tuple(notes), trouble=str(misuse), misuse=str(misuse))
        except (RunInterrupted, Terminated):  # of this run, not of the function
            raise
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # it may raise anything
            return Reply(
                notes=tuple(notes),
                trouble=_raised(error),
                misuse=_wanted(self.function, given, error),
            )
        if call.first:
            self._first = links
        aliased = tuple(
            (link, name)
            for link, value in links.items()
            for name, array in self._given.items()
            if np.may_share_memory(value, array) and np.shares_memory(value, array)
        )
        return Reply({n: np.array(a) for n, a in links.items()}, aliased, tuple(notes))

    def _backward(self, given: Mapping[str, Any], notes: Mapping[str, None]) -> Reply:
        found = self.function.backward(given) if self.function.backward else {}
        arrays = {name: np.array(_array(found[name])) for name in BACKWARD if name in found}
        return Reply(arrays, notes=tuple(notes))

    def recalled(self) -> Reply:
        """The first answer, as it is now."""
        return Reply({n: np.array(a) for n, a in self._first.items()})

    def close(self) -> None:
        """Forget what was given and answered."""
        self._given, self._first = {}, {}


def _links(raw: Any) -> dict[str, Any]:
    """An answer as arrays by link: dC_dW alone, or a mapping of link names.

    Raises  Misuse for anything else.
    """
    if isinstance(raw, Mapping):
        strangers = [str(key) for key in raw if key not in LINKS]
        if strangers:
            meant = {**_MEANT, **{link.lower(): link for link in LINKS}}
            near = difflib.get_close_matches(strangers[0].lower(), meant, 1)
            guess = f"; did you mean {meant[near[0]]}?" if near else ""
            raise Misuse(
                f"unknown link {strangers[0]!r} in its answer; the links are {', '.join(LINKS)}"
                f"{guess}"
            )
        given = {link: _array(raw[link]) for link in LINKS if raw.get(link) is not None}
        if not given:
            raise Misuse(f"its answer is an empty mapping; give at least one of {', '.join(LINKS)}")
        return given
    return {"dC_dW": _array(raw)}


def _array(value: Any) -> Any:
    """What numpy.asarray or DLPack takes, as an array; a tensor without its graph.

    Raises  Misuse for what is no array of numbers.
    """
    alone = 'return dC_dW alone, or links by their names as {"C": C, "dC_dW": dC_dW}'
    if value is None:
        raise Misuse(f"it returns None; {alone}")
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray):
        return np.from_dlpack(value)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # of parts that make no array together
        kind = type(value).__name__
        count = f" of {len(value)}" if hasattr(value, "__len__") else ""
        shapes = ", ".join(str(np.shape(part)) for part in value) if _is_flat(value) else ""
        what = f" (shapes {shapes})" if shapes else ""
        raise Misuse(f"it returns a {kind}{count}{what}; {alone}") from None
    if array.dtype.kind not in "fiub":
        what = f"{type(value).__name__} of dtype {array.dtype}"
        raise Misuse(f"it returns {what}, which is no array of numbers; {alone}")
    return array


def _is_flat(value: Any) -> bool:
    """Whether its parts have shapes that can be told."""
    if not isinstance(value, tuple | list) or len(value) > 8:
        return False
    return all(hasattr(part, "shape") or np.isscalar(part) for part in value)


def _raised(error: BaseException) -> str:
    """An exception with the line of the stranger's own code that it came from."""
    text = ": ".join(filter(None, [type(error).__name__, str(error)]))[:_LONGEST]
    here = Path(__file__).parents[1]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(here)
    ]
    own = [f for f in frames if not any(Path(f.filename).is_relative_to(p) for p in _LIBRARIES)]
    if not (own or frames):
        return text
    frame = (own or frames)[-1]
    path, folder = Path(frame.filename), Path.cwd()
    shown = path.relative_to(folder) if path.is_relative_to(folder) else path
    return f"{text}, at {shown}:{frame.lineno}"


_LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))


def _wanted(function: Function, given: Mapping[str, Any], error: BaseException) -> str:
    """That a function which does not take NumPy arrays takes torch tensors, if it does."""
    may = isinstance(error, TypeError | AttributeError) and "torch" in sys.modules
    if function.raw is None or not may:
        return ""
    try:
        with undisturbed({}):
            _links(adapted(function.raw, "torch").call(given))
    except Exception:  # it does not take tensors either, and what it raised at first is told
        return ""
    return "it takes torch tensors: add --candidate-arrays torch"
