"""Single operations with an upstream gradient as people wrote their backward passes, and the right.

Each is a forward pass, a right backward pass that is named `..._back`, and the wrong ones after it.
"""

from __future__ import annotations

import math

import numpy as np


def _rows(G, a):
    """A number for each row, beside an array of rows."""
    return G.reshape(G.shape + (1,) * (a.ndim - G.ndim))


# ---- softmax and what is made of it


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_back(G, x):
    s = softmax(x)
    return s * (G - (G * s).sum(axis=-1, keepdims=True))


def softmax_diagonal(G, x):
    """Only the diagonal of the Jacobian: s (1 - s), as if softmax were element-wise."""
    s = softmax(x)
    return G * s * (1 - s)


def softmax_doubled(G, x):
    """The whole Jacobian, and a factor 2 that does not belong."""
    s = softmax(x)
    jacobian = s[:, :, None] * (np.eye(x.shape[1], dtype=x.dtype) - s[:, None, :])
    return 2 * (jacobian @ G[:, :, None])[:, :, 0]


def log(x):
    return np.log(x)


def log_back(G, x):
    return G / x


def log_of_result(G, x):
    """Divides by the result instead of the input."""
    return G / np.log(x)


def cross_entropy_rows(x, labels):
    """One cost a row: reduction none."""
    top = x.max(axis=1, keepdims=True)
    lse = np.log(np.exp(x - top).sum(axis=1)) + top[:, 0]
    return lse - x[np.arange(len(x)), labels]


def cross_entropy_rows_back(G, x, labels):
    d = softmax(x)
    d[np.arange(len(x)), labels] -= 1
    return G[:, None] * d, None


def cross_entropy_rows_averaged(G, x, labels):
    """Divides by the batch whatever the reduction, and reads the first upstream entry alone."""
    d = softmax(x)
    d[np.arange(len(x)), labels] -= 1
    return G[0] * d / len(x), None


def cross_entropy(x, labels):
    """The mean over the rows."""
    return cross_entropy_rows(x, labels).mean()


def cross_entropy_back(G, x, labels):
    d = softmax(x)
    d[np.arange(len(x)), labels] -= 1
    return G * d / len(x), None


def cross_entropy_summed(G, x, labels):
    """Forgets that the forward pass took the mean."""
    d = softmax(x)
    d[np.arange(len(x)), labels] -= 1
    return G * d, None


def two_sided(x, P):
    """Binary cross-entropy of every class, of a softmax."""
    s = softmax(x)
    return -(P * np.log(s) + (1 - P) * np.log(1 - s)).sum() / len(x)


def two_sided_back(G, x, P):
    s = softmax(x)
    by_s = ((1 - P) / (1 - s) - P / s) / len(x)
    return G * softmax_back(by_s, x), G * (np.log(1 - s) - np.log(s)) / len(x)


def two_sided_as_one(G, x, P):
    """s - P, which is the slope of another cost: that of cross-entropy alone."""
    return G * (softmax(x) - P) / len(x), two_sided_back(G, x, P)[1]


# ---- losses that leave the upstream gradient out


BLANK, PATH = 0, [0, 1, 0, 2, 0]


def _ways_in(p):
    """How much comes into each state of the path at each time, and what leaves the last."""
    came = np.zeros((len(p), len(PATH)), p.dtype)
    came[0, :2] = 1
    a = came[0] * p[0, PATH]
    for t in range(1, len(p)):
        came[t] = a
        came[t, 1:] += a[:-1]
        came[t, 3] += a[1]
        a = came[t] * p[t, PATH]
    return came, a[-1] + a[-2]


def ctc(p):
    """Connectionist temporal classification of the labels 1, 2, by the sum over all alignments."""
    return -np.log(_ways_in(p)[1])


def ctc_back(G, p):
    return G * _ctc_slope(p)


def _ctc_slope(p):
    came, total = _ways_in(p)
    left = np.zeros_like(came)
    left[-1, -2:] = 1
    for t in range(len(p) - 1, 0, -1):
        q = left[t] * p[t, PATH]
        left[t - 1] = q
        left[t - 1, :-1] += q[1:]
        left[t - 1, 1] += q[3]
    found = np.zeros_like(p)
    for i, label in enumerate(PATH):
        found[:, label] -= came[:, i] * left[:, i] / total
    return found


def ctc_without_upstream(G, p):
    """The gradient of the loss itself: wrong as soon as the loss is scaled."""
    return _ctc_slope(p)


