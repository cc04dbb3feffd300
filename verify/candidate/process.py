"""A stranger's process and all that it has started: kept apart, told of, ended together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from verify.threads import ENVIRONMENT

MARK = "VERIFY_CHILD"
"""What stands, with a mark, in the environment of a process and of all that it starts."""

MOST = 2**26  # bytes of an answer to small inputs; to larger ones 16 times theirs
OFTEN = 0.05  # seconds between two looks at the clock
_LOOKS = 10  # for processes to end, while some have not got their environment yet


def environment(mark: str) -> dict[str, str]:
    """That of a process that has a mark: one thread for every pool."""
    return {**os.environ, **ENVIRONMENT, MARK: mark}


def end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kill a process, its group, and what carries its mark elsewhere."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for _ in range(_LOOKS):
            pids, beginning = _marked(mark)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if not beginning:
                break
            time.sleep(0.01)
    process.kill()


def ended(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"the process exited with code {code}"
    with contextlib.suppress(ValueError):  # of the real-time signals few have a name
        return f"the process was killed by {signal.Signals(-code).name}"
    return f"the process was killed by signal {-code}"


def late(seconds: float) -> str:
    """That there is no answer within a limit."""
    return f"no answer after {seconds:g} s; --timeout sets the limit"


def _marked(mark: str) -> tuple[list[int], bool]:
    """The processes whose environment has a mark, where /proc tells; and whether some begin."""
    wanted = f"{MARK}={mark}".encode()
    table, found, beginning = Path("/proc"), list[int](), False
    for place in list(table.iterdir()) if table.is_dir() else ():
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if place.name.isdecimal():
                environment = (place / "environ").read_bytes()
                if wanted in environment.split(b"\0"):
                    found.append(int(place.name))
                elif not environment:  # in the middle of its exec, unless it is the kernel's
                    beginning |= bool((place / "exe").readlink())
    return found, beginning
