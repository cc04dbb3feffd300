"""A candidate on one case: its links, its behaviour, other data, other layouts, its trajectory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verify.candidate.candidate import Answer, Candidate, updated
from verify.candidate.load import UPSTREAM
from verify.judge import compare, lines
from verify.judge.answers import held, judged
from verify.judge.compare import Reference
from verify.judge.formulas import followed, told_apart
from verify.judge.likeness import likenesses
from verify.judge.patterns import patterns
from verify.judge.questions import LAYOUT_WORK, LAYOUTS, OTHER_WORK, gradient_by, others
from verify.judge.result import Figure, Finding, Likeness, Verdict, worst_of
from verify.judge.rows import among_all, of_some_rows
from verify.network.bounds import bounds
from verify.network.problem import Chain, Problem, bits


@dataclass(frozen=True, eq=False)
class Trial:
    """What a candidate did on one case.

    Units   resolution: the smallest relative error of one entry of its gradient that would have
            been beyond the bound that it kept; exact: "right", "wrong" or "not followed" in exact
            arithmetic, empty where that was not tried.
    """

    findings: tuple[Finding, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    resolution: float
    chain: Chain
    likenesses: tuple[Likeness, ...] | None = None
    exact: str = ""


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
    if in_full and not trying.findings and candidate.session.gets_arrays:
        trying.in_layouts()
    if in_full and not trying.findings and candidate.session.differentiated:
        trying.backward()
    if in_full and ref.sample is not None and not trying.findings:
        trying.on_some_rows(ref.sample)
    likes = None
    broken = [f.link or "" for f in trying.findings if f.check == "bound"]
    if explained and broken:
        trying.notes += patterns(trying.chain, ref)
        likes = likenesses(trying.chain, ref, broken[0])
    if in_full and trying.answered:
        trying.exactly()
    findings = tuple(dict.fromkeys(trying.findings))
    notes = tuple(f"{trying.name}: {note}" for note in dict.fromkeys(trying.notes))
    figures = tuple(trying.figures)
    return Trial(findings, figures, notes, trying.resolution, trying.chain, likes, trying.exact)


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
        self.exact = ""

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

    def numbers(self, first: bool = True) -> None:
        """Every link that it gives, within the narrowest bound of a right form that it keeps."""
        reply = self.ask(self.ref.problem, first=first).reply
        if reply.trouble:
            return
        self.answered = True
        self.chain = Chain(**reply.links)
        found = judged(self.name, self.chain, self.ref)
        self.findings += found.findings
        self.figures += found.figures
        self.notes += found.notes
        self.resolution = found.resolution

    def on_some_rows(self, sample: Reference) -> None:
        """A batch of those rows that the truth can judge."""
        there = _Trying(self.candidate, sample)
        there.numbers(first=False)
        self.notes += there.notes
        self.findings += (of_some_rows(f, self.ref) for f in there.findings)
        rows, problem = self.ref.rows, self.ref.problem
        self.figures += (among_all(f, rows, problem) for f in there.figures)

    def on_other_data(self) -> None:
        """The same arrays with other numbers: what is kept by shape, identity or part is stale."""
        for what, other in others(self.ref.problem):
            answer = self.ask(other, f"on {what}", "other data", kept=True)
            if answer.reply.trouble:
                return
            limits = bounds(other)
            if limits.fits:
                found = updated(Chain(**answer.reply.links), other)
                there = Reference(other, limits, None)
                self._hold("other data", f"on {what}", found, limits.wider, there)

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

    def exactly(self) -> None:
        """Its own code in exact arithmetic: a mistake of mathematics, told from lost digits."""
        dtype = str(self.ref.problem.dtype)
        run = followed(self.candidate, self.ref.problem, self.chain, self.name)
        self.exact = run.exact
        self.notes += run.notes
        self.findings = list(told_apart(self.findings, run, self.chain, dtype))

    def in_layouts(self) -> None:
        """X, the parameters and P laid out otherwise, one at a time."""
        if self.ref.problem.work > LAYOUT_WORK:
            return
        network = self.ref.problem.network
        given = [link for link in network.gradients if link in self.chain]
        last = given or [link for link in self.chain if link.endswith("_next")]
        asked = last if self.ref.problem.of_post else list(self.chain)
        for name in self.ref.problem.arrays:
            for layout, told in LAYOUTS.items():
                what = f"with {name} {told}"
                check = "note" if layout == "reversed" else "layout"
                reply = self.ask(self.ref.problem, what, check, layouts={name: layout}).reply
                chain = Chain(**{n: a for n, a in reply.links.items() if n in asked})
                self._hold("layout", what, chain, self.ref.bounds.wider)

    def backward(self) -> None:
        """Other gradients of what a library differentiates: a cost, or one operation."""
        if self.ref.problem.work > OTHER_WORK:
            return
        reply = self.ask(self.ref.problem, "another backward pass", "backward", backward=True).reply
        if reply.trouble:
            return
        links, problem = dict(reply.links), self.ref.problem
        of_operation = problem.network.cost == "upstream"
        upstream = problem.P if of_operation else problem.dtype.type(UPSTREAM)
        if "upstream" in links and not np.array_equal(links.pop("upstream"), upstream):
            self.fail("mutated", "the upstream gradient was changed in place; work on a copy")
        for pass_, told in _PASSES.items():
            of_pass = {n: n.removeprefix(pass_) for n in links if n.startswith(pass_)}
            for name, link in of_pass.items():
                found, what = links.pop(name), told.format(link=link, by=link.removeprefix("dC_d"))
                # The upstream gradient rounds once or twice more.
                limit = {link: 2 * self.ref.bounds.wider[link]}
                value = found / UPSTREAM if pass_ == "scaled " else found
                value = np.asarray(value, problem.dtype)
                self._hold("backward", what, Chain(**{link: value}), Chain(**limit))
        for name, found in links.items():
            if name != "dC_dP" or problem.of_post:
                self._by_input(name, found, 1.0 if of_operation else float(upstream))

    def _by_input(self, name: str, found: Any, factor: float) -> None:
        """The gradient by the inputs or the labels, for an upstream gradient of some factor."""
        right, limit = gradient_by(name, self.ref)
        if np.shape(found) != right.shape:
            self.fail("backward", f"{name} has shape {np.shape(found)}; expected {right.shape}")
            return
        with np.errstate(all="ignore"):
            found = np.float64(found) / factor
            held_ = compare.held(self.name, name, found, right, limit, self.ref.problem)
        if not held_.holds:
            size = f"{held_.ratio:.3g} times its bound off"
            given = f", for an upstream gradient of {factor:g}" if factor != 1 else ""
            self.fail("backward", f"{name} is {size}{given}")

    def _hold(
        self, check: str, what: str, chain: Chain, bound: Chain, ref: Reference | None = None
    ) -> None:
        """The links of a further call, of this problem or another."""
        ref = ref or self.ref
        found = list(compare.misshapen(self.name, chain, ref.problem))
        figures = held(self.name, chain, ref, bound)
        by_line = check != "backward" and not ref.problem.of_post
        if not found and (by_line or not all(f.holds for f in figures)):
            near = lines.NOTHING if check == "backward" else lines.locally(self.name, chain, ref)
            found = list(lines.wrong(check, figures, near, ref))
        for finding in found:
            self.findings.append(
                replace(finding, check=check, message=f"{what}: {finding.message}")
            )


_PASSES = {
    "scaled ": f"{{link}} for an upstream gradient of {UPSTREAM}",
    "second ": "{link} by a second backward pass through the same graph",
    "alone ": "{link} where {by} alone needs a gradient",
}
"""Other backward passes, and how each is told."""
