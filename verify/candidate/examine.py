"""A stranger's function in the process where it runs: one call at a time, and what it did besides.

The arrays that it gets lie in memory that whoever asks can read, so that a change of them is seen
from outside. What it changes of the process is put back and told, and so is what it prints.
"""

from __future__ import annotations

import difflib
import sys
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from verify.candidate.arguments import Misuse
from verify.candidate.exact import Exact
from verify.candidate.load import Function, adapted
from verify.candidate.undisturbed import RunInterrupted, own_interrupts, undisturbed
from verify.errors import Terminated
from verify.network.given import called_with
from verify.network.network import POST, Network
from verify.network.problem import LINKS, PAGE, Place
from verify.network.twin import array as of_tensor
from verify.numbers.dtypes import is_of_numbers

_LONGEST = 500  # characters of an error that are told


@dataclass(frozen=True)
class Call:
    """One call: where its arrays lie, in the order in which they are given; and what it may give.

    h is None where there is no step, t where its update keeps nothing. `links` are the network's,
    `gradients` those of them that a bare answer holds, in order. `first`: its answer is the one
    that is recalled later; `kept`: the very array objects of the call before, whose numbers may
    have changed; `backward`: not the function itself is asked but other gradients of its graph,
    named as load.Function says; `exactly`: it is run in exact arithmetic. `network` is told to a
    program alone: a function has its parameters.
    """

    places: Mapping[str, Place]
    h: Any
    links: Sequence[str] = LINKS
    gradients: Sequence[str] = ("dC_dW",)
    first: bool = False
    kept: bool = False
    backward: bool = False
    exactly: bool = False
    t: int | None = None
    network: Network = POST


@dataclass(frozen=True, eq=False)
class Reply:
    """What came back: arrays by link, or by the name of another gradient.

    `aliased` has each link that shares memory with an input, and that input; `exact` is what came
    of a run in exact arithmetic, instead of links; `notes` are told but break nothing; `trouble`
    says why there is no answer, `misuse` why this can be no candidate.
    """

    links: Mapping[str, Any] = field(default_factory=dict)
    aliased: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""
    misuse: str = ""
    timed_out: bool = False
    exact: Mapping[str, Exact] = field(default_factory=dict)


class Session:
    """Calls of one function in this process.

    `memory` is where the next call's arrays are to be put; `reply` makes the call; `recalled` is
    the first answer, as it is now. It gets arrays, whose layout in memory it may depend on.
    """

    gets_arrays = True

    def __init__(self, function: Function) -> None:
        self.function = function
        self.differentiated = function.backward is not None
        self.followable = function.exactly is not None
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
        step = {} if call.h is None else {"h": call.h}
        given, notes = called_with(self._given, step, call.t), dict[str, None]()
        try:
            with np.errstate(all="ignore"), undisturbed(notes), own_interrupts():
                if call.backward:
                    return self._backward(given, notes)
                if call.exactly:
                    return self._exactly(given, call)
                raw = self.function.call(given)
                links = links_of(raw, call)
        except Misuse as misuse:
            return Reply(notes=tuple(notes), trouble=str(misuse), misuse=str(misuse))
        except (RunInterrupted, Terminated):  # of this run, not of the function
            raise
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # it may raise anything
            return Reply(
                notes=tuple(notes),
                trouble=_raised(error),
                misuse=_wanted(self.function, given, call, error),
            )
        if isinstance(raw, tuple | list) and _is_mixed_up(links, call):
            notes[f"its tuple is read as ({', '.join(call.gradients)})"] = None
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
        arrays = {name: np.array(_array(value, ())) for name, value in found.items()}
        return Reply(arrays, notes=tuple(notes))

    def _exactly(self, given: Mapping[str, Any], call: Call) -> Reply:
        """The function in exact arithmetic; in `trouble`, why it could not be followed."""
        from verify.candidate import follow  # Arb, which calls with floats never need

        exactly = self.function.exactly
        if exactly is None:
            return Reply(trouble="it takes tensors")
        made = follow.exact_links(exactly, given, lambda raw, a: links_of(raw, call, a))
        return Reply(notes=made.notes, trouble=made.trouble, exact=made.exact)

    def recalled(self) -> Reply:
        """The first answer, as it is now."""
        return Reply({n: np.array(a) for n, a in self._first.items()})

    def another(self, seconds: float) -> Session:  # noqa: ARG002
        """A session of the same function, with nothing kept."""
        return Session(self.function)

    def close(self) -> None:
        """Forget what was given and answered."""
        self._given, self._first = {}, {}


