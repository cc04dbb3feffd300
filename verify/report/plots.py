"""Results -> pictures: SVG or PNG by matplotlib, the same bytes for the same Results."""

from __future__ import annotations

import io
import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

from verify.errors import UsageError
from verify.judge.result import Figure, Result, worst_of
from verify.network.problem import DTYPES
from verify.numbers.dtypes import SIXTEEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw: TypeAlias = "Callable[[Axes], None]"
"""Something that draws into one pair of axes."""

# Okabe and Ito's blue, vermillion and green: told apart by every eye, on white and on black.
_BLUE, _RED, _GREEN, _PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
_COLOURS = dict(zip((*DTYPES, *SIXTEEN), (_BLUE, _RED, _GREEN, _PURPLE), strict=True))
_DECADES = range(-3, 21)  # of ulps, in the histogram; its ends take what lies beyond
_FEW = 20  # steps, up to which each has its dot
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.transparent": True,
    "legend.frameon": False,
}


def require_matplotlib() -> None:
    """Raise unless matplotlib is installed.

    Raises  UsageError, which says how to get it.
    """
    if find_spec("matplotlib") is None:
        raise UsageError(
            "pictures are drawn by matplotlib, which is not here: pip install matplotlib"
        )


def inline(parts: Sequence[Draw], name: str, size: tuple[float, float] = (5.7, 2.2)) -> str:
    """Pictures, one above the other, as an <svg> that takes its lines' colour from its page.

    `name` keeps the ids of one picture apart from those of the others of its page.

    Units   inches.
    """
    svg = _drawn(parts, "svg", size, name).decode()
    element = svg[svg.index("<svg") :].replace("#000000", "currentColor")
    # Comments and the names of groups are for editors; a page has several of each name.
    named = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", element, flags=re.DOTALL)
    return re.sub(r'<g id="[^"]*"', "<g", named)


def walked(result: Result, kind: str) -> bytes:
    """The file of `verify show --plot`, png or svg: the loss over steps, the error by link."""
    parts: list[Draw] = [*over_steps(result), partial(by_link, result=result)]
    return _drawn(parts, kind, (7, 3 * len(parts)), "")


def over_steps(result: Result) -> list[Draw]:
    """What is drawn of a training: C, and where it is known its place in what is allowed."""
    loss, within = partial(draw_loss, result=result), partial(place, result=result)
    return [loss, *([within] if _allowed(result) else [])] if result.steps else []


def _allowed(result: Result) -> bool:
    """Whether it is known how far C may fall in a step: of the post's network it is."""
    return any(math.isfinite(step.lowest) for step in result.steps)


def draw_loss(ax: Axes, result: Result) -> None:
    """C before each step and after, and what convexity and smoothness allow it to be there.

    Units   nats a row.
    """
    steps = result.steps
    at, first = [steps[0].step - 1, *(s.step for s in steps)], steps[0].before
    low, high = [first, *(s.lowest for s in steps)], [first, *(s.highest for s in steps)]
    if _allowed(result):
        ax.fill_between(at, low, high, color=_BLUE, alpha=0.25, lw=0, label="allowed")
    dot = "." if len(steps) < _FEW else ""
    ax.plot(at, [first, *(s.after for s in steps)], color=_BLUE, lw=1, marker=dot, label="C")
    _over_steps(ax, "C")
    ax.legend()


def place(ax: Axes, result: Result) -> None:
    """Where in its allowed interval C went at each step: 0 is the lowest, 1 the highest."""
    wide = [s for s in result.steps if s.highest > s.lowest]
    shares = [(s.after - s.lowest) / (s.highest - s.lowest) for s in wide]
    ax.axhspan(0, 1, color=_BLUE, alpha=0.15, lw=0)
    ax.plot([s.step for s in wide], shares, ".", color=_BLUE, ms=4)
    _over_steps(ax, "place in the interval")


def _over_steps(ax: Axes, what: str) -> None:
    ax.set_xlabel("step")
    ax.set_ylabel(what)
    ax.locator_params("x", integer=True)


