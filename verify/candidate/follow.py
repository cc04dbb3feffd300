"""A stranger's program in exact arithmetic: run on numbers that carry their exact values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from verify.candidate.exact import Exact
from verify.numbers.balls import Balls, enclosed
from verify.numbers.followed import data, followed, plain
from verify.numbers.run import Run, Undecided, Unfollowed, place_of, running

BITS = (212, 424, 848, 1696)


class Links(NamedTuple):
    """Links in exact arithmetic; `trouble` says why there are none."""

    exact: Mapping[str, Exact]
    notes: tuple[str, ...] = ()
    trouble: str = ""


T = TypeVar("T")


def exact_of(numbers: Any) -> Exact:
    """An array of shadows as floats, which another process can be told.

    Shapes  any; the same.
    """
    objects = np.asarray(plain(followed(numbers)), object)
    shadows = list(objects.flat)
    balls = np.array([s.ball for s in shadows], object).reshape(objects.shape)
    hi, lo, rad = enclosed(Balls(balls))
    losses = list(dict.fromkeys(s.loss for s in shadows if s.loss is not None))
    lost_by = [-1 if s.loss is None else losses.index(s.loss) for s in shadows]
    error = np.array([s.error for s in shadows]).reshape(objects.shape)
    return Exact(hi, lo, rad, error, tuple(losses), np.array(lost_by, int).reshape(objects.shape))


def follow(call: Callable[[Run], T], dtype: str = "float64", **how: Any) -> tuple[Run, T]:
    """What `call` gives, in which programs are called with exact numbers; and the run.

    Bits are added until every comparison is decided. `how` are words of Run.

    Raises  Unfollowed, with the program's line, where it leaves exact arithmetic or stumbles over
            exact numbers.
    """
    place = ""
    for bits in BITS:
        with running(Run(dtype, bits, **how)) as run:
            try:
                return run, call(run)
            except Undecided as undecided:
                place = str(undecided)
            except Unfollowed:
                raise
            except Exception as error:  # what runs on floats may stumble over exact numbers
                raise Unfollowed(_stumbled(error)) from error
    raise Unfollowed(f"{place} compares numbers that may be equal, with {BITS[-1]} bits too")


def _stumbled(error: Exception) -> str:
    where = f"{place_of(error)} " if place_of(error) else ""
    if "setting an array element" in str(error):
        return f"{where}writes into a float array that was made elsewhere"
    return f"{where}raises {type(error).__name__} on exact numbers: {error}"


def exact_links(
    call: Callable[[Mapping[str, Any]], Any],
    given: Mapping[str, Any],
    named: Callable[[Any, Callable[..., Any]], Mapping[str, Any]],
) -> Links:
    """The links that a program gives for a problem's numbers, in exact arithmetic.

    `named` makes links of its answer, by a function that makes an array of a part.

    Shapes  given: as Problem.arrays, and h.
    """
    dtype = next(str(a.dtype) for a in given.values() if a.dtype.kind == "f")

    def links(_: Run) -> dict[str, Exact]:
        numbers = {n: data(a) if a.dtype.kind == "f" else a.copy() for n, a in given.items()}
        numbers = {n: a if np.ndim(given[n]) else a[()] for n, a in numbers.items()}
        found = named(call(numbers), lambda part, _: followed(part))
        return {link: exact_of(a) for link, a in found.items()}

    try:
        run, exact = follow(links, dtype)
    except Unfollowed as error:
        return Links({}, trouble=str(error))
    told = [f"{where} compares numbers that are equal: a tie" for where in run.ties]
    told += [f"{where} compares numbers that rounding may exchange" for where in run.close]
    return Links(exact, tuple(told))