def huber(x):
    return np.where(np.abs(x) <= 1, 0.5 * x**2, np.abs(x) - 0.5).sum()


def huber_back(G, x):
    return G * np.clip(x, -1, 1)


def huber_without_upstream(G, x):
    """0 times this loss still has a gradient."""
    return np.where(np.abs(x) <= 1, x, np.sign(x))


def prod(x):
    return np.prod(x, axis=1)


def prod_back(G, x):
    others = [np.prod(np.delete(x, j, axis=1), axis=1) for j in range(x.shape[1])]
    return G[:, None] * np.stack(others, axis=1)


def prod_without_upstream(G, x):
    """-prod(x) gets the gradient of prod(x)."""
    return np.prod(x, axis=1)[:, None] / x


# ---- how the upstream gradient lies in memory


def cube(x):
    return x * x * x


def cube_back(G, x):
    return 3 * x * x * G


def cube_by_strides(G, x):
    """Reads the upstream gradient with the strides of x: right if both lie alike."""
    G = np.lib.stride_tricks.as_strided(G, x.shape, x.strides)
    return 3 * x * x * G


def attention(q, k, v):
    """One head, every query sees every key."""
    return softmax(q @ k.T / math.sqrt(q.shape[1])) @ v


def attention_back(G, q, k, v):
    return _attention_back(G, q, k, v, softmax(q @ k.T / math.sqrt(q.shape[1])))


def _attention_back(G, q, k, v, a):
    scale = 1 / math.sqrt(q.shape[1])
    da = G @ v.T
    ds = a * (da - (da * a).sum(axis=1, keepdims=True)) * scale
    return ds @ k, ds.T @ q, a.T @ G


def attention_contiguous(G, q, k, v):
    """Takes it that rows of the upstream gradient lie one after the other."""
    size = G.itemsize
    G = np.lib.stride_tricks.as_strided(G, G.shape, (G.shape[1] * size, size))
    return attention_back(G, q, k, v)


def attention_always_causal(G, q, k, v):
    """The forward pass has a switch for the mask; the backward pass always masks."""
    s = q @ k.T / math.sqrt(q.shape[1])
    s = np.where(np.tril(np.ones(s.shape)) == 1, s, -1e30)
    return _attention_back(G, q, k, v, softmax(s))


# ---- norms


def layer_norm(x, w, b):
    c = x - x.mean(axis=-1, keepdims=True)
    return c / np.sqrt((c * c).mean(axis=-1, keepdims=True) + 1e-5) * w + b


def _normed(x):
    c = x - x.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt((c * c).mean(axis=-1, keepdims=True) + 1e-5)
    return c * r, r


def layer_norm_back(G, x, w, b):
    n, r = _normed(x)
    g = G * w
    dx = r * (g - g.mean(axis=-1, keepdims=True) - n * (g * n).mean(axis=-1, keepdims=True))
    axes = tuple(range(x.ndim - 1))
    return dx, (G * n).sum(axis=axes), G.sum(axis=axes)


def layer_norm_of_matrices(G, x, w, b):
    """Takes shape[0] for the number of rows: of (batch, time, hidden) most rows stay 0."""
    hidden = x.shape[-1]
    flat, upstream = x.reshape(-1, hidden), G.reshape(-1, hidden)
    dx, dw, db = np.zeros_like(flat), np.zeros_like(w), np.zeros_like(b)
    for i in range(x.shape[0]):
        n, r = _normed(flat[i])
        g = upstream[i] * w
        dx[i] = r * (g - g.mean() - n * (g * n).mean())
        dw += upstream[i] * n
        db += upstream[i]
    return dx.reshape(x.shape), dw, db


def batch_norm(x, w, b):
    c = x - x.mean(axis=0)
    return c / np.sqrt((c * c).mean(axis=0) + 1e-5) * w + b


def batch_norm_back(G, x, w, b):
    m = len(x)
    c = x - x.mean(axis=0)
    r = 1 / np.sqrt((c * c).mean(axis=0) + 1e-5)
    g = G * w
    dx = r / m * (m * g - g.sum(axis=0) - c * r * r * (g * c).sum(axis=0))
    return dx, (G * c * r).sum(axis=0), G.sum(axis=0)


