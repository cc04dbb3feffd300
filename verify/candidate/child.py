"""A stranger's function in a process of its own: called with a limit of time, seen from outside.

A function may crash, hang, print, exit or change what it was given. In a child it can reach nothing
but that child, which is started again after it dies. Its arrays lie in memory that both processes
share, so that what it changes of them is seen here; its answers come as JSON and .npy bytes, of
which nothing is unpickled. An answer that is no such message is the function's failure.

What is promised: a crash, a hang, an exit, a leak of state or a lie about its own behaviour is that
case's failure; at the end, whatever it has started is ended too. It runs with the user's rights and
may read files: it is kept from accidents, not from malice.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import mmap
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Pipe
from typing import Any, ClassVar

from verify.candidate.arguments import Misuse
from verify.candidate.examine import Call, Reply, Session
from verify.candidate.load import loaded
from verify.candidate.messages import Broken, call_of, packed, request_of, unpacked
from verify.candidate.process import MARK, MOST, OFTEN, end, ended, environment, late

_log = logging.getLogger(__name__)

_START = "import sys; from verify.candidate.child import serve; serve(*map(int, sys.argv[1:]))"
_LOADING = 60.0  # seconds that importing a candidate may take, at least


@dataclass
class Child:
    """A process that has loaded one function and calls it on request; a Session from outside.

    `spec` names the function, `arrays` what it takes (numpy, torch, jax), `device` where; `timeout`
    is in seconds and holds for one call; `memory_limit` in bytes, 0 for none.
    """

    spec: str
    arrays: str = "numpy"
    device: str = "cpu"
    timeout: float = 60.0
    memory_limit: int = 0
    differentiated: bool = False
    gets_arrays: ClassVar = True
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _pipe: Any = field(default=None, repr=False)
    _block: Any = field(default=None, repr=False)
    _file: Any = field(default=None, repr=False)
    _mark: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)
    _sent: int = 0
    _late: bool = False
    _deadline: float = math.inf

    @property
    def followable(self) -> bool:
        """Whether the function can be run in exact arithmetic: it takes NumPy arrays."""
        return self.arrays == "numpy"

    def memory(self, size: int) -> Any:
        """At least so many bytes that the process sees too; zeros when they are new."""
        if self._block is None or len(self._block) < size:
            self._file = self._file or _file()
            room = max(mmap.PAGESIZE, 1 << (size - 1).bit_length())
            if self._file is not None:
                self._file.truncate(room)
            self._block = _mapped(self._file and self._file.fileno(), room, self._mark)
        return memoryview(self._block)

    def reply(self, call: Call) -> Reply:
        """The function's answer; a crash, an exit or a hang is told in its `trouble`."""
        if self._process is None:
            trouble = self.start()
            if trouble:
                return Reply(trouble=trouble)
        return self._ask(request_of(call, len(self._block)), self.timeout)

    def recalled(self) -> Reply:
        """The first answer, as it is now."""
        return self._ask({"do": "recall"}, self.timeout)

    def another(self, seconds: float) -> Child:
        """Another process with the same function, and a limit of its own for one call."""
        named = self.spec, self.arrays, self.device
        return Child(*named, min(seconds, self.timeout), self.memory_limit)

    def close(self) -> None:
        """End the process, if one is running, and whatever it has started."""
        self._stop()
        self._block = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def start(self) -> str:
        """Start the process and load the function; what went wrong, if anything did.

        Raises  Misuse for what cannot be a candidate.
        """
        _log.info("a process for %s", self.spec)
        self.memory(1)
        self._pipe, theirs = Pipe()
        handles = [theirs.fileno(), *([self._file.fileno()] if self._file else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, handles)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment(self._mark), **_inherited(handles),
        )  # fmt: skip
        theirs.close()
        threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()
        named = {"spec": self.spec, "arrays": self.arrays, "device": self.device,
                 "memory_limit": self.memory_limit}  # fmt: skip
        reply = self._ask({"do": "load", **named}, max(self.timeout, _LOADING))
        if reply.misuse:
            raise Misuse(reply.misuse)
        self.differentiated = "differentiated" in reply.notes
        return reply.trouble

    def _ask(self, request: Mapping[str, Any], seconds: float) -> Reply:
        """One request and its answer; the process ends where there is none in time, or another."""
        self._sent += 1
        self._late = False
        self._deadline = time.monotonic() + seconds
        try:
            self._pipe.send_bytes(json.dumps({"n": self._sent, **request}).encode())
            message = self._pipe.recv_bytes(max(MOST, 16 * len(self._block)))
            return unpacked(message, self._sent)
        except Broken as broken:
            self._stop()
            return Reply(trouble=f"its process broke the protocol: {broken}")
        except (EOFError, OSError) as error:  # the pipe was closed, or the message is too long
            return Reply(trouble=self._ended(error, seconds), timed_out=self._late)
        finally:
            self._deadline = math.inf

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """End the process when an answer is late, whatever it may be sending meanwhile."""
        while process is self._process:
            if time.monotonic() > self._deadline:
                self._late, self._deadline = True, math.inf
                end(process, self._mark)
            time.sleep(OFTEN)

    def _ended(self, error: Exception, seconds: float) -> str:
        """Why there is no answer."""
        process = self._process
        code = None
        if process is not None and not self._late:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=2)
        self._stop()
        if self._late:
            return late(seconds)
        if code is None:
            return f"its process broke the protocol: {error}"
        return ended(code) + " without an answer" * (code >= 0)

    def _stop(self) -> None:
        """End the process alone: the memory stays for the next one."""
        process, self._process = self._process, None
        if process is not None:
            end(process, self._mark)
            process.wait()
            self._pipe.close()


