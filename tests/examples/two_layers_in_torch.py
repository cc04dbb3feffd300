"""The cost of a hidden layer of tanh with softmax and cross-entropy on top; autograd goes back.
To judge it: verify run FILE.toml --candidate two_layers_in_torch.py:cost --candidate-arrays torch
"""

import torch


def cost(X, W1, b1, W2, b2, P):
    """C, of which the gradients by W1, b1, W2 and b2 are asked."""
    y_o1 = torch.tanh(X @ W1 + b1)
    y2 = y_o1 @ W2 + b2
    return -(P * torch.log_softmax(y2, dim=1)).sum() / len(X)
