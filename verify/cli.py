"""The command. Progress goes to stderr, data to stdout; exit codes are those of `--help`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from verify import authoring, completion, experiments
from verify.errors import ScenarioError, Terminated, VerifyError, printable
from verify.options import (
    ARRAYS,
    CANDIDATE,
    LIMITS,
    TIMEOUT,
    TRUTH_BUDGET,
    TWIN,
    Device,
    ScenarioPath,
    writable,
)
from verify.terminal import bar, page_of, show

EXIT_CODES = """\b
Exit codes: 0 all judged cases passed; 1 a case failed or cannot be judged;
2 bad scenario file or usage; 3 internal error; 4 unfit environment (a required
device is missing); 5 nothing was judged; 130 or 143 interrupted."""


@click.group(
    invoke_without_command=True,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="backprop-verify")
@click.option("-v", "--verbose", count=True, help="Log to stderr; twice: every case.")
@click.pass_context
def cli(context: click.Context, verbose: int) -> None:
    """Verify hand-written backpropagation against an exact truth, within derived bounds.

    Without a command, runs the scenarios that this package carries.
    """
    if verbose:
        level = logging.INFO if verbose == 1 else logging.DEBUG
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("verify").setLevel(level)
    if context.invoked_subcommand is None:
        context.invoke(run)


@cli.command(epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, type=ScenarioPath())
@click.option("-k", "keyword", metavar="EXPR", default="", help="Only cases whose id matches.")
@click.option("--device", type=Device(), help="Run every case there: cpu, cuda, cuda:1, ...")
@click.option("--require-device", type=click.Choice(["cuda"]), help="Exit 4 when it is missing.")
@click.option("--json", "json_file", callback=writable, metavar="FILE",
              help="Write the report as JSON; - for stdout.")  # fmt: skip
@click.option("--report", "page_file", metavar="FILE", help="Write a page to look at (HTML).")
@click.option(
    "--faults", "faults_file", metavar="FILE",
    help="With --report: show this matrix of verify faults --json, too.",
)  # fmt: skip
@TRUTH_BUDGET
@CANDIDATE
@ARRAYS
@TIMEOUT
@TWIN
@LIMITS
@click.option("-q", "--quiet", is_flag=True, help="Only what is not green, and the summary.")
def run(
    paths: Sequence[str] = (),
    keyword: str = "",
    device: str | None = None,
    require_device: str | None = None,
    json_file: str | None = None,
    page_file: str | None = None,
    faults_file: str | None = None,
    truth_budget: float | None = None,
    candidate: str | None = None,
    arrays: str = "numpy",
    timeout: float = 60.0,
    twin: str = "eager",
    settings: Sequence[str] = (),
    quiet: bool = False,
) -> NoReturn:
    """Judge scenario files, folders, or single cases (FILE::CASE)."""
    from verify import runner, truth
    from verify.document import limits
    from verify.result import Report

    face = page_of(page_file, faults_file)
    try:
        report = runner.run(
            paths or None,
            keyword=keyword,
            device=device,
            require_device=require_device,
            budget=truth.BUDGET if truth_budget is None else truth_budget,
            limits=limits(settings),
            candidate=candidate,
            arrays=arrays,
            timeout=timeout,
            twin=twin,
            progress=None if quiet else bar,
        )
    except ScenarioError as error:
        report = Report((), 0, error.faults)
    except runner.Interrupted as interrupted:
        report = interrupted.report
    if os.environ.get("RANK", "0") == "0":  # of the ranks of torchrun, one speaks
        face(report)
        show(report, quiet, json_file)
    sys.exit(report.exit_code)


@cli.command("show", epilog=EXIT_CODES)
@click.argument("path", type=ScenarioPath(), required=False)
@click.option("--plot", metavar="FILE", help="Draw the loss and the errors: .png or .svg.")
@CANDIDATE
@ARRAYS
@TIMEOUT
@TWIN
@TRUTH_BUDGET
@LIMITS
def walk(
    path: str | None, plot: str | None, candidate: str | None, arrays: str, timeout: float,
    twin: str, truth_budget: float | None, settings: Sequence[str],
) -> NoReturn:  # fmt: skip
    """The post's walk on one case (FILE::CASE), link by link.

    Manual, twin and truth beside each other. Of a file with several cases, the first; without a
    file, the post's worked example.
    """
    from verify import truth, ways
    from verify import walk as walks
    from verify.candidate import candidate as loaded
    from verify.collection import one_of, packaged, shown
    from verify.document import limits
    from verify.result import Report
    from verify.terminal import picture_of, tell

    draw = picture_of(plot)
    ways.ready(twin)
    example = shown(packaged() / "worked-example.toml")
    case, others = one_of(path or str(example), limits(settings))
    subject = loaded(candidate, arrays, case.device, timeout) if candidate else None
    try:
        budget = truth.BUDGET if truth_budget is None else truth_budget
        seen = walks.walk(case, budget, subject, twin)
    finally:
        if subject is not None:
            subject.close()
    click.echo(walks.text(seen) + "\n")
    tell(seen.result, candidate or "", others)
    draw(seen.result)
    sys.exit(Report((seen.result,), 1).exit_code)


for command in (*authoring.COMMANDS, *experiments.COMMANDS):
    cli.add_command(command)


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise Terminated


def main() -> NoReturn:
    """The entry point: an error on purpose is one message and its exit code, never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    completion.register()
    command: Callable[..., Any] = cli.main
    try:
        command(prog_name="verify", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as abort:
        click.echo("interrupted", err=True)
        sys.exit(128 + getattr(abort.__cause__, "signal", signal.SIGINT))
    except VerifyError as error:
        click.echo("\n".join(map(printable, str(error).split("\n"))), err=True)
        sys.exit(error.exit_code)
    except Exception:  # a defect of the command itself: not the exit code of a failed case
        traceback.print_exc()
        click.echo("internal error; please report it with the lines above", err=True)
        sys.exit(3)
    sys.exit(0)
