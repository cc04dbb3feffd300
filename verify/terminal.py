"""What the command shows, and where: the report, annotations, progress; completion of paths."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

from verify.errors import ScenarioError, UsageError, VerifyError

if TYPE_CHECKING:
    from verify.result import Report

T = TypeVar("T")

LIMITS = click.option(
    "--scenario-limit", "settings", metavar="NAME=N", multiple=True,
    help="Allow scenario files to ask for more: cases, work, numbers, ...",
)  # fmt: skip
"""The option that allows more to scenario files, of every command that reads them."""


class ScenarioPath(click.ParamType[str]):
    """A scenario file, a folder of them, or file::case; completed in the shell."""

    name = "path"

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        name, separator, case = incomplete.partition("::")
        if not separator:
            found = [p for p in Path().glob(f"{name}*") if p.is_dir() or p.suffix == ".toml"]
            return [CompletionItem(str(p) + ("/" if p.is_dir() else "")) for p in sorted(found)]
        from verify.collection import collect

        try:
            cases = collect(name)
        except VerifyError:
            return []
        return [CompletionItem(c.id) for c in cases if c.name.startswith(case)]


class Device(click.ParamType[str]):
    """cpu, cuda, or one of many as cuda:1."""

    name = "device"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", value):
            self.fail(f"{value!r} is not a device; give cpu, cuda, or cuda:1", param, ctx)
        return value


def show(report: Report, quiet: bool, json_file: str | None) -> None:
    """The table on a terminal, plain lines elsewhere; the JSON where it was asked for.

    Raises  ScenarioError with the report's faults, if any, when the rest is said.
    """
    from verify import report as faces

    _tell_github(report)
    if json_file == "-":
        click.echo(faces.as_json(report))
        return
    if json_file:
        Path(json_file).write_text(faces.as_json(report) + "\n")
    if report.faults:
        raise ScenarioError(report.faults)
    if not quiet and sys.stdout.isatty():
        from rich.console import Console

        Console().print(faces.table(report))
    elif not quiet:
        for result in report.results:
            click.echo(faces.line(result))
    for result in report.results:
        if not result.ok and result.verdict != "NOT RUN":
            click.echo("\n" + faces.block(result, report.candidate))
    click.echo("\n" + faces.summary(report))


def face_of(page_file: str | None, faults_file: str | None) -> Callable[[Report], None]:
    """What writes the page of a report, if one is asked for; ready before anything is judged.

    Raises  UsageError where it could not be written, or the matrix of faults is none.
    """
    if page_file is None:
        if faults_file is not None:
            raise UsageError("--faults FILE is shown by the page: give --report FILE, too")
        return lambda _: None
    from verify import reading
    from verify.page import page, ready

    path = ready(page_file)
    matrix = faults_file and reading.matrix(reading.contents(Path(faults_file)), faults_file)
    command = shlex.join(["verify", *sys.argv[1:]])
    return lambda report: _write(path, page(report, command, matrix or None))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _tell_github(report: Report) -> None:
    """Annotations on stderr, and the step's summary, in a workflow."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    from verify import github

    for command in github.commands(report):
        click.echo(command, err=True)
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(github.step_summary(report))


def bar(
    things: Sequence[T], unit: str = "cases", size: Callable[[T], int] = lambda _: 1
) -> Iterator[T]:
    """The things, behind a progress bar on stderr with rate and time left; nothing elsewhere.

    `size` says how many units a thing is.
    """
    if not sys.stderr.isatty():
        yield from things
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    rate = TextColumn(f"{{task.fields[rate]:.0f}} {unit}/s")
    columns = (BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=sum(map(size, things)), rate=0.0)
        for thing in things:
            yield thing
            progress.update(task, advance=size(thing), rate=progress.tasks[0].speed or 0.0)
