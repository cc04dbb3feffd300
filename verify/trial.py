"""A candidate on one case: its promises, its links, other data, other layouts, its trajectory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verify import compare, diagnosis, manual, training
from verify.bounds import bounds
from verify.candidate import Candidate, updated
from verify.chain import Chain, Problem
from verify.compare import Reference, Subject
from verify.errors import CandidateError
from verify.examination import Answer
from verify.result import Figure, Finding, Verdict

_LAYOUT_WORK = 2**16  # N D K up to which other layouts of X are tried on every case


@dataclass(frozen=True, eq=False)
class Trial:
    """What a candidate did on one case."""

    findings: tuple[Finding, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


def tried(candidate: Candidate, ref: Reference) -> Trial:
    """The candidate on one problem, within the wider bound of the forms that hold there.

    Shapes  as Problem.
    """
    name = f"candidate {candidate.name}"
    answer, other = candidate.examined(ref.problem, ref.problem.work <= _LAYOUT_WORK)
    notes = [f"{name}: {note}" for note in answer.notes]
    if not ref.bounds.post_holds:
        notes.append(f"{name}: the post's formulas do not hold here; judged by the stable form")
    findings = list(_promises(name, answer))
    chain, bound = Chain(**answer.links), ref.bounds.wider
    findings += compare.misshapen(name, chain, ref.problem)
    figures = compare.against_truth(name, chain, ref, bound)
    findings += compare.broken("bound", figures)
    if any(f.check == "bound" for f in findings):
        notes += [f"{name}: {p}" for p in diagnosis.patterns(chain, ref)]
    elif not findings:
        findings += _on_other_data(name, answer, other)
        findings += _in_layouts(name, answer, ref)
    return Trial(tuple(findings), tuple(figures), tuple(notes))


def trained(
    candidate: Candidate, batches: Sequence[Problem], steps: int, columns: Sequence[int],
    budget: float,
) -> Iterator[Finding]:  # fmt: skip
    """Its trajectory and the fall of its cost; W_next by the update rule if it gives none.

    Shapes  batches share W (D, K).
    """
    subject = Subject(f"candidate {candidate.name}", candidate.chain, "wider")
    try:
        starts = {subject: training.evaluated(subject, batches[0])}
        yield from training.train(starts, batches, steps, columns, budget).findings
    except CandidateError as error:
        yield Finding("exception", Verdict.FAIL, str(error), subject.name)


def _promises(name: str, answer: Answer) -> Iterator[Finding]:
    for fault in answer.faults:
        check, _, message = fault.partition(": ")
        yield Finding(check, Verdict.FAIL, message, name)
    if answer.trouble:
        yield Finding("exception", Verdict.FAIL, answer.trouble, name)


def _on_other_data(name: str, answer: Answer, other: Problem) -> Iterator[Finding]:
    """The call in between: an answer that is kept by shape is right the first time only."""
    found, limits = updated(Chain(**answer.other), other), bounds(other)
    if not limits.fits:
        return
    held = Reference(other, limits, None)
    pair = (found, manual.stable_form(other))
    names = (name, "manual.stable_form")
    shapes = list(compare.misshapen(name, found, other))
    for finding in shapes or compare.broken(
        "other data", compare.against_each_other(names, pair, held, limits.wider)
    ):
        message = f"on other data of the same shape: {finding.message}"
        yield Finding("other data", Verdict.FAIL, message, name, finding.link, finding.figure)


def _in_layouts(name: str, answer: Answer, ref: Reference) -> Iterator[Finding]:
    bound = ref.bounds.wider
    for layout, found in answer.layouts.items():
        chain = Chain(dC_dW=found)
        shapes = list(compare.misshapen(name, chain, ref.problem))
        figures = [] if shapes else compare.against_truth(name, chain, ref, bound)
        for finding in (*shapes, *compare.broken("layout", figures)):
            message = f"with X {layout}: {finding.message}"
            yield Finding("layout", Verdict.FAIL, message, name, finding.link, finding.figure)