_UPRIGHT = 10  # links, above which their names are turned


def by_link(ax: Axes, result: Result) -> None:
    """Error over bound of each link, at its worst entry, of every subject that has a truth."""
    subjects: dict[str, list[Figure]] = defaultdict(list)
    links = result.links
    for figure in result.figures:
        if " against " not in figure.subject:
            subjects[figure.subject].append(figure)
    for i, (name, figures) in enumerate(subjects.items()):
        known = [f for f in figures if f.link in links and 0 < f.ratio < math.inf]
        found = [(links.index(f.link), f.ratio) for f in known]
        if found:
            ax.plot(
                *zip(*found, strict=True), "os^vDP*X"[i % 8], ms=5, label=name, fillstyle="none"
            )
    ax.axhline(1, color=_RED, lw=1)
    ax.set_xticks(range(len(links)), links, rotation=90 * (len(links) > _UPRIGHT))
    ax.set_xlim(-0.5, len(links) - 0.5)
    ax.set_yscale("log")
    ax.set_ylabel("error / bound (0 is not shown)")
    if subjects:
        ax.legend(fontsize="small")


def ulps(ax: Axes, results: Sequence[Result]) -> None:
    """How many cases have their worst error in each decade of ulps, link by link at the worst."""
    dtypes = _shown(results)
    width = 0.8 / len(dtypes)
    for i, dtype in enumerate(dtypes):
        counts = dict.fromkeys(_DECADES, 0)
        for result in (r for r in results if r.dtype == dtype):
            for link in result.links:
                worst = worst_of(f for f in result.figures if f.link == link)
                if worst is not None and not math.isnan(worst.ulps):
                    counts[_decade(worst.ulps)] += 1
        places = [decade + width * (i - (len(dtypes) - 1) / 2) for decade in counts]
        ax.bar(places, list(counts.values()), width, color=_COLOURS[dtype], label=dtype)
    ax.set_yscale("symlog", linthresh=1)
    ax.set_xticks([*_DECADES][::3], [f"$10^{{{d}}}$" for d in [*_DECADES][::3]])
    ax.set_xlabel("ulps, to the decade above")
    ax.set_ylabel("links")
    ax.legend()


def resolution(ax: Axes, results: Sequence[Result]) -> None:
    """The smallest relative error of one gradient entry that each case notices, in order."""
    for dtype in _shown(results):
        seen = sorted(r.resolution for r in results
                      if r.dtype == dtype and 0 < r.resolution < math.inf)  # fmt: skip
        share = [100 * (i + 1) / len(seen) for i in range(len(seen))]
        ax.step(seen, share, where="post", color=_COLOURS[dtype], label=dtype)
    ax.set_xscale("log")
    ax.set_xlabel("relative error of one entry of dC_dW")
    ax.set_ylabel("% of cases notice it")
    ax.legend()


def _shown(results: Sequence[Result]) -> list[str]:
    """The usual dtypes, and those of 16 bits that there are."""
    return [d for d in _COLOURS if d in DTYPES or any(r.dtype == d for r in results)]


def _decade(size: float) -> int:
    if size == 0:
        return _DECADES[0]
    exponent = _DECADES[-1] if size == math.inf else math.ceil(math.log10(size))
    return min(max(exponent, _DECADES[0]), _DECADES[-1])


def _drawn(parts: Sequence[Draw], kind: str, size: tuple[float, float], salt: str) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    # Neither a date nor a random id: two runs over the same Results draw the same bytes.
    absent: dict[str, Any] = dict.fromkeys(("Date", "Creator") if kind == "svg" else ("Software",))
    file = io.BytesIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": f"verify {salt}"}):
        canvas = Canvas(figsize=size, layout="constrained")
        for draw, axes in zip(parts, canvas.subplots(len(parts), squeeze=False).flat, strict=True):
            draw(axes)
        canvas.savefig(file, format=kind, metadata=absent)
    return file.getvalue()
