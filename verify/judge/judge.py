"""Case x Implementation -> Result: everything that one case asserts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from verify.candidate.candidate import Candidate
from verify.judge import compare, steps
from verify.judge.blocks import by_blocks
from verify.judge.compare import Reference, Subject
from verify.judge.expect import evidence, expectations
from verify.judge.pins import departures
from verify.judge.result import Finding, Result, Verdict
from verify.judge.sides import LEAD, OUT_OF_RANGE, one_step, subjects
from verify.judge.steps import Evaluation, evaluated, trained
from verify.judge.trial import tried
from verify.network import manual, truth, twin, twins
from verify.network.problem import Chain
from verify.scenario.cases import Case


def judge(
    case: Case, budget: float = truth.BUDGET, candidate: Candidate | None = None, way: str = "eager"
) -> Result:
    """The judgement of one case: manual and twin, in the forms that hold there, and a candidate.

    `way` is one of ways.TWINS.
    `budget` is the work that may be spent on the truth; 0 leaves manual and twin to each other. A
    candidate is judged only where manual and twin pass, so that it is not blamed for the machine.
    """
    started = time.perf_counter()
    blank = Result(
        case.path, case.name, case.origin.line, case.dtype, case.device, case.layout,
        digest=case.origin.digest, locked=case.pin is not None, twin=way,
    )  # fmt: skip
    if case.same_as:
        message = f"the same bytes as {case.same_as}, which is judged: no further evidence"
        return replace(blank, findings=(Finding("copy", Verdict.NOT_RUN, message),))
    if not twin.available(case.device):
        message = f"no {case.device} device here"
        return replace(blank, findings=(Finding("device", Verdict.NOT_RUN, message),))
    if twins.too_much(way, next(case.blocks())):
        message = f"too large for the {way} twin, which differentiates entry by entry"
        return replace(blank, findings=(Finding("twin", Verdict.NOT_RUN, message),))
    with np.errstate(all="ignore"):  # non-finite numbers are judged as numbers, not as warnings
        judged = by_blocks if case.large else _judged
        result = judged(blank, case, budget, candidate, way)
    return replace(result, seconds=time.perf_counter() - started)


def _judged(
    blank: Result, case: Case, budget: float, candidate: Candidate | None, way: str
) -> Result:
    ref = compare.reference(case.batches[0], budget)
    blank = replace(blank, work=ref.problem.work, sizes=tuple(ref.problem.sizes.values()))
    if not ref.bounds.fits:
        return replace(blank, findings=(OUT_OF_RANGE,))
    judged = subjects(case, ref, way)
    chains, findings, figures = one_step(judged, ref)
    sees = post_sees = np.nan
    if LEAD in chains:
        gradient, holds = chains[LEAD].dC_dW, ref.bounds.post_holds
        sees = compare.resolution(ref.bounds.stable, gradient)
        post_sees = compare.resolution(ref.bounds.post, gradient) if holds else np.nan
        findings += evidence(case, holds, sees, post_sees)
    result = replace(
        blank,
        findings=tuple(findings),
        figures=tuple(figures),
        resolution=sees,
        post_resolution=post_sees,
        columns=ref.truth.columns if ref.truth and not ref.truth.whole else (),
    )
    if result.verdict is Verdict.FAIL:
        return result
    result = _over_steps(result, case, ref, judged, chains, budget)
    return _with_candidate(result, case, ref, candidate, budget) if candidate else result


def _with_candidate(
    result: Result, case: Case, ref: Reference, candidate: Candidate, budget: float
) -> Result:
    """The result with what the candidate did, unless manual and twin are not green themselves."""
    if not result.ok:
        return result
    trial = tried(candidate, ref)
    findings = list(trial.findings)
    if not findings:
        own_step = trial.chain.W_next is not None
        findings += trained(candidate, case.batches, case.steps, ref.columns, budget, own_step)
    return replace(
        result,
        resolution=trial.resolution,
        findings=tuple(findings),
        figures=(*result.figures, *trial.figures),
        notes=(*result.notes, *trial.notes),
        likenesses=trial.likenesses,
    )


def _over_steps(
    result: Result,
    case: Case,
    ref: Reference,
    subjects: Sequence[Subject],
    chains: Mapping[str, Chain],
    budget: float,
) -> Result:
    """The trajectory, the fall of C, and what the file expects of C."""
    single = case.steps == 1
    starts = {
        s: Evaluation(ref.problem, ref.bounds, chains[s.name])
        for s in subjects
        if s.name == LEAD or not (single or s.implementation is manual.element_form)
    }
    trained = steps.train(starts, case.batches, case.steps, ref.columns, budget)
    lead = trained.trajectories[LEAD]
    first, last = starts[lead.subject], lead.here
    C_first = ref.truth.chain.C if ref.truth else None
    if last is None or len(case.batches) > 1:  # the batches' costs are not the cost of all rows
        first = evaluated(lead.subject, case.problem)
        last = evaluated(lead.subject, replace(case.problem, W=lead.W))
        C_first = truth.cost(first.problem, budget)
    before = steps.loss(first, np.zeros_like(lead.drift), C_first)
    after = steps.loss(last, lead.drift, truth.cost(last.problem, budget))
    notes = []
    if not single and ref.truth is not None and trained.enclosed < case.steps:
        notes.append(
            f"the truth follows {trained.enclosed} of {case.steps} steps; manual against twin all"
        )
    if result.columns:
        notes.append(f"the truth covers columns {', '.join(map(str, result.columns))} of W")
    if case.expect.loss == "any" and after.minus(before) < -(after.spread + before.spread):
        notes.append('loss = "any" is declared, but it falls')
    # A path that ended early did not come to the W that the file speaks of.
    expected = () if trained.findings else expectations(case, before, after)
    pinned = () if trained.findings else departures(case, ref, before, after)
    findings = (*result.findings, *trained.findings, *expected, *pinned)
    return replace(
        result,
        findings=findings,
        notes=(*result.notes, *notes),
        loss_before=before.C,
        loss_after=after.C,
        steps=steps.thinned(lead.steps),
    )
