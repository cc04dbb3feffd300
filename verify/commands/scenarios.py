"""The commands of whoever writes scenarios: check, new, lock, export, schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from verify.commands.options import JSON, LIMITS, QUIET, ScenarioPath
from verify.commands.terminal import bar, emit, show_report
from verify.errors import ScenarioError, number, printable

if TYPE_CHECKING:
    from verify.errors import FileFault
    from verify.scenario.cases import Case


@click.command()
@click.argument("paths", nargs=-1, type=ScenarioPath())
@LIMITS
@JSON
@QUIET
def check(paths: Sequence[str], settings: Sequence[str], json_file: str | None) -> NoReturn:
    """Read scenario files without judging them.

    Exit 2 with every fault that was found, or 0. Loads no torch.
    \f
    Raises  ScenarioError with every fault.
    """
    from verify.scenario.collection import collection
    from verify.scenario.limits import limits

    found: tuple[Case, ...] = ()
    faults: tuple[FileFault, ...] = ()
    try:
        found = collection(paths or None, limits=limits(settings)).cases
    except ScenarioError as error:
        faults = error.faults
    count = len({case.path for case in found})
    text = f"{number(count, 'scenario file')}, well formed, {number(len(found), 'case')}"
    whole = {"format": 1, "files": count, "cases": [case.id for case in found],
             "faults": [asdict(fault) for fault in faults]}  # fmt: skip
    emit(json.dumps(whole, indent=1), "" if faults else text, json_file)
    if faults:
        raise ScenarioError(faults)
    sys.exit(0 if found else 5)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 on a difference.")
@LIMITS
@JSON
@QUIET
def lock(
    folder: Path | None, only_check: bool, settings: Sequence[str], json_file: str | None
) -> NoReturn:
    """Pin what was verified in FOLDER/manifest.json.

    Contents, problems and exact values. Judges first, and locks nothing unless everything passes.
    FOLDER is scenarios if not given.
    """
    from verify.judge import lock as locks
    from verify.scenario.limits import limits

    folder = folder or Path("scenarios")
    files = partial(bar, unit="files")
    if only_check:
        differences = locks.check(folder, limits(settings), files)
        end = "not as locked" if differences else "as locked, every exact value"
        whole = {"format": 1, "ok": not differences, "differences": differences}
        emit(json.dumps(whole, indent=1), "\n".join(map(printable, [*differences, end])), json_file)
        sys.exit(1 if differences else 0)
    done = locks.lock(folder, limits(settings), files)
    if done.manifest is None:
        show_report(done.report, True, None)
        sys.exit(done.report.exit_code)
    locked = done.manifest.scenarios.values()
    cases = number(sum(entry.count for entry in locked), "case")
    end = f"{done.path}: {number(len(locked), 'file')}, {cases}"
    whole = {"format": 1, "ok": True, "manifest": str(done.path), "changes": done.changes}
    emit(json.dumps(whole, indent=1), "\n".join(map(printable, [*done.changes, end])), json_file)
    sys.exit(0)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, type=ScenarioPath())
@LIMITS
@JSON
@QUIET
def export(
    folder: Path, paths: Sequence[str], settings: Sequence[str], json_file: str | None
) -> NoReturn:
    """Write every case as JSON for other languages.

    Floats as hex; the exact links; a bound for every entry.
    `verify schema export` describes the format.
    """
    from verify.report.export import export as exported
    from verify.scenario.collection import collect
    from verify.scenario.limits import limits

    written, left = exported(bar(collect(paths or None, limits=limits(settings))), folder)
    lines = [f"NOT EXPORTED, its truth is too much work: {printable(case.id)}" for case in left]
    lines.append(f"{folder}: {number(len(written), 'case')}")
    whole = {"format": 1, "written": list(map(str, written)), "left": [case.id for case in left]}
    emit(json.dumps(whole, indent=1), "\n".join(lines), json_file)
    sys.exit(0 if written else 5)


@click.command()
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path),
              help="Where to. [scenarios, if there is such a folder, else here]")  # fmt: skip
@click.option("--from-failure", "failure", metavar="FILE",
              type=click.Path(path_type=Path),
              help="The smallest failing case of verify run --json FILE, number by number.",
              )  # fmt: skip
@LIMITS
@JSON
def new(
    name: str, folder: Path | None, failure: Path | None, settings: Sequence[str],
    json_file: str | None,
) -> None:  # fmt: skip
    """Write a commented scenario file to start from.

    It passes as it stands. With --from-failure, a case that failed, with every number written out,
    to keep and to shrink.
    """
    from verify.scenario.write import home, written

    if failure is None:
        path = str(written(name, folder or home()))
        emit(json.dumps({"format": 1, "file": path, "case": None}, indent=1), path, json_file)
        return
    from verify import files
    from verify.report import read
    from verify.report.failure import scenario_of
    from verify.scenario.limits import limits

    report = read.report(files.contents(failure), str(failure))
    result, text = scenario_of(report, limits(settings))
    path = str(written(name, folder or home(), text))
    whole = {"format": 1, "file": path, "case": result.id}
    emit(json.dumps(whole, indent=1), f"{path}: {printable(result.id)}", json_file)


@click.command()
@click.argument("what", default="scenario", type=click.Choice(
    ["scenario", "report", "manifest", "export", "request", "answer"]))  # fmt: skip
@JSON
def schema(what: str, json_file: str | None) -> None:
    """Print the JSON Schema of scenario files, for editors.

    Or that of what this command writes: a report, a manifest, an export; or what it asks of a
    program that is a candidate, and what that answers.
    """
    from verify.commands import schemas

    text = json.dumps(schemas.SCHEMAS[what](), indent=2)
    emit(text, "" if json_file else text, json_file)


COMMANDS = (check, lock, export, new, schema)
