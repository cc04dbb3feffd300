"""The table of updates: where a parameter goes from its gradient, in the forms that people use.

As in links: a form a line, plain NumPy, parameters by name. Of every parameter

    p g            itself, and the derivative of C by it
    m v            what the update keeps of the gradients before, all 0 at first
    h t            the step size, and the number of the step, from 1
    momentum       mu; of Adam
    share1 share2  beta1 and beta2, which would be confused with a norm's beta of layers 1 and 2
    eps            what is added to the root

With momentum v is the velocity, as torch.optim.SGD has it; of Adam m and v are the running means of
the gradients and of their squares. Gradient descent, which keeps nothing, stands among the links.

Source  D. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, with the
        efficient order of its section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from verify.network.links import Form, literal, other
from verify.numbers.number import power


@dataclass(frozen=True)
class Update:
    """How a step is taken; of the numbers only those of its kind count."""

    name: str = "gradient-descent"
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    @property
    def rule(self) -> Rule:
        return UPDATES[self.name]

    @property
    def constants(self) -> dict[str, float]:
        """The numbers that count, by their names in the formulas."""
        return {word: getattr(self, name) for word, name in self.rule.constants.items()}

    @property
    def memory(self) -> float:
        """Over how many steps an error of one goes on in what is kept."""
        slowest = {"momentum": self.momentum, "adam": max(self.beta1, self.beta2)}
        return 1 / (1 - slowest.get(self.name, 0.0))


DESCENT = Update()


@dataclass(frozen=True)
class Rule:
    """An update: its links in their order, and numbers on the way that no parameter has alone."""

    links: Mapping[str, tuple[Form, ...]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    state: tuple[str, ...] = ()
    inner: Mapping[str, tuple[Form, ...]] = field(default_factory=dict)

    def named(self, names: Mapping[str, str], p: str) -> dict[str, str]:
        """What the words of a formula are called, of a parameter of a layer."""
        kinds = {"p": p, **{kind: f"{kind}{p}" for kind in self.state}}
        found = {word: names[own] for word, own in kinds.items()}
        found |= {f"{word}_next": names[f"{own}_next"] for word, own in kinds.items()}
        return found | {"g": names[f"dC_d{p}"]}


UPDATES: Mapping[str, Rule] = {
    "gradient-descent": Rule(),
    "momentum": Rule(
        {
            "v_next": literal(lambda momentum, v, g: momentum * v + g),
            "p_next": literal(lambda p, h, v_next: p - h * v_next)
            + other(lambda p, h, momentum, v, g: p - (h * momentum * v + h * g)),
        },
        constants={"momentum": "momentum"},
        state=("v",),
    ),
    "adam": Rule(
        {
            "m_next": literal(lambda share1, m, g: share1 * m + (1 - share1) * g)
            + other(lambda share1, m, g: m + (1 - share1) * (g - m)),
            "v_next": literal(lambda share2, v, g: share2 * v + (1 - share2) * np.square(g))
            + other(
                lambda share2, v, g: share2 * v + (1 - share2) * g * g,
                lambda share2, v, g: v + (1 - share2) * (np.square(g) - v),
            ),
            "p_next": literal(
                lambda p, h, m_next, v_next, correction1, correction2, eps: (
                    p - h * (m_next / correction1) / (np.sqrt(v_next / correction2) + eps)),
            ) + other(
                lambda p, h, m_next, v_next, correction1, correction2, eps: (
                    p - h / correction1
                    * (m_next / (np.sqrt(v_next) / np.sqrt(correction2) + eps))),
                lambda p, h, m_next, v_next, correction1, correction2, eps: (
                    p - h * np.sqrt(correction2) / correction1
                    * (m_next / (np.sqrt(v_next) + eps * np.sqrt(correction2)))),
            ),
        },
        constants={"share1": "beta1", "share2": "beta2", "eps": "eps"},
        state=("m", "v"),
        inner={
            "correction1": literal(lambda share1, t: 1 - power(share1, t)),
            "correction2": literal(lambda share2, t: 1 - power(share2, t)),
        },
    ),
}  # fmt: skip
