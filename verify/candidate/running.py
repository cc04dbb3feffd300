"""A program that runs: its pipes, of which none is waited for alone, and how it ended."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from verify.candidate.json_lines import quoted
from verify.candidate.process import OFTEN, end, ended, environment, late

_PIPE = subprocess.PIPE
_CHUNK = 2**16  # bytes that are read or written at once
_KEPT = 2**13  # bytes of the end of stderr
_LEFT = 32  # chunks that a pipe may still hold
LINGERS = 2.0
"""Seconds in which a process that closes a pipe, or answers but once, comes to its end."""

_ERROR = re.compile(r"(?!\s).*(error|exception|panic)", re.IGNORECASE)


class NoAnswer(Exception):
    """Why a program gives no answer; `code` where it ended without a word, `late` at the limit."""

    def __init__(self, told: str, code: int | None = None, late: bool = False) -> None:
        super().__init__(told)
        self.code, self.late = code, late


class Running:
    """One process of a program, asked a line at a time.

    `answered` is how often it has answered.

    Raises  OSError where it cannot be started.
    """

    def __init__(self, words: Sequence[str], mark: str, memory_limit: int = 0) -> None:
        self.process = subprocess.Popen(
            words, bufsize=0, stdin=_PIPE, stdout=_PIPE, stderr=_PIPE, env=environment(mark),
            start_new_session=True, preexec_fn=_limited(memory_limit),
        )  # fmt: skip
        self.answered = 0
        self._mark = mark
        self._left = memoryview(b"")
        self._out, self._err = bytearray(), bytearray()
        self._closed: dict[str, float] = {}
        self._ready = selectors.DefaultSelector()
        self._ending = _ending(self.process.pid)
        for handle in self._ending:
            self._ready.register(
                handle, selectors.EVENT_READ, partial(self._ready.unregister, handle)
            )
        for pipe in ("stdin", "stdout", "stderr"):
            os.set_blocking(self._file(pipe).fileno(), False)
        self._ready.register(self._file("stdout"), selectors.EVENT_READ, self._read)
        self._ready.register(self._file("stderr"), selectors.EVENT_READ, self._hear)

    def ask(self, line: bytes, seconds: float, most: int) -> bytes:
        """The line that it answers, of at most so many bytes.

        Raises  NoAnswer where there is none in time.
        """
        self._left, begun = memoryview(line), time.monotonic()
        self._ready.register(self._file("stdin"), selectors.EVENT_WRITE, self._write)
        self._pump(OFTEN)
        looked = 0
        while self._out.find(b"\n", looked) < 0:
            looked = len(self._out)
            self._require_hope(begun, seconds, most)
            self._pump(OFTEN)
        answer, _, rest = bytes(self._out).partition(b"\n")
        self._out = bytearray(rest)
        self.answered += 1
        return answer

    def rests(self, seconds: float = 0) -> bool:
        """Whether it waits for another case; else it has ended as it may, with 0.

        `seconds` are given it to do otherwise, or to end.

        Raises  NoAnswer where it writes more than its answer, has ended with another code, or has
                not read what it was asked.
        """
        until = time.monotonic() + seconds
        while not self._out and self.process.poll() is None and self._pump_until(until):
            pass
        code = self.process.poll()
        self._drain()
        if self._out:
            raise NoAnswer(f"it writes more to stdout than its answer: {quoted(self._out)}")
        if code:
            raise NoAnswer(f"{ended(code)} after its answer{self._last_words()}")
        if self._left:
            raise NoAnswer("it answers before it has read the case")
        return code is None

    def close(self) -> None:
        """End the process and what it has started."""
        end(self.process, self._mark)
        self.process.wait()
        self._ready.close()
        for handle in self._ending:
            os.close(handle)
        for pipe in ("stdin", "stdout", "stderr"):
            self._file(pipe).close()

    def _require_hope(self, begun: float, seconds: float, most: int) -> None:
        """Raise unless an answer may still come."""
        now = time.monotonic()
        if len(self._out) > most:
            raise NoAnswer(f"its answer is longer than {most} bytes: {quoted(self._out[:999])}")
        code = self.process.poll()
        if code is not None:
            self._drain()
            if b"\n" in self._out:
                return
            told = " without an answer" * (code >= 0 and not self._out) + self._unended()
            silent = None if self._out else code
            raise NoAnswer(f"{ended(code)}{told}{self._last_words()}", silent)
        if now - begun > seconds:
            told = self._unended() or "; every line must be flushed"
            raise NoAnswer(late(seconds) + told + self._last_words(), late=True)
        for pipe, since in self._closed.items():
            if now - max(since, begun) > LINGERS:
                raise NoAnswer(f"it has closed its {pipe}{self._unended()}{self._last_words()}")

    def _unended(self) -> str:
        """That its answer has no end."""
        if not self._out:
            return ""
        return f"; its answer does not end with a newline: {quoted(self._out)}"

    def _last_words(self) -> str:
        """The last line of stderr that tells of an error; else the last."""
        lines = self._err.decode(errors="replace").splitlines()
        spoken = [line for line in lines if line.strip()]
        last = next((line for line in reversed(spoken) if _ERROR.match(line)), "".join(spoken[-1:]))
        return f"; its stderr ends: {last.strip()[:200]!a}" if last else ""

    def _pump(self, seconds: float) -> bool:
        """Read and write what can be, once something can; whether anything could."""
        ready = self._ready.select(seconds)
        for key, _ in ready:
            key.data()
        return bool(ready)

    def _pump_until(self, until: float) -> bool:
        """The same for a moment; whether there is time left."""
        left = until - time.monotonic()
        if left > 0:
            self._pump(min(left, OFTEN))
        return left > 0

    def _drain(self) -> None:
        """Read what is there, of somebody who never ends some of it."""
        for _ in range(_LEFT):
            if not self._pump(0):
                break

    def _write(self) -> None:
        try:
            written = os.write(self._file("stdin").fileno(), self._left[:_CHUNK])
        except BrokenPipeError:
            self._close("stdin")
            return
        self._left = self._left[written:]
        if not self._left:
            self._ready.unregister(self._file("stdin"))

    def _read(self) -> None:
        self._out += self._chunk("stdout")

    def _hear(self) -> None:
        self._err = (self._err + self._chunk("stderr"))[-_KEPT:]

    def _chunk(self, pipe: str) -> bytes:
        """What is there to read; nothing, and never again, at the end."""
        chunk = os.read(self._file(pipe).fileno(), _CHUNK)
        if not chunk:
            self._close(pipe)
        return chunk

    def _close(self, pipe: str) -> None:
        """Hear and say no more by a pipe whose other end is closed."""
        self._ready.unregister(self._file(pipe))
        if pipe != "stderr":
            self._closed[pipe] = time.monotonic()

    def _file(self, pipe: str) -> Any:
        return getattr(self.process, pipe)


def _ending(pid: int) -> list[int]:
    """What can be read once a process has ended, where the system has such."""
    return [os.pidfd_open(pid)] if sys.platform == "linux" else []


def _limited(memory: int) -> Callable[[], None] | None:
    """What is called in the new process before the program is."""
    if not memory:
        return None
    import resource

    return partial(resource.setrlimit, resource.RLIMIT_AS, (memory, memory))