def _inherited(handles: list[int]) -> dict[str, Any]:
    """How a process gets open files, and is kept apart from this one's group."""
    if sys.platform == "win32":
        for handle in handles:
            os.set_handle_inheritable(handle, True)
        return {"close_fds": False}
    return {"pass_fds": handles, "start_new_session": True}


def _file() -> Any:
    """A file without a name, in memory where the system has such; None where memory has names."""
    if sys.platform == "win32":
        return None
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("verify"), "r+b")
    return tempfile.TemporaryFile()


def _mapped(descriptor: int | None, size: int, mark: str) -> mmap.mmap:
    """The memory that both processes share."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size, f"{mark}-{size}")
    return mmap.mmap(-1 if descriptor is None else descriptor, size)


def serve(pipe_handle: int, file_handle: int | None = None) -> None:
    """The child's side: load a function, then call it for every request that comes in."""
    kind: Any = getattr(connection, "PipeConnection", connection.Connection)
    pipe, block, session = kind(pipe_handle), None, None
    while True:
        try:
            request = json.loads(pipe.recv_bytes())
        except EOFError:  # whoever asked has ended
            return
        if request["do"] == "load":
            session, reply = _loaded(request)
        elif session is None:
            return
        elif request["do"] == "recall":
            reply = session.recalled()
        else:
            if block is None or len(block) < request["size"]:
                block = _mapped(file_handle, request["size"], os.environ[MARK])
            reply = session.answered(call_of(request), memoryview(block))
        pipe.send_bytes(packed(reply, request["n"]))


def _loaded(request: Mapping[str, Any]) -> tuple[Session | None, Reply]:
    if request["memory_limit"]:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (request["memory_limit"],) * 2)
    try:
        session = Session(loaded(request["spec"], request["arrays"], request["device"]))
    except Misuse as misuse:
        return None, Reply(misuse=str(misuse))
    except (Exception, SystemExit) as error:  # whatever an import raises is what is told
        return None, Reply(trouble=f"cannot be loaded: {type(error).__name__}: {error}")
    notes = ("differentiated",) if session.differentiated else ()
    return session, Reply(notes=notes)
