"""Manual and twin in each form, and the first evaluation of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

import numpy as np

from verify.judge import compare, lines
from verify.judge.asked import Asked
from verify.judge.compare import Reference, Subject
from verify.judge.parts import Evaluation, Totals, start_of
from verify.judge.result import Figure, Finding, Of, Verdict, worst_of
from verify.judge.rows import among_all, in_rows, of_some_rows
from verify.network import kernels, manual, relations, twins
from verify.network.network import POST, Network
from verify.network.problem import Chain
from verify.numbers.rounding import MODELS
from verify.scenario.cases import Case

LEAD = "manual.stable_form"  # whose W the expected figures are computed at
OUT_OF_RANGE = Finding(
    "range",
    Verdict.CANNOT_JUDGE,
    "|X||W|, C or |X|^T|dC_dy| comes near the largest number of the dtype: no bound holds there",
)
BEYOND_RANGE = Finding(
    "range",
    Verdict.CANNOT_JUDGE,
    "C comes near the largest number of the dtype: no bound holds there",
)
LEFT_DOMAIN = Finding(
    "post_form", Verdict.CANNOT_JUDGE, "W leaves the domain of the post form", "manual.post_form"
)
_ELEMENT_WORK = 512  # N D K up to which the element-wise loops are worth their time
_ENCLOSED = 3  # parts of several that the truth judges: the first, the last, and between them


def blind(dtype: Any) -> float:
    """What notices no smaller relative error is no evidence: 1 %, or 32 roundings of the dtype.

    bfloat16 has no two right programs within 1 %: a gradient has ten roundings and more.
    """
    return max(1e-2, 32 * MODELS[str(dtype)].u)


def subjects(case: Case, ref: Reference, twin: str) -> list[Subject]:
    """Manual and twin: the stable forms always, the post forms where they are said to hold."""
    forms = ["stable"]
    if ref.bounds.post_holds and case.expect.post_form != "nonfinite":
        forms.append("post")
    network = ref.problem.network
    found = [s for form in forms for s in both_sides(form, case.device, twin, network)]
    small = ref.problem.of_post and ref.problem.work <= _ELEMENT_WORK
    if "post" in forms and small:
        found.append(Subject("manual.element_form", manual.element_form, "post"))
    return found


def both_sides(
    form: str, device: str, twin: str = "eager", network: Network = POST
) -> list[Subject]:
    """Manual and twin in one form."""
    forms = twins.TWINS[twin]
    name = "twin" if twin == "eager" else f"twin {twin}"
    called = "literal" if form == "post" and network != POST else form
    return [
        Subject(f"manual.{called}_form", manual.FORMS[form], form),
        Subject(f"{name}.{called}_form", partial(forms[form], device=device), form),
    ]


@dataclass(eq=False)
class First:
    """The first evaluation: every link of every part of the first batch, of every subject.

    `kept` are the parts that the truth judges, or the only one; `given` is what each subject gave
    for the last part; `totals` add up what has the right shapes.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    figures: dict[Of, Figure] = field(default_factory=dict)
    given: dict[str, Chain] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)
    kept: list[Reference] = field(default_factory=list)
    post_holds: bool = True
    in_range: bool = True

    @property
    def ref(self) -> Reference:
        return self.kept[0]

    @cached_property
    def sees(self) -> float:
        """What the lines of the lead notice, one by one, in the first part."""
        only = self.totals[LEAD].only
        if only is None or only.chain is None:
            return np.nan
        return lines.locally(LEAD, only.chain, self.ref).sees

    def resolution(self, form: str) -> float:
        """What the rows together notice; NaN where the form does not hold in each of them."""
        lead = self.totals.get(LEAD)
        if lead is not None and lead.only is not None:
            if form != "stable" and not self.post_holds:
                return np.nan
            chain, bound = lead.joined(0.0)[0], self.ref.bounds[form]
        else:
            own = next((t for t in self.totals.values() if t.subject.form == form), None)
            if own is None:
                return np.nan
            chain, bound = own.joined(0.0)
        gradients = {link: chain[link] for link in self.ref.problem.network.gradients}
        return compare.resolution(bound, gradients)


def keep_worst(known: dict[Of, Figure], figures: Iterable[Figure]) -> None:
    """Of each subject and link the worst figure."""
    for figure in figures:
        both = [known[figure.of], figure] if figure.of in known else [figure]
        known[figure.of] = worst_of(both) or figure


def first_step(case: Case, asked: Asked) -> First:
    """All subjects on every part of the first batch, up to the first part that is not right."""
    seen, first = First(), 0
    batch = case.in_parts[0]
    for share, problem in batch:
        n = len(problem.X)
        enclosed = has_truth(first, n, batch.N)
        spent = asked.work if share == 1 else asked.work / _ENCLOSED  # the budget is the case's
        ref = compare.reference(problem, spent if enclosed else 0)
        if not ref.bounds.fits:
            seen.findings.append(OUT_OF_RANGE if problem.of_post else BEYOND_RANGE)
            seen.in_range = False
            return seen
        seen.kept += [ref] if enclosed else []
        seen.post_holds &= bool(ref.bounds.post_holds)
        sides = subjects(case, ref, asked.twin)
        step = on_sample(one_step(sides, ref), sides, ref)
        seen.given = step.given
        keep_worst(seen.figures, [among_all(f, first, problem) for f in step.figures])
        seen.notes |= dict.fromkeys(step.notes)
        found = step.findings
        seen.findings += found if share == 1 else (in_rows(f, first, problem) for f in found)
        for subject in sides:
            if subject.name in step.fit:
                start = start_of(subject, batch, subject.name == LEAD)
                here = Evaluation(problem, ref.bounds, step.given[subject.name])
                seen.totals.setdefault(subject.name, start).add(share, here)
        if seen.findings and share < 1:  # other parts would say the same, each for its rows
            return seen
        first += n
    if batch.several:  # of all rows are only those whose form holds in each part
        most = max((total.parts for total in seen.totals.values()), default=0)
        seen.totals = {name: total for name, total in seen.totals.items() if total.parts == most}
        _agree(seen)
    return seen


