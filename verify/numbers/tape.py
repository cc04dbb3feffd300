"""The tape of a run on shadows, differentiated: by reverse mode, and by forward mode.

Each shadow of a recording run knows what it was made of, and its slope by each. Going back is done
on shadows again: so every derivative has its exact value, and the error of the chain rule as people
apply it in floats, term by term, in any order of summation.

Source  A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., chapter 3.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from verify.numbers.contracted import total
from verify.numbers.followed import Followed, followed, plain
from verify.numbers.run import now
from verify.numbers.shadow import Shadow, lifted


def gradients(results: Sequence[Any], upstreams: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
    """The derivatives of sum(upstream * result), over all results, by each of some inputs.

    Shapes  upstreams: those of the results; the derivatives: those of the inputs.
    """
    terms: dict[int, list[Shadow]] = defaultdict(list)
    nodes = _nodes(results)
    for result, upstream in zip(results, upstreams, strict=True):
        for one, up in zip(_flat(result), _flat(followed(upstream)), strict=True):
            terms[one.serial].append(up)
    now().recording = False
    for node in sorted(nodes.values(), key=lambda n: -n.serial):
        if not (node.made_of and terms[node.serial]):
            continue
        above = total(terms[node.serial])
        terms[node.serial] = [above]
        for below, slope in node.made_of:
            made = _slope(slope)
            if isinstance(made, int):
                if made:
                    terms[below.serial].append(above if made == 1 else -above)
            else:
                terms[below.serial].append(made * above)
    return [_shaped(i, [total(terms[s.serial]) for s in _flat(i)]) for i in inputs]


def tangents(results: Sequence[Any], inputs: Sequence[Any], moves: Sequence[Any]) -> list[Any]:
    """How fast the results move where the inputs move by `moves`.

    Shapes  moves: those of the inputs; what is returned: those of the results.
    """
    found: dict[int, Shadow] = {}
    for at, move in zip(inputs, moves, strict=True):
        found |= {s.serial: m for s, m in zip(_flat(at), _flat(followed(move)), strict=True)}
    nodes = _nodes(results)
    now().recording = False
    for node in sorted(nodes.values(), key=lambda n: n.serial):
        if node.made_of:
            terms = (_slope(s) * found[b.serial] for b, s in node.made_of if b.serial in found)
            found[node.serial] = total(list(terms))
    nothing = lifted(0)
    return [_shaped(r, [found.get(s.serial, nothing) for s in _flat(r)]) for r in results]


def _nodes(results: Iterable[Any]) -> Mapping[int, Shadow]:
    """All numbers that results were made of, and that vary with the inputs."""
    found: dict[int, Shadow] = {}
    to_do = [s for result in results for s in _flat(result)]
    while to_do:
        node = to_do.pop()
        if node.serial not in found and node.made_of is not None:
            found[node.serial] = node
            to_do += [below for below, _ in node.made_of]
    return found


def _slope(slope: Any) -> Any:
    return slope() if callable(slope) else slope


def _flat(array: Any) -> list[Shadow]:
    return list(plain(followed(array)).flat)


def _shaped(like: Any, numbers: Sequence[Shadow]) -> Any:
    made = np.empty(len(numbers), object)
    made[:] = list(numbers)
    return made.reshape(np.shape(like)).view(Followed)
