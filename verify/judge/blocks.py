"""A case larger than memory -> Result: by blocks of rows, joined by float64 means over all rows.

Each block of n of the N rows is a problem of its own, judged link by link. C and dC_dW of all rows
are the sums of n/N times those of the blocks; a sum of m terms t in float64 errs by
gamma_(m+2) sum |t|, which is added to the sum of the blocks' bounds. In float32 itself the bound of
a sum over 2^24 rows would be infinite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from verify.candidate.candidate import Candidate
from verify.judge import compare, steps
from verify.judge.compare import Reference
from verify.judge.expect import evidence, expectations
from verify.judge.pins import departures
from verify.judge.result import Figure, Finding, Result, worst_of
from verify.judge.sides import LEAD, OUT_OF_RANGE, one_step, subjects
from verify.judge.steps import Evaluation, Loss, Trajectory
from verify.judge.trial import tried
from verify.network import descent
from verify.network.bounds import bounds
from verify.network.problem import SHAPES, Chain
from verify.numbers.rounding import EVALUATION, MODELS
from verify.scenario.cases import Case

_ENCLOSED = 3  # blocks that the truth judges: the first, the last, and between them


@dataclass(eq=False)
class _Path(Trajectory):
    """One subject's trajectory, and what the blocks add up to where it is.

    Shapes  dC_dW, bound_dC_dW, magnitude (D, K).
    """

    C: float = 0.0
    bound_C: float = 0.0
    dC_dW: Any = 0.0
    bound_dC_dW: Any = 0.0
    magnitude: Any = 0.0
    blocks: int = 0
    holds: bool = True

    def add(self, share: float, here: Evaluation) -> None:
        """A block with `share` of all rows; its gradient too, where the path goes on."""
        form, chain = self.subject.form, here.chain
        C, bound_C = here.cost(form)
        self.C += share * C
        self.bound_C += share * bound_C
        self.blocks += 1
        self.holds &= bool(here.cost_holds(form) if chain is None else here.holds(form))
        if chain is not None:
            g = share * np.asarray(chain.dC_dW, np.float64)
            self.dC_dW += g
            self.bound_dC_dW += share * here.bounds[form].dC_dW
            self.magnitude += np.abs(g)

    def joined(self, h: Any) -> tuple[Chain, Chain]:
        """C, dC_dW and W_next of all rows, and their bounds."""
        gamma, h = MODELS["float64"].gamma(self.blocks + 2), float(h)
        m, W = MODELS[str(self.W.dtype)], np.asarray(self.W, np.float64)
        B_C = (1 + gamma) * self.bound_C + gamma * abs(self.C)
        B = ((1 + gamma) * self.bound_dC_dW + gamma * self.magnitude) * EVALUATION
        rounding = 3 * m.u * (np.abs(W) + h * (np.abs(self.dC_dW) + B)) + 2 * m.tiny
        W_next = (W - h * self.dC_dW).astype(self.W.dtype)
        chain = Chain(C=np.float64(self.C), dC_dW=self.dC_dW, W_next=W_next)
        return chain, Chain(C=B_C, dC_dW=B, W_next=(h * B + rounding) * EVALUATION)


@dataclass(eq=False)
class _Pass:
    """What one pass over the blocks finds: at the first W every link, later the cost."""

    paths: dict[str, _Path] = field(default_factory=dict)
    losses: list[tuple[float, Loss]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    figures: dict[tuple[str, str], Figure] = field(default_factory=dict)
    kept: list[Reference] = field(default_factory=list)  # the blocks that the truth judges
    post_holds: bool = True
    L: Any = 0.0


def by_blocks(
    blank: Result, case: Case, budget: float, candidate: Candidate | None, way: str
) -> Result:
    """The judgement of a large case; a candidate is judged on the blocks that have a truth.

    Source  the module's docstring; descent's inequalities, whose terms are sums over rows too.
    """
    found = _first_pass(case, budget, way)
    result = replace(
        blank,
        work=case.sizes.N * case.sizes.D * case.sizes.K,
        findings=tuple(found.findings),
        figures=tuple(found.figures.values()),
        notes=(f"judged by blocks of rows; the truth judges {_enclosed(found)} of them",),
    )
    if not result.ok:
        return result
    sees, post_sees = (_resolution(found, form) for form in ("stable", "post"))
    findings = [*evidence(case, found.post_holds, sees, post_sees), *_agreement(found)]
    before, last = steps.mean(found.losses), found
    for t in range(case.steps):
        if not findings:
            last, findings = _step(case, last, found.L, t)
    after = steps.mean(last.losses)
    if not findings:
        findings = [*expectations(case, before, after), *departures(case, None, before, after)]
    result = replace(
        result, findings=tuple(findings), figures=tuple(found.figures.values()),
        resolution=sees, post_resolution=post_sees, loss_before=before.C, loss_after=after.C,
        steps=steps.thinned(last.paths[LEAD].steps),
    )  # fmt: skip
    if candidate is None or not result.ok:
        return result
    return _with_candidate(result, case, candidate, found.kept)


def _first_pass(case: Case, budget: float, way: str) -> _Pass:
    """Every link of every block, of every subject, up to the first block that is not right."""
    found, first, N = _Pass(), 0, case.sizes.N
    for problem in case.blocks():
        n = len(problem.X)
        enclosed = _has_truth(first, n, N)
        ref = compare.reference(problem, budget / _ENCLOSED if enclosed else 0)
        if not ref.bounds.fits:
            found.findings.append(OUT_OF_RANGE)
            return found
        judged = subjects(case, ref, way)
        chains, findings, figures = one_step(judged, ref)
        for figure in (_among_all(f, first) for f in figures):
            key = figure.subject, figure.link
            worst = worst_of(f for f in (found.figures.get(key), figure) if f)
            found.figures[key] = worst or figure
        if findings:
            found.findings += (_in_rows(f, first, n) for f in findings)
            return found
        found.kept += [ref] if enclosed else []
        found.post_holds &= bool(ref.bounds.post_holds)
        found.L += n / N * descent.smoothness(problem) if case.steps > 1 else 0.0
        for subject in judged:
            start = _Path(subject, problem.W, np.zeros(case.sizes.K))
            here = Evaluation(problem, ref.bounds, chains[subject.name])
            found.paths.setdefault(subject.name, start).add(n / N, here)
            if subject.name == LEAD:
                found.losses.append((n / N, steps.loss(here, start.drift, None)))
        first += n
    blocks = found.paths[LEAD].blocks  # of all rows are only those whose form holds in each
    found.paths = {name: path for name, path in found.paths.items() if path.blocks == blocks}
    return found


def _step(case: Case, last: _Pass, L: Any, t: int) -> tuple[_Pass, list[Finding]]:
    """One step of every path, and the fall of its cost; in a single step only the lead's."""
    h, goes_on, found = last.kept[0].problem.h, t + 1 < case.steps, _Pass(kept=last.kept)
    stretch = descent.stretch(h, L)
    moves = {
        name: path.joined(h) for name, path in last.paths.items()
        if name == LEAD or case.steps > 1
    }  # fmt: skip
    for name, (chain, bound) in moves.items():
        path = last.paths[name]
        drift = descent.drift(path.drift, stretch, bound.W_next)
        found.paths[name] = _Path(path.subject, chain.W_next, drift, steps=path.steps)
    d = {name: np.asarray(p.W, np.float64) - last.paths[name].W for name, p in found.paths.items()}
    second, fits = dict.fromkeys(moves, 0.0), dict.fromkeys(moves, True)
    for problem in case.blocks():
        share, limits = len(problem.X) / case.sizes.N, bounds(problem)
        for name, path in found.paths.items():
            before = limits if t == 0 else limits.at(last.paths[name].W)
            after = limits.at(path.W)
            there = path.subject.implementation(after.problem) if goes_on else None
            here = Evaluation(after.problem, after, there)
            path.add(share, here)
            fits[name] &= bool(after.cost_fits)
            second[name] += share * float(descent.curvature(problem, before.moved(after)))
            if name == LEAD:
                found.losses.append((share, steps.loss(here, path.drift, None)))
    gamma = descent.gamma(*(getattr(case.sizes, axis) for axis in "NDK"))
    for name, path in found.paths.items():
        chain, bound = moves[name]
        ahead, B_C = path.joined(h)[0].C, path.joined(h)[1].C
        fall = descent.allowed(d[name], second[name], chain, ahead, bound, B_C, gamma)
        if not fits[name]:
            found.findings.append(steps.beyond_the_dtype(path.subject, t))
        elif path.holds:
            found.findings += steps.judged_fall(path.subject, fall, t)
            path.steps.append(steps.step_of(fall, float(chain.C), float(ahead), t))
        if goes_on and fits[name] and not path.holds:
            found.findings.append(steps.leaves(path.subject, t + 1))
    found.findings += steps.apart(found.paths, t)
    return found, found.findings


