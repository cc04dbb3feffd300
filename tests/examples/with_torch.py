"""Candidates in torch: a hand-written autograd.Function, and a cost to be differentiated."""

import torch


class CrossEntropy(torch.autograd.Function):
    """-(1/N) sum p log sigma(X W), with the post's backward pass written by hand."""

    @staticmethod
    def forward(ctx, X, W, P):
        y = X @ W
        ctx.save_for_backward(X, y, P)
        return -(P * torch.nn.functional.logsigmoid(y)).sum() / len(X)

    @staticmethod
    def backward(ctx, upstream):
        X, y, P = ctx.saved_tensors
        return None, upstream * (X.T @ (-P * torch.sigmoid(-y) / len(X))), None


class WithoutMean(CrossEntropy):
    """The same with 1/N forgotten in the backward pass."""

    @staticmethod
    def backward(ctx, upstream):
        nothing, gradient, _ = CrossEntropy.backward(ctx, upstream)
        return nothing, gradient * len(ctx.saved_tensors[0]), None


def cost(X, W, P):
    y = X @ W
    return (P * torch.logaddexp(torch.zeros_like(y), -y)).sum() / len(X)


def gradient(X, W, P):
    """A gradient, not a cost."""
    with torch.no_grad():
        return X.T @ (-P * torch.sigmoid(-(X @ W)) / len(X))
