"""Complaints about keys that do not go together: layers, a cost, labels, an upstream gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from verify.network.costs import COSTS, Cost
from verify.network.network import POST
from verify.network.norms import NORMS
from verify.network.updates import DESCENT, UPDATES
from verify.scenario.document import Document, LayerKeys, RandomLabels, RandomValues
from verify.scenario.layers import layers, network
from verify.scenario.places import Key
from verify.scenario.values import LABELS
from verify.scenario.wording import Complaint, closest, quoted


def complaints(raw: Mapping[str, Any], document: Document) -> Iterator[Complaint]:
    """Everything that is missing, or beside what it cannot stand with.

    `raw` is the file as parsed; in `document`, None stands for what is absent or was refused.
    """
    yield from _required(raw)
    yield from _beside_layers(raw)
    yield from _beside_upstream(raw, document)
    yield from _of_the_update(raw, document)
    if _is_right(raw, document, "layers", "weights", "upstream"):
        yield from _without_weights(document)
        if _is_right(raw, document, "activation", "gamma", "beta"):
            yield from _norms(document)
        if _is_right(raw, document, "activation", "cost"):
            yield from _cost(document)
            yield from _post_form(raw, document)


def is_whole(raw: Mapping[str, Any], document: Document) -> bool:
    """Whether everything that has a size is there, and right."""
    whole = _is_right(raw, document, "inputs", "layers", "labels", "upstream", "update", "state")
    whole &= _is_right(raw, document, "weights", "bias", "gamma", "beta")
    if document.upstream is None:
        whole &= document.labels is not None
        whole &= any(given.keys.weights is not None for given in layers(document))
    return whole and document.inputs is not None


def _is_right(raw: Mapping[str, Any], document: Document, *keys: str) -> bool:
    """Whether none of these keys was refused."""
    return not any(key in raw and getattr(document, key) is None for key in keys)


def _required(raw: Mapping[str, Any]) -> Iterator[Complaint]:
    known = Document.model_fields
    given = {*raw} | {closest(key, known) for key in raw if key not in known}
    operation = "upstream" in given
    unasked = {"labels"} if operation else set()
    if operation or "layers" in given:
        unasked.add("weights")
    for key in ("title", "inputs", "weights", "labels"):
        if key not in given | unasked:
            yield Complaint(
                (key,),
                "missing",
                found="",
                allowed="every scenario gives title, inputs, weights, labels and step_size",
            )
    if operation and not given & {"weights", "layers", "activation"}:
        allowed = "an operation is of weights, of an activation, or of [[layers]]"
        yield Complaint(("activation",), "missing", found="", allowed=allowed)
    vary = raw.get("vary")
    varied = isinstance(vary, dict) and "step_size" in vary
    if not operation and "step_size" not in given and not varied:
        yield Complaint(
            ("step_size",), "missing", found="", allowed="h > 0, at the top or in [vary]"
        )


def _beside_layers(raw: Mapping[str, Any]) -> Iterator[Complaint]:
    for key in LayerKeys.model_fields:
        if "layers" in raw and key in raw and key in Document.model_fields:
            allowed = "either in [[layers]], or of one layer at the top"
            yield Complaint((key,), "given twice", found=quoted(raw[key]), allowed=allowed)


_OF_A_STEP = (
    "labels", "cost", "reduction", "weight_decay", "step_size", "steps",
    "update", "momentum", "beta1", "beta2", "eps", "state", "expect",
)  # fmt: skip


def _beside_upstream(raw: Mapping[str, Any], document: Document) -> Iterator[Complaint]:
    if "upstream" not in raw:
        return
    vary = raw.get("vary")
    places: list[tuple[Key, Any]] = [((key,), value) for key, value in raw.items()]
    places += [(("vary", k), v) for k, v in vary.items()] if isinstance(vary, dict) else []
    drawn = document.inputs is None or isinstance(document.inputs, RandomValues)
    for key, value in places:
        allowed = ""
        if key[-1] in _OF_A_STEP:
            allowed = f"an operation has no {', '.join(_OF_A_STEP[:-1])} and [expect]"
        elif key[-1] == "batch_size" and not drawn:
            allowed = "an operation takes all rows at once; batch_size is N of random inputs"
        if allowed:
            yield Complaint(key, "beside upstream", found=quoted(value), allowed=allowed)


def _of_the_update(raw: Mapping[str, Any], document: Document) -> Iterator[Complaint]:
    """Numbers of another update than the file's, and what none keeps."""
    if "upstream" in raw or ("update" in raw and document.update is None):
        return
    name = document.update or DESCENT.name
    of = {key: update for update, rule in UPDATES.items() for key in rule.constants.values()}
    for key, update in of.items():
        if key in raw and update != name:
            allowed = f'only beside update = "{update}"'
            yield Complaint((key,), f"not of {name}", found=quoted(raw[key]), allowed=allowed)
    if not isinstance(raw.get("state"), dict) or not _is_right(raw, document, "layers", "weights"):
        return
    kept = network(document).state
    for key in raw["state"]:
        if key not in (*kept, *["t"] * bool(kept)):
            allowed = f"one of {', '.join((*kept, 't'))}" if kept else f"none: {name} keeps nothing"
            yield Complaint(("state", key), "no such state", found="", allowed=allowed)
        elif (key == "t") != isinstance(raw["state"][key], int):
            allowed = "t is a whole number, all else is an array"
            found = quoted(raw["state"][key])
            yield Complaint(("state", key), "not what is kept", found=found, allowed=allowed)