def links_of(
    raw: Any, call: Call, array: Callable[[Any, Sequence[str]], Any] | None = None
) -> dict[str, Any]:
    """An answer as arrays by link: a mapping of link names, or the gradients alone, in order.

    `array` makes an array of a part.

    Raises  Misuse for anything else.
    """
    array = array or _array
    links, gradients = call.links, call.gradients
    if isinstance(raw, Mapping):
        strangers = [str(key) for key in raw if key not in links]
        if strangers:
            near = difflib.get_close_matches(strangers[0].lower(), _meant(links, gradients), 1)
            guess = f"; did you mean {_meant(links, gradients)[near[0]]}?" if near else ""
            raise Misuse(
                f"unknown link {strangers[0]!r} in its answer; the links are {', '.join(links)}"
                f"{guess}"
            )
        given = {link: array(raw[link], gradients) for link in links if raw.get(link) is not None}
        if not given:
            raise Misuse(f"its answer is an empty mapping; give at least one of {', '.join(links)}")
        return given
    alone = len(gradients) == 1
    if alone and isinstance(raw, tuple | list) and len(raw) == 1 and hasattr(raw[0], "shape"):
        raw = raw[0]
    if alone:
        return {gradients[0]: array(raw, gradients)}
    if isinstance(raw, tuple | list) and len(raw) == len(gradients):
        parts = zip(gradients, raw, strict=True)
        return {link: array(part, gradients) for link, part in parts if part is not None}
    raise Misuse(f"it returns {_told(raw)}; {_wanted_of(gradients)}")


def _is_mixed_up(links: Mapping[str, Any], call: Call) -> bool:
    """Whether gradients have other shapes than what they are by."""
    shapes = {f"dC_d{name}": place.shape for name, place in call.places.items()}
    return any(np.shape(links[link]) != shapes.get(link) for link in links)


def _meant(links: Sequence[str], gradients: Sequence[str]) -> dict[str, str]:
    """What people call links, in small letters."""
    last = gradients[-1]
    parameters = {link.removesuffix("_next"): link for link in links if link.endswith("_next")}
    meant = {"grad": last, "gradient": last, "loss": "C", "cost": "C"}
    meant |= {f"d{p}".lower(): f"dC_d{p}" for p in parameters if f"dC_d{p}" in links}
    for p, link in parameters.items():
        meant |= {p.lower(): link, f"{p}_new".lower(): link}
    return meant | {link.lower(): link for link in links}


def _wanted_of(gradients: Sequence[str]) -> str:
    """What an answer may be."""
    if len(gradients) == 1:
        link = gradients[0]
        return f'return {link} alone, or links by their names as {{"C": C, "{link}": {link}}}'
    listed = ", ".join(gradients)
    return f'return ({listed}), or links by their names as {{"C": C, "{gradients[0]}": ...}}'


def _told(raw: Any) -> str:
    """What somebody returns, in words."""
    if raw is None:
        return "None"
    kind = type(raw).__name__
    count = f" of {len(raw)}" if hasattr(raw, "__len__") and not hasattr(raw, "shape") else ""
    shapes = ", ".join(str(np.shape(part)) for part in raw) if _is_flat(raw) else ""
    return f"a {kind}{count}{f' (shapes {shapes})' if shapes else ''}"


def _array(value: Any, gradients: Sequence[str]) -> Any:
    """What numpy.asarray or DLPack takes, as an array; a tensor without its graph.

    Raises  Misuse for what is no array of numbers.
    """
    alone = _wanted_of(gradients or ("dC_dW",))
    if value is None:
        raise Misuse(f"it returns None; {alone}")
    if hasattr(value, "detach"):
        value = of_tensor(value)
    bfloat16 = str(getattr(value, "dtype", "")) == "bfloat16"  # which DLPack brings to no array
    if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray) and not bfloat16:
        return np.from_dlpack(value)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # of parts that make no array together
        raise Misuse(f"it returns {_told(value)}; {alone}") from None
    if not is_of_numbers(array.dtype):
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
    notes = getattr(error, "__notes__", ())
    text = ": ".join(filter(None, [type(error).__name__, str(error)]))[:_LONGEST]
    text = "; ".join([text, *(note for note in notes if note.startswith("called with "))])
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


def _wanted(function: Function, given: Mapping[str, Any], call: Call, error: BaseException) -> str:
    """That a function which does not take NumPy arrays takes torch tensors, if it does."""
    may = isinstance(error, TypeError | AttributeError) and "torch" in sys.modules
    if function.raw is None or not may:
        return ""
    try:
        with undisturbed({}):
            links_of(adapted(function.raw, "torch").call(given), call)
    except Exception:  # it does not take tensors either, and what it raised at first is told
        return ""
    return "it takes torch tensors: add --candidate-arrays torch"
