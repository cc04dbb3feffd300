"""Layer norm and batch norm: their formulas, forward and back, as people write them.

    layer-norm   over the units of each row
    batch-norm   over the rows of the batch, unit by unit, as in training

c = y - mean(y), s = sqrt(mean(c^2) + epsilon), x = c / s, and y_o = x, or y_o = gamma x + beta. The
variance is biased, and of the centred numbers: as mean(y^2) - mean(y)^2 it loses every digit where
the mean is large beside the deviation, so that this is no form of it.

Back, with the derivative g by x, over the n numbers that are normalised together:

    dC_dy = (g - mean(g) - x mean(g x)) / s

Where the two forms of x differ by a rounding, what is computed from it takes the one that rounds
once more; its bound has room for the other.

Source  J. L. Ba and others, "Layer Normalization", arXiv 1607.06450; S. Ioffe and C. Szegedy,
        "Batch Normalization", arXiv 1502.03167.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from verify.numbers.number import fixed

Back: TypeAlias = Callable[[Any, Any, Any, Any], Any]
"""(y, x, g, epsilon) -> dC_dy"""

EPSILON = 1e-5  # where a layer says no other, and torch's


@dataclass(frozen=True)
class Norm:
    """The formulas of what is normalised over an axis: -1, the units, or -2, the rows."""

    axis: int

    def quotient(self, y: Any, epsilon: Any) -> Any:
        """c / s.

        Shapes  (N, K) gives (N, K).
        """
        return self.centred(y) / self.deviation(y, epsilon)

    def product(self, y: Any, epsilon: Any) -> Any:
        """c times 1 / s, which rounds once more.

        Shapes  (N, K) gives (N, K).
        """
        return self.centred(y) * (1 / self.deviation(y, epsilon))

    def shifted(self, y: Any, epsilon: Any, gamma: Any = 1, beta: Any = 0) -> Any:
        """y (gamma / s), and beta less mean (gamma / s) added, as kernels have it.

        1 / s is held where y and its mean cancel: with its error it multiplies c alone.

        Shapes  (N, K) gives (N, K).
        """
        inverse = 1 / self.deviation(y, epsilon)
        scale = gamma * fixed(inverse)
        shifted = y * scale + (beta - self.mean(y) * scale)
        return shifted + gamma * (self.centred(y) * (inverse - fixed(inverse)))

    @property
    def back(self) -> tuple[Callable[..., Any], ...]:
        """dC_dy by each formula: of y, dC_dy_o and epsilon."""

        def of_y(way: Back) -> Callable[..., Any]:
            return lambda y, dC_dy_o, epsilon: way(y, self.product(y, epsilon), dC_dy_o, epsilon)

        return tuple(map(of_y, self._ways))

    @property
    def back_from_y_o(self) -> tuple[Callable[..., Any], ...]:
        """The same by the formulas that take x, which is y_o."""

        def of_y_o(way: Back) -> Callable[..., Any]:
            return lambda y, y_o, dC_dy_o, epsilon: way(y, y_o, dC_dy_o, epsilon)

        return tuple(map(of_y_o, self._ways[:3]))

    @property
    def back_scaled(self) -> tuple[Callable[..., Any], ...]:
        """The same where gamma follows; along the rows it is one number, which may come last."""

        def first(way: Back) -> Callable[..., Any]:
            return lambda y, dC_dy_o, epsilon, gamma: way(
                y, self.product(y, epsilon), gamma * dC_dy_o, epsilon
            )

        def last(way: Back) -> Callable[..., Any]:
            return lambda y, dC_dy_o, epsilon, gamma: (
                gamma * way(y, self.product(y, epsilon), dC_dy_o, epsilon)
            )

        return (*map(first, self._ways), *(map(last, self._ways) if self.axis == -2 else ()))

    @property
    def _ways(self) -> tuple[Back, ...]:
        return (
            self._by_means, self._by_their_sum, self._by_sums, self._by_variance, self._by_parts,
        )  # fmt: skip

    def mean(self, a: Any) -> Any:
        """Of what is normalised together.

        Shapes  (N, K) gives (N, 1) or (1, K).
        """
        return a.mean(axis=self.axis, keepdims=True)

    def sum(self, a: Any) -> Any:
        """The same, not divided.

        Shapes  (N, K) gives (N, 1) or (1, K).
        """
        return a.sum(axis=self.axis, keepdims=True)

    def centred(self, y: Any) -> Any:
        """c.

        Shapes  (N, K) gives (N, K).
        """
        return y - self.mean(y)

    def deviation(self, y: Any, epsilon: Any) -> Any:
        """s.

        Shapes  (N, K) gives (N, 1) or (1, K).
        """
        return np.sqrt(self.mean(np.square(self.centred(y))) + epsilon)

    def _by_means(self, y: Any, x: Any, g: Any, epsilon: Any) -> Any:
        return (g - self.mean(g) - x * self.mean(g * x)) * (1 / self.deviation(y, epsilon))

    def _by_their_sum(self, y: Any, x: Any, g: Any, epsilon: Any) -> Any:
        return (g - (self.mean(g) + x * self.mean(g * x))) * (1 / self.deviation(y, epsilon))

    def _by_sums(self, y: Any, x: Any, g: Any, epsilon: Any) -> Any:
        n = y.shape[self.axis]
        within = n * g - self.sum(g) - x * self.sum(g * x)
        return 1 / (n * self.deviation(y, epsilon)) * within

    def _by_variance(self, y: Any, _x: Any, g: Any, epsilon: Any) -> Any:
        """Through the variance, then the mean, as a graph of single operations goes back."""
        n, c, s = y.shape[self.axis], self.centred(y), self.deviation(y, epsilon)
        by_variance = -0.5 * self.sum(g * c) / (s * s * s)
        by_c = g * (1 / s) + 2 * c * (by_variance / n)
        return by_c - self.sum(by_c) / n

    def _by_parts(self, y: Any, _x: Any, g: Any, epsilon: Any) -> Any:
        """The same, with the two ways to the mean apart."""
        n, c, s = y.shape[self.axis], self.centred(y), self.deviation(y, epsilon)
        by_variance = -0.5 * self.sum(g * c) / (s * s * s)
        by_mean = self.sum(-g / s) + by_variance * self.sum(-2 * c) / n
        return g / s + by_variance * 2 * c / n + by_mean / n


NORMS: Mapping[str, Norm] = {"layer-norm": Norm(-1), "batch-norm": Norm(-2)}