def _without_weights(document: Document) -> Iterator[Complaint]:
    every = layers(document)
    for given in every:
        if given.keys.embedding is not None and not given.embedding:
            allowed = "only in the first of [[layers]], beside weights: X says which rows"
            key = (*given.key, "embedding")
            yield Complaint(key, "no embedding", found="", allowed=allowed)
        for name in ("units", "bias"):
            if not given.weights and getattr(given.keys, name) is not None:
                allowed = "only beside weights: an activation alone keeps the units that it takes"
                yield Complaint((*given.key, name), "without weights", found="", allowed=allowed)
    if document.upstream is None and not any(given.weights for given in every):
        allowed = "weights in one layer at least; operations without any have upstream, no labels"
        yield Complaint(("layers",), "nothing to learn", found="", allowed=allowed)


def _norms(document: Document) -> Iterator[Complaint]:
    """gamma, beta and epsilon are of a norm, and the first two stand together."""
    norms = " and ".join(NORMS)
    for given in layers(document):
        keys, norm = given.keys, given.keys.activation in NORMS
        for name in ("gamma", "beta", "epsilon"):
            if not norm and getattr(keys, name) is not None:
                key, allowed = (*given.key, name), f"only beside the activations {norms}"
                yield Complaint(key, "not of a norm", found="", allowed=allowed)
        for one, other in (("gamma", "beta"), ("beta", "gamma")):
            if norm and getattr(keys, one) is None and getattr(keys, other) is not None:
                allowed = f"beside {other}: y_o = gamma x + beta has both, or neither"
                yield Complaint((*given.key, one), "missing", found="", allowed=allowed)


def _cost(document: Document) -> Iterator[Complaint]:
    """The last activation and the labels must go with the cost."""
    cost, last = network(document).cost, layers(document)[-1]
    activation, taken = last.layer.activation, COSTS[cost].activations
    if taken and activation not in taken:
        key: Key = ("cost",) if document.cost else (*last.key, "activation")
        fit = _costs(lambda c: not c.activations or activation in c.activations)
        allowed = f"{cost} is of {', '.join(taken)}; of {activation} are {', '.join(fit)}"
        found = f"{cost} of {activation}"
        yield Complaint(key, "does not go together", found=found, allowed=allowed)
    labels = document.labels
    if isinstance(labels, RandomLabels) and labels.random not in LABELS[COSTS[cost].labels].drawn:
        fit = _costs(lambda c: labels.random in LABELS[c.labels].drawn)
        what = "labels of any sign" if labels.random in ("normal", "signs") else "not its labels"
        allowed = f"only with {', '.join(fit)}"
        yield Complaint(("labels", "random"), what, found=quoted(labels.random), allowed=allowed)


def _costs(which: Callable[[Cost], bool]) -> list[str]:
    """The names of the costs that a file may have."""
    return [name for name, cost in COSTS.items() if name != "upstream" and which(cost)]


def _post_form(raw: Mapping[str, Any], document: Document) -> Iterator[Complaint]:
    expect = raw.get("expect")
    if isinstance(expect, dict) and "post_form" in expect and network(document) != POST:
        allowed = "one layer, a sigmoid and cross-entropy, as the post has them, without a bias"
        yield Complaint(
            ("expect", "post_form"), "only of the post's network",
            found=quoted(expect["post_form"]), allowed=allowed,
        )  # fmt: skip
