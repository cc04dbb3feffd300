"""A function as people write it in NumPy, its backward pass by hand, and mistakes made in that.

A mistake is a place in the text of the right backward pass, and what is written there instead.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Backward: TypeAlias = Callable[..., Any]
"""From upstream, of the shape of the result, and the inputs: a gradient, or one for each input."""


@dataclass(frozen=True)
class Function:
    """forward(*inputs), backward(G, *inputs), and a draw of inputs by name.

    Each of `mistakes` is a name, a piece of the text of `backward` and what stands for it instead.
    An input of whole numbers has no gradient: None in its place.
    """

    name: str
    forward: Callable[..., Any]
    backward: Backward
    draw: Callable[[np.random.Generator], Mapping[str, Array]]
    mistakes: tuple[tuple[str, str, str], ...]

    def inputs(self, dtype: str, seed: int = 0) -> dict[str, Array]:
        """Small inputs by name, the same for a seed; whole numbers keep their own dtype."""
        drawn = self.draw(np.random.default_rng(seed))
        return {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in drawn.items()}

    def mistaken(self) -> dict[str, Backward]:
        """The backward passes with a mistake, by its name.

        Raises  ValueError where a mistake's place is not one place of the right backward pass.
        """
        text = inspect.getsource(self.backward)
        found = {}
        for name, right, wrong in self.mistakes:
            if text.count(right) != 1:
                raise ValueError(f"{self.name}: {name}: {right!r} is not in backward just once")
            known = dict(self.backward.__globals__)
            exec(compile(text.replace(right, wrong), f"<{self.name}: {name}>", "exec"), known)
            found[name] = known[self.backward.__name__]
        return found
