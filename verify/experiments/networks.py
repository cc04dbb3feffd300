"""Random networks, a problem at a time, from the bits of a seed: layers, widths, costs, numbers.

As in stacks a seed and a number are the same problem on every machine and in every version. Of a
file's network the layers and sizes stay, and numbers are drawn anew; else all is drawn: one to four
layers, widths of 1 to 64, every activation with every cost that goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    return _numbers(network, dict(_shapes(network, bits)), bits, dtype)


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
        layers.append(Layer(activation, bias, weights, scaled, epsilon))
    operation = cost == "upstream"
    reduction = "sum" if operation else _pick(("rows", "rows", "sum", "mean"), bits)
    decay = 0.0 if operation else _pick((0.0, 0.0, 0.0, 2.0**-10, 0.5), bits)
    return Network(tuple(layers), cost, reduction, decay)


def _shapes(network: Network, bits: Drawn) -> Iterator[tuple[str, tuple[int, ...]]]:
    N, *widths = (_pick(_WIDTHS, bits) for _ in range(2 + len(network.weights)))
    yield "X", (N, widths[0])
    shapes = pairwise(widths)
    units = widths[0]
    for layer, names in zip(network.layers, network.names, strict=True):
        if layer.weights:
            shape = next(shapes)
            units = shape[1]
            yield names["W"], shape
        yield from ((names[p], (units,)) for p in layer.vectors)
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
        kind = _pick(VALUES if name == "X" else VALUES[:2], bits)
        scale = _pick((0, 0, 1, -2, 3), bits) - (shape[0].bit_length() // 2 if len(shape) > 1
                                                 and name != "X" else 0)  # fmt: skip
        made[name] = np.ldexp(kind(bits(shape)), scale)
    h = 2.0 ** _pick((-8, -5, -3, -1), bits)
    X, P, h = (dtypes.nearest(a, dtype)[()] for a in (made.pop("X"), made.pop("P"), h))
    return Problem(X, {n: dtypes.nearest(a, dtype) for n, a in made.items()}, P, h, network)


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