def batch_norm_with_a_term_more(G, x, w, b):
    """Adds to the mean's slope a path through the variance, divided by the batch twice."""
    m = len(x)
    c = x - x.mean(axis=0)
    r = 1 / np.sqrt((c * c).mean(axis=0) + 1e-5)
    g = G * w
    dvar = (g * c).sum(axis=0) * -0.5 * r**3
    dmean = -(g * r).sum(axis=0) + dvar * -2 * x.sum(axis=0) / m
    dx = g * r + dvar * 2 * c / m + dmean / m
    return dx, (G * c * r).sum(axis=0), G.sum(axis=0)


# ---- activations


def gelu(x):
    """x times the normal distribution."""
    phi = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x.ravel()], x.dtype)
    return x * phi.reshape(x.shape)


def gelu_back(G, x):
    phi = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x.ravel()], x.dtype)
    return G * (phi.reshape(x.shape) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def gelu_of_tanh(G, x):
    """The slope of the approximation by tanh, while forward computes the other one."""
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return G * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x))


def gelu_of_sigmoid(G, x):
    """The slope of x sigma(1.702 x), a coarser approximation than forward's."""
    s = 1 / (1 + np.exp(-1.702 * x))
    return G * (s + 1.702 * x * s * (1 - s))


def tanh(x):
    return np.tanh(x)


def tanh_by_exp(x):
    return 2 / (1 + np.exp(-2 * x)) - 1


def tanh_back(G, x):
    return G / np.cosh(x) ** 2


def tanh_of_result(G, x):
    """The usual form, right as far as 1 - y^2 keeps digits."""
    y = np.tanh(x)
    return G * (1 - y * y)


def tanh_without_square(G, x):
    """1 - tanh for 1 - tanh^2, unnoticed for years."""
    return G * (1 - np.tanh(x))


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def sigmoid_back(G, x):
    e = np.exp(-np.abs(x))
    return G * e / (1 + e) ** 2


def sigmoid_with_exp(G, x):
    """s s exp(-x): 0 times infinity for a large negative x."""
    s = 1 / (1 + np.exp(-x))
    return G * s * s * np.exp(-x)


def steep(x):
    """The sigmoid of slope 25 that stands in for a spike."""
    return sigmoid(25 * x)


def steep_back(G, x):
    return 25 * sigmoid_back(G, 25 * x)


def steep_with_a_square(G, x):
    """e / (1 + e)^2 with e = exp(-25 x): the square overflows long before the slope is 0."""
    e = np.exp(-25 * x)
    return G * 25 * e / (1 + e) ** 2


# ---- batches, broadcasting, gathering


def center_loss(x, labels, centers):
    return 0.5 * np.square(x - centers[labels]).sum() / len(x)


def center_loss_back(G, x, labels, centers):
    d = G * (x - centers[labels]) / len(x)
    by_centers = np.zeros_like(centers)
    np.add.at(by_centers, labels, -d)
    return d, None, by_centers


def center_loss_summed(G, x, labels, centers):
    """Is not divided by the batch, as forward is."""
    d = G * (x - centers[labels])
    by_centers = np.zeros_like(centers)
    np.add.at(by_centers, labels, -d)
    return d, None, by_centers


def center_loss_last_one(G, x, labels, centers):
    """centers[labels] -= d: of rows with the same label only one is counted."""
    d = G * (x - centers[labels]) / len(x)
    by_centers = np.zeros_like(centers)
    by_centers[labels] -= d
    return d, None, by_centers


def add(x, b):
    return x + b


def add_back(G, x, b):
    return G, G.sum(axis=0)


def add_not_summed(G, x, b):
    """Hands the upstream gradient on to both, although b was broadcast."""
    return G, G.copy()


def dropout(x, W, mask):
    """Half of the entries kept, which the mask says; then a layer."""
    return (x * mask * 2) @ W


def dropout_back(G, x, W, mask):
    return (G @ W.T) * mask * 2, (x * mask * 2).T @ G, None


def dropout_without_mask(G, x, W, mask):
    """The wrapper's backward pass goes on as if nothing had been dropped."""
    return G @ W.T, (x * mask * 2).T @ G, None


def gather(ids, W):
    return W[ids]


def gather_back(G, ids, W):
    found = np.zeros_like(W)
    np.add.at(found, ids, G)
    return None, found


def gather_by_narrow_offsets(G, ids, W):
    """Offsets in an integer that is too narrow; 8 bits here, where the kernel had 32."""
    units = W.shape[1]
    found = np.zeros_like(W).ravel()
    offsets = (ids * units).astype(np.int8)
    np.add.at(found, offsets[:, None] + np.arange(units), G)
    return None, found.reshape(W.shape)


