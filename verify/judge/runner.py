"""The one loop: paths -> cases -> Results."""

from __future__ import annotations

import logging
import math
import os
import platform
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import verify
from verify.candidate.candidate import Candidate
from verify.candidate.candidate import candidate as loaded
from verify.candidate.load import Arrays
from verify.errors import EnvironmentUnfit, UsageError, VerifyError, number
from verify.judge.asked import DEVICE, Asked
from verify.judge.causes import SHOWN, UNKNOWN, causes
from verify.judge.judge import judge
from verify.judge.result import Finding, Report, Result, Verdict
from verify.judge.selftest import proven
from verify.network import truth, twins
from verify.network.twin import available
from verify.scenario.cases import Case
from verify.scenario.collection import Subject, collection
from verify.scenario.document import Limits
from verify.threads import one_thread

_log = logging.getLogger(__name__)


class Interrupted(KeyboardInterrupt):
    """The run was interrupted; `report` holds what was judged until then."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"{len(report.results)} of {report.found} cases were judged")
        self.report = report


def run(
    paths: Subject | Iterable[Subject] | None = None,
    *,
    keyword: str = "",
    device: str | None = None,
    require_device: str | None = None,
    budget: float = truth.BUDGET,
    limits: Limits | None = None,
    candidate: str | Callable[..., Any] | None = None,
    arrays: Arrays = "numpy",
    timeout: float = 60.0,
    memory: int = 0,
    twin: str = "eager",
    most_failures: int = 0,
    progress: Callable[[Sequence[Case]], Iterable[Case]] | None = None,
) -> Report:
    """Judge every case of some files, folders, `file::case` names, Scenarios or Cases.

    `device` overrides the cases' own; `keyword` selects by id; `progress` may wrap the cases.
    `candidate` is judged too: a name (package.module:attribute or path/to/file.py:attribute) runs
    in a child process with `timeout` seconds a call and at most `memory` bytes, if not 0; a
    function runs in this one, without a limit. The run stops after `most_failures`, if not 0, and
    when a candidate hangs several times.
    It takes (X, W, P, h), or (X, W, P) as `arrays` of torch or jax. `twin` is the way in which
    torch differentiates: a name of ways.TWINS.

    Raises  ScenarioError with all faults of all files before anything is judged; UsageError for a
            path, keyword or twin that cannot be meant; CandidateError for a candidate that cannot
            be loaded; EnvironmentUnfit where `require_device`, or what the twin needs, is absent;
            Interrupted, which is a KeyboardInterrupt with the report so far.
    """
    started = time.perf_counter()
    _meant(budget=budget, timeout=timeout, memory=memory, arrays=arrays)
    if device is not None and not re.fullmatch(DEVICE, str(device)):
        raise UsageError(f"device {device!r}: give cpu, cuda, or cuda:1")
    twins.require_twin(twin)
    if require_device and not available(require_device):
        raise EnvironmentUnfit(
            f"there is no {require_device} device here; run without --require-device"
            f" {require_device}, or on a machine that has one"
        )
    found = collection(paths, keyword=keyword, device=device, limits=limits)
    load = partial(loaded, candidate or "", arrays, device or "cpu", timeout, memory)
    subject, proof = None, ""
    if candidate is not None:
        with one_thread():
            proof = proven(device or "cpu")
        subject = load()
    asked = Asked(
        subject.name if subject else "", isinstance(candidate, str), arrays, timeout, memory,
        device or "", twin, budget if budget != truth.BUDGET else -1.0,
        limits.settings if limits else (), _named(paths), keyword,
    )  # fmt: skip
    results: list[Result] = []
    _log.info("%d cases, twin %s, candidate %s", len(found.cases), twin, candidate)

    def report(by: int = 0, stopped: str = "") -> Report:
        return Report(
            tuple(results), len(found.cases), (), time.perf_counter() - started, environment(),
            asked.candidate, proof, found.unlocked, by, stopped, asked,
        )  # fmt: skip

    stopped = ""
    try:
        with one_thread():
            for case in (progress or iter)(found.cases):
                results.append(judged(case, budget, subject, twin))
                _log.debug("%s %s", results[-1].verdict, case.id)
                stopped = _enough(results, most_failures)
                if stopped and len(results) < len(found.cases):
                    break
            if isinstance(candidate, str) and not stopped:
                _alone(results, {c.id: c for c in found.cases}, load, budget)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(report(getattr(interrupt, "signal", signal.SIGINT))) from interrupt
    finally:
        if subject is not None:
            subject.close()
    _require(require_device, results)
    return report(stopped=stopped if len(results) < len(found.cases) else "")


def _named(paths: Subject | Iterable[Subject] | None) -> tuple[str, ...]:
    """The paths that were named; of what lies in memory nothing."""
    if isinstance(paths, str | os.PathLike):
        return (str(paths),)
    several = paths if isinstance(paths, Sequence) else ()
    return tuple(str(path) for path in several if isinstance(path, str | os.PathLike))


_HANGS = 3  # cases in which a candidate gives no answer in time, before it is asked no more


def _meant(budget: float, timeout: float, memory: int, arrays: str) -> None:
    for name, value in (("budget", budget), ("timeout", timeout), ("memory", memory)):
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not real or not (0 <= value < math.inf) or (name == "timeout" and not value):
            least = "above 0" if name == "timeout" else "of 0 or more"
            raise UsageError(f"{name} {value!r}: give a finite number {least}")
    if arrays not in get_args(Arrays):
        raise UsageError(f"arrays {arrays!r}: choose one of {', '.join(get_args(Arrays))}")


def _enough(results: Sequence[Result], most_failures: int) -> str:
    """Why a run need not go on; empty where it should."""
    failed = sum(not r.ok and r.verdict is not Verdict.NOT_RUN for r in results)
    hangs = sum(any(f.check == "timeout" for f in r.findings) for r in results)
    if hangs >= _HANGS:
        return f"the candidate gave no answer in time in {hangs} cases"
    if most_failures and failed >= most_failures:
        return f"-x or --maxfail: {number(failed, 'case')} failed"
    return ""


def _alone(
    results: list[Result], cases: Mapping[str, Case], load: Callable[[], Candidate], budget: float
) -> None:
    """Find out which failures of those that are shown need an earlier case in the same process."""
    for cause in causes(results)[:SHOWN]:
        at = next(i for i, result in enumerate(results) if result is cause.smallest)
        of_it = any(f.subject.startswith("candidate ") for f in results[at].findings)
        if of_it and results[at].seconds < 1:
            tries = [[], *([case] for case in _before(results, at))]
            fails = (t for t in tries if _fails([*t, results[at].id], cases, load, budget))
            needed = next(fails, None)
            after = UNKNOWN if needed is None else "".join(needed)
            results[at] = replace(results[at], after=after)


def _before(results: Sequence[Result], at: int) -> list[str]:
    """The cases before one that may have left a state for it, the likeliest first."""
    one, earlier = results[at], results[:at]
    alike = [r for r in earlier if r.sizes == one.sizes]
    near = [r for r in earlier if (r.path, r.dtype) == (one.path, one.dtype)]
    last = [r for r in reversed(earlier) if r.dtype == one.dtype]
    several = [*alike[:3], *near[:2], *near[-2:], *earlier[:1], *last[:2]]
    return list(dict.fromkeys(r.id for r in several))


def _fails(
    ids: Sequence[str], cases: Mapping[str, Case], load: Callable[[], Candidate], budget: float
) -> bool:
    """Whether the last of some cases fails in a new process of the candidate."""
    subject = load()
    try:
        return not [judged(cases[each], budget, subject).ok for each in ids][-1]
    finally:
        subject.close()


def judged(
    case: Case, budget: float, candidate: Candidate | None = None, twin: str = "eager"
) -> Result:
    """The judgement of one case; of one that could not come to an end, what kept it from it.

    Raises  EnvironmentUnfit and other errors on purpose.
    """
    try:
        return judge(case, budget, candidate, twin)
    except VerifyError:
        raise
    except MemoryError:
        message = "not enough memory for this case; the others are judged"
        finding = Finding("memory", Verdict.FAIL, message)
    except Exception as error:  # a defect of the suite itself; it must not take other cases along
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        message = f"{type(error).__name__} in {where}: {error}; please report it with this file"
        finding = Finding("error", Verdict.ERROR, message)
    blank = Result(case.path, case.name, case.origin.line, case.dtype, case.device, case.layout)
    return replace(blank, findings=(finding,))


def environment() -> dict[str, str]:
    """The versions that figures depend on."""
    names = ("numpy", "torch", "python-flint", "pydantic", "pytest")
    versions = {name: metadata.version(name) for name in names}
    return {
        "verify": verify.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **versions,
        "optimised": str(bool(sys.flags.optimize)),
    }


def _require(device: str | None, results: Sequence[Result]) -> None:
    missing = [
        r for r in results
        if r.device.partition(":")[0] == device and r.findings and r.findings[0].check == "device"
    ]  # fmt: skip
    if missing:
        raise EnvironmentUnfit(
            f"{len(missing)} cases need a {device} device and there is none here; run without"
            f" --require-device {device}, or on a machine that has one"
        )
