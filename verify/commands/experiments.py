"""The commands that measure: what the suite sees, what it costs, random cases by the million."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from verify import files
from verify.commands.options import (
    ARRAYS,
    CANDIDATE,
    JSON,
    QUIET,
    TIMEOUT,
    WORKERS,
    Device,
    ScenarioPath,
    Whole,
)
from verify.commands.terminal import bar, emit
from verify.errors import UsageError
from verify.judge.asked import Asked


@click.command()
@click.argument("paths", nargs=-1, type=ScenarioPath())
@JSON
@WORKERS
@click.option(
    "--compare", is_flag=True, help="What gradcheck, assert_close and others see instead."
)
@click.option(
    "--functions",
    is_flag=True,
    help="What verify.gradcheck and other checks see of 30 functions by hand, in no file.",
)
@QUIET
def faults(
    paths: Sequence[str], json_file: str | None, workers: int, compare: bool, functions: bool
) -> NoReturn:
    """Plant every known fault: which scenario file catches which.

    Exit 1 when a visible fault survives, or a kind of scenario that faults need is missing.
    """
    if functions:
        _functions(paths, json_file)
    from verify.experiments.faults import comparison, sight
    from verify.scenario.collection import collect

    cases = collect(paths or None)
    files = list(dict.fromkeys(case.path for case in cases))
    if compare:
        found = comparison(files, partial(bar, unit="files"))
        emit(json.dumps(found.to_dict(), indent=1), found.text(), json_file)
        sys.exit(0)
    seen = sight(files, workers=workers, progress=partial(bar, unit="files"))
    emit(json.dumps(seen.to_dict(), indent=1), seen.text(), json_file)
    sys.exit(bool(seen.survivors or (seen.missing_kinds and not paths)))


def _functions(paths: Sequence[str], json_file: str | None) -> NoReturn:
    """Raises  UsageError where files are named: these functions are in none."""
    from verify.experiments.functions import comparison

    if paths:
        raise UsageError(f"--functions: its functions are in no file; leave out {paths[0]}")
    found = comparison(partial(bar, unit="checks"))
    emit(json.dumps(found.to_dict(), indent=1), found.text(), json_file)
    sys.exit(0)


@click.command()
@click.option(
    "--shape", "shapes", metavar="N,D,K", multiple=True, help="Instead of the usual ones."
)
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=2.0,
              help="Time limit of each method at each shape. [2]")  # fmt: skip
@JSON
@QUIET
def bench(shapes: Sequence[str], seconds: float, json_file: str | None) -> NoReturn:
    """Cost and sight beside other checks, as ratios of one run."""
    from verify.experiments import bench as benches

    chosen = [_shape(text) for text in shapes] or benches.SIZES
    found = benches.bench(chosen, seconds, partial(bar, unit="shapes"))
    emit(json.dumps(found.to_dict(), indent=1), found.text(), json_file)
    sys.exit(0)


def _shape(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
        raise UsageError(f"--shape {text!r}: give three sizes of 1 or more, as 256,784,10")
    N, D, K = map(int, parts)
    return N, D, K


@click.command()
@click.option("--cases", type=Whole(), default=1_000_000, help="Number of cases. [1e6]")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, help="Seed of the random problems. [0]"
)
@click.option("--dtype", default="both",
              type=click.Choice(["float32", "float64", "both", "bfloat16", "float16"]))  # fmt: skip
@click.option("--shape", metavar="N,D,K", help="Shape of all problems; drawn if not given.")
@click.option("--network", default="", metavar="FILE|drawn",
              help="Networks: that of a scenario file, or drawn. [the post's]")  # fmt: skip
@click.option("--device", type=Device(), default="cpu",
              help="Where the twin computes.")  # fmt: skip
@CANDIDATE
@ARRAYS
@TIMEOUT
@click.option("--truth-every", type=click.IntRange(min=1), default=4096,
              help="The truth judges one case of so many. [4096]")  # fmt: skip
@WORKERS
@click.option("--shard", default="1/1", metavar="I/N", help="Only this part, of N disjoint ones.")
@JSON
@click.option("--case", type=Whole(), help="Write this case as a scenario file, judge nothing.")
@click.option("--folder", type=click.Path(path_type=Path),
              help="For scenario files. [scenarios if there, else here]")  # fmt: skip
@QUIET
def campaign(
    workers: int, shard: str, json_file: str | None, case: int | None, folder: Path | None,
    **options: Any,
) -> NoReturn:  # fmt: skip
    """Judge random problems by the million.

    The first that is beyond a bound ends it: shrunk to the smallest problem that still shows it, it
    is written as a scenario file. Seed and number repeat one case: --case NUMBER. Exit 1 for a
    violation.
    \f
    Raises  UsageError where that file cannot be written, once the finding is told.
    """
    from verify.experiments import campaign as campaigns
    from verify.experiments import violation as violations
    from verify.experiments.outcome import planned
    from verify.experiments.stacks import STACK
    from verify.scenario.write import home, written

    part, shards = _pair(shard)
    shape, candidate = options.pop("shape"), options.pop("candidate") or ""
    arrays, timeout = options.pop("arrays"), options.pop("timeout")
    plan = planned(
        **options, candidate=candidate, shards=shards, shape=_shape(shape) if shape else None
    )
    if case is not None:
        name = f"case-{plan.seed}-{case}"
        click.echo(written(name, folder or home(), violations.as_scenario(plan, case)))
        sys.exit(0)
    home_of_files = files.writable(folder or home())
    device = "" if plan.device == "cpu" else plan.device
    asked = Asked(plan.candidate, True, arrays, timeout, device=device)
    signal = 0
    try:
        found = campaigns.campaign(
            plan, part, workers, asked, partial(bar, size=lambda task: len(task) * STACK)
        )
    except campaigns.CampaignInterrupted as interrupt:
        found, signal = interrupt.outcome, interrupt.signal
    trouble = None
    if found.violations:
        try:
            first = violations.with_file(plan, found.violations[0], asked, home_of_files)
            found = found.model_copy(update={"violations": (first,)})
        except UsageError as error:  # its file cannot be written; what was found is told first
            trouble = error
    emit(found.model_dump_json(indent=1), found.text(asked), json_file)
    if trouble is not None:
        raise trouble
    sys.exit(128 + signal if signal else found.exit_code)


@click.command()
@click.argument("parts", metavar="FILE...", nargs=-1, required=True,
                type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@JSON
def merge(parts: Sequence[Path], json_file: str | None) -> NoReturn:
    """Join the JSON of a campaign's shards.

    Exit 2 where one is missing or doubled.
    """
    from verify.experiments.outcome import merged

    found = merged([(str(file), files.contents(file)) for file in parts])
    emit(found.model_dump_json(indent=1), found.text(Asked(found.plan.candidate)), json_file)
    sys.exit(found.exit_code)


def _pair(text: str) -> tuple[int, int]:
    part, _, shards = text.partition("/")
    if not (part.isdecimal() and shards.isdecimal() and 1 <= int(part) <= int(shards)):
        raise UsageError(f"--shard {text!r}: give a part and their number, as 3/16")
    return int(part), int(shards)


COMMANDS = (faults, bench, campaign, merge)