def has_truth(first: int, n: int, N: int) -> bool:
    """Of the first part, the last, and the one in which half of the rows end."""
    return first == 0 or first + n == N or first < N // 2 <= first + n


def _agree(seen: First) -> None:
    """Manual against twin of each form, in what the parts add up to."""
    for one, other in pairwise(seen.totals.values()):
        if one.subject.form == other.subject.form:
            h = seen.ref.problem.h
            (chain, bound), (against, _) = one.joined(h), other.joined(h)
            both = {one.subject.name: chain, f"{other.subject.name}, all rows": against}
            figures = compare.against_each_other(both, seen.ref, bound)
            keep_worst(seen.figures, figures)
            seen.findings += compare.broken("agreement", figures)


@dataclass(frozen=True, eq=False)
class OneStep:
    """One evaluation of every subject: what each gave, and whose links all have their shapes."""

    given: dict[str, Chain]
    fit: list[str]
    findings: list[Finding]
    figures: list[Figure]
    notes: list[str] = field(default_factory=list)


def one_step(subjects: Sequence[Subject], ref: Reference, scaled: bool = True) -> OneStep:
    """Every subject's chain against the truth, the other side, and its own scaling."""
    step = OneStep({}, [], [], [])
    right = []  # those whose links are all within their bounds
    for subject in subjects:
        chain, failed = compare.evaluate(subject, ref.problem)
        step.given[subject.name] = chain
        unfit = list(compare.misshapen(subject.name, chain, ref.problem))
        figures, notes, wrong = _lines(subject, chain, ref)
        step.figures.extend(figures)
        step.notes.extend(notes)
        step.findings.extend([*unfit, *wrong, *([failed] if failed else [])])
        if not unfit and failed is None:
            step.fit.append(subject.name)
            right += [] if notes else [subject.name]
            literal = subject.name.startswith("manual.") and subject.form == "post"
            if scaled and literal and ref.problem.of_post:
                step.findings.extend(_scaling(subject, chain, ref))
    for form in ("post", "stable"):
        sides = (s.name for s in subjects if s.form == form and "element" not in s.name)
        pair = [name for name in sides if name in right]
        if len(pair) == 2:
            both = {name: step.given[name] for name in pair}
            seen = compare.against_each_other(both, ref, ref.bounds[form])
            step.figures.extend(seen)
            step.findings.extend(compare.broken("agreement", seen))
    return step


def _lines(
    subject: Subject, chain: Chain, ref: Reference
) -> tuple[list[Figure], list[str], list[Finding]]:
    """Figures of a subject, and what its broken lines come to: findings, or a kernel's known error.

    Where the composed bounds notice little, or are broken, every line is judged by itself.
    """
    figures = compare.against_truth(subject.name, chain, ref, ref.bounds[subject.form])
    network = ref.problem.network
    known = kernels.beyond(network, str(ref.problem.dtype)) if "twin" in subject.name else {}
    gradients = {link: chain[link] for link in network.gradients if link in chain}
    sharp = all(f.holds for f in figures) and (
        ref.problem.of_post
        or compare.resolution(ref.bounds[subject.form], gradients) <= blind(ref.problem.dtype)
    )
    if sharp and (ref.truth is not None or not known):
        return figures, [], []
    if subject.form == "post" and all(f.holds for f in figures) and not known:
        return figures, [], []  # its lines are held against those of the stable form
    near = lines.locally(subject.name, chain, ref)
    found = list(lines.wrong("bound", figures, near, ref))
    if not found or not all(f.link in known for f in found):
        return figures, [], found
    told = {known[f.link or ""]: f for f in reversed(found)}
    notes = [
        f"{subject.name}: {reason}, {f.figure.ratio:.3g} bounds at {f.link} here; it is not held"
        " against the others"
        for reason, f in told.items() if f.figure
    ]  # fmt: skip
    return [], notes, []


def on_sample(step: OneStep, subjects: Sequence[Subject], ref: Reference) -> OneStep:
    """The same step, with what is found on a batch of those rows that the truth can judge.

    Of what one of them gives there, all is held against the truth.
    """
    if ref.sample is None or step.findings:
        return step
    holds = ref.sample.bounds.post_holds
    there = one_step([s for s in subjects if holds or s.form != "post"], ref.sample, scaled=False)
    figures = dict[Of, Figure]()
    keep_worst(figures, step.figures)
    keep_worst(figures, (among_all(f, ref.rows, ref.problem) for f in there.figures))
    findings = [of_some_rows(f, ref) for f in there.findings]
    return OneStep(step.given, step.fit, findings, list(figures.values()), step.notes)


def _scaling(subject: Subject, chain: Chain, ref: Reference) -> Iterator[Finding]:
    for link in relations.powers_of_two(subject.implementation, ref.problem, chain):
        message = (
            f"{link} of (8 X, W / 8, 4 P) is not exactly the power of two of {link} that it is"
        )
        yield Finding("relation", Verdict.FAIL, message, subject.name, link)
