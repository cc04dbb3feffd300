"""The command. Progress goes to stderr, data to stdout; exit codes are those of `--help`."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from verify.commands import experiments, scenarios
from verify.commands.options import (
    ARRAYS,
    CANDIDATE,
    JSON,
    LIMITS,
    MEMORY,
    TIMEOUT,
    TRUTH_BUDGET,
    TWIN,
    Device,
    ScenarioPath,
)
from verify.commands.terminal import bar, page_of, show
from verify.errors import ScenarioError, Terminated, VerifyError, printable
from verify.files import shadowed

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
@click.option("-q", "--quiet", is_flag=True, help="Only what is not green, and the summary.")
@click.pass_context
def cli(context: click.Context, verbose: int, quiet: bool) -> None:
    """Verify hand-written backpropagation against an exact truth, within derived bounds.

    Without a command, runs the scenarios of ./scenarios, or else those that this package carries.
    """
    if verbose:
        level = logging.INFO if verbose == 1 else logging.DEBUG
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("verify").setLevel(level)
    if context.invoked_subcommand is None:
        context.invoke(run, quiet=quiet)


@cli.command(epilog=EXIT_CODES)
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
@TRUTH_BUDGET
@CANDIDATE
@ARRAYS
@TIMEOUT
@MEMORY
@TWIN
@LIMITS
@click.option("-x", "first", is_flag=True, help="Stop at the first failure.")
@click.option("--maxfail", "most_failures", type=click.IntRange(min=1), metavar="N",
              help="Stop after N failures.")  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Only what is not green, and the summary.")
@click.option("-v", "--verbose", "everything", is_flag=True, help="Every failure in full.")
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
    arrays: Any = "numpy",
    timeout: float = 60.0,
    memory: int = 0,
    twin: str = "eager",
    settings: Sequence[str] = (),
    first: bool = False,
    most_failures: int | None = None,
    quiet: bool = False,
    everything: bool = False,
) -> NoReturn:
    """Judge scenario files, folders, or single cases (FILE::CASE).

    A packaged scenario needs no path: worked-example. Without any, those of ./scenarios if there is
    such a folder, else the packaged ones.
    """
    from verify.judge import runner
    from verify.judge.result import Report
    from verify.network import truth
    from verify.scenario.document import limits

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
            memory=memory,
            twin=twin,
            most_failures=1 if first else most_failures or 0,
            progress=None if quiet else bar,
        )
    except ScenarioError as error:
        report = Report((), 0, error.faults)
    except runner.Interrupted as interrupted:
        report = interrupted.report
    if os.environ.get("RANK", "0") == "0":  # of the ranks of torchrun, one speaks
        face(report)
        show(report, quiet, json_file, everything)
    sys.exit(report.exit_code)


@cli.command("show", epilog=EXIT_CODES)
@click.argument("path", type=ScenarioPath(), required=False)
@click.option("--plot", metavar="FILE", help="Draw the loss and the errors: .png or .svg.")
@click.option("--device", type=Device(), help="Where the twin computes.")
@CANDIDATE
@ARRAYS
@TIMEOUT
@MEMORY
@TWIN
@TRUTH_BUDGET
@LIMITS
@JSON
def walk(
    path: str | None, plot: str | None, device: str | None, candidate: str | None, arrays: Any,
    timeout: float, memory: int, twin: str, truth_budget: float | None, settings: Sequence[str],
    json_file: str | None,
) -> NoReturn:  # fmt: skip
    """The post's walk on one case (FILE::CASE), link by link.

    Manual, twin and truth beside each other. Of a file with several cases, the first; without a
    file, the post's worked example.
    """
    from verify.candidate.candidate import candidate as loaded
    from verify.commands.terminal import emit, picture_of, tell
    from verify.judge.asked import Asked
    from verify.judge.result import Report
    from verify.network import truth, twins
    from verify.report import show as walks
    from verify.report.text import as_json
    from verify.scenario.collection import one_of
    from verify.scenario.document import limits

    draw = picture_of(plot)
    twins.require_twin(twin)
    case, others = one_of(path or "worked-example", limits(settings), device)
    subject = loaded(candidate, arrays, case.device, timeout, memory) if candidate else None
    budget = truth.BUDGET if truth_budget is None else truth_budget
    try:
        seen = walks.walk(case, budget, subject, twin)
    finally:
        if subject is not None:
            subject.close()
    asked = Asked(candidate or "", True, arrays, timeout, memory, device or "", twin,
                  -1.0 if truth_budget is None else truth_budget, tuple(settings))  # fmt: skip
    report = Report((seen.result,), 1, asked=asked)
    emit(as_json(report), walks.text(seen) + "\n", json_file)
    if json_file != "-":
        tell(report, others)
    draw(seen.result)
    sys.exit(report.exit_code)


for command in (*scenarios.COMMANDS, *experiments.COMMANDS):
    cli.add_command(command)


_CLOSED = 128 + 13  # as a shell shows an end by SIGPIPE


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise Terminated


def main() -> NoReturn:
    """The entry point: an error on purpose is one message and its exit code, never a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):  # in a locale that lacks a letter it is escaped
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if told := shadowed():
        click.echo(told, err=True)
    command: Callable[..., Any] = cli.main
    stdout = sys.stdout  # in its place click puts another when whoever reads it has gone
    try:
        command(prog_name="verify", standalone_mode=False)
    except SystemExit:
        if sys.stdout is not stdout:
            sys.exit(_CLOSED)
        raise
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
