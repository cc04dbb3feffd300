"""A second oracle from the standard library alone: exact fractions, and decimal's exp and ln.

It shares no code and no library with verify.network.truth, and writes the post's formulas another
way.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from verify.network.norms import NORMS
from verify.network.problem import LINKS, Problem

DIGITS = 80


PI = Decimal(
    "3.1415926535897932384626433832795028841971693993751058209749445923078164062862089986280348"
    "253421170679821480865132823066470938446095505822317253594081284811174502841027019385211055"
    "596446229489549303820"
)


def _erf(x: Decimal) -> Decimal:
    if abs(x) > 14:  # erfc is below all digits, and the series would need as many more
        return Decimal(1).copy_sign(x)
    total = term = x
    for n in range(1, 400):
        term *= -x * x / n
        total += term / (2 * n + 1)
    return 2 / PI.sqrt() * total


def _tanh(x: Decimal) -> Decimal:
    return 1 - 2 / ((2 * x).exp() + 1)


def _inner(y: Decimal) -> Decimal:
    return (2 / PI).sqrt() * (y + Decimal("0.044715") * y**3)


def elements(leak: Decimal) -> dict[str, tuple[Any, Any]]:
    """Each activation of one number, and its derivative, by decimal alone."""
    return {
        "identity": (lambda y: y, lambda y: Decimal(1)),
        "sigmoid": (lambda y: 1 / (1 + (-y).exp()), lambda y: 1 / (2 + y.exp() + (-y).exp())),
        "tanh": (_tanh, lambda y: 4 / ((y.exp() + (-y).exp()) ** 2)),
        "relu": (lambda y: max(y, Decimal(0)), lambda y: Decimal(y > 0)),
        "leaky-relu": (lambda y: max(y, leak * y), lambda y: Decimal(1) if y > 0 else leak),
        "softplus": (lambda y: (1 + y.exp()).ln(), lambda y: 1 / (1 + (-y).exp())),
        "silu": (
            lambda y: y / (1 + (-y).exp()),
            lambda y: 1 / (1 + (-y).exp()) + y / (2 + y.exp() + (-y).exp()),
        ),
        "gelu": (
            lambda y: y * (1 + _erf(y / Decimal(2).sqrt())) / 2,
            lambda y: (1 + _erf(y / Decimal(2).sqrt())) / 2
            + y * (-y * y / 2).exp() / (2 * PI).sqrt(),
        ),
        "gelu-tanh": (
            lambda y: y * (1 + _tanh(_inner(y))) / 2,
            lambda y: (1 + _tanh(_inner(y))) / 2
            + y * (1 - _tanh(_inner(y)) ** 2) / 2
            * (2 / PI).sqrt() * (1 + Decimal("0.134145") * y * y),
        ),
    }  # fmt: skip


def chain(problem: Problem) -> dict[str, Any]:
    """Every link as an object array of Decimals with about 80 digits."""
    X, W, P = (exactly(a) for a in (problem.X, problem.W, problem.P))
    h, N = Fraction(float(problem.h)), len(X)
    y = X @ W
    with localcontext(prec=DIGITS):
        e = np.vectorize(lambda v: _decimal(-v).exp(), otypes=[object])(y)
        y_o = 1 / (1 + e)
        p = np.vectorize(_decimal, otypes=[object])(P)
        C = sum((p * np.vectorize(lambda v: (1 + v).ln(), otypes=[object])(e)).ravel()) / N
        dC_dy_o = -p / y_o / N
        dy_o_dy = e * y_o * y_o
        dC_dy = -p * e * y_o / N
        dC_dW = np.vectorize(_decimal, otypes=[object])(X).T @ dC_dy
        W_next = np.vectorize(_decimal, otypes=[object])(W) - _decimal(h) * dC_dW
        y = np.vectorize(_decimal, otypes=[object])(y)
        links = (y, y_o, C, dC_dy_o, dy_o_dy, dC_dy, dC_dW, W_next)
        return dict(zip(LINKS, links, strict=True))


def exactly(a: Any) -> Any:
    return np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(a)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def distance(found: Any, exact: Any) -> Any:
    """|found - exact|, entry by entry, as floats."""
    with localcontext(prec=DIGITS):
        gap = np.vectorize(lambda a, b: float(abs(Decimal(float(a)) - b)), otypes=[float])
        return gap(found, exact)


def links(problem: Problem) -> dict[str, Any]:
    """Every link of any network as an object array of Decimals, by textbook derivatives."""
    reach = _reach(problem)
    with localcontext(prec=int(DIGITS + reach)):
        return _links(problem)


def _links(problem: Problem) -> dict[str, Any]:
    network = problem.network
    of = {n: decimals(a) for n, a in problem.arrays.items()}
    numbers = problem.numbers
    N, decay = (Decimal(float(numbers[n])) for n in ("N", "decay"))
    table = elements(Decimal(float(numbers["leak"])))
    found: dict[str, Any] = {}
    x, at = of["X"], []
    for layer, names in zip(network.layers, network.names, strict=True):
        y = x
        if layer.weights:
            W = of[names["W"]]
            x = _one_hot(problem.X, W) if layer.embedding else x
            y = (x @ W).reshape(len(problem.X), -1) if layer.embedding else x @ W
            y = found[names["y"]] = y + (of[names["b"]] if layer.bias else 0)
        if layer.activation in table:
            y_o, slope = (_each(f, y) for f in table[layer.activation])
            if names["dy_o_dy"] in network.links:
                found[names["dy_o_dy"]] = slope
            back = lambda g, slope=slope: g * slope  # noqa: E731
        elif layer.activation in NORMS:
            axis = 1 if layer.activation == "layer-norm" else 0
            y_o, back = _normed(y, Decimal(float(numbers[names["epsilon"]])), axis)
        else:
            e = _each(lambda v: v.exp(), y)
            q = e / _rows(e)
            if layer.activation == "softmax":
                y_o, back = q, lambda g, q=q: q * (g - _rows(g * q))
            else:
                y_o, back = _each(lambda v: v.ln(), q), lambda g, q=q: g - q * _rows(g)
        x_hat = y_o
        if layer.scaled:
            y_o = of[names["gamma"]] * x_hat + of[names["beta"]]
        found[names["y_o"]] = y_o
        at.append((layer, names, x, x_hat, back))
        x = y_o
    labels = of["G" if network.cost == "upstream" else "P"]
    terms, g = _cost(network.cost, x, labels)
    squares = sum((of[n] ** 2).sum() for n in network.weights) * decay / 2
    found["C"], g = terms.sum() / N + squares, g / N
    found[network.names[-1]["dC_dy_o"]] = g
    for layer, names, x, x_hat, back in reversed(at):
        if layer.scaled:
            found[names["dC_dgamma"]], found[names["dC_dbeta"]] = (g * x_hat).sum(0), g.sum(0)
            g = of[names["gamma"]] * g
        g = back(g)
        found[names["dC_dy"]] = g
        if layer.weights:
            W = of[names["W"]]
            found[names["dC_dW"]] = x.T @ g.reshape(len(x), -1) + decay * W
            if layer.bias:
                found[names["dC_db"]] = g.sum(0)
            g = None if layer.embedding else g @ W.T
            found[names["dC_dx"]] = g
    for name in network.parameters if network.trains else ():
        found |= _updated(problem, of, name, found[f"dC_d{name}"])
    return {link: found[link] for link in network.links}


def _normed(y: Any, eps: Decimal, axis: int) -> tuple[Any, Any]:
    """(y - mean) / s over an axis; and back, by the Jacobian (1[i = j] - 1/n - x_i x_j / n) / s."""
    n = y.shape[axis]
    c = y - np.expand_dims(y.sum(axis), axis) / n
    s = _each(lambda v: v.sqrt(), np.expand_dims((c * c).sum(axis), axis) / n + eps)
    x_hat = c / s

    def back(g: Any) -> Any:
        along = np.moveaxis(x_hat, axis, -1)
        jacobian = np.eye(n, dtype=int) - (1 + along[..., :, None] * along[..., None, :]) / n
        by_c = (np.moveaxis(g, axis, -1)[..., None, :] @ jacobian)[..., 0, :]
        return np.moveaxis(by_c, -1, axis) / s

    return x_hat, back


def _cost(cost: str, y_o: Any, P: Any) -> tuple[Any, Any]:
    """The terms of N C, and N dC_dy_o."""
    if cost == "cross-entropy":
        return -P * _each(lambda v: v.ln(), y_o), -P / y_o
    if cost == "binary-cross-entropy":
        log, log_rest = (_each(lambda v: v.ln(), a) for a in (y_o, 1 - y_o))
        return -P * log - (1 - P) * log_rest, (1 - P) / (1 - y_o) - P / y_o
    if cost == "negative-log-likelihood":
        return -P * y_o, -P
    if cost == "upstream":
        return P * y_o, P
    if cost == "hinge":
        short = 1 - P * y_o
        return _each(lambda v: max(v, Decimal(0)), short), -P * _each(lambda v: int(v > 0), short)
    if cost == "multi-class-hinge":
        margin = (y_o - _rows(P * y_o) + 1) * (1 - P)
        above = _each(lambda v: int(v > 0), margin)
        return _each(lambda v: max(v, Decimal(0)), margin), above - P * _rows(above)
    half = 2 if cost == "half-squared-error" else 1
    return (y_o - P) ** 2 / half, 2 * (y_o - P) / half


def _updated(problem: Problem, of: dict[str, Any], name: str, g: Any) -> dict[str, Any]:
    """A parameter after a step, and what the update keeps."""
    by, p, h, t = problem.network.update.name, of[name], Decimal(float(problem.h)), problem.t
    constant = {n: Decimal(float(problem.dtype.type(a))) for n, a in problem.constants.items()}
    if by == "gradient-descent":
        return {f"{name}_next": p - h * g}
    v = of[f"v{name}"]
    if by == "momentum":
        v = constant["momentum"] * v + g
        return {f"v{name}_next": v, f"{name}_next": p - h * v}
    b1, b2 = constant["share1"], constant["share2"]
    m, v = b1 * of[f"m{name}"] + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    sqrt = _each(lambda a: a.sqrt(), v / (1 - b2**t))
    after = p - h * m / (1 - b1**t) / (sqrt + constant["eps"])
    return {f"m{name}_next": m, f"v{name}_next": v, f"{name}_next": after}


def _one_hot(X: Any, W: Any) -> Any:
    """A row of zeros and a one for every row number, by which W is multiplied."""
    return np.vectorize(Decimal, otypes=[object])(np.eye(len(W), dtype=int)[X.ravel()])


def _each(f: Any, a: Any) -> Any:
    return np.vectorize(f, otypes=[object])(a)


def _rows(a: Any) -> Any:
    return a.sum(1)[:, None]


def _reach(problem: Problem) -> float:
    """Digits that 1 - y_o may lose: those of e^|y|, of the largest y that there may be."""
    size = float(np.abs(np.asarray(problem.X, float)).sum(1).max())
    for name, a in problem.parameters.items():
        a = np.abs(np.asarray(a, float))
        size = size * a.max() * max(1, len(a) ** 0.5) if name.startswith("W") else size + a.max()
    return min(size, 2000) / 2


def decimals(a: Any) -> Any:
    return np.vectorize(lambda v: Decimal(float(v)), otypes=[object])(a)
