"""The command. Progress goes to stderr, data to stdout; exit codes are those of `--help`."""

from __future__ import annotations

import io
import logging
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import click

from verify.commands import experiments, gradcheck, run, scenarios
from verify.commands.options import EXIT_CODES
from verify.errors import Terminated, VerifyError, printable
from verify.files import shadowed


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
        context.invoke(run.run, quiet=quiet)


for command in (*run.COMMANDS, gradcheck.gradcheck, *scenarios.COMMANDS, *experiments.COMMANDS):
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
