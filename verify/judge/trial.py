"""A candidate on one case: its links, its behaviour, other data, other layouts, its trajectory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verify.candidate.candidate import Answer, Candidate, updated
from verify.candidate.load import UPSTREAM
from verify.judge import compare, lines
from verify.judge.compare import Reference
from verify.judge.likeness import likenesses
from verify.judge.patterns import patterns
from verify.judge.questions import LAYOUT_WORK, LAYOUTS, OTHER_WORK, gradient_by, others
from verify.judge.result import Figure, Finding, Likeness, Of, Verdict, worst_of
from verify.judge.sides import BLIND, among_all, of_some_rows
from verify.network import manual
from verify.network.bounds import bounds
from verify.network.network import POST
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
    if in_full and trying.ref.sample is not None and not trying.findings:
        trying.on_some_rows(trying.ref.sample)
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
        self.line_by_line = float("nan")

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
        for missing in self.missing():
            self.fail("gradient", missing)
        self.findings += compare.misshapen(self.name, self.chain, self.ref.problem)
        figures, form = self.within_the_narrowest()
        self.figures += figures
        self.findings += self.wrong(figures)
        self.resolution = self.sees(self.ref.bounds[form])
        if {f.check for f in self.findings} == {"dtype"}:
            self.notes.append("its numbers are right: round them to the dtype of X")
        if not self.findings and self.ref.problem.network != POST:
            self.findings += self.blind()
        elif not self.findings and not self.resolution < _BLIND:
            message = (
                f"it keeps the bound of the {_FORMS[form]}, which notices no relative error below"
                f" {self.resolution:.2g} here: -dC_dW would pass, too"
            )
            self.findings.append(Finding("resolution", Verdict.CANNOT_JUDGE, message, self.name))

    def on_some_rows(self, sample: Reference) -> None:
        """A batch of those rows that the truth can judge."""
        there = _Trying(self.candidate, sample)
        there.numbers()
        self.notes += there.notes
        self.findings += (of_some_rows(f, self.ref) for f in there.findings)
        rows, problem = self.ref.rows, self.ref.problem
        self.figures += (among_all(f, rows, problem) for f in there.figures)

    def missing(self) -> Iterator[str]:
        """What it must give and does not: each gradient, or where it leads."""
        network, listed = self.ref.problem.network, ", ".join(self.chain)
        for name in network.sought:
            ways = [f"dC_d{name}", *([f"{name}_next"] if network.trains else [])]
            if not any(way in self.chain for way in ways):
                neither = f"neither {' nor '.join(ways)}" if len(ways) > 1 else f"no {ways[0]}"
                yield f"it gives {listed}, but {neither} to be judged"

    def wrong(self, figures: Sequence[Figure]) -> list[Finding]:
        """Every broken line; where a link is given and holds, those after it are judged by it."""
        post = self.ref.problem.network == POST
        unseen = "dC_dX" in self.chain and post
        if post and not unseen and all(f.holds for f in figures):
            return []
        near, self.line_by_line = lines.locally(self.name, self.chain, self.ref)
        self.figures += [near["dC_dX"]] if unseen and "dC_dX" in near else []
        return list(lines.wrong("bound", figures, near, self.ref))

    def blind(self) -> Iterator[Finding]:
        """That neither the whole nor its lines say much of a gradient; asks for more links."""
        seen = np.fmin(self.resolution, self.line_by_line)
        if seen <= BLIND:
            return
        known = [n for n in self.ref.problem.network.links if n not in self.chain]
        asked = ", ".join(n for n in known if not n.endswith("_next")) or "fewer layers"
        message = (
            f"no relative error below {seen:.2g} of a gradient is noticed from"
            f" X on; give its links to be judged line by line: {asked}"
        )
        yield Finding("resolution", Verdict.CANNOT_JUDGE, message, self.name)

    def within_the_narrowest(self) -> tuple[list[Figure], str]:
        """Of each link the first form whose bound it keeps; and the form of its gradient's."""
        bound, needed = self.ref.bounds, "stable"
        network = self.ref.problem.network
        asked = {*network.gradients, *(f"{name}_next" for name in network.parameters)}
        asked |= {name for name in network.links if name.startswith("dC_dy")}
        left, found = dict(self.chain), dict[Of, Figure]()
        for form in ("stable", *(("post",) if bound.post_holds else ()), "wider"):
            needed = form if left.keys() & asked else needed
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
        """The resolution of the gradients that it gives, or of those in what they lead to."""
        problem, sides = self.ref.problem, 1 if self.lead is None else 2
        right, limits = self.lead or _manual(problem), {}
        for name in problem.network.sought:
            link, after = f"dC_d{name}", f"{name}_next"
            through = link not in self.chain and after in bound
            limits[link] = bound[after] / np.float64(problem.h) if through else bound[link]
        return sides * compare.resolution(limits, {link: right[link] for link in limits})

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
        """X, the parameters and P laid out otherwise, one at a time."""
        if self.ref.problem.work > LAYOUT_WORK:
            return
        gradients = self.ref.problem.network.gradients
        given = [link for link in gradients if link in self.chain]
        last = given or [link for link in self.chain if link.endswith("_next")]
        for name in self.ref.problem.arrays:
            for layout, told in LAYOUTS.items():
                what = f"with {name} {told}"
                check = "note" if layout == "reversed" else "layout"
                reply = self.ask(self.ref.problem, what, check, layouts={name: layout}).reply
                chain = Chain(**{n: a for n, a in reply.links.items() if n in last})
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
        for pass_, (factor, told) in _PASSES.items():
            of_pass = {n: n.removeprefix(pass_) for n in links if n.startswith(pass_)}
            for name, link in of_pass.items():
                # The upstream gradient rounds once or twice more.
                limit = {link: 2 * self.ref.bounds.wider[link]}
                value = np.asarray(links.pop(name) / factor, problem.dtype)
                what = told.format(link=link)
                self._hold("backward", what, Chain(**{link: value}), Chain(**limit))
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


_PASSES = {
    "scaled ": (UPSTREAM, "{link} for an upstream gradient of -0.3"),
    "second ": (1, "{link} by a second backward pass through the same graph"),
}
"""Other backward passes of one graph: by what their gradients are a multiple, and how told."""
_FORMS = {"stable": "stable form", "post": "post's form", "wider": "widest right form"}


def _lead(ref: Reference) -> Chain | None:
    """Manual's answer where the truth leaves something out."""
    return None if ref.truth is not None else _manual(ref.problem)


def _manual(problem: Problem) -> Chain:
    with np.errstate(all="ignore"):
        return manual.stable(problem)
