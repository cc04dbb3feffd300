"""The commands that judge: run, and show, which judges one case."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NoReturn, TypeVar

import click

from verify.commands.options import (
    ARRAYS,
    CANDIDATE,
    EXIT_CODES,
    JSON,
    LIMITS,
    MEMORY,
    TIMEOUT,
    TRUTH_BUDGET,
    TWIN,
    Device,
    ScenarioPath,
)
from verify.commands.terminal import bar, emit, page_of, picture_of, show_report, show_verdict
from verify.errors import ScenarioError
from verify.judge.asked import Asked

F = TypeVar("F", bound=Callable[..., Any])


def _asking(command: F) -> F:
    """The options that say who is judged, by what, and within what limits."""
    options = (CANDIDATE, ARRAYS, TIMEOUT, MEMORY, TWIN, TRUTH_BUDGET, LIMITS)
    return reduce(lambda made, option: option(made), reversed(options), command)


@click.command(epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, type=ScenarioPath())
@click.option("-k", "keyword", metavar="EXPR", default="", help="Only cases whose id matches.")
@click.option("--device", type=Device(), help="Run every case there: cpu, cuda, cuda:1, ...")
@click.option("--require-device", type=click.Choice(["cuda"]), help="Exit 4 when it is missing.")
@JSON
@click.option("--report", "page_file", metavar="FILE", help="Write a page to look at (HTML).")
@click.option(
    "--faults", "faults_file", metavar="FILE",
    help="With --report: show this matrix of verify faults --json, too.",
)  # fmt: skip
@_asking
@click.option("-x", "first", is_flag=True, help="Stop at the first failure.")
@click.option("--maxfail", "most_failures", type=click.IntRange(min=1), metavar="N", default=None,
              help="Stop after N failures.")  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Only what is not green, and the summary.")
@click.option("-v", "--verbose", "everything", is_flag=True, help="Every failure in full.")
def run(
    paths: Sequence[str], json_file: str | None, quiet: bool, everything: bool, **options: Any
) -> NoReturn:
    """Judge scenario files, folders, or single cases (FILE::CASE).

    A packaged scenario needs no path: worked-example. Without any, those of ./scenarios if there is
    such a folder, else the packaged ones.
    """
    from verify.judge import runner
    from verify.judge.result import Report
    from verify.scenario.limits import limits

    face = page_of(options.pop("page_file"), options.pop("faults_file"))
    options["limits"] = limits(options.pop("settings"))
    options["most_failures"] = 1 if options.pop("first") else options["most_failures"] or 0
    given = {name: value for name, value in options.items() if value is not None}
    try:
        report = runner.run(paths or None, progress=None if quiet else bar, **given)
    except ScenarioError as error:
        report = Report((), 0, error.faults)
    except runner.Interrupted as interrupted:
        report = interrupted.report
    if os.environ.get("RANK", "0") == "0":  # of the ranks of torchrun, one speaks
        face(report)
        show_report(report, quiet, json_file, everything)
    sys.exit(report.exit_code)


@click.command(epilog=EXIT_CODES)
@click.argument("path", type=ScenarioPath(), required=False)
@click.option("--plot", metavar="FILE", help="Draw the loss and the errors: .png or .svg.")
@click.option("--device", type=Device(), help="Where the twin computes.")
@_asking
@JSON
def show(
    path: str | None, plot: str | None, device: str | None, json_file: str | None, **options: Any
) -> NoReturn:
    """The post's walk on one case (FILE::CASE), link by link.

    Manual, twin and truth beside each other. Of a file with several cases, the first; without a
    file, the post's worked example.
    """
    from verify.judge.result import Report
    from verify.network import twins
    from verify.report import show as walks
    from verify.report.text import as_json
    from verify.scenario.collection import one_of
    from verify.scenario.limits import limits

    draw = picture_of(plot)
    settings, budget = tuple(options.pop("settings")), options.pop("budget")
    asked = Asked(
        options.pop("candidate") or "", device=device or "", limits=settings,
        budget=-1.0 if budget is None else budget, **options,
    )  # fmt: skip
    twins.require_twin(asked.twin)
    case, others = one_of(path or "worked-example", limits(settings), device)
    subject = asked.loaded([case.network])
    try:
        seen = walks.walk(case, asked, subject)
    finally:
        if subject is not None:
            subject.close()
    report = Report((seen.result,), 1, asked=asked)
    emit(as_json(report), walks.text(seen) + "\n", json_file)
    if json_file != "-":
        show_verdict(report, others)
    draw(seen.result)
    sys.exit(report.exit_code)


COMMANDS = (run, show)
