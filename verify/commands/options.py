"""Options that several commands share, and the kinds of their values; completion of paths."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from verify.errors import UsageError, VerifyError, printable
from verify.files import destination
from verify.judge.asked import DEVICE

EXIT_CODES = """\b
Exit codes: 0 all judged cases passed; 1 a case failed or cannot be judged;
2 bad scenario file or usage; 3 internal error; 4 unfit environment (a required
device is missing); 5 nothing was judged; 130 or 143 interrupted."""


class ScenarioPath(click.types.StringParamType):
    """A scenario file, a folder of them, or file::case; completed in the shell."""

    name = "path"

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        name, separator, case = incomplete.partition("::")
        if not separator:
            found = [p for p in Path().glob(f"{name}*") if p.is_dir() or p.suffix == ".toml"]
            return [CompletionItem(str(p) + ("/" if p.is_dir() else "")) for p in sorted(found)]
        from verify.scenario.collection import collect

        try:
            cases = collect(name)
        except VerifyError:
            return []
        return [CompletionItem(c.id) for c in cases if c.name.startswith(case)]


class Device(click.types.StringParamType):
    """cpu, cuda, or one of many as cuda:1."""

    name = "device"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(DEVICE, value):
            self.fail(f"{value!r} is not a device; give cpu, cuda, or cuda:1", param, ctx)
        return value


class Whole(click.types.IntParamType):
    """A whole number, also as 1e6."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        text = str(value)
        match = re.fullmatch(r"([0-9]{1,18})(?:e([0-9]{1,2}))?", text)
        if match is None:
            self.fail(f"{text!r} is not a whole number, as 1000 or 1e6", param, ctx)
        return int(match[1]) * int("1" + "0" * int(match[2] or 0))


class Finite(click.FloatRange):
    """A number within a range, and neither inf nor nan."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number", param, ctx)
        return number


def writable(_context: click.Context, _param: click.Parameter, file: str | None) -> str | None:
    """A file to write, in a folder that exists; - is stdout.

    Raises  UsageError where it could not be written, or is a scenario that was meant to be read.
    """
    if file and file.endswith(".toml"):
        raise UsageError(f"--json {printable(file)}: that is a scenario; name the file to write")
    return file if file is None or file == "-" else str(destination(file))


JSON = click.option(
    "--json", "json_file", is_flag=False, flag_value="-", callback=writable, metavar="FILE",
    help="Write what was found as JSON; - for stdout.",
)  # fmt: skip


def workers_of(_context: click.Context, _param: click.Parameter, text: str) -> int:
    """A number of processes; auto is one a core.

    Raises  UsageError for anything else.
    """
    if text == "auto":
        several = hasattr(os, "sched_getaffinity")
        return len(os.sched_getaffinity(0)) if several else (os.cpu_count() or 1)
    if not text.isdecimal() or not int(text):
        raise UsageError(f"--workers {text!r}: give a number of processes, or auto")
    return int(text)


WORKERS = click.option(
    "--workers", default="auto", callback=workers_of, metavar="N",
    help="Processes. [auto: one a core]",
)  # fmt: skip


def _hush(context: click.Context, _param: click.Parameter, quiet: bool) -> None:
    context.meta[HUSHED] = quiet


HUSHED = "verify.quiet"
"""Where the context of a command keeps that it shows no progress."""

QUIET = click.option(
    "-q", "--quiet", is_flag=True, expose_value=False, callback=_hush, help="No progress bar."
)
LIMITS = click.option(
    "--scenario-limit", "settings", metavar="NAME=N", multiple=True,
    help="Allow scenario files to ask for more: cases, work, numbers, ...",
)  # fmt: skip
TRUTH_BUDGET = click.option(
    "--truth-budget", "budget", type=Finite(min=0), metavar="WORK",
    help="Multiplications that a case's truth may cost; above, it judges some rows. [2^24]",
)  # fmt: skip


def _named(_context: click.Context, _param: click.Parameter, spec: str | None) -> str | None:
    """A name, as an unset variable of a CI gives none.

    Raises  UsageError for an empty one.
    """
    if spec == "":
        raise UsageError("--candidate '': give package.module:name, file.py:name, or a command")
    return spec


CANDIDATE = click.option(
    "--candidate", metavar="SPEC", callback=_named,
    help="Judge package.module:name, file.py:name, or a program by its command, too.",
)  # fmt: skip
ARRAYS = click.option(
    "--candidate-arrays", "arrays", type=click.Choice(["numpy", "torch", "jax"]), default="numpy",
    help="What the candidate takes.",
)  # fmt: skip
TIMEOUT = click.option(
    "--timeout", type=Finite(min=0, min_open=True), default=60.0, metavar="SECONDS",
    help="Limit of one call of the candidate. [60]",
)  # fmt: skip
MEMORY = click.option(
    "--candidate-memory", "memory", type=Whole(), default=0, metavar="BYTES",
    help="Address space that the candidate's process may take, as 4e9. [no limit]",
)  # fmt: skip
TWIN = click.option(
    "--twin", metavar="NAME", default="eager",
    help="How torch differentiates: eager, func, vmap, forward-ad, compile, or distributed under"
    " torchrun. [eager]",
)  # fmt: skip
