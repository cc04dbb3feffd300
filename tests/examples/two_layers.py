"""A hidden layer of tanh, softmax with cross-entropy on top, in lists of floats alone.
To judge it: verify run FILE.toml --candidate two_layers.py:gradient
"""

import math


def gradient(X, W1, b1, W2, b2, P):
    """The links by their names, as arrays of the dtype of X."""
    lists = (a.tolist() for a in (X, W1, b1, W2, b2, P))
    return {name: X.dtype.type(value) for name, value in _links(*lists).items()}


def without_transposing(X, W1, b1, W2, b2, P):
    """Wrong: dC_dy_o1 = dC_dy2 W2, which only W2's shape can tell where it is not square."""
    lists = (a.tolist() for a in (X, W1, b1, W2, b2, P))
    links = _links(*lists, back=lambda W2: W2)
    return {name: X.dtype.type(value) for name, value in links.items()}


def _links(X, W1, b1, W2, b2, P, back=lambda W2: _transposed(W2)):
    N = len(X)
    y1 = _plus(_product(X, W1), b1)
    y_o1 = [[math.tanh(y) for y in row] for row in y1]
    y2 = _plus(_product(y_o1, W2), b2)
    y_o2 = [_softmax(row) for row in y2]

    dC_dy2 = [
        [(y_o * math.fsum(ps) - p) / N for y_o, p in zip(row, ps, strict=True)]
        for row, ps in zip(y_o2, P, strict=True)
    ]
    dC_dy_o1 = _product(dC_dy2, back(W2))
    dC_dy1 = [
        [d * (1 - y_o * y_o) for d, y_o in zip(ds, row, strict=True)]
        for ds, row in zip(dC_dy_o1, y_o1, strict=True)
    ]
    return {
        "y1": y1,
        "y_o1": y_o1,
        "y2": y2,
        "y_o2": y_o2,
        "dC_dy2": dC_dy2,
        "dC_dW2": _product(_transposed(y_o1), dC_dy2),
        "dC_db2": _sum_of_rows(dC_dy2),
        "dC_dy_o1": dC_dy_o1,
        "dC_dy1": dC_dy1,
        "dC_dW1": _product(_transposed(X), dC_dy1),
        "dC_db1": _sum_of_rows(dC_dy1),
    }


def _softmax(row):
    e = [math.exp(y - max(row)) for y in row]
    return [value / math.fsum(e) for value in e]


def _product(A, B):
    columns = _transposed(B)
    return [
        [math.fsum(a * b for a, b in zip(row, column, strict=True)) for column in columns]
        for row in A
    ]


def _plus(A, b):
    return [[a + c for a, c in zip(row, b, strict=True)] for row in A]


def _transposed(A):
    return [list(column) for column in zip(*A, strict=True)]


def _sum_of_rows(A):
    return [math.fsum(column) for column in _transposed(A)]
