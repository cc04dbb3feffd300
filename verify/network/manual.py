"""The gradient derived by hand: the post's formulas, and the form that holds everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.network.links import NK
from verify.network.problem import Chain, Implementation, Problem
from verify.numbers import dtypes
from verify.numbers.rounding import Array


def sigma(y: Array) -> Array:
    """The logistic sigmoid as the post writes it.

    Shapes  any; the same.
    Breaks  exp(-y) overflows for y < -709.78 in float64, -88.72 in float32.
    """
    return 1 / (1 + np.exp(-y))


def post_form(problem: Problem) -> Chain:
    """The chain by the formulas of the post, in the order of the post.

    Shapes  X (N, D), W (D, K), P (N, K) give y, y_o, dC_dy_o, dy_o_dy, dC_dy (N, K);
            dC_dW, W_next (D, K); C (). Of a stack of problems, each with its first axis.
    Units   C in nats a row.
    Breaks  y_o is 0 and C infinite where exp(-y) overflows: y < -709.78 in float64, -88.72 in
            float32. 1 - y_o has no correct digit left for y > 36.7 in float64, 16.6 in float32.
    Source  "Further into Backpropagation", 19 January 2017.
    """
    X, W, P, h = problem.X, problem.W, problem.P, problem.h
    N = X.shape[-2]

    y = X @ W
    y_o = sigma(y)
    C = -np.sum(P * np.log(y_o), axis=NK) / N

    dC_dy_o = -P / y_o / N
    dy_o_dy = sigma(y) * (1 - sigma(y))
    dC_dy = dC_dy_o * dy_o_dy
    dC_dW = X.mT @ dC_dy

    W_next = W - h * dC_dW
    return Chain(y, y_o, C, dC_dy_o, dy_o_dy, dC_dy, dC_dW, W_next)


def stable_form(problem: Problem) -> Chain:
    """The same chain without a division by y_o or a 1 - y_o: exp sees only arguments <= 0.

    Shapes  as post_form.
    Units   C in nats a row.
    Breaks  dC_dy_o alone, where its value p / y_o / N is beyond the dtype.
    Source  log sigma(y) = min(y, 0) - log1p(e^-|y|) and 1 - sigma(y) = sigma(-y), put into the
            post's formulas: dC_dy = -(p / y_o / N) y_o sigma(-y) = -p sigma(-y) / N.
    """
    X, W, P, h = problem.X, problem.W, problem.P, problem.h
    N = X.shape[-2]

    y = X @ W
    E = np.exp(-np.abs(y))
    y_o = np.where(y >= 0, 1, E) / (1 + E)
    sigma_minus_y = np.where(y >= 0, E, 1) / (1 + E)
    C = -np.sum(P * (np.minimum(y, 0) - np.log1p(E)), axis=NK) / N

    dC_dy_o = -P / y_o / N
    dy_o_dy = y_o * sigma_minus_y
    dC_dy = -P * sigma_minus_y / N
    dC_dW = X.mT @ dC_dy

    W_next = W - h * dC_dW
    return Chain(y, y_o, C, dC_dy_o, dy_o_dy, dC_dy, dC_dW, W_next)


ROWS = 512  # of a block: its y and its rows of X stay in cache between the two products


def block_form(problem: Problem, rows: int = ROWS) -> Chain:
    """C and dC_dW of the stable form alone, by blocks of rows: the fast one, X is read once.

    All temporaries have the size of a block, so X may be larger than memory where it is mapped.

    Shapes  X (N, D), W (D, K), P (N, K) give C (), dC_dW (D, K).
    Units   C in nats a row.
    Breaks  nowhere.
    Source  stable_form, with the sums over rows taken block by block, and divided by N at the end.
    """
    X, W, P = problem.X, problem.W, problem.P
    N = len(X)
    C, dC_dW = _sums(X[:rows], W, P[:rows])
    for start in range(rows, N, rows):
        C_block, dC_dW_block = _sums(X[start : start + rows], W, P[start : start + rows])
        C += C_block
        dC_dW += dC_dW_block
    return Chain(C=C / N, dC_dW=np.divide(dC_dW, N, out=dC_dW))


def _sums(X: Array, W: Array, P: Array) -> tuple[Any, Array]:
    """N C and N dC_dW of some rows; in place, because new memory costs more than arithmetic.

    Shapes  X (n, D), W (D, K), P (n, K) give (), (D, K).
    """
    y = X @ W
    E = np.copysign(y, -1)
    np.exp(E, out=E)
    dC_dy = np.where(y < 0, W.dtype.type(-1), -E)
    dC_dy /= E + 1
    dC_dy *= P
    np.minimum(y, 0, out=y)
    y -= np.log1p(E, out=E)
    return -np.vdot(P, y), X.T @ dC_dy


def element_form(problem: Problem) -> Chain:
    """The post's element-wise chain rule, entry by entry, in plain loops; for small problems.

    dC/dw_dk = sum_n dC/dy_o_nk dy_o_nk/dy_nk dy_nk/dw_dk, with dy_nk/dw_dk = x_nd.

    Shapes  as post_form.
    Units   C in nats a row.
    Breaks  where post_form does.
    Source  "Further into Backpropagation", 19 January 2017.
    """
    X, W, P, h = problem.X, problem.W, problem.P, problem.h
    N, D, K = problem.sizes.values()
    y, y_o, dC_dy_o, dy_o_dy, dC_dy = (np.zeros_like(P) for _ in range(5))
    dC_dW, W_next = np.zeros_like(W), np.zeros_like(W)
    C = problem.dtype.type(0)
    for n, k in np.ndindex(N, K):
        for d in range(D):
            y[n, k] += X[n, d] * W[d, k]
        y_o[n, k] = sigma(y[n, k])
        C -= P[n, k] * np.log(y_o[n, k]) / N
        dC_dy_o[n, k] = -P[n, k] / y_o[n, k] / N
        dy_o_dy[n, k] = y_o[n, k] * (1 - y_o[n, k])
        dC_dy[n, k] = dC_dy_o[n, k] * dy_o_dy[n, k]
    for d, k in np.ndindex(D, K):
        for n in range(N):
            dC_dW[d, k] += dC_dy_o[n, k] * dy_o_dy[n, k] * X[n, d]
        W_next[d, k] = W[d, k] - h * dC_dW[d, k]
    return Chain(y, y_o, C, dC_dy_o, dy_o_dy, dC_dy, dC_dW, W_next)


def by_table(kind: str, problem: Problem) -> Chain:
    """Every link of any network by the first of its forms of a kind, "literal" or "stable".

    Of 16 bits each is computed in float32 from links of 16 bits, and rounded.

    Shapes  as Problem.shape.
    Units   C as the network's reduction has it.
    Breaks  where a form of the kind does.
    Source  the table of links.
    """
    found, dtype = {}, str(problem.dtype)
    known = {name: dtypes.widened(number) for name, number in problem.numbers.items()}
    for step in problem.network.steps:
        link = step.on(kind, known)
        found[step.name] = dtypes.nearest(link, dtype)[()] if dtype in dtypes.SIXTEEN else link
        known[step.name] = dtypes.widened(found[step.name])
    return Chain(**{link: found[link] for link in problem.network.links})


def literal(problem: Problem) -> Chain:
    """The chain by textbook formulas: of the post's network the post's own.

    Shapes  as Problem.shape.
    """
    return post_form(problem) if problem.of_post else by_table("literal", problem)


def stable(problem: Problem) -> Chain:
    """The chain by formulas that hold wherever a link is a number of the dtype.

    Shapes  as Problem.shape.
    """
    return stable_form(problem) if problem.of_post else by_table("stable", problem)


FORMS: dict[str, Implementation] = {"post": literal, "stable": stable}
