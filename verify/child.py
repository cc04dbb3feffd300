"""Call a function in a child process, with a time limit; or here, by the same examination.

A stranger's function may crash, hang, print, exit or change what it was given. In a child it can
reach nothing but that child, which is started again after it dies. Both sides speak in frames of
plain JSON and raw array bytes: no answer is unpickled.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from verify.examination import Answer, Inputs, examine
from verify.layout import laid_out, layout_of
from verify.loading import loaded
from verify.threads import ENVIRONMENT

_log = logging.getLogger(__name__)

_LENGTH = struct.Struct("<Q")
_START = "from verify.child import serve; serve()"
_LOADING = 60.0  # seconds that importing a candidate may take, at least


@dataclass
class Child:
    """A process that has loaded one function and examines it on request.

    `spec` names the function, `arrays` what it takes (numpy, torch, jax), `device` where; `timeout`
    is in seconds and holds for one call.
    """

    spec: str
    arrays: str = "numpy"
    device: str = "cpu"
    timeout: float = 60.0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _frames: queue.Queue[bytes | None] = field(default_factory=queue.Queue, repr=False)

    def examine(self, inputs: Inputs) -> Answer:
        """The function's answer; a crash, an exit or a hang is told in its `trouble`."""
        if self._process is None:
            trouble = self.start()
            if trouble:
                return Answer(trouble=trouble)
        header, buffers = _packed({n: getattr(inputs, n) for n in ("X", "W", "P", "X_other", "h")})
        request = {"layouts": inputs.layouts, "calls": inputs.calls}
        trouble = self._send(header | request, buffers)
        reply = None if trouble else self._receive(self.timeout)
        return reply if isinstance(reply, Answer) else Answer(trouble=trouble or str(reply))

    def close(self) -> None:
        """End the process, if one is running, and whatever it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def start(self) -> str:
        """Start the process and load the function; what went wrong, if anything did."""
        _log.info("a process for %s", self.spec)
        self._frames = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **ENVIRONMENT}, start_new_session=True,
        )  # fmt: skip
        reader = threading.Thread(
            target=_read_frames, args=(self._process.stdout, self._frames), daemon=True
        )
        reader.start()
        named = {"spec": self.spec, "arrays": self.arrays, "device": self.device}
        trouble = self._send(named, [])
        reply = trouble or self._receive(max(self.timeout, _LOADING))
        return reply if isinstance(reply, str) else reply.trouble

    def _send(self, header: Mapping[str, Any], buffers: list[bytes]) -> str:
        try:
            _write_frame(_pipe(self._process and self._process.stdin), header, buffers)
        except BrokenPipeError:
            return self._death()
        return ""

    def _receive(self, seconds: float) -> Answer | str:
        try:
            frame = self._frames.get(timeout=seconds)
        except queue.Empty:
            self.close()
            return f"no answer after {seconds:g} s; --timeout sets the limit"
        if frame is None:
            return self._death()
        header, buffers = _unframed(frame)
        if not header:  # a sign of life after one call of several
            return self._receive(seconds)
        answers = _unpacked(header["arrays"], buffers)
        return Answer(
            links={n.removeprefix("="): a for n, a in answers.items() if n.startswith("=")},
            other={n.removeprefix("+"): a for n, a in answers.items() if n.startswith("+")},
            layouts={n.removeprefix("@"): a for n, a in answers.items() if n.startswith("@")},
            faults=tuple(header["faults"]),
            notes=tuple(header["notes"]),
            trouble=header["trouble"],
        )

    def _death(self) -> str:
        process = self._process
        code = process.wait(timeout=10) if process is not None else None
        self.close()
        if code is not None and code < 0:
            return f"the process was killed by {signal.Signals(-code).name}"
        return f"the process exited with code {code} without an answer"


def serve() -> None:
    """The child's side: load a function, then examine it for every frame that comes in."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):  # what the function prints must not be taken for an answer
        os.dup2(nothing, descriptor)
    function: Callable[..., Any] | None = None
    while frame := _next_frame(source):
        header, buffers = _unframed(frame)
        if function is None:
            try:
                function = loaded(header["spec"], header["arrays"], header["device"])
                answer = Answer()
            except Exception as error:  # whatever an import raises is what is told
                answer = Answer(trouble=f"cannot be loaded: {type(error).__name__}: {error}")
        else:
            given = _unpacked(header["arrays"], buffers)
            inputs = Inputs(**given, layouts=header["layouts"], calls=header["calls"])
            answer = examine(function, inputs, lambda: _write_frame(sink, {}, []))
        named = {f"={n}": a for n, a in answer.links.items()}
        named |= {f"+{n}": a for n, a in answer.other.items()}
        named |= {f"@{n}": a for n, a in answer.layouts.items()}
        reply, packed = _packed(named)
        rest = {"faults": answer.faults, "notes": answer.notes, "trouble": answer.trouble}
        _write_frame(sink, reply | rest, packed)


def _packed(arrays: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    given = {name: np.asarray(a) for name, a in arrays.items() if a is not None}
    described = [
        [n, a.dtype.str, list(a.shape), layout_of(a) if a.ndim == 2 else "C"]
        for n, a in given.items()
    ]
    return {"arrays": described}, [np.ascontiguousarray(a).tobytes() for a in given.values()]


def _unpacked(described: list[Any], buffers: list[bytes]) -> dict[str, Any]:
    return {
        name: laid_out(np.frombuffer(data, np.dtype(kind)).reshape(shape), layout)
        for (name, kind, shape, layout), data in zip(described, buffers, strict=True)
    }


def _write_frame(sink: BinaryIO, header: Mapping[str, Any], buffers: list[bytes]) -> None:
    parts = [json.dumps(header).encode(), *buffers]
    body = b"".join(_LENGTH.pack(len(part)) + part for part in parts)
    sink.write(_LENGTH.pack(len(body)) + body)
    sink.flush()


def _unframed(body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    parts, at = [], 0
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        parts.append(body[at : at + length])
        at += length
    return json.loads(parts[0]), parts[1:]


def _next_frame(source: BinaryIO) -> bytes | None:
    prefix = source.read(_LENGTH.size)
    return source.read(_LENGTH.unpack(prefix)[0]) if len(prefix) == _LENGTH.size else None


def _read_frames(source: BinaryIO, frames: queue.Queue[bytes | None]) -> None:
    """Everything the child says, and None when it says no more."""
    try:
        while frame := _next_frame(source):
            frames.put(frame)
    except (OSError, ValueError):  # the pipe was closed from this side
        pass
    frames.put(None)


def _pipe(pipe: Any) -> Any:
    if pipe is None:
        raise BrokenPipeError
    return pipe
