"""The one loop: paths -> cases -> Results."""

from __future__ import annotations

import logging
import platform
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import verify
from verify import truth, ways
from verify.candidate import Candidate
from verify.candidate import candidate as loaded
from verify.cases import Case
from verify.collection import Subject, collection
from verify.document import Limits
from verify.errors import (
    EnvironmentUnfit,
    VerifyError,
)
from verify.judge import judge
from verify.proof import proven
from verify.result import Finding, Report, Result, Verdict
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
    arrays: str = "numpy",
    timeout: float = 60.0,
    twin: str = "eager",
    progress: Callable[[Sequence[Case]], Iterable[Case]] | None = None,
) -> Report:
    """Judge every case of some files, folders, `file::case` names, Scenarios or Cases.

    `device` overrides the cases' own; `keyword` selects by id; `progress` may wrap the cases.
    `candidate` is judged too: a name (package.module:attribute or path/to/file.py:attribute) runs
    in a child process with `timeout` seconds a call; a function runs in this one, without a limit.
    It takes (X, W, P, h), or (X, W, P) as `arrays` of torch or jax. `twin` is the way in which
    torch differentiates: a name of ways.TWINS, or of ways.REDUCED, which only informs.

    Raises  ScenarioError with all faults of all files before anything is judged; UsageError for a
            path, keyword or twin that cannot be meant; CandidateError for a candidate that cannot
            be loaded; EnvironmentUnfit where `require_device`, or what the twin needs, is absent;
            Interrupted, which is a KeyboardInterrupt with the report so far.
    """
    started = time.perf_counter()
    ways.ready(twin)
    found = collection(paths, keyword=keyword, device=device, limits=limits)
    subject, proof = None, ""
    if candidate is not None:
        with one_thread():
            proof = proven(device or "cpu")
        subject = loaded(candidate, arrays, device or "cpu", timeout)
    results: list[Result] = []
    _log.info("%d cases, twin %s, candidate %s", len(found.cases), twin, candidate)

    def report(by: int = 0) -> Report:
        seconds = time.perf_counter() - started
        name = "" if subject is None else subject.name
        return Report(
            tuple(results), len(found.cases), (), seconds, environment(), name, proof,
            found.unlocked, by,
        )  # fmt: skip

    try:
        with one_thread():
            for case in (progress or iter)(found.cases):
                results.append(judged(case, budget, subject, twin))
                _log.debug("%s %s", results[-1].verdict, case.id)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(report(getattr(interrupt, "signal", signal.SIGINT))) from interrupt
    finally:
        if subject is not None:
            subject.close()
    _require(require_device, results)
    return report()


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
    blank = Result(case.path, case.name, case.line, case.dtype, case.device, case.layout)
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
