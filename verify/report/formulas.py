"""Every link of a network in a line, as the post writes it; and a drawing of the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from verify.network.layer import Layer
from verify.network.network import POST, Network
from verify.network.problem import Problem

_SIGMA = {"sigmoid": "sigma"}
_SLOPES = {
    "sigmoid": "sigma({y}) (1 - sigma({y}))",
    "tanh": "1 - {y_o}^2",
    "relu": "1 where {y} > 0, else 0",
    "leaky-relu": "1 where {y} > 0, else 0.01",
    "softplus": "sigma({y})",
    "silu": "sigma({y}) (1 + {y} (1 - sigma({y})))",
    "gelu": "Phi({y}) + {y} phi({y})",
    "gelu-tanh": "the slope of its tanh form at {y}",
}
_BACK = {
    "identity": "{dC_dy_o}",
    "softmax": "{y_o} * ({dC_dy_o} - sum_k {dC_dy_o} {y_o})",
    "log-softmax": "{dC_dy_o} - e^{y_o} sum_k {dC_dy_o}",
    "layer-norm": "(g - mean g - x mean(g x)) / s over units, {g}",
    "batch-norm": "(g - mean g - x mean(g x)) / s over rows, {g}",
}
_COSTS = {
    "cross-entropy": ("-{mean}sum p log({y_o})", "-{mean}p / {y_o}"),
    "binary-cross-entropy": (
        "-{mean}sum p log({y_o}) + (1 - p) log(1 - {y_o})",
        "{mean}((1 - p) / (1 - {y_o}) - p / {y_o})",
    ),
    "squared-error": ("{mean}sum ({y_o} - p)^2", "{mean}2 ({y_o} - p)"),
    "half-squared-error": ("{mean}sum ({y_o} - p)^2 / 2", "{mean}({y_o} - p)"),
    "negative-log-likelihood": ("-{mean}sum p {y_o}", "-{mean}p"),
    "hinge": ("{mean}sum max(0, 1 - p {y_o})", "-{mean}p where p {y_o} < 1, else 0"),
    "multi-class-hinge": (
        "{mean}sum over other classes of max(0, {y_o} - {y_o} of the label + 1)",
        "{mean}1 where the margin is above 0, less their count at the label",
    ),
    "upstream": ("sum G * {y_o}", "G"),
}
_PAIRS = {
    ("sigmoid", "cross-entropy"): "-{mean}p sigma(-{y})",
    ("sigmoid", "binary-cross-entropy"): "{mean}({y_o} - p)",
    ("softmax", "cross-entropy"): "{mean}({y_o} sum_k p - p)",
}
# By what is kept: the means m and v, or the velocity v.
_UPDATES = {
    "gradient-descent": {"p": ("{p} - h {g}", "update rule")},
    "momentum": {
        "v": ("momentum {v} + {g}", "the velocity"),
        "p": ("{p} - h {v}_next", "update rule"),
    },
    "adam": {
        "m": ("beta1 {m} + (1 - beta1) {g}", "the mean of the gradients"),
        "v": ("beta2 {v} + (1 - beta2) {g}^2", "the mean of their squares"),
        "p": (
            "{p} - h ({m}_next / (1 - beta1^t)) / (sqrt({v}_next / (1 - beta2^t)) + eps)",
            "update rule",
        ),
    },
}
_MEANS = {"rows": "(1/N) ", "sum": "", "mean": "(1/(N K)) "}

# Of the post's network: where the stable form has another formula than the post.
_STABLE = {
    "C": "-(1/N) sum p (min(y, 0) - log1p(exp(-|y|)))",
    "dy_o_dy": "sigma(y) sigma(-y)",
    "dC_dy": "-(1/N) p sigma(-y)",
}


def formulas(network: Network, form: str) -> dict[str, tuple[str, str]]:
    """Of each link its formula and what it is, in the order of the computation.

    Shapes  none: link -> ("y = X W", "pre-sigmoid output").
    """
    found: dict[str, tuple[str, str]] = {}
    for layer, names in zip(network.layers, network.names, strict=True):
        found |= dict(_forward(layer, names))
        found |= dict(_backward(network, layer, names, last=names is network.names[-1]))
    found["C"] = _cost(network)
    if network == POST and form == "stable":
        found |= {link: (text, found[link][1]) for link, text in _STABLE.items()}
        found["dC_dy"] = _STABLE["dC_dy"], "the same product, without a division by y_o"
    return {link: (f"{link} = {found[link][0]}", found[link][1]) for link in network.links}


def _forward(layer: Layer, names: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    if layer.weights:
        bias = f" + {names['b']}" * layer.bias
        product = f"{names['W']}[X]" if layer.embedding else f"{names['x']} {names['W']}"
        told = f"pre-{layer.activation} output" + ", rows side by side" * layer.embedding
        yield names["y"], (f"{product}{bias}", told)
    called = f"{_SIGMA.get(layer.activation, layer.activation)}({names['y']})"
    if layer.scaled:
        called = f"{names['gamma']} {called} + {names['beta']}"
    yield names["y_o"], (called, f"post-{layer.activation} output")


def _cost(network: Network) -> tuple[str, str]:
    names, mean = network.names[-1], _MEANS[network.reduction]
    decay = " + (lambda/2) sum W^2" * network.decays
    rows = ", in nats a row" * (network.cost == "cross-entropy" and network.reduction == "rows")
    told = "cost: sum of G y_o" if network.cost == "upstream" else f"cost: {network.cost}{rows}"
    return _COSTS[network.cost][0].format(mean=mean, **names) + decay, told


def _backward(
    network: Network, layer: Layer, names: Mapping[str, str], last: bool
) -> Iterator[tuple[str, tuple[str, str]]]:
    mean, pair = _MEANS[network.reduction], last and network != POST
    if last:
        by_y_o = _COSTS[network.cost][1].format(mean=mean, **names)
        yield names["dC_dy_o"], (by_y_o, "how C changes with the output")
    if layer.activation in _SLOPES:
        slope = _SLOPES[layer.activation].format(**names)
        yield names["dy_o_dy"], (slope, f"the slope of the {layer.activation}")
    product = f"{names['dC_dy_o']} * {names['dy_o_dy']}"
    back, told = _BACK.get(layer.activation, product), "element-wise product"
    if pair and (layer.activation, network.cost) in _PAIRS:
        back, told = _PAIRS[layer.activation, network.cost], "error signal, from both together"
    elif layer.activation in _BACK:
        told = f"through the {layer.activation}"
    g = "g = " + " ".join([*[names["gamma"]] * layer.scaled, names["dC_dy_o"]])
    yield names["dC_dy"], (back.format(mean=mean, g=g, **names), told)
    if layer.scaled:
        by_gamma = f"sum over rows of {names['dC_dy_o']} x"
        yield names["dC_dgamma"], (by_gamma, "the gradient by gamma; x is what it scales")
        by_beta = f"sum over rows of {names['dC_dy_o']}"
        yield names["dC_dbeta"], (by_beta, "the gradient by beta")
    if layer.weights:
        yield names["dC_dx"], (f"{names['dC_dy']} {names['W']}^T", "back through the weights")
        decay = f" + lambda {names['W']}" * network.decays
        product, told = f"{names['x']}^T {names['dC_dy']}", "matrix product: the gradient"
        if layer.embedding:
            product, told = (
                f"{names['dC_dy']} added at rows X",
                "each part where it came from",
            )
        yield names["dC_dW"], (f"{product}{decay}", told)
        yield names["dC_db"], (f"sum over rows of {names['dC_dy']}", "the gradient by the bias")
    for p in layer.parameters:
        own = {kind: names[f"{kind}{p}"] for kind in ("m", "v")} | {"p": names[p]}
        for link, (step, told) in _UPDATES[network.update.name].items():
            yield f"{own[link]}_next", (step.format(g=names[f"dC_d{p}"], **own), told)


def drawing(problem: Problem) -> Iterator[str]:
    """The network from X down to C, a line each.

    Shapes  as Problem.
    """
    network = problem.network
    yield f"X {problem.X.shape}"
    for layer, names in zip(network.layers, network.names, strict=True):
        if layer.weights:
            own = [names["W"], *([names["b"]] if layer.bias else [])]
            yield "  | " + ", ".join(f"{name} {problem.parameters[name].shape}" for name in own)
            yield f"{names['y']} {problem.shape(names['y'])}"
        own = [
            f"{names[p]} {problem.parameters[names[p]].shape}" for p in layer.vectors if p != "b"
        ]
        yield ", ".join([f"  | {'embedding, ' * layer.embedding}{layer.activation}", *own])
        yield f"{names['y_o']} {problem.shape(names['y_o'])}"
    labels = "G" if network.cost == "upstream" else "P"
    mean = _MEANS[network.reduction].strip()
    told = "upstream gradient" if network.cost == "upstream" else f"{network.cost} {mean}".strip()
    decay = f", weight decay {network.weight_decay:g}" * network.decays
    yield f"  | {told}, {labels} {problem.P.shape}{decay}"
    if network.state:
        by = network.update
        of_update = ", ".join(f"{n} {getattr(by, n):g}" for n in by.rule.constants.values())
        yield f"  | {network.update.name}, {of_update}"
    yield "C"
