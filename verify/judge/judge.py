"""Case -> Result: everything that one case asserts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.candidate.candidate import Candidate, updated
from verify.judge import compare
from verify.judge.asked import Asked
from verify.judge.expect import evidence, expectations
from verify.judge.parts import evaluated, loss_at
from verify.judge.pins import changes
from verify.judge.result import Figure, Finding, Likeness, Of, Result, Step, Verdict, verdict_of
from verify.judge.rows import among_all, in_a_batch, in_rows
from verify.judge.sides import (
    LEAD,
    LEFT_DOMAIN,
    First,
    blind,
    first_step,
    has_truth,
    keep_worst,
    one_step,
    subjects,
)
from verify.judge.steps import Training, thinned, train, trained
from verify.judge.trial import tried
from verify.network import manual, truth, twin, twins
from verify.network.network import POST
from verify.network.problem import Chain
from verify.numbers import dtypes
from verify.scenario.cases import Case


@dataclass(frozen=True, eq=False)
class Judgement:
    """A Result, and what it is made of: the first evaluation, and the candidate's first answer."""

    result: Result
    first: First | None = None
    chain: Chain | None = None


def judge(case: Case, asked: Asked | None = None, candidate: Candidate | None = None) -> Result:
    """The Result of one case."""
    return judgement(case, asked or Asked(), candidate).result


def judgement(case: Case, asked: Asked, candidate: Candidate | None = None) -> Judgement:
    """The judgement of one case: manual and twin, in the forms that hold there, and a candidate.

    A candidate is judged only where manual and twin pass, so that it is not blamed for the machine.
    """
    started = time.perf_counter()
    seen = _Seen()
    reason = _not_run(case, asked, candidate)
    if reason is not None:
        seen.findings.append(reason)
    else:
        with np.errstate(all="ignore"):  # non-finite numbers are judged as numbers, not as warnings
            _see(seen, case, asked, candidate)
    result = Result(
        case.path, case.name, case.origin.line, case.dtype, case.device, case.layout,
        digest=case.origin.digest, locked=case.pin is not None, twin=asked.twin,
        network="" if case.network == POST else case.network.told, links=case.network.links,
        seconds=time.perf_counter() - started, **seen.parts(),
    )  # fmt: skip
    return Judgement(result, seen.first, seen.chain)


@dataclass(eq=False)
class _Seen:
    """What of a Result is found out, under its names, while it is found out."""

    work: int = 0
    sizes: tuple[int, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    resolution: float = np.nan
    post_resolution: float = np.nan
    loss_before: float = np.nan
    loss_after: float = np.nan
    rows: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()
    likenesses: tuple[Likeness, ...] | None = None
    exact: str = ""
    first: First | None = None
    chain: Chain | None = None

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.findings)

    def parts(self) -> dict[str, Any]:
        """The parts of the Result, lists as tuples."""
        kept = {n: v for n, v in vars(self).items() if n not in ("first", "chain")}
        return {n: tuple(v) if isinstance(v, list) else v for n, v in kept.items()}


def _not_run(case: Case, asked: Asked, candidate: Candidate | None) -> Finding | None:
    """Why a case is not judged at all; its numbers are not asked for where that is known before."""
    if case.same_as:
        check = "copy"
        told = f"the same bytes as {case.same_as}, which is judged: no further evidence"
    elif not dtypes.available(case.dtype):
        check, told = "dtype", dtypes.ABSENT
    elif not twin.available(case.device):
        check, told = "device", f"no {case.device} device here"
    elif candidate is not None and case.network not in candidate.networks:
        by = "parameters" if candidate.session.gets_arrays else "answers"
        check, told = "network", f"another network than the candidate's, by its {by}"
    elif twins.too_large(asked.twin, case.in_parts[0].first):
        check = "twin"
        told = f"too large for the {asked.twin} twin, which differentiates entry by entry"
    elif twins.rounds_parts(asked.twin, case.dtype):
        check, told = "twin", f"the {asked.twin} twin rounds parts of its sums to 16 bits"
    elif twins.apart(asked.twin, case.network):
        check = "twin"
        told = f"of a batch norm no row stands alone; the {asked.twin} twin takes each by itself"
    else:
        return None
    return Finding(check, Verdict.NOT_RUN, told)


def _see(seen: _Seen, case: Case, asked: Asked, candidate: Candidate | None) -> None:
    """Manual and twin at the first W, over the steps, and then the candidate."""
    first = seen.first = first_step(case, asked)
    N, D, K = case.in_parts[0].N, case.sizes.D, case.sizes.K
    seen.work = case.work
    seen.findings, seen.figures = first.findings, list(first.figures.values())
    seen.notes += first.notes
    if case.large:
        told = f"judged by blocks of rows; the truth judges {len(first.kept)} of them"
        seen.notes.append(told)
    else:
        seen.sizes = (N, D, K)
        seen.rows = next((tuple(ref.rows) for ref in first.kept), ())
    if not first.in_range:
        return
    partial = bool(first.findings) and case.in_parts[0].several
    if LEAD in first.totals and not partial:
        seen.resolution = first.resolution("stable")
        seen.post_resolution = first.resolution("post")
        if not case.of_post and not seen.resolution <= blind(case.dtype):
            told = f"from X on nothing below {seen.resolution:.2g} of a gradient is noticed"
            seen.notes.append(f"{told}: every line is judged from the links before it")
            seen.resolution = float(np.fmin(seen.resolution, first.sees))
        seen.findings += evidence(case, first.post_holds, seen.resolution, seen.post_resolution)
    if seen.verdict is Verdict.FAIL:  # steps by a gradient that is wrong would only repeat it
        return
    _over_steps(seen, case, first, asked)
    # What manual and twin do not pass on this machine, no candidate is blamed for.
    if candidate is not None and seen.verdict is Verdict.PASS:
        _try(seen, case, first, candidate, asked)


