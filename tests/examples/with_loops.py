"""A candidate in plain Python: no array operation at all."""

import math


def gradient(X, W, P, h):
    N, D, K = len(X), len(X[0]), len(W[0])
    result = [[0.0] * K for _ in range(D)]
    for n in range(N):
        for k in range(K):
            y = math.fsum(float(X[n][d]) * float(W[d][k]) for d in range(D))
            e = math.exp(-abs(y))
            error = -float(P[n][k]) * (e if y >= 0 else 1) / (1 + e) / N
            for d in range(D):
                result[d][k] += float(X[n][d]) * error
    return X.dtype.type(result)
