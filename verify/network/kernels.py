"""The forward half of the table of links in torch: the kernels that people call.

Nothing of a backward pass is here: autograd has it. A kernel is what torch offers for a link, and
is not rewritten until it agrees. Those that err beyond the model of rounding are named in BEYOND.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from verify.network.links import NK

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
    "upstream": lambda torch, y_o, G: G * y_o,
}

# The same from y, where torch has a kernel for the last activation and the cost together.
PAIRS: Mapping[tuple[str, str], Kernel] = {
    ("sigmoid", "cross-entropy"): lambda torch, y, P: -(P * torch.nn.functional.logsigmoid(y)),
    ("sigmoid", "binary-cross-entropy"): (
        lambda torch, y, P: torch.nn.functional.binary_cross_entropy_with_logits(
            y, P, reduction="none")),
    ("softmax", "cross-entropy"): lambda torch, y, P: torch.nn.functional.cross_entropy(
        y, P, reduction="none"),
}  # fmt: skip


def total(terms: Any) -> Any:
    """The sum of the terms, of each problem of a stack.

    Shapes  (N, K) or (N,) gives (); with a first axis more, each.
    """
    return terms.sum(NK) if terms.ndim > 1 else terms.sum()


# (link, dtype) -> why torch's kernel is beyond what the model of rounding allows.
BEYOND: Mapping[tuple[str, str], str] = {
    ("gelu", "float32"): "torch's gelu errs by up to 20 u of |y| in float32",
    ("softplus", "float64"): "torch's softplus takes y for log(1 + e^y) beyond y = 20",
    ("sigmoid and binary-cross-entropy", ""): (
        "torch's binary_cross_entropy_with_logits errs by u |y| where p = 0 and y < 0"),
}  # fmt: skip
