"""A stranger's function called in this process: what it changes of it is put back, and told."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import struct
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from verify.threads import counted, set_to


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C of the user while a stranger's function ran."""


@contextmanager
def own_interrupts() -> Iterator[None]:
    """Tell Ctrl-C of the user from a KeyboardInterrupt that the function raises by itself.

    Raises  Interrupted for the former.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return

    def interrupted(_signal: int, _frame: object) -> None:
        raise RunInterrupted

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def undisturbed(notes: dict[str, None]) -> Iterator[None]:
    """What the function changes of the process is put back, and told; so is what it prints."""
    watched = _watched()
    before = {name: get() for name, (get, _) in watched.items()}
    mode, environment = _float_mode(), _float_environment()
    sys.stdout.flush()
    saved = os.dup(1)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)  # for what C prints
        stdout = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8", errors="replace")
        try:
            with stdout, contextlib.redirect_stdout(stdout):
                yield
        finally:
            os.dup2(saved, 1)
            os.close(saved)
            printed.seek(0)
            text = printed.read(60).decode(errors="replace")
            if text:
                notes[f"it prints {text!a}"] = None
            if _float_mode() != mode:
                notes["it changes how floats are rounded, or flushed to 0; it was put back"] = None
                _LIBM.fesetenv(environment)
            for name, (get, put_back) in watched.items():
                if get() != before[name]:
                    notes[f"it changes {name}, which was put back"] = None
                    put_back(before[name])


def _watched() -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """The state of a process that one case could leave behind for the next: how to read and set."""
    watched: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
        "the working directory": (os.getcwd, os.chdir),
        "np.seterr": (np.geterr, lambda kinds: np.seterr(**kinds)),
        "random's state": (random.getstate, random.setstate),
        "numpy.random's state": (
            _numpy_state,
            lambda state: _SET_STATE((state[0], np.frombuffer(state[1], "u4"), *state[2:])),
        ),
        "the number of threads": (counted, set_to),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        watched["torch's recording of gradients"] = (
            torch.is_grad_enabled, torch.set_grad_enabled)  # fmt: skip
        watched["torch's deterministic mode"] = (
            torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms
        )  # fmt: skip
        watched["torch's default dtype"] = (torch.get_default_dtype, torch.set_default_dtype)
        watched["torch's random state"] = (
            lambda: torch.get_rng_state().numpy().tobytes(),
            lambda state: torch.set_rng_state(
                torch.frombuffer(bytearray(state), dtype=torch.uint8)
            ),
        )
    return watched


_GET_STATE, _SET_STATE = np.random.get_state, np.random.set_state


def _numpy_state() -> tuple[Any, ...]:
    name, key, *rest = _GET_STATE()
    return (name, np.asarray(key).tobytes(), *rest)


def _float_mode() -> bytes:
    """What flush-to-zero, denormals-are-zero and each rounding mode make of a few sums.

    As bytes, because where denormals are zero a comparison takes them for 0.
    """
    least, one, little = (float(text) for text in ("5e-324", "1", "1e-20"))
    made = 2.0**-1022 * (one / 2), least * one, one + little, -one - little, one - little
    return struct.pack("5d", *made)


def _float_environment() -> Any:
    """The processor's floating-point settings, to be put back by fesetenv."""
    kept = ctypes.create_string_buffer(256)  # glibc's fenv_t has 32 bytes on x86-64, 8 on aarch64
    _LIBM.fegetenv(kept)
    return kept


_LIBM = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
