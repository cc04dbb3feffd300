"""Who is judged in a case, and what one evaluation of each says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from verify.judge import compare
from verify.judge.compare import Reference, Subject
from verify.judge.result import Figure, Finding, Verdict
from verify.network import manual, relations, twins
from verify.network.problem import Chain
from verify.scenario.cases import Case

LEAD = "manual.stable_form"  # whose W the expected figures are computed at
OUT_OF_RANGE = Finding(
    "range",
    Verdict.CANNOT_JUDGE,
    "|X||W|, C or |X|^T|dC_dy| comes near the largest number of the dtype: no bound holds there",
)
_ELEMENT_WORK = 512  # N D K up to which the element-wise loops are worth their time


def subjects(case: Case, ref: Reference, way: str) -> list[Subject]:
    """Manual and twin: the stable forms always, the post forms where they are said to hold."""
    forms = ["stable"]
    if ref.bounds.post_holds and case.expect.post_form != "nonfinite":
        forms.append("post")
    found = [subject for form in forms for subject in both_sides(form, case.device, way)]
    if "post" in forms and ref.problem.work <= _ELEMENT_WORK:
        found.append(Subject("manual.element_form", manual.element_form, "post"))
    return found


def both_sides(form: str, device: str, way: str = "eager") -> list[Subject]:
    """Manual and twin in one form."""
    forms = twins.TWINS[way]
    name = "twin" if way == "eager" else f"twin {way}"
    return [
        Subject(f"manual.{form}_form", manual.FORMS[form], form),
        Subject(f"{name}.{form}_form", partial(forms[form], device=device), form),
    ]


def one_step(
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
