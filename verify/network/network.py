"""A network as a list of steps, each link by its name; one loop runs it on any kind of number.

With one layer the links have the post's names. Of several, each symbol of a layer carries its
number, from the input on: W1 b1 y1 y_o1 W2 ... C dC_dy_o2 dy_o2_dy2 dC_dy2 dC_dW2 dC_dy_o1 ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from verify.network.affine import affine, decay, decaying
from verify.network.costs import COSTS, PAIRS, Pair
from verify.network.layer import Layer
from verify.network.links import (
    Form,
    local,
    through,
)
from verify.network.step import Definition, Step
from verify.network.step import definition as _definition
from verify.network.step import step as _step
from verify.network.updates import DESCENT, Update


@dataclass(frozen=True)
class Network:
    """Layers and a cost; what C is divided by; lambda of (lambda / 2) sum W^2, which is added.

    `update` says how a step is taken.
    """

    layers: tuple[Layer, ...] = (Layer(),)
    cost: str = "cross-entropy"
    reduction: str = "rows"
    weight_decay: float = 0.0
    update: Update = DESCENT

    @property
    def decays(self) -> bool:
        return self.weight_decay != 0

    def __post_init__(self) -> None:
        if any(layer.embedding and (i or not layer.weights) for i, layer in enumerate(self.layers)):
            raise ValueError("an embedding is a first layer with weights: its input is data")

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the weights, the biases and what follows norms, from the input on."""
        layers = zip(self.names, self.layers, strict=True)
        return tuple(names[p] for names, layer in layers for p in layer.parameters)

    @cached_property
    def weights(self) -> tuple[str, ...]:
        """The names of the weights alone."""
        return tuple(name for name in self.parameters if name.startswith("W"))

    @property
    def embeds(self) -> bool:
        """Whether X holds row numbers of the first weights."""
        return self.layers[0].embedding

    @cached_property
    def state(self) -> tuple[str, ...]:
        """The names of what the update keeps of each parameter from step to step."""
        kept = self.update.rule.state * self.trains
        return tuple(f"{kind}{name}" for name in self.parameters for kind in kept)

    @property
    def told(self) -> str:
        """In a line: the activation of each layer, and the cost."""
        update = f"; {self.update.name}" * bool(self.state)
        return f"{'; '.join(layer.told for layer in self.layers)}; {self.cost}{update}"

    @cached_property
    def sought(self) -> tuple[str, ...]:
        """What a gradient is asked by: the parameters, or X where there are none."""
        return self.parameters or ("X",)

    @cached_property
    def gradients(self) -> tuple[str, ...]:
        """The derivatives of C that are asked for."""
        return tuple(f"dC_d{name}" for name in self.sought)

    @cached_property
    def epsilons(self) -> Mapping[str, float]:
        """What is added to the variance of each norm, by its name in the formulas."""
        layers = zip(self.names, self.layers, strict=True)
        return {names["epsilon"]: at.epsilon for names, at in layers if at.normalises}

    @property
    def mixes_rows(self) -> bool:
        """Whether what a row gives depends on the others: those that a batch norm is over."""
        return any(layer.activation == "batch-norm" for layer in self.layers)

    @property
    def trains(self) -> bool:
        """Whether there is a step: of one operation with an upstream gradient there is none."""
        return bool(self.parameters) and self.cost != "upstream"

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every link in the order of the computation: forward, cost, backward, update."""
        unasked = {*self.between}
        if self.layers[0].weights:
            unasked.add("dC_dX")
        return tuple(s for s in self.every_step if s.name not in unasked)

    @cached_property
    def links(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps if step.name not in self.inner)

    @cached_property
    def updates(self) -> tuple[str, ...]:
        """The links of the update: where each parameter goes, and what is kept of it."""
        return tuple(link for link in self.links if link.endswith("_next"))

    @cached_property
    def every_link(self) -> tuple[str, ...]:
        """The links with dC_dX, where X is no row numbers."""
        return tuple(step.name for step in self.every_step if step.name not in self.inner)

    @property
    def inner(self) -> frozenset[str]:
        """Numbers that are computed on the way, and are no links."""
        return frozenset((*self.between, *self.update.rule.inner))

    def axes(self, link: str) -> tuple[str, ...]:
        """The axes of a link: N rows, D features, or the number of the layer whose units they are;
        V and E of the weights of an embedding.

        KeyError for a name that is no link.
        """
        return self._axes[link]

    @cached_property
    def _axes(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {"C": ()}
        found |= {} if self.embeds else {"dC_dX": ("N", "D")}
        before = "D"
        for i, (layer, names) in enumerate(zip(self.layers, self.names, strict=True)):
            own = str(i + 1)
            found |= {names[n]: ("N", own) for n in ("y_o", "dC_dy_o", "dy_o_dy")}
            if layer.weights:
                found |= {names[n]: ("N", own) for n in ("y", "dC_dy")}
                axes = ("V", "E") if layer.embedding else (before, own)
                found |= {names[n]: axes for n in ("dC_dW", "W_next", "mW_next", "vW_next")}
                found |= {names[n]: (own,) for n in ("dC_db", "b_next", "mb_next", "vb_next")}
            found |= {names[n]: (own,) for n in _OF_SCALED * layer.scaled}
            before = own
        return found

    @cached_property
    def every_step(self) -> tuple[Step, ...]:
        """The steps with dC_dX, which few ask for, and with what a pair computes in between."""
        forward: list[Step] = []
        backward: list[Step] = []
        update: list[Step] = []
        for layer, names in zip(self.layers, self.names, strict=True):
            last = names is self.names[-1]
            forward += self._forward(layer, names)
            backward = self._backward(layer, names, last) + backward
            for p in layer.parameters * self.trains:
                update += self._update(layer, names, p)
        helpers = (_step(self.names[-1], name, forms) for name, forms in self.between.items())
        inner = self.update.rule.inner if self.state else {}
        corrections = (_step(self.names[-1], name, forms) for name, forms in inner.items())
        return (*forward, *helpers, self._cost(), *backward, *corrections, *update)

    def steps_to(self, links: Iterable[str]) -> tuple[Step, ...]:
        """The steps that the definitions of some links need, in their order.

        KeyError for a name that is no link.
        """
        needed = set[str]()
        by_name = {step.name: step for step in self.every_step}
        to_do = list(links)
        while to_do:
            name = to_do.pop()
            if name not in needed:
                needed.add(name)
                for definition in by_name[name].definitions:
                    from_ = (*definition.of, definition.upstream)
                    to_do += [n for n in from_ if n in by_name]
        return tuple(step for step in self.every_step if step.name in needed)

    @cached_property
    def names(self) -> tuple[Mapping[str, str], ...]:
        """For each layer, what a formula's parameters are called in the network."""
        return tuple(self._of_layer(i) for i in range(len(self.layers)))

    def _of_layer(self, i: int) -> dict[str, str]:
        n = "" if len(self.layers) == 1 else str(i + 1)
        own = {
            name: re.sub(r"(y_o|y|W|b|gamma|beta|epsilon)(?=_|$)", rf"\g<1>{n}", name)
            for name in _OF_A_LAYER
        }
        before = {"x": f"y_o{i}", "dC_dx": f"dC_dy_o{i}"} if i else {"x": "X", "dC_dx": "dC_dX"}
        if not self.layers[i].weights:
            own |= {"y": before["x"], "dC_dy": before["dC_dx"]}
        return own | before | {name: name for name in _OF_ALL_LAYERS}

    def _affine(self, layer: Layer) -> Mapping[str, tuple[Form, ...]]:
        return affine(layer.embedding, layer.bias, self.decays)

    def _update(self, layer: Layer, names: Mapping[str, str], p: str) -> list[Step]:
        """The steps of one parameter's update."""
        rule = self.update.rule
        forms = rule.links or {"p_next": self._affine(layer)[f"{p}_next"]}
        return [_step({**names, **rule.named(names, p)}, *link) for link in forms.items()]

    def _forward(self, layer: Layer, names: Mapping[str, str]) -> list[Step]:
        f = layer.links
        y = [_step(names, "y", self._affine(layer)["y"])] if layer.weights else []
        return [*y, _step(names, "y_o", f.y_o, _definition(names, f.definition))]

    @property
    def pair(self) -> Pair | None:
        """The last activation and the cost, where their derivatives cancel."""
        return PAIRS.get((self.layers[-1].activation, self.cost))

    @property
    def between(self) -> Mapping[str, tuple[Form, ...]]:
        """What a pair computes in between: numbers that are no links."""
        return self.pair.between if self.pair else {}

    def _cost(self) -> Step:
        cost, pair, names = COSTS[self.cost], self.pair, self.names[-1]
        definition = _definition(names, (pair or cost).definition)
        step = _step(names, "C", cost.C + (pair.C if pair else ()), definition)
        step = replace(step, by_kind=bool(pair))
        if not self.decays:
            return step
        forms = tuple(
            Form(decaying(f), (*f.of, "decay", *self.weights), f.kind) for f in step.forms
        )
        decayed = tuple(Definition(decay, ("decay", W)) for W in self.weights)
        return Step("C", forms, step.definitions + decayed, bool(pair))

    def _backward(self, layer: Layer, names: Mapping[str, str], last: bool) -> list[Step]:
        f, cost, pair = layer.links, COSTS[self.cost], last and self.pair
        steps = []
        if last:
            by_y_o = _definition(names, cost.definition, by="y_o")
            steps.append(_step(names, "dC_dy_o", cost.dC_dy_o, by_y_o))
        for link, gradients in f.gradients.items():
            by = _definition(names, f.definition, link.removeprefix("dC_d"), "dC_dy_o")
            steps.append(_step(names, link, gradients, by))
        slope = through(f.dy_o_dy)
        if layer.weights and f.dy_o_dy:
            steps.append(_step(names, "dy_o_dy", f.dy_o_dy, _definition(names, f.definition, "y")))
        elif f.dy_o_dy:
            slope = tuple(form._replace(kind="literal") for form in slope)
        forms = f.dC_dy + slope if layer.weights or not f.dy_o_dy else slope
        by_y = _definition(names, f.definition, by="y", upstream="dC_dy_o")
        if pair:
            forms, by_y = pair.dC_dy + local(forms), _definition(names, pair.definition, by="y")
        steps.append(replace(_step(names, "dC_dy", forms, by_y), by_kind=bool(pair)))
        if layer.weights:
            table = self._affine(layer)
            for p in ("W", *("b" * layer.bias), *("x" * (not layer.embedding))):
                by = _definition(names, table["y"][0].formula, by=p, upstream="dC_dy")
                more = (Definition(decay, ("decay", names["W"]), names["W"]),)
                decays = p == "W" and self.decays
                steps.append(_step(names, f"dC_d{p}", table[f"dC_d{p}"], by, *more * decays))
        return steps


POST = Network()

_OF_SCALED = (
    "dC_dgamma", "dC_dbeta",
    *(f"{kind}{p}_next" for p in ("gamma", "beta") for kind in ("", "m", "v")),
)  # fmt: skip
_OF_A_LAYER = (
    "W", "b", "y", "y_o", "dC_dy_o", "dy_o_dy", "dC_dy", "dC_dW", "dC_db", "W_next", "b_next",
    "gamma", "beta", "epsilon", *_OF_SCALED,
    *(f"{kind}{p}" for kind in "mv" for p in ("W", "b", "gamma", "beta")),
    "mW_next", "mb_next", "vW_next", "vb_next",
)  # fmt: skip
_OF_ALL_LAYERS = (
    "e", "P", "G", "N", "h", "C", "leak", "decay",
    "t", "momentum", "share1", "share2", "eps", "correction1", "correction2",
)  # fmt: skip
