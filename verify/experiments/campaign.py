"""Random problems by the million, a stack at a time, until one is beyond a bound.

    verify campaign --cases 1e7 --seed 1 --dtype float32
    verify campaign --cases 1e8 --shard 3/16 --json 3.json      # for CI matrices and job arrays
    verify campaign --network drawn --cases 1e4                 # networks of any layers, one by one
    verify merge *.json                                         # refuses a missing or doubled shard
    verify campaign --seed 1 --case 1027                        # one of them, as a scenario file

Problems of one shape are judged a thousand at once, by the formulas, bounds and descent that judge
a single case, with the truth on a sample. The first violation ends it, is shrunk to the smallest
problem that still shows it, and is written as a scenario file.

Case c of a seed is problem c mod 1024 of stack c // 1024; where no dtype is given, the stacks take
turns. Shard i of n judges the stacks i - 1, i - 1 + n, i - 1 + 2 n, ...
"""

from __future__ import annotations

import re
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias

import numpy as np

from verify.candidate.candidate import Candidate
from verify.errors import CandidateError, UsageError, VerifyError
from verify.experiments import screening, stacks
from verify.experiments.outcome import (
    Outcome,
    Plan,
    Violation,
    cases_of,
    count_of,
    decades,
    stacks_of,
    sum_of,
)
from verify.experiments.screening import LEAD, Compared, Screening
from verify.experiments.violation import DRAWN, candidate_of, forget, problem_of, stack_of
from verify.judge import compare
from verify.judge.asked import Asked
from verify.judge.result import Verdict
from verify.judge.runner import environment
from verify.judge.sides import both_sides, one_step
from verify.judge.trial import tried
from verify.network import manual, truth
from verify.network.links import NK
from verify.network.twin import one_thread
from verify.numbers.dtypes import SIXTEEN
from verify.threads import processes

Ratios: TypeAlias = dict[Compared, Any]
"""By what was compared and the link: error over bound of each case, -1 where it was not."""

_STACKS = 8  # of one task: enough to be worth sending, few enough to stop soon; 1 of a candidate


class CampaignInterrupted(KeyboardInterrupt):
    """The campaign was interrupted; `outcome` holds what was judged until then."""

    def __init__(self, outcome: Outcome, by: int) -> None:
        super().__init__(f"{outcome.found} cases were judged")
        self.outcome, self.signal = outcome, by


def campaign(
    plan: Plan,
    part: int = 1,
    workers: int = 1,
    asked: Asked | None = None,
    progress: Callable[[Sequence[range]], Iterable[range]] | None = None,
) -> Outcome:
    """Shard `part` of a plan, up to its first violation; `progress` may wrap the tasks.

    Raises  UsageError for a shard that is none; CandidateError for a candidate that cannot be
            loaded; EnvironmentUnfit where the device is absent; Interrupted, which is a
            KeyboardInterrupt with the outcome so far.
    """
    if not 1 <= part <= plan.shards:
        raise UsageError(f"shard {part}/{plan.shards}: the first number is 1 to the second")
    if plan.network == DRAWN and (plan.candidate or (asked and asked.candidate)):
        raise UsageError("a candidate is of one network: give its file, --network FILE")
    asked, started = asked or Asked(plan.candidate, device=plan.device), time.perf_counter()
    tasks = _tasks(plan, part)
    found = [Outcome(plan=plan, parts=(part,), environment=environment())]

    def outcome() -> Outcome:
        return sum_of(found).model_copy(update={"seconds": time.perf_counter() - started})

    with processes(workers) as pool:

        def send(numbers: range) -> Future[Outcome]:
            return pool.submit(_judged, plan, part, asked, numbers)

        try:
            for made in _in_order(send, (progress or iter)(tasks), 2 * (workers - 1)):
                found.append(made)
                if made.violations:
                    break
        except KeyboardInterrupt as interrupt:
            by = getattr(interrupt, "signal", signal.SIGINT)
            stopped = outcome().model_copy(update={"parts": ()})
            raise CampaignInterrupted(stopped, by) from interrupt
        finally:
            forget()  # where one worker is this process
    total = outcome()
    expected = cases_of(plan, part)
    if not total.violations and total.found != expected:
        raise VerifyError(f"shard {part}/{plan.shards} lost {expected - total.found} cases")
    return total