def _has_truth(first: int, n: int, N: int) -> bool:
    """Of the first block, the last, and the one in which half of the rows end."""
    return first == 0 or first + n == N or first < N // 2 <= first + n


def _enclosed(found: _Pass) -> int:
    return sum(ref.truth is not None for ref in found.kept)


def _agreement(found: _Pass) -> Iterator[Finding]:
    """Manual against twin of each form, in what the blocks add up to."""
    ref = found.kept[0]
    for one, other in pairwise(found.paths.values()):
        if one.subject.form == other.subject.form:
            (chain, bound), (against, _) = one.joined(ref.problem.h), other.joined(ref.problem.h)
            names = one.subject.name, f"{other.subject.name}, all rows"
            seen = compare.against_each_other(names, (chain, against), ref, bound)
            found.figures |= {(f.subject, f.link): f for f in seen}
            yield from compare.broken("agreement", seen)


def _resolution(found: _Pass, form: str) -> float:
    """What all rows together notice, where the form holds in each of them."""
    path = found.paths.get(f"manual.{form}_form")
    if path is None:
        return np.nan
    chain, bound = path.joined(0.0)
    return compare.resolution(bound, chain.dC_dW)


def _with_candidate(
    result: Result, case: Case, candidate: Candidate, kept: list[Reference]
) -> Result:
    """The candidate on every block as a problem of its own, up to the first that is not right.

    Blocks that have a truth are tried in full; on the others its links are held against manual's.
    """
    whole, first, N = iter(kept), 0, case.sizes.N
    result = replace(result, resolution=np.inf)
    for problem in case.blocks():
        n = len(problem.X)
        in_full = _has_truth(first, n, N)
        ref = next(whole) if in_full else compare.reference(problem, 0)
        trial = tried(candidate, ref, in_full=in_full)
        result = replace(
            result,
            findings=tuple(_in_rows(f, first, n) for f in trial.findings),
            figures=(*result.figures, *(_among_all(f, first) for f in trial.figures)),
            notes=tuple(dict.fromkeys((*result.notes, *trial.notes))),
            resolution=min(result.resolution, trial.resolution),
        )
        if trial.findings:
            return result
        first += n
    worst: dict[tuple[str, str], Figure] = {}
    for figure in result.figures:
        key = figure.subject, figure.link
        worst[key] = worst_of(f for f in (worst.get(key), figure) if f) or figure
    told = f"the candidate is judged on every block, on {len(kept)} of them by the truth"
    return replace(result, figures=tuple(worst.values()), notes=(*result.notes, told))


def _among_all(figure: Figure, first: int) -> Figure:
    """The figure of a block, with its entry among all rows."""
    if not SHAPES[figure.link].startswith("N"):
        return figure
    row, column = figure.entry
    return replace(figure, entry=(first + row, column))


def _in_rows(finding: Finding, first: int, n: int) -> Finding:
    figure = finding.figure and _among_all(finding.figure, first)
    where = f"{finding.message}, in rows {first} to {first + n - 1}"
    return replace(finding, message=where, figure=figure)
