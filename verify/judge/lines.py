"""Which lines of a chain are wrong: those that do not follow from the links given before them.

Composed bounds, from X on, say that the whole is accurate; local ones that a line does what it says
at its own operands. A link beyond its composed bound that follows from the links before it merely
inherits: the line that broke is named, and every one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from verify.judge.compare import Reference, broken, held
from verify.judge.result import Figure, Finding
from verify.network.composed import Composed
from verify.network.local import local
from verify.network.problem import Chain


class Near(NamedTuple):
    """How near each given link comes to its local bound, and what is noticed of them.

    Units   sees: of that link in which least is noticed, the smallest relative error of one entry;
            a link that is 0 throughout tells nothing. no_numbers: links with an entry that is none.
    """

    figures: Mapping[str, Figure]
    sees: float
    no_numbers: frozenset[str]


NOTHING = Near({}, float("nan"), frozenset())


def locally(name: str, chain: Chain, ref: Reference) -> Near:
    """Every given link held against the links before it.

    Shapes  as Chain.
    """
    figures, sees = {}, [0.0]
    none = frozenset(link for link in chain if not np.isfinite(chain[link]).all())
    with np.errstate(all="ignore"):
        numbers = ref.bounds.given if isinstance(ref.bounds, Composed) else None
        for link, at in local(ref.problem, chain, numbers).items():
            figures[link] = held(name, link, chain[link], at.value, at.bound, ref.problem)
            value, by = np.asarray(chain[link], np.float64), link.removesuffix("_next")
            alone = by in ref.problem.parameters and f"dC_d{by}" not in chain
            # Where a parameter leads to, without its gradient, tells of the gradient by the step.
            size = np.abs(value - ref.problem.parameters[by] if alone else value)
            if alone or size.any():
                ratio = np.where(at.bound > 0, at.bound / size, 0.0)
                sees.append(float(np.nanmin(ratio, initial=np.inf)))
    return Near(figures, max(sees), none)


def wrong(check: str, figures: Sequence[Figure], near: Near, ref: Reference) -> Iterator[Finding]:
    """A finding for every broken line, in the order of the computation.

    `figures` are those of the composed bounds, `near` those of the local ones. Where every line
    follows from those before it and the whole is beyond its bound all the same, all links are
    named that are; of those that are no numbers the first.

    Shapes  as Chain.
    """
    beyond = {f.link: finding for f in figures for finding in broken(check, [f])}
    lines = [link for link, figure in near.figures.items() if not figure.holds]
    order = [step.name for step in ref.problem.network.every_step]
    first = min(map(order.index, lines), default=len(order))
    inherits = False
    for link in order:
        if link in lines and link in beyond:
            yield beyond[link]
        elif link in lines:
            yield _locally_broken(check, near.figures[link])
        elif link in beyond and order.index(link) < first and not inherits:
            yield beyond[link]
            inherits = link in near.no_numbers


def _locally_broken(check: str, figure: Figure) -> Finding:
    (finding,) = broken(check, [figure])
    what = finding.message.replace("is beyond its bound", "is not what the links before it give")
    return replace(finding, message=what)
