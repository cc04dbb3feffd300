"""A violation of a campaign -> the smallest problem that still shows it, as a scenario file."""

from __future__ import annotations

import atexit
import shlex
from contextlib import ExitStack
from functools import cache
from itertools import chain, count
from pathlib import Path

from verify.candidate.candidate import Candidate
from verify.errors import ScenarioError, UsageError
from verify.experiments import networks, stacks
from verify.experiments.outcome import Plan, Violation
from verify.experiments.shrink import shrunk
from verify.judge.asked import Asked
from verify.judge.result import Result, Verdict
from verify.judge.runner import judged
from verify.network.network import POST, Network
from verify.network.problem import DTYPES, Problem
from verify.network.twin import one_thread
from verify.scenario.cases import of_problem
from verify.scenario.collection import collect
from verify.scenario.document import Expect
from verify.scenario.write import explicit, written


def stack_of(plan: Plan, number: int) -> Problem:
    """One stack of a plan.

    Shapes  as stacks.drawn.
    """
    dtype = DTYPES[number % len(DTYPES)] if plan.dtype == "both" else plan.dtype
    return stacks.drawn(plan.seed, number, dtype, plan.shape)


def problem_of(plan: Plan, case: int) -> Problem:
    """The problem of one case.

    Shapes  as Problem.
    Raises  UsageError for a number that the plan does not have; ScenarioError for a malformed file.
    """
    if not 0 <= case < plan.cases:
        raise UsageError(f"case {case}: the campaign has cases 0 to {plan.cases - 1}")
    if plan.network:
        dtype = DTYPES[case % len(DTYPES)] if plan.dtype == "both" else plan.dtype
        return networks.drawn(plan.seed, case, dtype, like(plan.network))
    return stack_of(plan, case // stacks.STACK).at(case % stacks.STACK)


DRAWN = "drawn"


@cache
def like(network: str) -> Problem | None:
    """The problem of a scenario file, whose network and sizes are taken; None for drawn ones.

    Shapes  as Problem.
    Raises  ScenarioError for a malformed file; UsageError for a path that is none.
    """
    return None if network == DRAWN else collect(network)[0].batches[0]


def with_file(plan: Plan, violation: Violation, asked: Asked, folder: Path) -> Violation:
    """The violation with its scenario file in `folder`, shrunk as far as it still shows.

    Without a file where it does not show when its problem is judged alone.

    Raises  UsageError where the file cannot be written.
    """
    problem = problem_of(plan, violation.case)
    candidate = candidate_of(asked, problem.network)
    with one_thread():
        source = f"verify {arguments_of(plan, violation.case)}"
        if _shows(problem, candidate) is None:
            return violation
        smallest = shrunk(problem, lambda simpler: _shows(simpler, candidate) is not None)
        expect = _shows(smallest, candidate) or {}
        text = explicit(smallest, "Beyond a bound", source, expect)
    name = f"found-{plan.seed}-{violation.case}"
    taken = {path.stem for path in folder.glob(f"{name}*.toml")}
    more = (f"{name}-{number}" for number in count(2))
    free = next(each for each in chain([name], more) if each not in taken)
    return violation.model_copy(update={"file": str(written(free, folder, text))})


def arguments_of(plan: Plan, case: int) -> str:
    """The arguments of `verify` that write one case of a plan as a scenario."""
    words = [f"campaign --cases {plan.cases} --seed {plan.seed} --case {case}"]
    words += [f"--dtype {plan.dtype}"] if plan.dtype != "both" else []
    words += [f"--shape {','.join(map(str, plan.shape))}"] if plan.shape else []
    words += [f"--network {shlex.quote(plan.network)}"] if plan.network else []
    return " ".join(words)


def as_scenario(plan: Plan, case: int) -> str:
    """The text of a scenario with the problem of one case, judged by whatever holds there.

    Raises  UsageError for a case that no scenario may be: all its labels are 0.
    """
    title, source = f"Case {case} of a campaign", f"verify {arguments_of(plan, case)}"
    problem = problem_of(plan, case)
    with one_thread():
        try:
            if not problem.network.trains:
                return explicit(problem, title, source, {})
            forms = _EXPECTATIONS if problem.of_post else _EXPECTATIONS[:2]
            passing = (expect for expect in forms if _result(problem, expect, None).ok)
            return explicit(problem, title, source, next(passing, {"loss": "any"}))
        except ScenarioError as error:
            what = error.faults[0].what
            raise UsageError(f"case {case} makes no scenario: {what}; take another") from None


_EXPECTATIONS: tuple[dict[str, str], ...] = tuple(
    {**loss, **form}
    for form in ({}, {"post_form": "blind"}, {"post_form": "nonfinite"})
    for loss in ({}, {"loss": "any"})
)  # from what claims most to what claims least


def _shows(problem: Problem, candidate: Candidate | None) -> dict[str, str] | None:
    """What to expect of the problem so that the judge finds a failure; None where it finds none."""
    post = problem.of_post
    for expect in _EXPECTATIONS if post else _EXPECTATIONS[1:2]:
        try:
            result = _result(problem, expect, candidate)
        except ScenarioError:  # all its labels are 0
            return None
        if result.verdict is Verdict.NOT_RUN:  # of another network than the candidate's
            return None
        found = [f for f in result.findings if f.verdict is not Verdict.PASS]
        declared = {f.check for f in found} & {"post_form", "loss", "resolution", "range"}
        if found and not declared:
            return expect
    return None


def _result(problem: Problem, expect: dict[str, str], candidate: Candidate | None) -> Result:
    case = of_problem(problem, expect=Expect.model_validate(expect))
    return judged(case, Asked(), candidate).result


@cache
def candidate_of(asked: Asked, network: Network = POST) -> Candidate | None:
    """Loaded once in each process, whose end is its end, if `forget` does not come before."""
    candidate = asked.loaded([network])
    if candidate is not None:
        _LOADED.callback(candidate.close)
    return candidate


_LOADED = ExitStack()
atexit.register(_LOADED.close)


def forget() -> None:
    """End the candidates that were loaded in this process."""
    candidate_of.cache_clear()
    _LOADED.close()