def _tasks(plan: Plan, part: int) -> list[range]:
    numbers = stacks_of(plan, part)
    many = 1 if plan.candidate or _one_by_one(plan) else _STACKS
    return [numbers[i : i + many] for i in range(0, len(numbers), many)]


def _in_order(
    send: Callable[[range], Future[Outcome]], tasks: Iterable[range], ahead: int
) -> Iterator[Outcome]:
    """The outcomes in the order of the tasks, of which a few are on their way."""
    waiting: deque[Future[Outcome]] = deque()
    for task in tasks:
        waiting.append(send(task))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _judged(plan: Plan, part: int, asked: Asked, numbers: range) -> Outcome:
    """The stacks of one task, up to the first violation."""
    found = [Outcome(plan=plan, parts=(part,))]
    with one_thread(), np.errstate(all="ignore"):
        for number in numbers:
            made = _of_networks if _one_by_one(plan) else _of_stack
            found.append(made(plan, part, number, asked))
            if found[-1].violations:
                break
    return sum_of(found)


def _one_by_one(plan: Plan) -> bool:
    """Whether no stack is judged at once: networks, and what only composed bounds are known of."""
    return bool(plan.network) or plan.dtype in SIXTEEN


def _of_networks(plan: Plan, part: int, number: int, asked: Asked) -> Outcome:
    """The cases of one stack's numbers, one by one: each is of its own network, or of a file's."""
    count, first = count_of(plan, number), number * stacks.STACK
    worst, sees, enclosed, unjudged = dict[Compared, float](), list[float](), 0, 0
    violations = list[Violation]()
    for case in range(first, first + count):
        problem = problem_of(plan, case)
        ref = compare.reference(problem, truth.BUDGET * (case % plan.truth_every == 0))
        if not ref.bounds.fits:
            unjudged += 1
            continue
        enclosed += ref.truth is not None
        candidate = candidate_of(asked, problem.network)
        ratios = dict(_of_network(ref, plan.device, candidate))
        for key, ratio in ratios.items():
            worst[key] = max(worst.get(key, -1.0), ratio)
        gradients = {g: manual.stable(problem)[g] for g in problem.network.gradients}
        # Where nothing is rounded even the last bit is noticed, and no less can be.
        sees.append(max(compare.resolution(ref.bounds.stable, gradients), 2.0**-54))
        nothing = Compared("", ""), -1.0  # where the twin's kernel is known to err, and no truth is
        key, ratio = max(ratios.items(), key=lambda item: item[1], default=nothing)
        if ratio > 1:
            found = Violation(case=case, dtype=str(problem.dtype), what=key.what, link=key.link,
                              ratio=ratio)  # fmt: skip
            violations.append(found)
            count = case + 1 - first
            break
    return Outcome(
        plan=plan, parts=(part,), judged=count - unjudged, enclosed=enclosed, unjudged=unjudged,
        violations=tuple(violations), resolution=decades(np.array(sees)),
        worst={f"{what}: {link}": ratio for (what, link), ratio in worst.items()},
    )  # fmt: skip


def _of_network(
    ref: compare.Reference, device: str, candidate: Candidate | None
) -> Iterator[tuple[Compared, float]]:
    """What was compared in one case; of links the kind, of whichever layer."""
    forms = ["stable", *(["post"] if ref.bounds.post_holds else [])]
    sides = [s for form in forms for s in both_sides(form, device, "eager", ref.problem.network)]
    step = one_step(sides, ref, scaled=False)
    worst = dict[Compared, float]()
    for figure in step.figures:
        against = "" if " against " in figure.subject else " against the truth"
        key = Compared(figure.subject + against, _DIGITS.sub("", figure.link))
        ratio = np.inf if np.isnan(figure.ratio) else figure.ratio
        worst[key] = max(worst.get(key, -1.0), ratio)
    for finding in step.findings:  # of a line alone, or of what gave no links
        if finding.figure not in step.figures:
            key = Compared(f"{finding.subject}, {finding.check}", finding.link or "")
            worst[key] = finding.figure.ratio if finding.figure else np.inf
    for finding in tried(candidate, ref).findings if candidate else ():
        if finding.verdict is Verdict.FAIL:  # where nothing can be noticed nothing is violated
            own = finding.figure
            ratio = own.ratio if own and own.ratio > 1 else np.inf
            worst[Compared(f"candidate, {finding.check}", finding.link or "")] = ratio
    yield from worst.items()


