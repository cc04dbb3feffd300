"""The forward half of the table of links in torch: the kernels that people call.

Nothing of a backward pass is here: autograd has it. A kernel is what torch offers for a link, and
is not rewritten until it agrees. Those that err beyond the model of rounding are named in BEYOND.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from verify.network.layer import Layer
from verify.network.links import NK
from verify.network.network import Network

Kernel: TypeAlias = Callable[..., Any]  # (torch, ...) -> a tensor

ACTIVATIONS: Mapping[str, Kernel] = {
    "identity": lambda torch, y, leak: y * 1,
    "sigmoid": lambda torch, y, leak: torch.sigmoid(y),
    "tanh": lambda torch, y, leak: torch.tanh(y),
    "relu": lambda torch, y, leak: torch.relu(y),
    "leaky-relu": lambda torch, y, leak: torch.nn.functional.leaky_relu(y, float(leak)),
    "softplus": lambda torch, y, leak: torch.nn.functional.softplus(y),
    "silu": lambda torch, y, leak: torch.nn.functional.silu(y),
    "gelu": lambda torch, y, leak: torch.nn.functional.gelu(y),
    "gelu-tanh": lambda torch, y, leak: torch.nn.functional.gelu(y, approximate="tanh"),
    "softmax": lambda torch, y, leak: torch.softmax(y, -1),
    "log-softmax": lambda torch, y, leak: torch.log_softmax(y, -1),
}

# Of y, eps, and of gamma and beta or None.
NORMS: Mapping[str, Kernel] = {
    "layer-norm": lambda torch, y, eps, gamma, beta: torch.nn.functional.layer_norm(
        y, y.shape[-1:], gamma, beta, eps),
    # That of torch.nn.functional refuses a single row.
    "batch-norm": lambda torch, y, eps, gamma, beta: torch.batch_norm(
        y, gamma, beta, None, None, True, 0.0, eps, False),
}  # fmt: skip


def _binary(torch: Any, y_o: Any, P: Any) -> Any:
    return -(P * torch.log(y_o) + (1 - P) * torch.log(1 - y_o))


# The terms of N C, from y_o and the labels, or G.
COSTS: Mapping[str, Kernel] = {
    "cross-entropy": lambda torch, y_o, P: -(P * torch.log(y_o)),
    "binary-cross-entropy": _binary,
    "squared-error": lambda torch, y_o, P: torch.nn.functional.mse_loss(y_o, P, reduction="none"),
    "half-squared-error": lambda torch, y_o, P: (
        0.5 * torch.nn.functional.mse_loss(y_o, P, reduction="none")
    ),
    "negative-log-likelihood": lambda torch, y_o, P: -(P * y_o),
    "hinge": lambda torch, y_o, P: torch.relu(1 - P * y_o),
    "multi-class-hinge": lambda torch, y_o, P: torch.where(
        P > 0, 0, torch.relu(y_o - (P * y_o).sum(-1, keepdim=True) + 1)
    ),
    "upstream": lambda torch, y_o, G: G * y_o,
}

# The same from y, where torch has a kernel for the last activation and the cost together.
PAIRS: Mapping[tuple[str, str], Kernel] = {
    ("sigmoid", "cross-entropy"): lambda torch, y, P: -(P * torch.nn.functional.logsigmoid(y)),
    ("sigmoid", "binary-cross-entropy"): (
        lambda torch, y, P: torch.nn.functional.binary_cross_entropy_with_logits(
            y, P, reduction="none")),
    ("softmax", "cross-entropy"): lambda torch, y, P: torch.nn.functional.cross_entropy(
        y, P, reduction="none").unsqueeze(-1),
}  # fmt: skip


def total(terms: Any) -> Any:
    """The sum of the terms, of each problem of a stack.

    Shapes  (N, K) or (N,) gives (); with a first axis more, each.
    """
    return terms.sum(NK) if terms.ndim > 1 else terms.sum()


def forward(
    torch: Any, network: Network, t: Mapping[str, Any], form: str
) -> tuple[dict[str, Any], Any]:
    """y and y_o of every layer by name, and the terms of N C.

    To a link is added what `t` has under its name: zeros by which to differentiate. The stable form
    takes the terms from y where torch has a kernel for the last activation and the cost together;
    then they are no function of the last y_o.

    Shapes  `t` by name: X (N, D), the parameters, P or G (N, K); or one row, X (D,), P or G (K,).
            The terms are (N, K) or (N, 1); or (K,) or (1,).
    """
    found: dict[str, Any] = {}
    x = t["X"]
    for layer, names in zip(network.layers, network.names, strict=True):
        y = x
        if layer.weights:
            of = t[names["W"]], t.get(names["b"])
            y = found[names["y"]] = _more(_affine(torch, layer.embedding, x, *of), names["y"], t)
        y_o = _y_o(torch, layer, names, y, t)
        x = found[names["y_o"]] = _more(y_o, names["y_o"], t)
    pair = PAIRS.get((network.layers[-1].activation, network.cost)) if form == "stable" else None
    if pair:
        return found, pair(torch, y, t["P"])
    return found, of_y_o(torch, network, x, t)


def _affine(torch: Any, embedding: bool, x: Any, W: Any, b: Any) -> Any:
    if embedding:
        y = torch.nn.functional.embedding(x, W).flatten(-2)
        return y if b is None else y + b
    return x @ W if b is None else torch.nn.functional.linear(x, W.mT, b)


def _y_o(torch: Any, layer: Layer, names: Mapping[str, str], y: Any, t: Mapping[str, Any]) -> Any:
    if layer.activation not in NORMS:
        return ACTIVATIONS[layer.activation](torch, y, t["leak"])
    gamma, beta = (t.get(names[p]) for p in ("gamma", "beta"))
    return NORMS[layer.activation](torch, y, t[names["epsilon"]], gamma, beta)


def _more(a: Any, name: str, t: Mapping[str, Any]) -> Any:
    return a + t[name] if name in t else a


def of_y_o(torch: Any, network: Network, y_o: Any, t: Mapping[str, Any]) -> Any:
    """The terms of N C, from the last y_o.

    Shapes  as forward.
    """
    return COSTS[network.cost](torch, y_o, t["G" if network.cost == "upstream" else "P"])


def decay(W: Any, factor: Any) -> Any:
    """The terms of C that are the decay of the weights of a layer.

    Shapes  any, and factor (); the same.
    """
    return 0.5 * factor * W**2


def updated(network: Network, t: Mapping[str, Any], name: str, g: Any) -> Any:
    """A parameter after a step, and what its update keeps, by link, as torch.optim computes them.

    Shapes  those of the parameter.
    """
    p, by, h = t[name].detach(), network.update, t["h"]
    if not network.state:
        return {f"{name}_next": p - h * g}
    if by.name == "momentum":
        v = t[f"v{name}"] * by.momentum + g
        return {f"v{name}_next": v, f"{name}_next": p - h * v}
    m = t[f"m{name}"].lerp(g, 1 - by.beta1)
    v = (t[f"v{name}"] * by.beta2).addcmul(g, g, value=1 - by.beta2)
    correction1, correction2 = (1 - beta ** int(t["t"]) for beta in (by.beta1, by.beta2))
    below = (v.sqrt() / correction2**0.5).add(by.eps)
    after = p.addcdiv(m, below, value=-float(h) / correction1)
    return {f"m{name}_next": m, f"v{name}_next": v, f"{name}_next": after}


# (activation, or it and the cost; dtype, empty for any) -> how torch's kernel is beyond the model.
BEYOND: Mapping[tuple[str, str], str] = {
    ("gelu", "float32"): "torch's gelu errs by up to 20 u of |y| in float32",
    ("softplus", "float64"): "torch's softplus takes y for log(1 + e^y) beyond y = 20",
    ("sigmoid and binary-cross-entropy", ""): (
        "torch's binary_cross_entropy_with_logits errs by u |y| where p = 0 and y < 0"),
}  # fmt: skip


def beyond(network: Network, dtype: str) -> dict[str, str]:
    """The links that such a kernel gives, each with how it errs.

    Shapes  none: link -> sentence.
    """
    found = dict[str, str]()
    for layer, names in zip(network.layers, network.names, strict=True):
        told = BEYOND.get((layer.activation, dtype))
        found |= {names[n]: told for n in ("y_o", "dy_o_dy", "dC_dy") if told}
    last = BEYOND.get((f"{network.layers[-1].activation} and {network.cost}", ""))
    return found | {name: last for name in ("C", network.names[-1]["dC_dy"]) if last}
