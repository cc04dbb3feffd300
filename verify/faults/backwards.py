"""Planted faults of a hand-written backward pass in torch: what it ignores, keeps or forgets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

Backward: TypeAlias = Callable[[Any, Any, Any, Any], tuple[Any, Any]]
"""From upstream, dC_dX, dC_dW and the context: the gradients by X and by W."""


def _of(backward: Backward) -> Any:
    """The post's cost as an autograd.Function with that backward pass."""
    torch = import_module("torch")

    def forward(ctx: Any, X: Any, W: Any, P: Any) -> Any:
        y = X @ W
        ctx.save_for_backward(X, W, P, y)
        return -(P * torch.nn.functional.logsigmoid(y)).sum() / len(X)

    def back(ctx: Any, upstream: Any) -> tuple[Any, Any, None]:
        X, W, P, y = ctx.saved_tensors
        dC_dy = -P * torch.sigmoid(-y) / len(X)
        return *backward(upstream, dC_dy @ W.T, X.T @ dC_dy, ctx), None

    passes = {"forward": staticmethod(forward), "backward": staticmethod(back)}
    return type("Cost", (torch.autograd.Function,), passes)


def _kept(upstream: Any, by_X: Any, by_W: Any, ctx: Any) -> tuple[Any, Any]:
    """Gradients that are added to those of the graph's earlier passes."""
    ctx.kept = getattr(ctx, "kept", 0) + upstream * by_W
    return upstream * by_X, ctx.kept * 1


BACKWARDS: tuple[tuple[str, str, str, Callable[[], Any]], ...] = tuple(
    (name, "dC_dW", mistake, partial(_of, backward))
    for name, mistake, backward in (
        ("upstream-ignored", "the upstream gradient taken for 1",
         lambda up, by_X, by_W, ctx: (by_X, by_W)),
        ("upstream-squared", "the upstream gradient multiplied in twice",
         lambda up, by_X, by_W, ctx: (up * up * by_X, up * up * by_W)),
        ("gradient-by-inputs", "dC_dX without W's transpose, as a mean",
         lambda up, by_X, by_W, ctx: (up * by_X / by_X.shape[1] / 2, up * by_W)),
        ("second-backward", "gradients added up over passes through one graph", _kept),
    )
)  # fmt: skip


def right() -> Any:
    """The right backward pass, in which each of these faults is one change."""
    return _of(lambda up, by_X, by_W, ctx: (up * by_X, up * by_W))