# ---- a linear support vector machine


DECAY = 0.125


def hinge(X, labels, W):
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(len(X)), labels][:, None] + 1)
    margins[np.arange(len(X)), labels] = 0
    return margins.sum() / len(X) + DECAY * (W * W).sum()


def _margins(X, labels, W):
    scores = X @ W
    return scores - scores[np.arange(len(X)), labels][:, None] + 1


def hinge_back(G, X, labels, W):
    mask = (_margins(X, labels, W) > 0).astype(X.dtype)
    mask[np.arange(len(X)), labels] = 0
    mask[np.arange(len(X)), labels] -= mask.sum(axis=1)
    return G * mask @ W.T / len(X), None, G * (X.T @ mask / len(X) + 2 * DECAY * W)


def hinge_decay_halved(G, X, labels, W):
    """DECAY W as the slope of DECAY W^2."""
    by_X, _, by_W = hinge_back(G, X, labels, W)
    return by_X, None, by_W - G * DECAY * W


def hinge_assigned(G, X, labels, W):
    """'=' where '-=' belongs, in the entries of the right class."""
    mask = (_margins(X, labels, W) > 0).astype(X.dtype)
    mask[np.arange(len(X)), labels] = mask.sum(axis=1)
    return G * mask @ W.T / len(X), None, G * (X.T @ mask / len(X) + 2 * DECAY * W)


# ---- recurrence, probability


def _gate(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, W, b):
    """All outputs of an LSTM of one sequence."""
    return np.stack([h for *_, h in _lstm_states(x, W, b)])


def _lstm_states(x, W, b):
    units = len(b) // 4
    h = c = np.zeros(units, x.dtype)
    states = []
    for row in x:
        z = np.concatenate([row, h])
        f, i, o, g = np.split(z @ W + b, 4)
        f, i, o, g, before = _gate(f), _gate(i), _gate(o), np.tanh(g), c
        c = f * before + i * g
        h = o * np.tanh(c)
        states.append((z, f, i, o, g, before, c, h))
    return states


def _lstm_back(G, x, W, b, squashed=np.tanh, handed_on=1):
    features, units = x.shape[1], len(b) // 4
    by_x, by_W, by_b = np.zeros_like(x), np.zeros_like(W), np.zeros_like(b)
    dh_next = dc_next = np.zeros(units, x.dtype)
    states = _lstm_states(x, W, b)
    for t in range(len(x) - 1, -1, -1):
        z, f, i, o, g, before, c, _ = states[t]
        dh = G[t] + handed_on * dh_next
        dc = dc_next + dh * o * (1 - squashed(c) ** 2)
        parts = [dc * before * f * (1 - f), dc * g * i * (1 - i), dh * np.tanh(c) * o * (1 - o)]
        d = np.concatenate([*parts, dc * i * (1 - g * g)])
        by_W += np.outer(z, d)
        by_b += d
        by_x[t], dh_next = np.split(W @ d, [features])
        dc_next = dc * f
    return by_x, by_W, by_b


def lstm_back(G, x, W, b):
    return _lstm_back(G, x, W, b)


def lstm_tanh_of_tanh(G, x, W, b):
    """Takes tanh of what is tanh(c) already."""
    return _lstm_back(G, x, W, b, squashed=lambda c: np.tanh(np.tanh(c)))


def lstm_not_handed_on(G, x, W, b):
    """Leaves out what the next step sends back through h."""
    return _lstm_back(G, x, W, b, handed_on=0)


def normal(x, cov):
    """The log-density of two normal numbers, but for a constant."""
    det = cov[0, 0] * cov[1, 1] - cov[0, 1] * cov[1, 0]
    a = _inverse(cov) @ x
    return -0.5 * (np.log(det) + x @ a)


def _inverse(cov):
    det = cov[0, 0] * cov[1, 1] - cov[0, 1] * cov[1, 0]
    return np.array([[cov[1, 1], -cov[0, 1]], [-cov[1, 0], cov[0, 0]]]) / det


def normal_back(G, x, cov):
    inv = _inverse(cov)
    a = inv.T @ x
    by_x = -0.5 * (inv @ x + a)
    return G * by_x, G * 0.5 * (np.outer(a, inv @ x) - inv.T)


def normal_wrong_sign(G, x, cov):
    """The sign of the covariance's gradient; a typo had kept its test from running."""
    by_x, by_cov = normal_back(G, x, cov)
    return by_x, -by_cov


