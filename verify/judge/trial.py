"""A candidate on one case: its links, its behaviour, other data, other layouts, its trajectory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verify.candidate.candidate import Answer, Candidate, updated
from verify.candidate.load import BACKWARD, UPSTREAM
from verify.judge import compare
from verify.judge.compare import Reference
from verify.judge.likeness import likenesses
from verify.judge.patterns import patterns
from verify.judge.questions import LAYOUT_WORK, LAYOUTS, OTHER_WORK, gradient_by, others
from verify.judge.result import Figure, Finding, Likeness, Of, Verdict, worst_of
from verify.network import manual
from verify.network.bounds import bounds
from verify.network.problem import Chain, Problem, bits

_LEAD = "manual.stable_form"
_BLIND = 2.0  # a bound that is not below 2 |g| anywhere cannot tell -g from g


@dataclass(frozen=True, eq=False)
class Trial:
    """What a candidate did on one case.

    Units   resolution: the smallest relative error of one entry of its gradient that would have
            been beyond the bound that it kept.
    """

    findings: tuple[Finding, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    resolution: float
    chain: Chain
    likenesses: tuple[Likeness, ...] | None = None


def tried(
    candidate: Candidate, ref: Reference, in_full: bool = True, explained: bool = True
) -> Trial:
    """The candidate on one problem: its numbers; then, in full, what it does besides.

    Unless `explained` is false, what a wrong number looks like is looked for.

    Shapes  as Problem.
    """
    trying = _Trying(candidate, ref)
    trying.numbers()
    if in_full and not trying.findings:
        trying.on_other_data()
    if in_full and trying.answered:
        trying.again()
    if in_full and not trying.findings:
        trying.in_layouts()
    if in_full and not trying.findings and candidate.session.differentiated:
        trying.backward()
    likes = None
    if explained and any(f.check == "bound" for f in trying.findings):
        trying.notes += patterns(trying.chain, ref)
        likes = likenesses(trying.chain, ref)
    findings = tuple(dict.fromkeys(trying.findings))
    notes = tuple(f"{trying.name}: {note}" for note in dict.fromkeys(trying.notes))
    figures = tuple(trying.figures)
    return Trial(findings, figures, notes, trying.resolution, trying.chain, likes)


class _Trying:
    """One trial under way: what was found so far."""

    def __init__(self, candidate: Candidate, ref: Reference) -> None:
        self.candidate, self.ref = candidate, ref
        self.name = f"candidate {candidate.name}"
        self.findings: list[Finding] = []
        self.figures: list[Figure] = []
        self.notes: list[str] = []
        self.chain, self.resolution = Chain(), float("nan")
        self.answered = False
        self.lead = _lead(ref)

    def fail(self, check: str, message: str, link: str | None = None) -> None:
        self.findings.append(Finding(check, Verdict.FAIL, message, self.name, link))

    def ask(self, problem: Problem, what: str = "", check: str = "", **how: Any) -> Answer:
        """One call; what it does to its inputs, and that it gives no answer, is a finding.

        `what` says of which call that is told; `check` is the one that a call without an answer
        fails, or "note" where it may refuse.
        """
        answer = self.candidate.ask(problem, **how)
        reply = answer.reply
        self.notes += reply.notes
        for name in answer.changed:
            self.fail("mutated", f"{name} was changed in place; work on a copy")
        for link, name in reply.aliased:
            self.fail("aliased", f"{link} shares memory with {name}; return a copy")
        told = f"{what}{': ' if what else ''}{reply.trouble}"
        if reply.trouble and check == "note":  # who refuses an array gives no wrong answer
            self.notes.append(told)
        elif reply.trouble:
            self.fail("timeout" if reply.timed_out else check or "exception", told)
        return answer

    def numbers(self) -> None:
        """Every link that it gives, within the narrowest bound of a right form that it keeps."""
        reply = self.ask(self.ref.problem, first=True).reply
        if reply.trouble:
            return
        self.answered = True
        self.chain = Chain(**reply.links)
        if not self.ref.bounds.post_holds:
            self.notes.append("the post's formulas do not hold here; judged by the stable form")
        if self.chain.dC_dW is None and self.chain.W_next is None:
            given = ", ".join(self.chain)
            self.fail("gradient", f"it gives {given}, but neither dC_dW nor W_next to be judged")
        self.findings += compare.misshapen(self.name, self.chain, self.ref.problem)
        figures, form = self.within_the_narrowest()
        self.figures += figures
        self.findings += compare.broken("bound", figures)
        self.resolution = self.sees(self.ref.bounds[form])
        if {f.check for f in self.findings} == {"dtype"}:
            self.notes.append("its numbers are right: round them to the dtype of X")
        if not self.findings and not self.resolution < _BLIND:
            message = (
                f"it keeps the bound of the {_FORMS[form]}, which notices no relative error below"
                f" {self.resolution:.2g} here: -dC_dW would pass, too"
            )
            self.findings.append(Finding("resolution", Verdict.CANNOT_JUDGE, message, self.name))

    def within_the_narrowest(self) -> tuple[list[Figure], str]:
        """Of each link the first form whose bound it keeps; and the form of its gradient's."""
        bound, needed = self.ref.bounds, "stable"
        left, found = dict(self.chain), dict[Of, Figure]()
        for form in ("stable", *(("post",) if bound.post_holds else ()), "wider"):
            needed = form if left.keys() & _GRADIENTS else needed
            figures = self.judged(Chain(**left), bound[form])
            found |= {f.of: f for f in figures}
            broken = {f.link for f in figures if not f.holds}
            left = {link: value for link, value in left.items() if link in broken}
            if not left:
                break
        return list(found.values()), needed

    def judged(self, chain: Chain, bound: Chain, other: Reference | None = None) -> list[Figure]:
        """Figures against the truth; of what the truth leaves out, against manual."""
        ref, lead = (other, _lead(other)) if other else (self.ref, self.lead)
        figures = compare.against_truth(self.name, chain, ref, bound)
        if lead is not None:
            fit = Chain(**{n: a for n, a in chain.items() if np.shape(a) == ref.problem.shape(n)})
            figures += compare.against_each_other({self.name: fit, _LEAD: lead}, ref, bound)
        return figures

    def sees(self, bound: Chain) -> float:
        """The resolution of the gradient that it gives, or of the one in its W_next."""
        problem, sides = self.ref.problem, 1 if self.lead is None else 2
        g = np.abs(np.asarray((self.lead or _manual(problem)).dC_dW, np.float64))
        limit = bound.dC_dW
        if self.chain.dC_dW is None:
            limit = bound.W_next / np.float64(problem.h)
        return sides * compare.resolution(Chain(dC_dW=limit), g)

    def on_other_data(self) -> None:
        """The same arrays with other numbers: what is kept by shape, identity or part is stale."""
        for what, other in others(self.ref.problem):
            answer = self.ask(other, f"on {what}", "other data", kept=True)
            if answer.reply.trouble:
                return
            limits = bounds(other)
            if limits.fits:
                found = updated(Chain(**answer.reply.links), other)
                held = Reference(other, limits, None)
                self._hold("other data", f"on {what}", found, limits.wider, held)

    def again(self) -> None:
        """The first answer must still be there, and the same call give it again."""
        kept = self.candidate.session.recalled().links
        for link, value in self.chain.items():
            if link in kept and bits(kept[link]) != bits(value):
                told = f"{link} of an earlier call was changed by a later one; return fresh memory"
                self.fail("reused", told, link)
        reply = self.ask(self.ref.problem, "the same call again", "repeat").reply
        given = dict(self.chain)
        other = [n for n in given if bits(given[n]) != bits(reply.links.get(n, np.empty(0)))]
        if reply.trouble or not other:
            return
        second = {n: reply.links[n] for n in other if n in reply.links}
        alike = [n for n, a in second.items() if np.shape(a) == np.shape(given[n])]
        alike = [n for n in alike if np.shape(given[n]) == self.ref.problem.shape(n)]
        pair = Chain(**{n: given[n] for n in alike}), Chain(**{n: second[n] for n in alike})
        both = dict(zip((self.name, "the same call again"), pair, strict=True))
        worst = worst_of(compare.against_each_other(both, self.ref, self.ref.bounds.wider))
        if len(alike) == len(other) and worst is not None and worst.holds:
            self.notes.append(
                f"two calls differ by up to {2 * worst.ratio:.2g} bounds, at {worst.link}: are sums"
                " taken in another order?"
            )
            return
        size = f" by {2 * worst.ratio:.3g} bounds" if worst else ""
        self.fail(
            "repeat",
            f"the same call twice differs{size} in {other[0]}; is a state kept between calls?",
            other[0],
        )

    def in_layouts(self) -> None:
        """X, W and P laid out otherwise, one at a time."""
        if self.ref.problem.work > LAYOUT_WORK:
            return
        for name in ("X", "W", "P"):
            for layout, told in LAYOUTS.items():
                what = f"with {name} {told}"
                check = "note" if layout == "reversed" else "layout"
                reply = self.ask(self.ref.problem, what, check, layouts={name: layout}).reply
                last = "W_next" if self.chain.dC_dW is None else "dC_dW"
                chain = Chain(**{n: a for n, a in reply.links.items() if n == last})
                self._hold("layout", what, chain, self.ref.bounds.wider)

    def backward(self) -> None:
        """Other gradients of a cost that a library differentiates."""
        if self.ref.problem.work > OTHER_WORK:
            return
        reply = self.ask(self.ref.problem, "another backward pass", "backward", backward=True).reply
        if reply.trouble:
            return
        links, problem = dict(reply.links), self.ref.problem
        upstream = problem.dtype.type(UPSTREAM)
        if "upstream" in links and links.pop("upstream") != upstream:
            self.fail("mutated", "the upstream gradient was changed in place; work on a copy")
        twice = Chain(dC_dW=2 * self.ref.bounds.wider.dC_dW)  # upstream rounds once or twice more
        for name, factor in (("scaled", upstream), ("second", 1)):
            if name in links:
                chain = Chain(dC_dW=np.asarray(links.pop(name) / factor, problem.dtype))
                self._hold("backward", BACKWARD[name], chain, twice)
        for name, found in links.items():
            right, limit = gradient_by(name, self.ref)
            if np.shape(found) != right.shape:
                self.fail("backward", f"{name} has shape {np.shape(found)}; expected {right.shape}")
                continue
            with np.errstate(all="ignore"):
                share = np.abs(np.float64(found) / upstream - right) / limit
            if not (share <= 1).all():
                size = f"{np.nanmax(share):.3g} times its bound off"
                self.fail("backward", f"{name} is {size}, for an upstream gradient of -0.3")

    def _hold(
        self, check: str, what: str, chain: Chain, bound: Chain, ref: Reference | None = None
    ) -> None:
        """The links of a further call, of this problem or another."""
        problem = (ref or self.ref).problem
        unfit = list(compare.misshapen(self.name, chain, problem))
        for finding in unfit or compare.broken(check, self.judged(chain, bound, ref)):
            self.findings.append(
                replace(finding, check=check, message=f"{what}: {finding.message}")
            )


_GRADIENTS = {"dC_dy", "dC_dW", "W_next"}
_FORMS = {"stable": "stable form", "post": "post's form", "wider": "widest right form"}


def _lead(ref: Reference) -> Chain | None:
    """Manual's answer where the truth leaves something out."""
    return None if ref.truth is not None and ref.truth.whole else _manual(ref.problem)


def _manual(problem: Problem) -> Chain:
    with np.errstate(all="ignore"):
        return manual.stable_form(problem)
