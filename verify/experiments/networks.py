"""Random networks, a problem at a time, from the bits of a seed: layers, widths, costs, numbers.

A seed and a number are the same problem on every machine, until an activation, a cost or an update
is added to the tables. Of a file's network the layers and sizes stay, and numbers are drawn anew;
else all is drawn: one to four layers, widths of 1 to 64, every activation with every cost that goes
with it, embeddings, momentum and Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from verify.experiments.stacks import LABELS, VALUES, Bits
from verify.network.costs import COSTS
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS
from verify.network.network import Network
from verify.network.norms import EPSILON, NORMS
from verify.network.problem import Problem
from verify.network.updates import DESCENT, Update
from verify.numbers import dtypes
from verify.scenario import draw

Drawn: TypeAlias = Callable[[tuple[int, ...]], Bits]
"""The next bits of a stream, in a shape."""

_WIDTHS = (1, 2, 3, 5, 8, 13, 32, 64)
_HIDDEN = tuple(ACTIVATIONS)
ENDS = tuple(
    (activation, cost) for cost, of in COSTS.items() for activation in (of.activations or _HIDDEN)
)
"""Every last activation with every cost that takes it."""
_EPSILONS = (EPSILON, EPSILON, 0.001, 2.0**-20)
UPDATES = (*[DESCENT] * 5, Update("momentum"), Update("momentum", 0.5), Update("adam"),
           Update("adam", beta2=0.75, eps=2.0**-10))  # fmt: skip
"""How steps are taken, mostly by gradient descent."""
_USUAL = tuple(end for end in ENDS if end[1].endswith("entropy"))  # that people have most


def drawn(seed: int, case: int, dtype: str, like: Problem | None = None) -> Problem:
    """Problem `case` of a seed: of the network of `like` and its sizes, or of any.

    Shapes  as Problem.
    """
    stream = np.random.Philox(key=draw.key("network", f"{seed} {case}"))

    def bits(shape: tuple[int, ...]) -> Bits:
        words: Bits = stream.random_raw(int(np.prod(shape, dtype=np.int64)))
        return words.reshape(shape)

    if like is not None:
        shapes = {name: a.shape for name, a in like.arrays.items()}
        return _numbers(like.network, shapes, bits, dtype)
    network = _network(bits)
    if any(dtypes.nearest(a, dtype) >= 1 for a in network.update.constants.values()):
        network = replace(network, update=DESCENT)  # which 16 bits cannot hold
    shapes = dict(_shapes(network, bits))
    shapes |= {name: shapes[name[1:]] for name in network.state}
    return _numbers(network, shapes, bits, dtype)


def _pick(choices: Sequence[Any], bits: Drawn) -> Any:
    return choices[int(bits((1,))[0] % np.uint64(len(choices)))]


def _network(bits: Drawn) -> Network:
    depth = _pick((1, 2, 2, 3, 4), bits)
    last, cost = _pick(_pick((_USUAL, ENDS), bits), bits)
    activations = [*(_pick(_HIDDEN, bits) for _ in range(depth - 1)), last]
    layers = []
    for i, activation in enumerate(activations):
        weights = not i or bool(_pick((1, 1, 1, 1, 0), bits))
        bias = weights and _pick((False, True), bits)
        scaled = activation in NORMS and _pick((False, True), bits)
        epsilon = _pick(_EPSILONS, bits) if activation in NORMS else EPSILON
        embedding = not i and bool(_pick((0, 0, 0, 1), bits))
        layers.append(Layer(activation, bias, weights, scaled, epsilon, embedding))
    operation = cost == "upstream"
    reduction = "sum" if operation else _pick(("rows", "rows", "sum", "mean"), bits)
    decay = 0.0 if operation else _pick((0.0, 0.0, 0.0, 2.0**-10, 0.5), bits)
    return Network(tuple(layers), cost, reduction, decay, _pick(UPDATES, bits))


def _shapes(network: Network, bits: Drawn) -> Iterator[tuple[str, tuple[int, ...]]]:
    N, *widths = (_pick(_WIDTHS, bits) for _ in range(2 + len(network.weights)))
    if network.embeds:  # a few features, and of each the units of a row
        rows, widths[0], units = widths[0], min(widths[0], 3), min(widths[1], 8)
        widths[1] = widths[0] * units
    yield "X", (N, widths[0])
    shapes, at = pairwise(widths), widths[0]
    for layer, names in zip(network.layers, network.names, strict=True):
        if layer.weights:
            shape = next(shapes)
            at = shape[1]
            yield names["W"], (rows, units) if layer.embedding else shape
        yield from ((names[p], (at,)) for p in layer.vectors)
    yield "P", (N, widths[-1])


def _numbers(
    network: Network, shapes: dict[str, tuple[int, ...]], bits: Drawn, dtype: str
) -> Problem:
    """Numbers of several families, scaled by powers of two; weights so that sums stay moderate."""
    made: dict[str, Any] = {}
    for name, shape in shapes.items():
        if name in ("P", "G"):
            made["P"] = _labels(network, shape, bits)
            continue
        if name == "X" and network.embeds:
            made[name] = bits(shape) % np.uint64(shapes[network.weights[0]][0])
            continue
        kind = _pick(VALUES if name == "X" else VALUES[:2], bits)
        scale = _pick((0, 0, 1, -2, 3), bits) - (shape[0].bit_length() // 2 if len(shape) > 1
                                                 and name != "X" else 0)  # fmt: skip
        made[name] = np.ldexp(kind(bits(shape)), scale)
    h = 2.0 ** _pick((-8, -5, -3, -1), bits)
    X, P, h = made.pop("X"), made.pop("P"), np.asarray(h)
    X = X.astype(np.int64) if network.embeds else dtypes.nearest(X, dtype)
    P, h = (dtypes.nearest(a, dtype)[()] for a in (P, h))
    t = _pick((1, 1, 2, 10, 1000), bits) if network.state else 1
    state = {name: _kept(network, name, made.pop(name), t) for name in network.state}
    state = {name: dtypes.nearest(a, dtype) for name, a in state.items()}
    of = {name: dtypes.nearest(a, dtype) for name, a in made.items()}
    return Problem(X, of, P, h, network, state, t)


def _kept(network: Network, name: str, a: Any, t: int) -> Any:
    """Nothing before the first step; no mean of squares is below 0."""
    squares = network.update.name == "adam" and name[0] == "v"
    return 0 * a if t == 1 else np.ldexp(np.square(a) if squares else a, -6)


def _labels(network: Network, shape: tuple[int, ...], bits: Drawn) -> Any:
    """Labels that the cost takes, some of each kind; of others any numbers."""
    taken = COSTS[network.cost].labels
    if taken == "signs":
        return 2 * LABELS[1](bits(shape)) - 1
    if taken == "one class a row":
        return LABELS[0](bits(shape))
    if taken == "any" and _pick((0, 1), bits):
        return VALUES[0](bits(shape))
    labels = _pick(LABELS, bits)(bits(shape))
    labels[0, 0] = max(labels[0, 0], 0.5)  # of all 0 nothing is learnt
    return labels
