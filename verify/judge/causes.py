"""Failing cases of a run -> what is behind them, most cases first.

What explains one case may be a coincidence of its numbers: four times too large is not K because K
is 4. So a cause is named only where it explains every failing case of its kind, and a factor is
called by a size only where the cases' sizes, and their factors with them, differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verify.faults.networks import NETWORK_FAULTS
from verify.faults.table import FAULTS
from verify.judge.likeness import ACCUMULATED, RIGHT
from verify.judge.result import Likeness, Result, Verdict

SHOWN = 3  # causes whose smallest case is shown in full
UNKNOWN = "earlier cases"  # what a failure needs that no single earlier case brings about
_NUMBERS = ("0", "-1", "2", "1/2")  # words that are the same in every case
_TOLD = {
    "N": "N times what it should be: the mean over rows, 1/N, is missing",
    "1/N": "1/N of what it should be: the mean over rows is taken twice",
    "K": "K times what it should be",
    "1/K": "1/K of what it should be: a mean over all entries, rows and classes",
    "1/(N K)": "1/(N K) of what it should be: a mean over all entries besides the one over rows",
    "-1": "the right one with the other sign",
    "0": "0 everywhere",
    "2": "twice what it should be",
    "1/2": "half of what it should be",
}


@dataclass(frozen=True)
class Cause:
    """What is behind some failing cases, in words; the results are in the order of the run."""

    text: str
    results: tuple[Result, ...]

    @property
    def smallest(self) -> Result:
        """The case to look at."""
        return min(self.results, key=lambda r: r.work or math.inf)


def causes(results: Sequence[Result]) -> list[Cause]:
    """A cause for every kind of failure, that of most cases first."""
    bad = [r for r in results if r.verdict not in (Verdict.PASS, Verdict.NOT_RUN)]
    compared: dict[str | None, list[Result]] = {}
    for result in bad:
        if result.likenesses is not None:
            compared.setdefault(result.first_broken_link, []).append(result)
    shared = {link: _common(some) for link, some in compared.items()}
    dtypes = {link: sorted({r.dtype for r in some}) for link, some in compared.items()}
    kinds: dict[str, list[Result]] = {}
    for result in bad:
        link = result.first_broken_link
        like = shared.get(link) if result.likenesses is not None else None
        kinds.setdefault(_words(like, dtypes[link]) if like else _kind(result), []).append(result)
    found = [Cause(text, tuple(some)) for text, some in kinds.items()]
    return sorted(found, key=lambda cause: -len(cause.results))


def remarks(results: Sequence[Result]) -> Iterator[str]:
    """What the failing cases have in common and the passing ones have not."""
    failed = [r for r in results if r.verdict is Verdict.FAIL]
    passed = [r for r in results if r.verdict is Verdict.PASS]
    if not failed:
        return
    for name in ("dtype", "layout", "device"):
        bad, good = ({getattr(r, name) for r in some} for some in (failed, passed))
        if len(bad) == 1 and not bad & good and good:
            yield f"wrong only with {name} {next(iter(bad))}"
    beyond = [math.isnan(r.post_resolution) for r in failed]
    if all(beyond) and passed and not any(math.isnan(r.post_resolution) for r in passed):
        yield (
            "right wherever the post's formulas hold; beyond, exp(-y) overflows: -p sigma(-y) / N"
            " needs no exp(-y) and no division by y_o"
        )


_CHECKS = {
    "aliased": "its answer shares memory with its input",
    "blind": "nothing of a gradient is noticed from X on: give its links",
    "backward": "its backward pass is wrong in another use",
    "descent": "C does not change as it must in a step",
    "figure": "C is not the figure that the file gives",
    "layout": "it is wrong or fails in other memory layouts",
    "lock": "it is not as it was locked",
    "loss": "C does not go where the file says",
    "mutated": "it changes its inputs in place",
    "other data": "it is wrong on other data of the same shape",
    "range": "numbers at the ends of the dtype",
    "repeat": "the same call twice differs: is a state kept between calls?",
    "resolution": "the bound that it keeps would let -dC_dW pass, too",
    "reused": "a later call changes an earlier answer",
    "shape": "it has another shape than it should",
    "trajectory": "it is right at the first step and wrong at a later one",
}
"""What a finding of some kind comes to, whatever its numbers."""


def _kind(result: Result) -> str:
    """What is found first, without the numbers of the case."""
    finding = next((f for f in result.findings if f.verdict is result.verdict), None)
    if finding is None:
        return str(result.verdict)
    link, what = result.first_broken_link, _CHECKS.get(finding.check, finding.message)
    if finding.check == "formula":
        what = f"{link} is another function in exact arithmetic: a mistake of mathematics"
    elif finding.check == "arithmetic":
        what = f"{link} is the right formula, and its arithmetic loses digits"
    elif finding.check in ("bound", "agreement") and finding.figure is not None:
        finite = math.isfinite(finding.figure.found)
        what = f"{link} is {'beyond its bound' if finite else 'not finite'}"
    elif finding.check in _CHECKS and link and finding.check not in ("loss", "figure"):
        what = f"{link}: {what}"
    return f"{str(result.verdict).lower()}: {what}" * (result.verdict is not Verdict.FAIL) or what


def _common(results: Sequence[Result]) -> Likeness | None:
    """The likeness that holds in all of some cases; None where there is none that is sure."""
    shared = set(results[0].likenesses or ())
    for result in results[1:]:
        shared &= set(result.likenesses or ())
    order = [like for like in results[0].likenesses or () if like in shared]
    plain = [like for like in order if like.fault != RIGHT and like.factor == "1"]
    right = [like for like in order if like.fault == RIGHT]
    zero = [like for like in right if like.factor == "0"]
    if not any(N > 1 and D * K > 1 for N, D, K in (r.sizes for r in results)):
        # Of one row, or one entry, anything is a multiple.
        return next(iter([*zero, *plain]), None)
    named = [like for like in right if like.factor in _NUMBERS]
    number = [like for like in right if _is_number(like.factor)]
    several = len({r.sizes for r in results}) > 1
    rest = [like for like in [*right, *order] if like not in number and like.factor != "1"]
    by_size = [like for like in rest if several or like.factor in _NUMBERS]
    return next(iter([*zero, *named, *plain, *number, *by_size]), None)


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _words(like: Likeness, dtypes: Sequence[str]) -> str:
    """A likeness that holds, as what is wrong."""
    if like.later == "right" and like.fault == RIGHT:
        why = ": 1/N is taken in dC_dW alone, which is another convention than the post's"
        told = f"{like.link} is {like.factor} times what it should be, and dC_dW is right"
        return told + why * (like.factor == "N")
    if like.fault == RIGHT:
        return f"{like.link} is {_TOLD.get(like.factor, f'{like.factor} times what it should be')}"
    if like.fault == ACCUMULATED:
        return (
            f"{like.link}: is its sum accumulated in {' and '.join(dtypes)}? accumulate in float32,"
            " and round once"
        )
    mistake = (FAULTS.get(like.fault) or NETWORK_FAULTS[like.fault]).mistake
    times = "" if like.factor == "1" else f", times {like.factor}"
    right = ", and dC_dW is right" if like.later == "right" else ""
    return f"{like.link} is what `{like.fault}` gives{times}: {mistake}{right}"
