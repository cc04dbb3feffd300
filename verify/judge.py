"""Case x Implementation -> Result: everything that one case asserts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from verify import compare, manual, reduced, relations, training, truth, twin, ways
from verify.candidate import Candidate
from verify.cases import Case
from verify.chain import Chain
from verify.compare import Reference, Subject
from verify.expected import expectations
from verify.pins import departures
from verify.result import Figure, Finding, Result, Verdict
from verify.training import Evaluation, evaluated
from verify.trial import trained, tried

BLIND = 1e-2  # a case that notices no smaller relative error of the gradient is no evidence
LEAD = "manual.stable_form"  # whose W the expected figures are computed at
_ELEMENT_WORK = 512  # N D K up to which the element-wise loops are worth their time


def judge(
    case: Case, budget: float = truth.BUDGET, candidate: Candidate | None = None, way: str = "eager"
) -> Result:
    """The judgement of one case: manual and twin, in the forms that hold there, and a candidate.

    `way` is one of ways.TWINS, or of ways.REDUCED, which only adds a note to the eager one's.

    `budget` is the work that may be spent on the truth; 0 leaves manual and twin to each other. A
    candidate is judged only where manual and twin pass, so that it is not blamed for the machine.
    """
    started = time.perf_counter()
    blank = Result(
        case.path, case.name, case.line, case.dtype, case.device, case.layout,
        digest=case.scenario.digest, locked=case.pin is not None, twin=way,
    )  # fmt: skip
    if case.same_as:
        message = f"the same bytes as {case.same_as}, which is judged: no further evidence"
        return replace(blank, findings=(Finding("copy", Verdict.NOT_RUN, message),))
    if not twin.available(case.device):
        message = f"no {case.device} device here"
        return replace(blank, findings=(Finding("device", Verdict.NOT_RUN, message),))
    if ways.too_much(way, case.batches[0]):
        message = f"too large for the {way} twin, which differentiates entry by entry"
        return replace(blank, findings=(Finding("twin", Verdict.NOT_RUN, message),))
    with np.errstate(all="ignore"):  # non-finite numbers are judged as numbers, not as warnings
        result = _judged(blank, case, budget, candidate, way)
    return replace(result, seconds=time.perf_counter() - started)


def _judged(
    blank: Result, case: Case, budget: float, candidate: Candidate | None, way: str
) -> Result:
    ref = compare.reference(case.batches[0], budget)
    blank = replace(blank, work=ref.problem.work)
    if not ref.bounds.fits:
        message = (
            f"|X||W| or |X|^T|dC_dy| comes near the largest {case.dtype}: no bound holds there"
        )
        return replace(blank, findings=(Finding("range", Verdict.CANNOT_JUDGE, message),))
    subjects = _subjects(case, ref, way)
    chains, findings, figures = _one_step(subjects, ref)
    gradient = chains[LEAD].dC_dW if LEAD in chains else np.nan
    sees = compare.resolution(ref.bounds.stable, gradient)
    post_sees = compare.resolution(ref.bounds.post, gradient) if ref.bounds.post_holds else np.nan
    findings += _evidence(case, ref, sees, post_sees)
    result = replace(
        blank,
        findings=tuple(findings),
        figures=tuple(figures),
        resolution=sees,
        post_resolution=float(post_sees),
        columns=ref.truth.columns if ref.truth and not ref.truth.whole else (),
        notes=(reduced.note(ref, way, case.device),) if way in ways.REDUCED else (),
    )
    if result.verdict is Verdict.FAIL:
        return result
    result = _over_steps(result, case, ref, subjects, chains, budget)
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
        findings += trained(candidate, case.batches, case.steps, ref.columns, budget)
    return replace(
        result,
        findings=tuple(findings),
        figures=(*result.figures, *trial.figures),
        notes=(*result.notes, *trial.notes),
    )


def _subjects(case: Case, ref: Reference, way: str) -> list[Subject]:
    """Manual and twin: the stable forms always, the post forms where they are said to hold."""
    forms = ["stable"]
    if ref.bounds.post_holds and case.expect.post_form != "nonfinite":
        forms.append("post")
    subjects = [subject for form in forms for subject in _both_sides(form, case.device, way)]
    if "post" in forms and ref.problem.work <= _ELEMENT_WORK:
        subjects.append(Subject("manual.element_form", manual.element_form, "post"))
    return subjects


def _both_sides(form: str, device: str, way: str = "eager") -> list[Subject]:
    """Manual and twin in one form."""
    twins = ways.TWINS.get(way, ways.TWINS["eager"])
    name = "twin" if twins is ways.TWINS["eager"] else f"twin {way}"
    return [
        Subject(f"manual.{form}_form", manual.FORMS[form], form),
        Subject(f"{name}.{form}_form", partial(twins[form], device=device), form),
    ]


def _one_step(
    subjects: Sequence[Subject], ref: Reference
) -> tuple[dict[str, Chain], list[Finding], list[Figure]]:
    """The chains of one evaluation, each against the truth, the other side, and its own scaling."""
    chains: dict[str, Chain] = {}
    findings: list[Finding] = []
    figures: list[Figure] = []
    for subject in subjects:
        chain, raised = compare.evaluate(subject, ref.problem)
        unfit = list(compare.misshapen(subject.name, chain, ref.problem))
        seen = compare.against_truth(subject.name, chain, ref, ref.bounds[subject.form])
        figures += seen
        findings += [*unfit, *compare.broken("bound", seen), *([raised] if raised else [])]
        if not unfit and raised is None:
            chains[subject.name] = chain
            if subject.name.startswith("manual.") and subject.form == "post":
                findings += _scaling(subject, chain, ref)
    for form in ("post", "stable"):
        sides = (s.name for s in subjects if s.form == form and s.form in s.name)
        pair = [name for name in sides if name in chains]
        if len(pair) == 2:
            both = (chains[pair[0]], chains[pair[1]])
            seen = compare.against_each_other((pair[0], pair[1]), both, ref, ref.bounds[form])
            figures += seen
            findings += compare.broken("agreement", seen)
    return chains, findings, figures


def _scaling(subject: Subject, chain: Chain, ref: Reference) -> Iterator[Finding]:
    for link in relations.powers_of_two(subject.implementation, ref.problem, chain):
        message = (
            f"{link} of (8 X, W / 8, 4 P) is not exactly the power of two of {link} that it is"
        )
        yield Finding("relation", Verdict.FAIL, message, subject.name, link)


def _evidence(case: Case, ref: Reference, sees: float, post_sees: float) -> Iterator[Finding]:
    """Whether this case can notice anything, and whether the post form is as declared."""
    if not sees <= BLIND:
        message = f"notices no relative error of dC_dW below {sees:.2g}; limit {BLIND:g}"
        yield Finding("resolution", Verdict.CANNOT_JUDGE, message)
    declared, holds = case.expect.post_form, ref.bounds.post_holds
    if declared == "nonfinite":
        for subject in _both_sides("post", case.device):
            chain = subject.implementation(ref.problem)
            if np.isfinite(chain.C) and np.isfinite(chain.dC_dW).all():
                message = 'post_form = "nonfinite" is declared, but C and dC_dW are finite'
                yield Finding("post_form", Verdict.FAIL, message, subject.name, "C")
    elif not holds:
        message = (
            f"y is as low as {float(np.min(manual.stable_form(ref.problem).y)):.4g}: exp(-y) leaves"
            f" the range of {case.dtype} and the post's formulas do not hold; raise y, or declare"
            ' post_form = "nonfinite" where they give inf or nan'
        )
        yield Finding("post_form", Verdict.CANNOT_JUDGE, message)
    elif declared == "agrees" and not post_sees <= BLIND and sees <= BLIND:
        message = (
            f"the post's formulas notice no relative error below {post_sees:.2g}: 1 - y_o has lost"
            ' its digits; lower y, or declare post_form = "blind"'
        )
        yield Finding("post_form", Verdict.CANNOT_JUDGE, message)
    elif declared == "blind" and post_sees <= BLIND:
        message = (
            f'post_form = "blind" is declared, but it notices a relative error of {post_sees:.2g}'
        )
        yield Finding("post_form", Verdict.FAIL, message)


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
    trained = training.train(starts, case.batches, case.steps, ref.columns, budget)
    lead = trained.trajectories[LEAD]
    first, last = starts[lead.subject], lead.here
    C_first = ref.truth.chain.C if ref.truth else None
    if last is None or len(case.batches) > 1:  # the batches' costs are not the cost of all rows
        first = evaluated(lead.subject, case.problem)
        last = evaluated(lead.subject, replace(case.problem, W=lead.W))
        C_first = truth.cost(first.problem, budget)
    before = training.loss(first, np.zeros_like(lead.drift), C_first)
    after = training.loss(last, lead.drift, truth.cost(last.problem, budget))
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
    )
