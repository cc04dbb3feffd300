"""Any program as a candidate: it reads a case a line from stdin, and writes a line of its links.

It is started without a shell and stays for further cases; one that answers once and ends with 0 is
started again for the next. One that ends otherwise, is late, or writes what was not asked for, is
ended with all that it has started, and the next case gets a process of its own.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shlex
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from verify.candidate.arguments import Misuse
from verify.candidate.examine import Call, Reply
from verify.candidate.json_lines import reply_of, request_of
from verify.candidate.messages import Broken
from verify.candidate.process import MOST
from verify.candidate.running import LINGERS, NoAnswer, Running

_log = logging.getLogger(__name__)

_MOMENT = 0.01  # seconds in which what is written unasked after an answer shows
_SHOWN = 80  # bytes of a first line

_FUNCTION = re.compile(r"(.+\.py|[^\s/]+):[^\W\d]\w*(\.[^\W\d]\w*)*")


def is_command(spec: str) -> bool:
    """Whether a name is a command, and not `file.py:name` or `package.module:name`."""
    return _FUNCTION.fullmatch(spec) is None


@dataclass
class Program:
    """A command that answers; a Session from outside.

    `timeout` is in seconds and holds for one call, with the start of a process where it needs one;
    `memory_limit` in bytes, 0 for none.
    """

    spec: str
    timeout: float = 60.0
    memory_limit: int = 0
    differentiated: ClassVar = False
    followable: ClassVar = False
    gets_arrays: ClassVar = False
    _running: Running | None = field(default=None, repr=False)
    _memory: Any = field(default_factory=lambda: np.empty(0, np.uint8), repr=False)
    _mark: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)
    _once: bool = False
    _waits: bool | None = None

    def memory(self, size: int) -> Any:
        """At least so many bytes; the program gets the numbers in them as text."""
        if self._memory.size < size:
            self._memory = np.empty(size, np.uint8)
        return self._memory.data

    def reply(self, call: Call) -> Reply:
        """The program's answer; a crash, a hang, or anything else on stdout is told."""
        request = request_of(call, self._memory.data)
        try:
            reply = reply_of(self._answer(request), call)
            self._rest()
            return reply
        except (NoAnswer, Broken) as error:
            self._stop()
            told, late = str(error), isinstance(error, NoAnswer) and error.late
            misuse = f"cannot be started: {told}" if self._unneeded(error) else ""
            return Reply(trouble=told, misuse=misuse, timed_out=late)
        except Misuse as misuse:
            return Reply(trouble=str(misuse), misuse=str(misuse))

    def another(self, seconds: float) -> Program:
        """Another process of the same command, and a limit of its own for one call."""
        return Program(self.spec, min(seconds, self.timeout), self.memory_limit)

    def recalled(self) -> Reply:
        """Nothing: what was sent cannot change. What is written unasked shows in the meantime."""
        time.sleep(_MOMENT)
        return Reply()

    def close(self) -> None:
        """End the process, if one is running, and whatever it has started."""
        self._stop()

    def start(self) -> str:
        """Start the program; what went wrong, if anything did.

        Raises  Misuse where it cannot be started.
        """
        if sys.platform == "win32":
            raise Misuse("a program is judged on Linux and macOS only; give a function")
        self._running = self._begun()
        return ""

    def _answer(self, request: bytes) -> bytes:
        """The line that it answers, of a new process where none waits for a case."""
        if self._running is not None and self._running.answered:
            self._rest()
        line = self._asked(request)
        self._waits = True
        return line

    def _asked(self, request: bytes) -> bytes:
        running = self._running = self._running or self._begun()
        try:
            return running.ask(request, self.timeout, max(MOST, 16 * self._memory.size))
        except NoAnswer as none:
            if none.code != 0 or not running.answered:
                raise
            self._ended_well()  # after its answer to the case before, while it was asked this one
            return self._asked(request)

    def _rest(self) -> None:
        """After an answer: it waits for the next case, or ends and is started again for it."""
        if self._running is not None and not self._running.rests(LINGERS * self._once):
            self._ended_well()
        elif self._running is not None:
            self._once = False

    def _ended_well(self) -> None:
        """Its process ended with 0: where its first answer was the last, it always does."""
        self._once = self._running is not None and self._running.answered == 1
        self._stop()

    def _unneeded(self, error: Exception) -> bool:
        """Whether a program that has never answered ends even where no case is sent to it."""
        if self._waits is None and isinstance(error, NoAnswer) and error.code is not None:
            alone = self._begun()
            try:
                self._waits = alone.rests(LINGERS)
            except NoAnswer:
                self._waits = False
            alone.close()
        return self._waits is False

    def _begun(self) -> Running:
        """A process of it.

        Raises  Misuse where it cannot be started.
        """
        _log.info("a process for %s", self.spec)
        words = _words(self.spec)
        try:
            return Running(words, self._mark, self.memory_limit)
        except OSError as error:
            raise Misuse(f"cannot be started: {_unfit(words[0], error)}") from None

    def _stop(self) -> None:
        """End its process: the next call has another."""
        running, self._running = self._running, None
        if running is not None:
            running.close()


def _words(spec: str) -> list[str]:
    """A command as a shell would split it.

    Raises  Misuse where it could not.
    """
    try:
        words = shlex.split(spec)
    except ValueError as error:
        raise Misuse(f"is no command: {error}; {_GIVE}") from None
    if not words:
        raise Misuse(f"is no command; {_GIVE}")
    return words


_GIVE = "give FILE.py:NAME, PACKAGE.MODULE:NAME, or a command, as ./program or 'node program.js'"


def _unfit(word: str, error: OSError) -> str:
    """Why what a command begins with cannot be started, and what would do."""
    path = Path(word)
    if path.suffix == ".py" and path.is_file() and not os.access(path, os.X_OK):
        return f"give {word}:NAME for a function of it, or 'python {word}' where it is a program"
    if os.sep not in word:
        here = f"; ./{word} is the one here" if path.is_file() else f"; {_GIVE}"
        return f"there is no command {word} on the PATH{here}"
    if path.is_dir():
        return f"{word} is a folder; name a program in it"
    if not path.exists():
        return f"{word}: no such file; {_GIVE}"
    if not os.access(path, os.X_OK):
        return f"{word} is not executable: chmod +x {word}, or name what runs it, as 'sh {word}'"
    if error.errno == errno.ENOEXEC:
        return f"{word} has no #! in its first line; name what runs it, as 'sh {word}'"
    with path.open("rb") as file:
        first = file.readline(_SHOWN).strip()
    if first.startswith(b"#!"):
        return f"{word} is run by what is not there: {first.decode(errors='replace')!a}"
    return f"{word}: {error.strerror}"
