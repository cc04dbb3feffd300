"""The numbers of one answer: which bounds they keep, and which lines are broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from verify.judge import compare, lines
from verify.judge.compare import Reference
from verify.judge.result import Figure, Finding, Of, Verdict
from verify.judge.sides import LEAD, blind
from verify.network.network import POST
from verify.network.problem import Chain

_SIGN = 2.0  # a bound that is not below 2 |g| anywhere cannot tell -g from g
_FORMS = {"stable": "stable form", "post": "post's form", "wider": "widest right form"}


@dataclass(eq=False)
class Answer:
    """What the numbers of an answer come to.

    Units   resolution: the smallest relative error of one entry of a gradient that would have been
            beyond the bound that it kept.
    """

    findings: list[Finding] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    resolution: float = float("nan")


def judged(name: str, chain: Chain, ref: Reference) -> Answer:
    """The links that somebody gives, held against the truth and what stands in for it.

    Shapes  as Chain.
    """
    found, network, of_post = Answer(), ref.problem.network, ref.problem.of_post
    if not ref.bounds.post_holds:
        whose = "post's" if network == POST else "literal"
        found.notes.append(f"the {whose} formulas do not hold here; judged by the stable form")
    found.findings += (Finding("gradient", Verdict.FAIL, m, name) for m in _missing(chain, ref))
    found.findings += compare.misshapen(name, chain, ref.problem)
    found.figures, form = _within_the_narrowest(name, chain, ref)
    near = lines.NOTHING
    unseen = "dC_dX" in chain and of_post  # of which the truth has no link
    if not of_post or unseen or not all(f.holds for f in found.figures):
        near = lines.locally(name, chain, ref)
    found.findings += lines.wrong("bound", found.figures, near, ref)
    found.figures += [near.figures["dC_dX"]] if unseen and "dC_dX" in near.figures else []
    found.resolution = _resolution(chain, ref, form)
    if {f.check for f in found.findings} == {"dtype"}:
        found.notes.append("its numbers are right: round them to the dtype of X")
    if not found.findings:
        nothing = _sign_unseen(found.resolution, form)
        if not of_post:
            found.resolution = float(np.fmin(found.resolution, near.sees))
            nothing = _unseen(chain, ref, form, found.resolution)
        check = "resolution" if of_post else "blind"
        found.findings += (Finding(check, Verdict.CANNOT_JUDGE, m, name) for m in nothing)
    return found


def held(name: str, chain: Chain, ref: Reference, bound: Chain) -> list[Figure]:
    """Figures against the truth; of what the truth leaves out, against manual.

    Shapes  as Chain.
    """
    figures, lead = compare.against_truth(name, chain, ref, bound), ref.lead
    if lead is not None:
        fit = Chain(**{n: a for n, a in chain.items() if np.shape(a) == ref.problem.shape(n)})
        figures += compare.against_each_other({name: fit, LEAD: lead}, ref, bound)
    return figures


def _missing(chain: Chain, ref: Reference) -> Iterator[str]:
    """What it must give and does not: each gradient, or where it leads."""
    network, listed = ref.problem.network, ", ".join(chain)
    for name in network.sought:
        through = network.trains and not network.state  # what is kept hides the gradient
        ways = [f"dC_d{name}", *([f"{name}_next"] if through else [])]
        if not any(way in chain for way in ways):
            neither = f"neither {' nor '.join(ways)}" if len(ways) > 1 else f"no {ways[0]}"
            yield f"it gives {listed}, but {neither} to be judged"


def _within_the_narrowest(name: str, chain: Chain, ref: Reference) -> tuple[list[Figure], str]:
    """Of each link the first form whose bound it keeps; and the form of its gradients'."""
    bound, needed, network = ref.bounds, "stable", ref.problem.network
    asked = {*network.gradients, *network.updates}
    asked |= {link for link in network.links if link.startswith("dC_dy")} - {"dC_dy_o"}
    left, found = dict(chain), dict[Of, Figure]()
    for form in ("stable", *(("post",) if bound.post_holds else ()), "wider"):
        needed = form if left.keys() & asked else needed
        figures = held(name, Chain(**left), ref, bound[form])
        found |= {f.of: f for f in figures}
        broken = {f.link for f in figures if not f.holds}
        left = {link: value for link, value in left.items() if link in broken}
        if not left:
            break
    return list(found.values()), needed


def _resolution(chain: Chain, ref: Reference, form: str) -> float:
    """The resolution of the gradients that it gives, or of those in what they lead to."""
    problem, bound, limits = ref.problem, ref.bounds[form], {}
    for name in problem.network.sought:
        link, after = f"dC_d{name}", f"{name}_next"
        through = link not in chain and after in bound
        limits[link] = bound[after] / np.float64(problem.h) if through else bound[link]
    sides = 1 if ref.lead is None else 2
    return sides * compare.resolution(limits, {link: ref.manual[link] for link in limits})


def _sign_unseen(resolution: float, form: str) -> Iterator[str]:
    """That not even the sign of the gradient is noticed."""
    if not resolution < _SIGN:
        yield (
            f"it keeps the bound of the {_FORMS[form]}, which notices no relative error below"
            f" {resolution:.2g} here: -dC_dW would pass, too"
        )


def _unseen(chain: Chain, ref: Reference, form: str, sees: float) -> Iterator[str]:
    """That neither the whole nor its lines say much of a gradient; asks for more links."""
    if not sees <= blind(ref.problem.dtype):
        seen = {
            link: compare.resolution(ref.bounds[form], {link: ref.manual[link]})
            for link in ref.problem.network.gradients
        }
        least = max(seen, key=lambda link: seen[link])
        absent = [n for n in ref.problem.network.links if n not in chain and n[-5:] != "_next"]
        asked = f"give its links, to be judged line by line: {', '.join(absent)}"
        yield (
            f"no relative error below {sees:.2g} of {least} is noticed from X on;"
            f" {asked if absent else 'nor by its lines, of so large numbers'}"
        )
