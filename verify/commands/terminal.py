"""Output of the commands: the report, its page, annotations, progress."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from verify import files
from verify.commands.options import HUSHED
from verify.errors import ScenarioError, UsageError, printable

if TYPE_CHECKING:
    from verify.judge.result import Report, Result

T = TypeVar("T")
_NAMES = 8  # of cases that are listed


def show_report(
    report: Report, quiet: bool, json_file: str | None, everything: bool = False
) -> None:
    """The table on a terminal, plain lines elsewhere; the JSON where it was asked for.

    Raises  ScenarioError with the report's faults, if any, when the rest is said.
    """
    from verify.report import text as faces

    _tell_github(report)
    if json_file == "-":
        click.echo(faces.as_json(report))
        return
    if json_file:
        files.write(Path(json_file), faces.as_json(report) + "\n")
    if report.faults:
        raise ScenarioError(report.faults)
    if not quiet and sys.stdout.isatty():
        from rich.console import Console

        Console().print(faces.table(report))
    elif not quiet:
        for result in report.results:
            click.echo(faces.line(result))
    blocks, more = faces.worth_showing(report, everything)
    for result, cause in blocks:
        click.echo("\n" + coloured(faces.block(result, report.asked, cause)))
    if more:
        told = "  -v shows all in full, -x stops at the first; --json FILE, --report FILE keep all"
        click.echo(f"\nand {more} more that are not green\n{told}")
    click.echo("\n" + faces.summary(report))


_COLOURS = {"FAIL": "red", "CANNOT JUDGE": "yellow", "ERROR": "magenta", "found": "red",
            "truth": "green", "other side": "green", "cause": "yellow"}  # fmt: skip


def coloured(block: str) -> str:
    """A block with its verdict, what was found and what is true in colours, on a terminal."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return block
    return "\n".join(map(_coloured, block.split("\n")))


def _coloured(line: str) -> str:
    row = line.lstrip()
    word = next((w for w in _COLOURS if row.startswith(f"{w}  ")), None)
    if word is None:
        return line
    indent = line[: len(line) - len(row)]
    return indent + click.style(row, fg=_COLOURS[word], bold=word.isupper())


def show_verdict(report: Report, others: Sequence[str]) -> None:
    """The verdict on the one case of a report, and which cases its file has besides."""
    from verify.report import text as faces

    (result,) = report.results
    of_one = faces.worth_showing(report)[0]
    text = faces.block(result, report.asked, of_one[0][1]) if of_one else faces.line(result)
    click.echo(coloured(text))
    if others:
        names = ", ".join(others[:_NAMES]) + ", ..." * (len(others) > _NAMES)
        click.echo(f"\nthe first case of its file, which also has {printable(names)}")


def emit(as_json: str, text: str, json_file: str | None) -> None:
    """The text on stdout, and the JSON in its file; for a file of -, the JSON alone on stdout."""
    if json_file == "-":
        click.echo(as_json)
        return
    if json_file:
        files.write(Path(json_file), as_json + "\n")
    if text:
        click.echo(text)


def picture_of(file: str | None) -> Callable[[Result], None]:
    """What draws the picture of a walk, if one is asked for; ready before anything is judged.

    Raises  UsageError where it could not be drawn or written.
    """
    if file is None:
        return lambda _: None
    from verify.report import plots

    plots.require_matplotlib()
    path = files.destination(file)
    kind = path.suffix.removeprefix(".")
    if kind not in ("png", "svg"):
        raise UsageError(f"{printable(file)}: the plot is a .png or an .svg; give such a name")
    return lambda result: files.write(path, plots.walked(result, kind))


def page_of(page_file: str | None, faults_file: str | None) -> Callable[[Report], None]:
    """What writes the page of a report, if one is asked for; ready before anything is judged.

    Raises  UsageError where it could not be written, or the matrix of faults is none.
    """
    if page_file is None:
        if faults_file is not None:
            raise UsageError("--faults FILE is shown by the page: give --report FILE, too")
        return lambda _: None
    from verify.report import read
    from verify.report.page import destination_of, page

    path = destination_of(page_file)
    matrix = faults_file and read.matrix(files.contents(Path(faults_file)), faults_file)
    command = shlex.join(["verify", *sys.argv[1:]])
    return lambda report: files.write(path, page(report, command, matrix or None))


def _tell_github(report: Report) -> None:
    """Annotations on stderr, and the step's summary, in a workflow."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    from verify.report import github

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
    context = click.get_current_context(silent=True)
    hushed = context is not None and context.meta.get(HUSHED, False)
    if hushed or not sys.stderr.isatty():
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
