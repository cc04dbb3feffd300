"""The command as a process, and whether a process has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path


def has_ended(pid: int) -> bool:
    """Whether it is gone, or a zombie, within ten seconds: nobody waits for it."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def verify_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "verify", *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


LOADED = """
import sys
from verify.cli import main
try:
    main()
except SystemExit:
    print("|".join(sys.modules))
"""


def loaded_by(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split("|"))
