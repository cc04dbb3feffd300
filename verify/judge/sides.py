"""Manual and twin in each form, and the first evaluation of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

import numpy as np

from verify.judge import compare
from verify.judge.asked import Asked
from verify.judge.compare import Reference, Subject
from verify.judge.parts import Evaluation, Totals, start_of
from verify.judge.result import Figure, Finding, Of, Verdict, worst_of
from verify.network import manual, relations, twins
from verify.network.problem import SHAPES, Chain
from verify.scenario.cases import Case

LEAD = "manual.stable_form"  # whose W the expected figures are computed at
OUT_OF_RANGE = Finding(
    "range",
    Verdict.CANNOT_JUDGE,
    "|X||W|, C or |X|^T|dC_dy| comes near the largest number of the dtype: no bound holds there",
)
LEFT_DOMAIN = Finding(
    "post_form", Verdict.CANNOT_JUDGE, "W leaves the domain of the post form", "manual.post_form"
)
_ELEMENT_WORK = 512  # N D K up to which the element-wise loops are worth their time
_ENCLOSED = 3  # parts of several that the truth judges: the first, the last, and between them


def subjects(case: Case, ref: Reference, twin: str) -> list[Subject]:
    """Manual and twin: the stable forms always, the post forms where they are said to hold."""
    forms = ["stable"]
    if ref.bounds.post_holds and case.expect.post_form != "nonfinite":
        forms.append("post")
    found = [subject for form in forms for subject in both_sides(form, case.device, twin)]
    if "post" in forms and ref.problem.work <= _ELEMENT_WORK:
        found.append(Subject("manual.element_form", manual.element_form, "post"))
    return found


def both_sides(form: str, device: str, twin: str = "eager") -> list[Subject]:
    """Manual and twin in one form."""
    forms = twins.TWINS[twin]
    name = "twin" if twin == "eager" else f"twin {twin}"
    return [
        Subject(f"manual.{form}_form", manual.FORMS[form], form),
        Subject(f"{name}.{form}_form", partial(forms[form], device=device), form),
    ]


@dataclass(eq=False)
class First:
    """The first evaluation: every link of every part of the first batch, of every subject.

    `kept` are the parts that the truth judges, or the only one; `given` is what each subject gave
    for the last part; `totals` add up what has the right shapes.
    """

    findings: list[Finding] = field(default_factory=list)
    figures: dict[Of, Figure] = field(default_factory=dict)
    given: dict[str, Chain] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)
    kept: list[Reference] = field(default_factory=list)
    post_holds: bool = True
    in_range: bool = True

    @property
    def ref(self) -> Reference:
        return self.kept[0]

    def resolution(self, form: str) -> float:
        """What the rows together notice; NaN where the form does not hold in each of them."""
        lead, own = self.totals.get(LEAD), self.totals.get(f"manual.{form}_form")
        if lead is not None and lead.only is not None:
            held = form == "stable" or self.post_holds
            chain, _ = lead.joined(0.0)
            return compare.resolution(self.ref.bounds[form], chain.dC_dW) if held else np.nan
        if own is None:
            return np.nan
        chain, bound = own.joined(0.0)
        return compare.resolution(bound, chain.dC_dW)


def keep_worst(known: dict[Of, Figure], figures: Sequence[Figure], first: int = 0) -> None:
    """Of each subject and link the worst figure; of rows from `first` on, its entry among all."""
    for figure in (among_all(f, first) for f in figures):
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
            seen.findings.append(OUT_OF_RANGE)
            seen.in_range = False
            return seen
        seen.kept += [ref] if enclosed else []
        seen.post_holds &= bool(ref.bounds.post_holds)
        sides = subjects(case, ref, asked.twin)
        step = one_step(sides, ref)
        seen.given = step.given
        keep_worst(seen.figures, step.figures, first)
        found = step.findings
        seen.findings += found if share == 1 else (in_rows(f, first, n) for f in found)
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


def among_all(figure: Figure, first: int) -> Figure:
    """The figure of a part, with its entry among all rows."""
    if not first or not SHAPES[figure.link].startswith("N"):
        return figure
    row, column = figure.entry
    return replace(figure, entry=(first + row, column))


def in_rows(finding: Finding, first: int, n: int) -> Finding:
    """The finding of a part, with where its rows are among all."""
    figure = finding.figure and among_all(finding.figure, first)
    where = f"{finding.message}, in rows {first} to {first + n - 1}"
    return replace(finding, message=where, figure=figure)


@dataclass(frozen=True, eq=False)
class OneStep:
    """One evaluation of every subject: what each gave, and whose links all have their shapes."""

    given: dict[str, Chain]
    fit: list[str]
    findings: list[Finding]
    figures: list[Figure]


def one_step(subjects: Sequence[Subject], ref: Reference, scaled: bool = True) -> OneStep:
    """Every subject's chain against the truth, the other side, and its own scaling."""
    step = OneStep({}, [], [], [])
    for subject in subjects:
        chain, failed = compare.evaluate(subject, ref.problem)
        step.given[subject.name] = chain
        unfit = list(compare.misshapen(subject.name, chain, ref.problem))
        seen = compare.against_truth(subject.name, chain, ref, ref.bounds[subject.form])
        step.figures.extend(seen)
        found = [*unfit, *compare.broken("bound", seen), *([failed] if failed else [])]
        step.findings.extend(found)
        if not unfit and failed is None:
            step.fit.append(subject.name)
            if scaled and subject.name.startswith("manual.") and subject.form == "post":
                step.findings.extend(_scaling(subject, chain, ref))
    for form in ("post", "stable"):
        sides = (s.name for s in subjects if s.form == form and s.form in s.name)
        pair = [name for name in sides if name in step.fit]
        if len(pair) == 2:
            both = {name: step.given[name] for name in pair}
            seen = compare.against_each_other(both, ref, ref.bounds[form])
            step.figures.extend(seen)
            step.findings.extend(compare.broken("agreement", seen))
    return step


def _scaling(subject: Subject, chain: Chain, ref: Reference) -> Iterator[Finding]:
    for link in relations.powers_of_two(subject.implementation, ref.problem, chain):
        message = (
            f"{link} of (8 X, W / 8, 4 P) is not exactly the power of two of {link} that it is"
        )
        yield Finding("relation", Verdict.FAIL, message, subject.name, link)
