"""Problem, Chain, and the names and shapes of the links; and how the numbers lie in memory.

Shapes  X (N, D) inputs; W (D, K) weights; P (N, K) labels; h a scalar, the step size. A stack of B
        problems has a first axis more: X (B, N, D), W (B, D, K), P (B, N, K), h (B, 1, 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from verify.errors import UsageError
from verify.network.given import called_with, is_state, kept, require_rows
from verify.network.network import POST, Network
from verify.numbers import dtypes
from verify.numbers.rounding import MODELS, Array

DTYPES = ("float32", "float64")  # of a case that names none

LEAK = 0.01  # leaky-relu's slope, and torch's

# Of the post's network; a link is computed from those before it.
LINKS = POST.links


@dataclass(frozen=True, eq=False)
class Problem:
    """Inputs, parameters, labels and step size, all of one dtype; or a stack of such problems.

    `state` is what the network's update keeps from step to step, 0 where it is not given, and `t`
    the number of the step.

    `parameters` are the weights and biases by their names in the network; of the post's network the
    weights alone will do. `P` are the labels, or the upstream gradient G where the network's cost
    is one.

    Shapes  X (N, D); weights of a layer (inputs, units), its bias (units,), from D inputs to K
            classes; P (N, K), h (). Of an embedding X is int64, and weights (V, E) give D E units.
            Of a stack of the post's (B, N, D), (B, D, K), (B, N, K), (B, 1, 1).
    Raises  UsageError when shapes do not fit together or the dtypes are not one of MODELS.
    """

    X: Array
    parameters: Any
    P: Array
    h: Any
    network: Network = POST
    state: Any = None
    t: int = 1

    def __post_init__(self) -> None:
        given = self.parameters
        if not isinstance(given, Mapping):
            given = {self.network.parameters[0]: given}
        object.__setattr__(self, "parameters", MappingProxyType(dict(given)))
        if tuple(given) != self.network.parameters:
            raise UsageError(
                f"the parameters are {', '.join(given) or 'none'}; the network has"
                f" {', '.join(self.network.parameters) or 'none'}, in this order"
            )
        self._require_fitting()
        of = {name: given[name[1:]] for name in self.network.state}
        object.__setattr__(self, "state", MappingProxyType(kept(of, self.state or {}, self.t)))
        arrays = {"X": self.X, **given, "P": self.P, **self.state, "h": self.h}
        if self.network.embeds:
            require_rows(arrays.pop("X"), given, self.network.weights[0])
        found = {str(np.asarray(a).dtype) for a in arrays.values()}
        if len(found) > 1 or not found <= MODELS.keys():
            raise UsageError(
                f"{', '.join(list(arrays)[:-1])} and h have dtypes {', '.join(sorted(found))};"
                f" all share one of {', '.join(MODELS)}"
            )

    def _require_fitting(self) -> None:
        """Raise unless every layer takes what the one before gives, and P has the last's shape."""
        X, P = np.shape(self.X), np.shape(self.P)
        stack, units = X[:-2], X[-1:]
        fit = len(X) == len(P) in (2, 3) and 0 not in X + P
        for name, shape in ((n, np.shape(a)) for n, a in self.parameters.items()):
            if self.network.embeds and name == self.network.weights[0]:
                fit &= shape[:-2] == stack and len(shape) == len(X) and 0 not in shape
                units = (X[-1] * shape[-1],)
            elif name.startswith("W"):
                fit &= shape[:-2] == stack and shape[-2:-1] == units and 0 not in shape
                units = shape[-1:]
            else:
                fit &= shape == units
        if not fit or P[:-2] != stack or P[-2:] != (*X[-2:-1], *units):
            told = " ".join(f"{n} {np.shape(a)}," for n, a in self.parameters.items())
            what = "X is (N, D), W (D, K), P (N, K)" if self.network == POST else (
                "X is (N, D), the weights of a layer (inputs, units), its bias (units,), P (N, K)"
            )  # fmt: skip
            raise UsageError(f"X {X}, {told} and P {P} do not fit; {what}, no size 0")

    def __getattr__(self, name: str) -> Array:
        """A parameter by its name, or what is kept of one: problem.W, problem.b2, problem.vW1."""
        if not name.startswith("_"):
            for arrays in (self.parameters, self.state or {}):
                if name in arrays:
                    array: Array = arrays[name]
                    return array
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def having(self, **numbers: Any) -> Problem:
        """The same problem with other numbers by their names: parameters, state, X, P, h, t.

        Shapes  as Problem.
        """
        own = {name: numbers.pop(name) for name in ("X", "P", "h", "t") if name in numbers}
        state = {name: numbers.pop(name, a) for name, a in self.state.items()}
        return replace(self, **own, parameters={**self.parameters, **numbers}, state=state)

    def rows(self, some: Any) -> Problem:
        """The problem of some rows, by what indexes them.

        Shapes  X (n, D), P (n, K); the parameters as they are.
        """
        return replace(self, X=self.X[some], P=self.P[some])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.P.dtype

    @property
    def of_post(self) -> bool:
        """Whether the post's own bounds hold, and convexity says how far C may fall."""
        return of_post(self.network, str(self.dtype))

    @property
    def sizes(self) -> dict[str, int]:
        return {"N": self.X.shape[-2], "D": self.X.shape[-1], "K": self.P.shape[-1]}

    @property
    def work(self) -> int:
        """Multiplications of one pass through the weights: N D K."""
        rows = self.X.size // self.X.shape[-1]
        weights = (self.parameters[name] for name in self.network.weights)
        stack = rows // self.X.shape[-2]
        return int(rows * sum(W.size // stack for W in weights))

    @property
    def arrays(self) -> dict[str, Array]:
        """X, the parameters, P or G, and state, by name: what somebody is given, with h and t."""
        labels = "G" if self.network.cost == "upstream" else "P"
        return {"X": self.X, **self.parameters, labels: self.P, **self.state}

    @property
    def trained(self) -> dict[str, Any]:
        """What a step changes: the parameters, what the update keeps of them, and t with it."""
        t = {"t": self.t} if self.network.state else {}
        return {**self.parameters, **self.state, **t}

    @property
    def given(self) -> dict[str, Any]:
        """What a function is called with, by name, in this order: the arrays, with h before what
        the update keeps, and t after it.

        Shapes  as Problem.
        """
        h = {"h": np.asarray(self.h)[()]} if self.network.trains else {}
        return called_with(self.arrays, h, self.t if self.network.state else None)

    @property
    def numbers(self) -> dict[str, Any]:
        """All that the network's formulas are computed from, by name.

        `N` is what the reduction divides by; the constants are the dtype's nearest numbers.

        Shapes  as Problem.
        """
        N, _, K = self.sizes.values()
        divisor = {"rows": N, "sum": 1, "mean": N * K}[self.network.reduction]
        kind = self.dtype.type
        found = {**self.arrays, "h": self.h, "N": divisor}
        found |= {"t": self.t} if self.network.state else {}
        return found | {name: kind(number) for name, number in self.constants.items()}

    @property
    def constants(self) -> dict[str, float]:
        """The numbers that a formula names, of which a program may hold more digits or fewer."""
        network = self.network
        of_update = network.update.constants if network.state else {}
        return {"leak": LEAK, "decay": network.weight_decay, **network.epsilons, **of_update}

    def shape(self, link: str) -> tuple[int, ...]:
        """The shape that a link has.

        Shapes  a link of the network, or dC_dX.
        """
        lengths = self._lengths
        return (*self.X.shape[:-2], *(lengths[axis] for axis in self.network.axes(link)))

    @cached_property
    def _lengths(self) -> dict[str, int]:
        """N, D, and the units of each layer by its number."""
        found, units = {"N": self.X.shape[-2], "D": self.X.shape[-1]}, self.X.shape[-1]
        for i, names in enumerate(self.network.names):
            if self.network.layers[i].embedding:
                found["V"], found["E"] = self.parameters[names["W"]].shape[-2:]
                units = units * found["E"]
            elif self.network.layers[i].weights:
                units = self.parameters[names["W"]].shape[-1]
            found[str(i + 1)] = units
        return found

    def at(self, i: int) -> Problem:
        """Problem i of a stack.

        Shapes  as one problem.
        """
        parameters = {name: a[i] for name, a in self.parameters.items()}
        return replace(self, X=self.X[i], parameters=parameters, P=self.P[i], h=self.h[i, 0, 0])


def of_post(network: Network, dtype: str) -> bool:
    """Whether it is the post's network, in a dtype that its bounds are derived for by hand."""
    return network == POST and dtype not in dtypes.SIXTEEN


def sought(names: Iterable[str]) -> list[str]:
    """What of a problem's numbers a gradient is asked by: weights and biases, or X without any."""
    names = list(names)
    return [n for n in names if n not in ("X", "P", "G", "h") and not is_state(n)] or ["X"]


_LINK = re.compile(r"C|y\d*|y_o\d*|dC_d\w+|dy_o\d*_dy\d*|[mv]?(W|b|gamma|beta)\d*_next")


class Chain(Mapping[str, Any]):
    """The links of one evaluation, by their names: chain["y"] or chain.y.

    The post's links come in the post's order, those of other networks as they are given. A link
    that its maker does not give is left out; as an attribute it is None.

    Shapes  of the post's network y, y_o, dC_dy_o, dy_o_dy, dC_dy (N, K); dC_dW, W_next (D, K);
            C (). Of any network those of Problem.shape.
    Units   C in nats a row.
    """

    def __init__(self, *posts: Any, **links: Any) -> None:
        given = {**dict(zip(LINKS, posts, strict=False)), **links}
        if len(posts) > len(LINKS):
            raise TypeError(f"{len(posts)} links by their order; the post has {len(LINKS)}")
        for name in given:
            if not _LINK.fullmatch(name):
                raise TypeError(f"{name} is no link; the post's are {', '.join(LINKS)}")
        names = [name for name in LINKS if name in given] if given.keys() <= set(LINKS) else given
        self._links = {name: given[name] for name in names if given[name] is not None}

    def __getitem__(self, link: str) -> Any:
        return self._links[link]

    def __getattr__(self, link: str) -> Any:
        if link.startswith("_") or not _LINK.fullmatch(link):
            raise AttributeError(f"{type(self).__name__} has no {link}")
        return self._links.get(link)

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)

    def __or__(self, links: Mapping[str, Any]) -> Chain:
        """The same with other links in their places, or more of them."""
        return Chain(**{**self._links, **links})

    def __repr__(self) -> str:
        return f"Chain({', '.join(self._links)})"

    def at(self, i: int) -> Chain:
        """The links of problem i of a stack.

        Shapes  as one problem's.
        """
        return Chain(**{link: value[i] for link, value in self.items()})


Implementation: TypeAlias = Callable[[Problem], Chain]


PAGE = 4096  # bytes: what begins at one is aligned for every kernel
_ALIGNED = 64  # bytes: kernels choose their order of summation by it, and bits are compared


def laid_out(X: Array, layout: str) -> Array:
    """A copy of X in C order, in Fortran order, or as every second column of a wider array.

    Shapes  X (N, D) gives (N, D).
    """
    if layout == "strided":
        wide = np.zeros((X.shape[0], 2 * X.shape[1]), X.dtype)
        wide[:, ::2] = X
        return wide[:, ::2]
    return np.array(X, order="F" if layout == "F" else "C")


def same_layout(values: Array, like: Array) -> Array:
    """A copy of `values` with the strides of `like` and its alignment to 64 bytes.

    Kernels choose their order of summation by both, and bits are compared.

    Shapes  values and like have the same.
    """
    place, reach = placed(like, "", 0)
    memory = np.empty(reach + _ALIGNED, np.uint8)
    start = (like.ctypes.data - place.offset - memory.ctypes.data) % _ALIGNED
    copy = place.of(memory[start:].data)
    copy[...] = values
    return copy


def bits(array: Any) -> tuple[Any, ...]:
    """What two arrays have in common only if they are the same to the last bit."""
    array = np.asarray(array)
    return array.dtype, array.shape, array.tobytes()


@dataclass(frozen=True)
class Place:
    """Where an array lies in a block of memory; a block may hold several. Its dtype by name.

    Units   offset and strides in bytes, from the block's first.
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    writeable: bool = True

    def of(self, memory: Any) -> Array:
        """The array there."""
        dtype = dtypes.named(self.dtype)
        array: Array = np.ndarray(self.shape, dtype, memory, self.offset, self.strides)
        array.flags.writeable = self.writeable
        return array


def placed(like: Array, layout: str, start: int) -> tuple[Place, int]:
    """A place for an array from `start` on, and the end of what it reaches over.

    "F" is Fortran order, "strided" every second column of a wider array, "slice" the columns from
    the second on of a wider one, "reversed" rows and columns from the last to the first,
    "read-only" and "" the strides of `like` itself.

    Shapes  like (n, m), or (m,), of which each is as of one row.
    Units   start, end in bytes.
    """
    n, m, size = *(1, *like.shape)[-2:], like.itemsize
    strides, first, numbers = {
        "F": ((size, n * size), 0, n * m),
        "strided": ((2 * m * size, 2 * size), 0, 2 * n * m),
        "slice": (((m + 3) * size, size), size, n * (m + 3)),
        "reversed": ((-m * size, -size), (n * m - 1) * size, n * m),
    }.get(layout, (like.strides, 0, 0))
    if not numbers:
        reach = [(k - 1) * s for k, s in zip(like.shape, like.strides, strict=True)]
        first = -sum(r for r in reach if r < 0)
        numbers = sum(map(abs, reach)) // size + 1
    start = -(-start // _ALIGNED) * _ALIGNED
    lies = Place(
        like.dtype.name, like.shape, strides[-like.ndim :], start + first, layout != "read-only"
    )
    return lies, start + numbers * size