_DIGITS = re.compile(r"[0-9]+")


def _of_stack(plan: Plan, part: int, number: int, asked: Asked) -> Outcome:
    candidate = candidate_of(asked)
    seen = screening.screened(stack_of(plan, number), plan.device)
    count = count_of(plan, number)
    judged = [i for i in range(count) if seen.judged[i]]
    first = number * stacks.STACK
    sample = [i for i in judged if (first + i) % plan.truth_every == 0]
    ratios: Ratios = {key: ratio[:count] for key, ratio in seen.ratios.items()}
    for i in sample:
        _against_the_truth(seen, i, candidate, ratios)
    if candidate:
        for i in judged:
            _of_candidate(seen, i, candidate, ratios)
    return Outcome(
        plan=plan,
        parts=(part,),
        judged=len(judged),
        enclosed=len(sample),
        unjudged=count - len(judged),
        violations=tuple(_first_violation(first, str(seen.stack.dtype), ratios)),
        worst={f"{what}: {link}": float(ratio.max()) for (what, link), ratio in ratios.items()},
        resolution=decades(_resolution(seen, candidate)[:count][seen.judged[:count]]),
    )


def _first_violation(first: int, dtype: str, ratios: Ratios) -> Iterator[Violation]:
    beyond = np.flatnonzero(np.any([ratio > 1 for ratio in ratios.values()], axis=0))
    if len(beyond):
        i = int(beyond[0])
        (what, link), ratio = max(ratios.items(), key=lambda item: float(item[1][i]))
        yield Violation(case=first + i, dtype=dtype, what=what, link=link, ratio=float(ratio[i]))


def _against_the_truth(
    seen: Screening, i: int, candidate: Candidate | None, ratios: Ratios
) -> None:
    """All chains of problem i, and a candidate with all its promises, against exact numbers."""
    ref = compare.reference(seen.stack.at(i), truth.BUDGET)
    for (side, form), chain in seen.chains.items():
        if form == "stable" or ref.bounds.post_holds:
            name = f"{side}.{form}_form"
            for figure in compare.against_truth(name, chain.at(i), ref, ref.bounds[form]):
                _note(ratios, Compared(f"{name} against the truth", figure.link), i, figure.ratio)
    for finding in tried(candidate, ref).findings if candidate else ():
        _note(ratios, Compared(f"candidate, {finding.check}", finding.link or ""), i, np.inf)


def _of_candidate(seen: Screening, i: int, candidate: Candidate, ratios: Ratios) -> None:
    """A candidate's answer on problem i against manual's; each may be off by the wider bound."""
    problem = seen.stack.at(i)
    try:
        chain = candidate.chain(problem)
    except CandidateError:
        _note(ratios, Compared("candidate, exception", ""), i, np.inf)
        return
    unfit = [(f.check, f.link or "") for f in compare.misshapen(candidate.name, chain, problem)]
    if not unfit and chain.W_next is None:  # no gradient either, from which it would be made
        unfit = [("gradient", "dC_dW")]
    for check, link in unfit:
        _note(ratios, Compared(f"candidate, {check}", link), i, np.inf)
        return
    lead, bound = seen.chains[LEAD].at(i), seen.bounds.wider.at(i)
    for link, ratio in screening.ratios_between(chain, lead, bound, 2):
        _note(ratios, Compared("candidate against manual", link), i, float(ratio))


def _resolution(seen: Screening, candidate: Candidate | None) -> Any:
    """What each case notices: of the stable form; where a candidate is judged, of its own bound.

    Shapes  (B,).
    """
    if candidate is None:
        return seen.resolution
    g = np.abs(np.asarray(seen.chains[LEAD].dC_dW, np.float64))
    return np.fmin.reduce(2 * seen.bounds.wider.dC_dW / g, axis=NK)


def _note(ratios: Ratios, key: Compared, i: int, ratio: float) -> None:
    count = len(next(iter(ratios.values())))
    ratios.setdefault(key, np.full(count, -1.0))[i] = np.inf if np.isnan(ratio) else ratio
