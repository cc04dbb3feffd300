"""The functions of `verify.faults.functions` in torch, as its users write them.

Each takes the module of torch functions and the inputs: nothing here repeats the NumPy code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def _renorm(torch: Any, x: Any) -> Any:
    norm = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x * torch.clamp(1.5 / norm, max=1.0)


def _focal_loss(torch: Any, x: Any, labels: Any) -> Any:
    t = labels.to(x.dtype)
    own = torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none")
    return ((0.75 - 0.5 * t) * (1 - torch.exp(-own)) ** 2 * own).sum()


def _triplet(torch: Any, anchor: Any, same: Any, other: Any) -> Any:
    near, far = (anchor - same).square(), (anchor - other).square()
    return torch.relu((near - far).sum(1) + 1).mean()


def _masked_error(torch: Any, x: Any, target: Any, lengths: Any) -> Any:
    rows = [(a[:n] - b[:n]).flatten() for a, b, n in zip(x, target, lengths, strict=True)]
    return torch.cat(rows).square().mean()


def _swiglu(torch: Any, x: Any, W1: Any, W2: Any) -> Any:
    return torch.nn.functional.silu(torch.mm(x, W1)) * torch.mm(x, W2)


def _gru(torch: Any, x: Any, h: Any, W1: Any, W2: Any, b: Any) -> Any:
    return torch.gru_cell(x, h, W1.T, W2.T, b, torch.zeros_like(b))


def _lstm(torch: Any, x: Any, h: Any, c: Any, W1: Any, W2: Any, b: Any) -> Any:
    i, f, o, g = b.chunk(4), W1.T.chunk(4), W2.T.chunk(4), (0, 1, 3, 2)  # torch has o last
    b, W1, W2 = (torch.cat([parts[k] for k in g]) for parts in (i, f, o))
    return torch.lstm_cell(x, (h, c), W1, W2, b, torch.zeros_like(b))


IN_TORCH: Mapping[str, Callable[..., Any]] = {
    "l2-norm": lambda torch, x: torch.linalg.vector_norm(x, dim=1),
    "p-norm": lambda torch, x: torch.linalg.vector_norm(x, ord=3, dim=1),
    "renorm": _renorm,
    "cosine-similarity": lambda torch, a, b: torch.nn.functional.cosine_similarity(a, b),
    "layer-norm": lambda torch, x, gamma, beta: torch.nn.functional.layer_norm(
        x, (x.shape[-1],), gamma, beta),
    "batch-norm": lambda torch, x, gamma, beta: torch.nn.functional.batch_norm(
        x, None, None, gamma, beta, training=True),
    "rms-norm": lambda torch, x, weight: torch.nn.functional.rms_norm(
        x, (x.shape[-1],), weight, eps=1e-6),
    "softmax": lambda torch, x: torch.softmax(x, 1),
    "log-softmax": lambda torch, x: torch.log_softmax(x, 2),
    "logsumexp": lambda torch, x: torch.logsumexp(x, 1),
    "softmax-cross-entropy": lambda torch, x, labels: torch.nn.functional.cross_entropy(x, labels),
    "kl-divergence": lambda torch, p, x: torch.nn.functional.kl_div(
        torch.log_softmax(x, 1), p, reduction="batchmean"),
    "focal-loss": _focal_loss,
    "multi-class-hinge": lambda torch, scores, labels: torch.nn.functional.multi_margin_loss(
        scores, labels) * scores.shape[1],
    "binary-cross-entropy": lambda torch, x, p:
        torch.nn.functional.binary_cross_entropy_with_logits(x, p),
    "huber": lambda torch, x, target: torch.nn.functional.huber_loss(
        x, target, reduction="none", delta=1.5),
    "triplet": _triplet,
    "masked-error": _masked_error,
    "linear": lambda torch, x, W, b: torch.nn.functional.linear(x, W.T, b),
    "quadratic-form": lambda torch, x, mean, A: torch.nn.functional.bilinear(
        x - mean, x - mean, A[None]).squeeze(1),
    "gelu-tanh": lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
    "swiglu": _swiglu,
    "gru-cell": _gru,
    "lstm-cell": _lstm,
    "causal-attention": lambda torch, q, k, v: torch.nn.functional.scaled_dot_product_attention(
        q, k, v, is_causal=True),
    "conv1d": lambda torch, x, W, b: torch.nn.functional.conv1d(x, W, b, stride=2, padding=1),
    "max-pool": lambda torch, x: torch.nn.functional.max_pool1d(x, 3),
    "embedding": lambda torch, table, indices: torch.nn.functional.embedding(indices, table),
    "scatter-add": lambda torch, base, rows, index: torch.index_add(base, 0, index, rows),
    "cumprod": lambda torch, x: torch.cumprod(x, 1),
}  # fmt: skip
