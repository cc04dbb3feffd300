"""The campaign: correct implementations against the truth, on random problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from tests.support import other_forms
from tests.support.problems import random_problem
from verify.judge.compare import against_truth, reference
from verify.network import manual, twin

SUBJECTS = {
    "manual.post": ("post", manual.post_form),
    "manual.stable": ("stable", manual.stable_form),
    "twin.post": ("post", twin.post_form),
    "twin.stable": ("stable", twin.stable_form),
}


def worst_ratios(dtype: str, seeds: Iterable[int]) -> tuple[dict[tuple[str, str], float], Counter]:
    """The largest error over bound of every subject and link, and how many cases each form judged.

    NaN counts as infinite.
    """
    worst: dict[tuple[str, str], float] = {}
    judged: Counter[str] = Counter()
    for seed in seeds:
        problem = random_problem(seed, dtype)
        ref = reference(problem, budget=2**40)
        for name, (form, implementation) in SUBJECTS.items():
            if form == "post" and not ref.bounds.post_holds:
                continue
            judged[form] += name.startswith("manual")
            with np.errstate(all="ignore"):
                chain = implementation(problem)
            for figure in against_truth(name, chain, ref, ref.bounds[form]):
                ratio = np.inf if np.isnan(figure.ratio) else figure.ratio
                key = (name, figure.link)
                worst[key] = max(worst.get(key, 0.0), ratio)
    return worst, judged


def worst_of_other_forms(dtype: str, seeds: Iterable[int]) -> dict[tuple[str, str], float]:
    """The largest error over the widest bound of every other right form and link."""
    worst: dict[tuple[str, str], float] = {}
    for seed in seeds:
        problem = random_problem(seed, dtype)
        ref = reference(problem, budget=2**40)
        for name, form in other_forms.FORMS.items():
            with np.errstate(all="ignore"):
                chain = form(problem) if other_forms.holds(name, problem) else None
            for figure in against_truth(name, chain, ref, ref.bounds.wider) if chain else ():
                ratio = np.inf if np.isnan(figure.ratio) else figure.ratio
                worst[name, figure.link] = max(worst.get((name, figure.link), 0.0), ratio)
    return worst


def sharpness(worst: dict[tuple[str, str], float], link: str) -> float:
    """The largest ratio at a link, in the form where it is smaller: a loosened bound lowers it."""
    return min(
        max(r for (name, at), r in worst.items() if at == link and name.endswith(form))
        for form in ("post", "stable")
    )
