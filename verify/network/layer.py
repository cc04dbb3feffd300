"""A layer of a network: what it computes, and the parameters that it has."""

from __future__ import annotations

from dataclasses import dataclass

from verify.network.links import ACTIVATIONS, SCALED, Activation
from verify.network.norms import EPSILON, NORMS


@dataclass(frozen=True)
class Layer:
    """y = x W + b and y_o = activation(y); without weights y_o = activation(x), and no y.

    Of a norm, `scaled` says that gamma and beta follow, and `epsilon` is added to the variance. A
    first layer may be an embedding: X holds row numbers of W, and y those rows, side by side.
    """

    activation: str = "sigmoid"
    bias: bool = False
    weights: bool = True
    scaled: bool = False
    epsilon: float = EPSILON
    embedding: bool = False

    def __post_init__(self) -> None:
        if self.bias and not self.weights:
            raise ValueError("a bias is added to x W: a layer without weights has none")
        if self.scaled and not self.normalises:
            raise ValueError(f"gamma and beta follow {' or '.join(NORMS)}, and nothing else")

    @property
    def normalises(self) -> bool:
        return self.activation in NORMS

    @property
    def vectors(self) -> tuple[str, ...]:
        """The parameters that have a number for each unit, as formulas call them."""
        return (*("b" * self.bias), *("gamma", "beta") * self.scaled)

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters, as formulas call them."""
        return (*("W" * self.weights), *self.vectors)

    @property
    def links(self) -> Activation:
        """The rows of the table of links for its y_o, and back."""
        return (SCALED if self.scaled else ACTIVATIONS)[self.activation]

    @property
    def told(self) -> str:
        """In a few words."""
        weights, bias = "" if self.weights else "no weights, ", "bias, " * self.bias
        embedding, norm = "embedding, " * self.embedding, ", gamma and beta" * self.scaled
        return f"{weights}{embedding}{bias}{self.activation}{norm}"
