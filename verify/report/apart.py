"""A candidate's formulas beside its floats: in how many cases each is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from verify.judge.result import Result

_ROWS = ("right", "wrong", "not followed")
_NUMBERS = ("bound", "arithmetic")


def apart(results: Sequence[Result]) -> Iterator[str]:
    """A table of both, in aligned columns; nothing where no formula was run in exact arithmetic."""
    counts = Counter((r.exact, _is_wrong(r)) for r in results if r.exact)
    if not counts:
        return
    yield f"  {'in exact arithmetic':<22}{'floats right':>14}{'floats wrong':>14}"
    for exact in _ROWS:
        right, wrong = counts[exact, False], counts[exact, True]
        if right or wrong:
            yield f"    formula {exact:<12}{right:>14}{wrong:>14}"


def _is_wrong(result: Result) -> bool:
    """Whether a candidate's floats are beyond a bound."""
    return any(
        f.check in _NUMBERS or (f.check == "formula" and f.figure is not None)
        for f in result.findings
    )