def _over_steps(seen: _Seen, case: Case, first: First, asked: Asked) -> None:
    """Every step, the fall of C, and what the file expects of C."""

    def judged(ref: compare.Reference) -> tuple[Chain | None, list[Finding]]:
        sides = subjects(case, ref, asked.twin)
        sides = [s for s in sides if s.implementation is not manual.element_form]
        step = one_step(sides, ref, scaled=False)
        post = first.post_holds and case.expect.post_form != "nonfinite"
        left = [LEFT_DOMAIN] if post and not ref.bounds.post_holds else []
        return step.given.get(LEAD), [*step.findings, *left]

    lead = first.totals[LEAD]
    if not case.network.trains:
        seen.notes += _notes(seen, case, first, None)
        return
    training = train(lead, case.in_parts, case.steps, judged, asked.work)
    end = training.end
    if len(case.in_parts) > 1:  # the batches' costs are not the cost of all rows
        begin = evaluated(lead.subject, case.problem)
        last = evaluated(lead.subject, case.problem.having(**end.parameters))
        before = loss_at(begin, lead.drift, truth.cost(begin.problem, asked.work))
        after = loss_at(last, end.drift, truth.cost(last.problem, asked.work))
    else:
        before = lead.loss(first.ref.truth.chain.C if first.ref.truth else None)
        after = end.loss(truth.cost(end.only.problem, asked.work) if end.only else None)
    seen.loss_before, seen.loss_after = before.C, after.C
    seen.steps = thinned(training.steps)
    seen.notes += _notes(seen, case, first, training)
    declared = case.expect.loss == "any" and not case.network.state
    if declared and after.minus(before) < -(after.spread + before.spread):
        seen.notes.append('loss = "any" is declared, but it falls')
    seen.findings += training.findings
    if not training.findings:  # a path that ended early did not come to the W the file speaks of
        seen.findings += expectations(case, before, after)
        seen.findings += changes(case, None if case.large else first.ref, before, after)


def _notes(seen: _Seen, case: Case, first: First, training: Training | None) -> list[str]:
    """Which steps, rows and entries are judged, where that is not all."""
    notes, covered = [], training.enclosed + 1 if training else case.steps
    if case.steps > 1 and not case.large and first.ref.truth is not None and covered < case.steps:
        notes.append(f"the truth follows {covered} of {case.steps} steps; manual against twin all")
    if seen.rows and not case.large:
        told = f"the truth judges {in_a_batch(first.ref)}"
        notes.append(f"{told}; manual against twin all {case.in_parts[0].N}")
    for link, count in first.ref.bounds.unbounded.items():
        notes.append(f"{link} has entries without a bound, which are not judged: {count}")
    return notes


def _try(seen: _Seen, case: Case, first: First, candidate: Candidate, asked: Asked) -> None:
    """The candidate on the first batch, and over the steps.

    Of several parts each is a problem of its own, up to the first that is not right: those that
    have a truth are tried in full; on the others its links are held against manual's.
    """
    kept, start, batch = iter(first.kept), 0, case.in_parts[0]
    figures, resolutions = dict[Of, Figure](), []
    for _, problem in batch:
        n = len(problem.X)
        in_full = has_truth(start, n, batch.N)
        ref = next(kept) if in_full else compare.reference(problem, 0)
        trial = tried(candidate, ref, in_full=in_full)
        seen.chain = updated(trial.chain, problem)
        keep_worst(figures, [among_all(f, start, problem) for f in trial.figures])
        resolutions.append(trial.resolution)
        seen.notes += [note for note in trial.notes if note not in seen.notes]
        if trial.findings:
            several = batch.several
            seen.findings += (in_rows(f, start, problem) if several else f for f in trial.findings)
            break
        start += n
    if not batch.several:  # N, which an error may be a multiple of, is the part's own
        seen.likenesses = trial.likenesses
    seen.figures += figures.values()
    seen.exact = trial.exact
    seen.resolution = float(np.min(resolutions))
    if case.large:
        if seen.verdict is Verdict.PASS:
            seen.notes.append(
                f"the candidate is judged on every block, on {len(first.kept)} of them by the truth"
            )
    elif seen.verdict is Verdict.PASS and case.network.trains:
        own_step = any(f"{name}_next" in trial.chain for name in problem.network.parameters)
        seen.findings += trained(candidate, case, asked.work, own_step)
