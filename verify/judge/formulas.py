"""A candidate's own code in exact arithmetic: which of its formulas are wrong.

Each link that it gives is held against what the network's definitions make of the links that it
gives before it: in exact arithmetic, so a mistake of mathematics is proven at any depth, and the
line that has it is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import flint
import numpy as np

from verify.candidate.candidate import Candidate
from verify.candidate.exact import Exact
from verify.judge import exactly
from verify.judge.result import Finding
from verify.network.problem import Chain, Problem
from verify.network.truth import Enclosure
from verify.numbers.balls import Balls, enclosed
from verify.numbers.constant import precision
from verify.numbers.dtypes import SIXTEEN

WORK = 2**12  # N D K that is run in exact arithmetic: some 50 ms, of loops 500
_BITS = 212


class Followed(NamedTuple):
    """What a candidate's run in exact arithmetic showed on a problem, or on some of its rows.

    `exact` is "right", "wrong" or "not followed"; empty where it was not tried.
    """

    exact: str = ""
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    links: Mapping[str, Exact] = {}
    whole: bool = True


def followed(candidate: Candidate, problem: Problem, chain: Chain, name: str) -> Followed:
    """A candidate in exact arithmetic on a problem, or as many of its rows as that may cost.

    `chain` is what it gave on floats.

    Shapes  as Problem and Chain.
    """
    rows = _rows(problem) if problem.dtype.name not in SIXTEEN else []
    if not (rows and candidate.session.followable):
        return Followed()
    whole = len(rows) == len(problem.X)
    some = problem if whole else problem.rows(rows)
    reply = candidate.follow(some)
    if reply.trouble:
        told = exactly.UNFOLLOWED.format(why=reply.trouble)
        return Followed("not followed", notes=(told,))
    floats: Mapping[str, Any] = chain if whole else candidate.ask(some).reply.links
    links = {n: e for n, e in reply.exact.items() if e.hi.shape == some.shape(n)}
    for link, exact in links.items():
        if link in floats and not exactly.is_followed(floats[link], exact):
            return Followed("not followed", notes=(exactly.OTHERWISE.format(link=link),))
    wrong = tuple(_wrong(name, links, some))
    told = f"in exact arithmetic: {len(rows)} of its {len(problem.X)} rows"
    notes = (*reply.notes, *([told] if wrong and not whole else []))
    return Followed("wrong" if wrong else "right", wrong, notes, links, whole)


def told_apart(
    findings: Sequence[Finding], run: Followed, chain: Chain, dtype: str
) -> Iterator[Finding]:
    """Findings of numbers that are beyond their bounds, as mistakes of formula or of arithmetic.

    Each keeps the figure of the floats; what the floats do not show stands last.

    Shapes  as Chain.
    """
    wrong = {str(f.link): f for f in run.findings}
    told = set[str]()
    for finding in findings:
        link, figure = str(finding.link), finding.figure
        if finding.check in ("resolution", "blind") and wrong:
            continue  # what was not noticed in floats is proven
        if finding.check != "bound" or figure is None:
            yield finding
            continue
        if link in wrong and link not in told:
            yield replace(wrong[link], figure=figure)
        told.add(link)
        own = run.links.get(link) if run.whole else None
        off = np.zeros(1) if own is None else own.off(chain[link])[figure.entry]
        if own is not None and not off <= figure.bound:  # NaN is farther than any number
            lost = exactly.arithmetic(
                finding.subject, link, own, chain[link], figure.entry, dtype, link not in wrong
            )
            yield replace(lost, figure=figure)
        elif link not in wrong:
            yield finding
    yield from (finding for link, finding in wrong.items() if link not in told)


def _rows(problem: Problem) -> list[int]:
    """As many rows, at even distances, as an exact run may cost; none where one is too much."""
    N = len(problem.X)
    count = min(N, int(WORK * N // max(problem.work, 1)))
    return [int(n) for n in np.linspace(0, N - 1, count).round()]


def _wrong(name: str, links: Mapping[str, Exact], problem: Problem) -> Iterator[Finding]:
    """The links that the definitions do not make of those before them."""
    dtype, steps = str(problem.dtype), problem.network.steps_to(links)
    with precision(_BITS), np.errstate(all="ignore"):
        known: dict[str, Any] = {n: Balls.of(a) for n, a in problem.numbers.items()}
        for step in steps:
            known[step.name] = step.exactly(known)
            own = links.get(step.name)
            if own is None:
                continue
            right = Enclosure(*enclosed(known[step.name]))
            of = {n for d in step.definitions for n in (*d.of, d.upstream)}
            than = _than(step.name, [n for n in links if n in of])
            yield from exactly.formula(name, step.name, own, right, dtype, than)
            if np.isfinite(own.hi).all():
                known[step.name] = _balls(own)


def _than(link: str, before: Sequence[str]) -> str:
    """What a link is held against, in words."""
    if before:
        return f"what {' and '.join(before)} give{'s' * (len(before) == 1)}"
    return "the derivative of C" if link.startswith("dC_d") else "the network's own"


def _balls(exact: Exact) -> Balls:
    made = np.empty(np.shape(exact.hi), object)
    for at in np.ndindex(made.shape):
        made[at] = flint.arb(float(exact.hi[at])) + flint.arb(
            float(exact.lo[at]), float(exact.rad[at])
        )
    return Balls(made)
