"""A document's layers as one list, wherever their keys stand; its network; all that gives numbers.

An axis of an array is named by who decides how long it is: N rows, D features, K classes, and
`layers[0].units` between two layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.norms import EPSILON, NORMS
from verify.network.updates import DESCENT, Update
from verify.scenario.document import Document, LayerKeys
from verify.scenario.places import Key
from verify.scenario.wording import dotted


@dataclass(frozen=True)
class Given:
    """One layer: where its keys stand, and which axes it takes and gives."""

    key: Key
    keys: LayerKeys
    weights: bool
    takes: str
    gives: str

    @property
    def embedding(self) -> bool:
        """Whether it is an embedding, where it can be one."""
        return self.weights and self.key == ("layers", 0) and self.keys.embedding is not None

    @property
    def axes(self) -> tuple[str, str]:
        """The axes of its weights: those of an embedding are V and E, and it gives D E units."""
        if self.embedding:
            return dotted((*self.key, "embedding")), dotted((*self.key, "units"))
        return self.takes, self.gives

    @property
    def layer(self) -> Layer:
        keys = self.keys
        bias = self.weights and keys.bias is not None
        scaled = keys.activation in NORMS and None not in (keys.gamma, keys.beta)
        return Layer(
            keys.activation or "sigmoid", bias, self.weights, scaled, keys.epsilon or EPSILON,
            self.embedding,
        )  # fmt: skip


@dataclass(frozen=True)
class Source:
    """What a document says of one array: where, the array's name and axes, and its value.

    The name is that in the network, and of the stream that random numbers are drawn from. The value
    is None where the document has none.
    """

    key: Key
    name: str
    axes: tuple[str, ...]
    value: Any

    @property
    def written(self) -> Iterator[tuple[Key, list[float]]]:
        """The rows that stand in the file, each with its key; a bias is one; indices are none."""
        if isinstance(self.value, list) and len(self.axes) == 1:
            yield self.key, self.value
        elif isinstance(self.value, list) and isinstance(self.value[0], list):
            yield from (((*self.key, i), row) for i, row in enumerate(self.value))


def layers(document: Document) -> list[Given]:
    """The layers from the input on; one where their keys stand at the top.

    A layer at the top has weights, even where they are missing, unless it is one operation.
    """
    if document.layers is None:
        of_one = [key for key in LayerKeys.model_fields if key in Document.model_fields]
        top = {key: getattr(document, key) for key in of_one}
        own = LayerKeys.model_construct(**top)
        tables: list[tuple[Key, LayerKeys]] = [((), own)]
        weighted = [own.weights is not None or document.upstream is None]
    else:
        tables = [(("layers", i), keys) for i, keys in enumerate(document.layers)]
        weighted = [keys.weights is not None for keys in document.layers]
    last = max((i for i, has in enumerate(weighted) if has), default=0)
    found: list[Given] = []
    axis = "D"
    for i, (key, keys) in enumerate(tables):
        takes = axis
        if weighted[i]:
            outputs = "outputs" if keys.embedding is not None else "units"
            axis = "K" if i == last else dotted((*key, outputs))
        found.append(Given(key, keys, weighted[i], takes, axis))
    return found


def network(document: Document) -> Network:
    """The network that a document describes."""
    of = tuple(given.layer for given in layers(document))
    if document.upstream is not None:
        return Network(of, "upstream", "sum")
    return Network(
        of,
        document.cost or "cross-entropy",
        document.reduction or "rows",
        float(document.weight_decay or 0),
        _update(document),
    )


def _update(document: Document) -> Update:
    said = {name: getattr(document, name) for name in ("momentum", "beta1", "beta2", "eps")}
    told = {name: float(number) for name, number in said.items() if number is not None}
    return Update(document.update or DESCENT.name, **told)


def sources(document: Document) -> list[Source]:
    """Every array of a document: X, the parameters from the input on, their state, and P or G."""
    found = [Source(("inputs",), "X", ("N", "D"), document.inputs)]
    every = layers(document)
    for given, names in zip(every, _names(tuple(g.layer for g in every)), strict=True):
        if given.weights:
            key = (*given.key, "weights")
            found.append(Source(key, names["W"], given.axes, given.keys.weights))
        if given.layer.bias:
            key = (*given.key, "bias")
            found.append(Source(key, names["b"], (given.gives,), given.keys.bias))
        for p in ("gamma", "beta") * given.layer.scaled:
            found.append(Source((*given.key, p), names[p], (given.gives,), getattr(given.keys, p)))
    axes_of, state = {source.name: source.axes for source in found}, document.state or {}
    for name in network(document).state:
        found.append(Source(("state", name), name, axes_of[name[1:]], state.get(name)))
    axes = ("N", every[-1].gives)
    if document.labels is not None or document.upstream is None:
        found.append(Source(("labels",), "P", axes, document.labels))
    if document.upstream is not None:
        found.append(Source(("upstream",), "G", axes, document.upstream))
    return found


@lru_cache  # asked for every combination of a file
def _names(of: tuple[Layer, ...]) -> tuple[Mapping[str, str], ...]:
    return Network(of).names
