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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any, TypedDict, Unpack, get_args

import verify
from verify.candidate.candidate import Candidate
from verify.candidate.candidate import candidate as loaded
from verify.candidate.load import Arrays
from verify.errors import EnvironmentUnfit, UsageError, VerifyError, number
from verify.judge.asked import DEVICE, Asked
from verify.judge.causes import SHOWN, UNKNOWN, causes
from verify.judge.compare import raised
from verify.judge.judge import Judgement, judgement
from verify.judge.result import Finding, Report, Result, Verdict
from verify.judge.selftest import proven
from verify.network import truth, twins
from verify.network.twin import available, one_thread
from verify.scenario.cases import Case
from verify.scenario.collection import Source, collection
from verify.scenario.limits import Limits

_log = logging.getLogger(__name__)


class Interrupted(KeyboardInterrupt):
    """The run was interrupted; `report` holds what was judged until then."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"{len(report.results)} of {report.found} cases were judged")
        self.report = report


class Options(TypedDict, total=False):
    """The keywords of `run`, of which each may be left out."""

    keyword: str
    device: str | None
    require_device: str | None
    budget: float
    limits: Limits | None
    candidate: str | Callable[..., Any] | None
    arrays: Arrays
    timeout: float
    memory: int
    twin: str
    most_failures: int


Progress = Callable[[Sequence[Case]], Iterable[Case]]


def run(
    paths: Source | Iterable[Source] | None = None,
    *,
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Report:
    """Judge every case of some files, folders, `file::case` names, Scenarios, Cases or Problems.

    keyword         selects cases by their ids, as "float32 and not soft"
    device          overrides the cases' own: cpu, cuda, cuda:1
    require_device  what must be there: cuda
    budget          multiplications that the truth of one case may cost; 2^24
    limits          Limits, of what files may ask for
    candidate       is judged too: a name (package.module:attribute or path/to/file.py:attribute)
                    runs in a child process; so does a command, as ./program or "node program.js",
                    which answers in JSON; a function runs in this one, without a limit
    arrays          what it takes: "numpy", (X, W, P, h), the usual; "torch" or "jax", (X, W, P)
    timeout         seconds for one of its calls; 60
    memory          bytes that its process may take; 0, the usual, for no limit
    twin            how torch differentiates: a name of twins.TWINS; "eager"
    most_failures   after which the run stops; 0, the usual, for none. It stops, too, when a
                    candidate hangs several times
    progress        may wrap the cases

    Raises  ScenarioError with all faults of all files before anything is judged; UsageError for a
            path, keyword or twin that cannot be used; CandidateError for a candidate that cannot
            be loaded; EnvironmentUnfit where `require_device`, or what the twin needs, is absent;
            Interrupted, which is a KeyboardInterrupt with the report so far; TypeError for a
            keyword that there is none of.
    """
    started = time.perf_counter()
    asked = _asked(paths, options)
    required = options.get("require_device")
    twins.require_twin(asked.twin)
    if required and not available(required):
        raise EnvironmentUnfit(
            f"there is no {required} device here; run without --require-device {required}, or on a"
            " machine that has one"
        )
    device, limits = options.get("device"), options.get("limits")
    found = collection(paths, keyword=asked.keyword, device=device, limits=limits)
    proof, subject = _ready(asked, options.get("candidate"), found.cases)
    asked = replace(asked, candidate=subject.name if subject else "")
    results: list[Result] = []
    _log.info("%d cases, twin %s, candidate %s", len(found.cases), asked.twin, asked.candidate)

    def report(by: int = 0, stopped: str = "") -> Report:
        return Report(
            tuple(results), len(found.cases), (), time.perf_counter() - started, environment(),
            asked.candidate, proof, found.unlocked, by, stopped, asked,
        )  # fmt: skip

    stopped = ""
    try:
        with one_thread():
            for case in (progress or iter)(found.cases):
                results.append(judged(case, asked, subject).result)
                _log.debug("%s %s", results[-1].verdict, case.id)
                stopped = _enough(results, options.get("most_failures", 0))
                if stopped and len(results) < len(found.cases):
                    break
            if asked.candidate and asked.named and not stopped:
                _alone(results, {c.id: c for c in found.cases}, asked)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(report(getattr(interrupt, "signal", signal.SIGINT))) from interrupt
    finally:
        if subject is not None:
            subject.close()
    _require(required, results)  # of the cases' own devices, which only judging them tells
    return report(stopped=stopped if len(results) < len(found.cases) else "")


def _asked(paths: Source | Iterable[Source] | None, options: Options) -> Asked:
    """What the options ask for.

    Raises  UsageError for a value that cannot be used; TypeError for another keyword.
    """
    for name in options:
        if name not in Options.__annotations__:
            known = ", ".join(Options.__annotations__)
            raise TypeError(f"run() got an unexpected keyword argument {name!r}; it takes {known}")
    device, limits = options.get("device"), options.get("limits")
    if device is not None and not re.fullmatch(DEVICE, str(device)):
        raise UsageError(f"device {device!r}: give cpu, cuda, or cuda:1")
    subject, budget = options.get("candidate"), options.get("budget", truth.BUDGET)
    arrays, timeout = options.get("arrays", "numpy"), options.get("timeout", 60.0)
    memory = options.get("memory", 0)
    for name, value in (("budget", budget), ("timeout", timeout), ("memory", memory)):
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not real or not (0 <= value < math.inf) or (name == "timeout" and not value):
            least = "above 0" if name == "timeout" else "of 0 or more"
            raise UsageError(f"{name} {value!r}: give a finite number {least}")
    if arrays not in get_args(Arrays):
        raise UsageError(f"arrays {arrays!r}: choose one of {', '.join(get_args(Arrays))}")
    named = isinstance(subject, str)
    return Asked(
        candidate=str(subject) if named else "",
        named=named,
        arrays=arrays,
        timeout=timeout,
        memory=memory,
        device=device or "",
        twin=options.get("twin", "eager"),
        budget=budget if budget != truth.BUDGET else -1.0,
        limits=limits.settings if limits else (),
        paths=_named(paths),
        keyword=options.get("keyword", ""),
    )


def _ready(
    asked: Asked, subject: str | Callable[..., Any] | None, cases: Iterable[Case]
) -> tuple[str, Candidate | None]:
    """The candidate, if one is judged, once the suite has tested itself; and what that proved."""
    if subject is None:
        return "", None
    with one_thread():
        proof = proven(asked.device or "cpu", {case.dtype for case in cases})
    device, networks = asked.device or "cpu", {case.network for case in cases}
    return proof, loaded(subject, asked.arrays, device, asked.timeout, asked.memory, networks)


def _named(paths: Source | Iterable[Source] | None) -> tuple[str, ...]:
    """The paths that were named; of what lies in memory nothing."""
    if isinstance(paths, str | os.PathLike):
        return (str(paths),)
    several = paths if isinstance(paths, Sequence) else ()
    return tuple(str(path) for path in several if isinstance(path, str | os.PathLike))


_HANGS = 3  # cases in which a candidate gives no answer in time, before it is asked no more


def _enough(results: Sequence[Result], most_failures: int) -> str:
    """Why a run need not go on; empty where it should."""
    if not results or not results[-1].findings:  # nothing has changed since it was asked last
        return ""
    failed = sum(not r.ok and r.verdict is not Verdict.NOT_RUN for r in results)
    hangs = sum(any(f.check == "timeout" for f in r.findings) for r in results)
    if hangs >= _HANGS:
        return f"the candidate gave no answer in time in {hangs} cases"
    if most_failures and failed >= most_failures:
        return f"-x or --maxfail: {number(failed, 'case')} failed"
    return ""


def _alone(results: list[Result], cases: Mapping[str, Case], asked: Asked) -> None:
    """Find out which failures of those that are shown need an earlier case in the same process."""
    for cause in causes(results)[:SHOWN]:
        at = next(i for i, result in enumerate(results) if result is cause.smallest)
        of_it = any(f.subject.startswith("candidate ") for f in results[at].findings)
        if of_it and results[at].seconds < 1:
            tries = [[], *([case] for case in _before(results, at))]
            fails = (t for t in tries if _fails([*t, results[at].id], cases, asked))
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


def _fails(ids: Sequence[str], cases: Mapping[str, Case], asked: Asked) -> bool:
    """Whether the last of some cases fails in a new process of the candidate."""
    subject = asked.loaded(case.network for case in cases.values())
    try:
        return not [judged(cases[each], asked, subject).result.ok for each in ids][-1]
    finally:
        if subject is not None:
            subject.close()


def judged(case: Case, asked: Asked, candidate: Candidate | None = None) -> Judgement:
    """The judgement of one case; of one that could not come to an end, what kept it from it.

    Raises  EnvironmentUnfit and other errors on purpose.
    """
    try:
        return judgement(case, asked, candidate)
    except VerifyError:
        raise
    except MemoryError:
        message = "not enough memory for this case; the others are judged"
        finding = Finding("memory", Verdict.FAIL, message)
    except Exception as error:  # a defect of the suite itself; it must not take other cases along
        message = f"{raised(error)}; please report it with this file"
        finding = Finding("error", Verdict.ERROR, message)
    blank = Result(case.path, case.name, case.origin.line, case.dtype, case.device, case.layout)
    return Judgement(replace(blank, findings=(finding,)))


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
