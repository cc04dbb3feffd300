"""Any function in NumPy: its backward pass against the exact derivative of its forward pass.

There is no step size and no tolerance. `forward` is run in exact arithmetic and differentiated by
itself; that is the truth. `backward` is called with floats, and its own code is run in exact
arithmetic, too: so a mistake of mathematics is told from lost digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from verify.judge.check import Check
from verify.judge.function import with_tangents, with_upstream
from verify.judge.result import Result
from verify.numbers import tape


def gradcheck(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Mapping[str, Any] | Sequence[Any],
    upstream: Any = None,
) -> Result:
    """The judgement of a backward pass: `.ok`, and findings that say what is wrong.

    `forward(*inputs)` gives an array, or a tuple of arrays. `backward(G, *inputs)` gives the
    gradient of C = sum(G * forward(*inputs)) by each input: one array for one input, a tuple in the
    order of the inputs, or a mapping by their names; None for an input that it has no gradient by,
    as for whole numbers. G is `upstream`, of the shape of the result, a tuple of such for a tuple;
    without one it is drawn.

    A backward pass of `backward` is checked as gradcheck(backward, second, (G, *inputs)).

    Shapes  any.
    Raises  UsageError for what cannot be checked: inputs that are no arrays of numbers, a forward
            pass that raises or leaves exact arithmetic.
    """
    checked = with_upstream(forward, inputs, upstream)

    def call(function: Callable[..., Any], given: Sequence[Any], weights: Sequence[Any]) -> Any:
        return function(weights[0] if len(weights) == 1 else tuple(weights), *given)

    def truth(results: Sequence[Any], given: Mapping[str, Any], weights: Sequence[Any]) -> Any:
        found = tape.gradients(results, weights, [given[name] for name in checked.floats])
        return dict(zip(checked.floats, found, strict=True))

    links = {name: f"dC_d{name}" for name in checked.inputs}
    return Check(checked, backward, "the upstream gradient", call, truth, links).judged()


def jvpcheck(
    forward: Callable[..., Any],
    jvp: Callable[..., Any],
    inputs: Mapping[str, Any] | Sequence[Any],
    tangents: Sequence[Any] | None = None,
) -> Result:
    """The judgement of a forward-mode derivative, as gradcheck's of a backward pass.

    `jvp(V, *inputs)` gives how fast forward's result moves where the inputs move by V: one array
    for one input, a tuple in the order of the inputs for several; V of whole numbers is None.

    Shapes  of the result those of forward's.
    Raises  UsageError as gradcheck.
    """
    checked, names = with_tangents(forward, inputs, tangents)

    def call(function: Callable[..., Any], given: Sequence[Any], weights: Sequence[Any]) -> Any:
        left = iter(weights)
        moves = [next(left) if name in checked.floats else None for name in checked.inputs]
        return function(moves[0] if len(moves) == 1 else tuple(moves), *given)

    def truth(results: Sequence[Any], given: Mapping[str, Any], weights: Sequence[Any]) -> Any:
        at = [given[name] for name in checked.floats]
        return dict(zip(names, tape.tangents(results, at, weights), strict=True))

    links = {name: name for name in names}
    return Check(checked, jvp, "the tangents", call, truth, links).judged()
