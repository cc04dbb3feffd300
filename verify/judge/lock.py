"""A folder of scenarios -> its manifest: judged first, so that only what passed is locked.

For every file its digest; for every case the digest of its numbers, the exact cost before and after
and the digest of the exact gradient, all correctly rounded. From then on a scenario that
disappears, changes, or draws other numbers fails until it is locked again, and the diff of the
manifest says what changed, a line a case. `verify lock --check` computes every exact value again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from verify import files
from verify.errors import ScenarioError, UsageError, number
from verify.judge import pins
from verify.judge.result import Report, Result, Verdict
from verify.judge.runner import run
from verify.scenario import manifest
from verify.scenario.collection import scenarios
from verify.scenario.folder import MANIFEST
from verify.scenario.limits import Limits
from verify.scenario.load import Scenario
from verify.scenario.locked import manifest_of
from verify.scenario.manifest import Entry, Manifest


@dataclass(frozen=True)
class Lock:
    """What locking came to: the judgement, and the manifest unless something did not pass."""

    report: Report
    manifest: Manifest | None
    path: Path
    changes: tuple[str, ...]


def lock(
    folder: Path,
    limits: Limits | None = None,
    progress: Callable[[Sequence[Scenario]], Iterable[Scenario]] | None = None,
) -> Lock:
    """Judge a folder, and write its manifest where everything passes.

    Raises  ScenarioError for malformed files; UsageError for a path that is no folder, or takes no
            files, and where a case was not run.
    """
    found = scenarios(files.writable(_existing(folder)), limits or Limits())
    report = run(list(found.values()))
    path = folder / MANIFEST
    left = [r for r in report.results if r.verdict is Verdict.NOT_RUN and not _is_copy(r)]
    if report.ok and left:
        raise UsageError(
            f"nothing is locked: {number(len(left), 'case')} not run, as {left[0].id}"
            f" ({left[0].findings[0].message}); lock where every case can be judged"
        )
    if not report.ok:
        return Lock(report, None, path, ())
    made = of_scenarios(found, progress)
    try:
        before = manifest_of(folder)
    except ScenarioError:  # what cannot be read is what is being replaced
        before = None
    changes = tuple(manifest_changes(before, made))
    files.write(path, manifest.text(made))
    return Lock(report, made, path, changes)


def _is_copy(result: Result) -> bool:
    """Whether it is of a file with the bytes of another, which was judged."""
    return result.findings[0].check == "copy"


def check(
    folder: Path,
    limits: Limits | None = None,
    progress: Callable[[Sequence[Scenario]], Iterable[Scenario]] | None = None,
) -> list[str]:
    """What differs between a folder and its manifest, every exact value computed again.

    Raises  ScenarioError for malformed files; UsageError for a path that is no folder.
    """
    before = manifest_of(_existing(folder))
    if before is None:
        return [f"{folder.as_posix()}/{MANIFEST} is not here; `verify lock` writes it"]
    made = of_scenarios(scenarios(folder, limits or Limits()), progress)
    return [f"{folder.as_posix()}/{change}" for change in manifest_changes(before, made)]


def of_scenarios(
    found: dict[str, Scenario],
    progress: Callable[[Sequence[Scenario]], Iterable[Scenario]] | None = None,
) -> Manifest:
    """The manifest of some scenarios as they are now, by their names."""
    names = {scenario.path: name for name, scenario in found.items()}
    entries = {names[s.path]: pins.entry(s) for s in (progress or iter)(list(found.values()))}
    return Manifest(format=1, scenarios=entries)


def manifest_changes(before: Manifest | None, after: Manifest) -> Iterator[str]:
    """What of a manifest is another's, file by file and value by value."""
    old = before.scenarios if before else {}
    for name in sorted({*old, *after.scenarios}):
        if name not in after.scenarios:
            yield f"{name}: gone"
        elif name not in old:
            yield f"{name}: new, {number(after.scenarios[name].count, 'case')}"
        elif old[name] != after.scenarios[name]:
            yield f"{name}: {', '.join(_values(old[name], after.scenarios[name]))}"


def _values(old: Entry, new: Entry) -> Iterator[str]:
    """Which parts of an entry differ, with how many cases."""
    if old.content != new.content:
        yield "content"
    if old.cases.keys() != new.cases.keys():
        yield f"{old.count} cases before, {new.count} now"
    both = [(old.cases[name], new.cases[name]) for name in old.cases if name in new.cases]
    for value in ("problem", "C_before", "C_after", "dC_dW"):
        count = sum(getattr(a, value) != getattr(b, value) for a, b in both)
        if count:
            yield f"{value} of {number(count, 'case')}"


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; a lock is of a folder of scenarios")
    return folder