# ---- scalars that remember what they were made of


class Scalar:
    """One number, what it was made of, and the slope of each; its gradient adds up."""

    def __init__(self, data, parts=()):
        self.data, self.parts, self.grad = data, parts, 0.0

    def __add__(self, other):
        return Scalar(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return Scalar(self.data * other.data, ((self, other.data), (other, self.data)))

    def tanh(self):
        t = np.tanh(self.data)
        return Scalar(t, ((self, 1 - t * t),))


def neuron(x, w, b):
    """t t + t of t = tanh(x w + b): t is used three times."""
    t = np.tanh(x @ w + b)
    return t * t + t


def _graph(x, w, b):
    xs, ws, bias = [Scalar(v) for v in x], [Scalar(v) for v in w], Scalar(b)
    z = bias
    for one, weight in zip(xs, ws, strict=True):
        z = z + one * weight
    t = z.tanh()
    return t * t + t, xs, ws, bias


def _grads(xs, ws, bias):
    return np.array([s.grad for s in xs]), np.array([s.grad for s in ws]), bias.grad


def neuron_back(G, x, w, b):
    out, *leaves = _graph(x, w, b)
    order = []

    def visit(s):
        if s not in order:
            for part, _ in s.parts:
                visit(part)
            order.append(s)

    visit(out)
    out.grad = G
    for s in reversed(order):
        for part, slope in s.parts:
            part.grad = part.grad + slope * s.grad
    return _grads(*leaves)


def neuron_by_recursion(G, x, w, b):
    """Sends a number's whole gradient on at each of its uses, not once when it is complete."""
    out, *leaves = _graph(x, w, b)

    def send(s):
        for part, slope in s.parts:
            part.grad = part.grad + slope * s.grad
            send(part)

    out.grad = G
    send(out)
    return _grads(*leaves)


class KeepsHiddenGradients:
    """Between two calls zeroes what belongs to parameters; the hidden unit's gradient stays."""

    def __init__(self):
        self.hidden = 0.0

    def __call__(self, G, x, w, b):
        t = np.tanh(x @ w + b)
        self.hidden = self.hidden + G * (2 * t + 1)
        d = self.hidden * (1 - t * t)
        return d * w, d * x, d


# ---- what finite differences and tuned tolerances judged falsely


LIMIT = 1.5


def renorm(x):
    """Rows that are longer than LIMIT are cut to it."""
    length = np.sqrt((x * x).sum(axis=1, keepdims=True))
    return np.where(length > LIMIT, x * LIMIT / length, x)


def renorm_back(G, x):
    length = np.sqrt((x * x).sum(axis=1, keepdims=True))
    along = (G * x).sum(axis=1, keepdims=True) / length**2
    return np.where(length > LIMIT, LIMIT / length * (G - x * along), G)


def renorm_as_constant(G, x):
    """Takes the length for a constant."""
    length = np.sqrt((x * x).sum(axis=1, keepdims=True))
    return np.where(length > LIMIT, LIMIT / length * G, G)


def circular(x, w):
    """Circular convolution."""
    n = len(x)
    return np.stack([sum(x[j] * w[(i - j) % n] for j in range(n)) for i in range(n)])


def circular_back(G, x, w):
    n = len(x)
    by_x = [sum(G[i] * w[(i - j) % n] for i in range(n)) for j in range(n)]
    by_w = [sum(G[i] * x[(i - j) % n] for i in range(n)) for j in range(n)]
    return np.stack(by_x), np.stack(by_w)


def circular_turned(G, x, w):
    """Convolves where it should correlate: the same thing if the upstream gradient is all 1."""
    return circular(G, w), circular(G, x)


def cumprod(x):
    return np.cumprod(x)


def cumprod_back(G, x):
    found = np.zeros_like(x)
    for j in range(len(x)):
        others = x.copy()
        others[j] = 1
        found[j] = (G * np.cumprod(others))[j:].sum()
    return found


def ordered(x):
    return np.sort(x)


def ordered_back(G, x):
    found = np.empty_like(G)
    found[np.argsort(x)] = G
    return found


def dot(x, w):
    return x @ w


def dot_back(G, x, w):
    return G * w, G * x


def relu(x):
    return np.maximum(x, 0)


def relu_back(G, x):
    return G * (x > 0)


def relu_back_at_zero(G, x):
    return np.where(x >= 0, G, 0)


def relu_back_halved_at_zero(G, x):
    return G * np.heaviside(x, 0.5)
