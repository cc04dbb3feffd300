"""Any function in NumPy: its backward pass against the exact derivative of its forward pass.

There is no step size and no tolerance. `forward` is run in exact arithmetic and differentiated by
itself; that is the truth. `backward` is called with floats, and its own code is run in exact
arithmetic, too: so a mistake of mathematics is told from lost digits.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.candidate.exact import Exact
from verify.candidate.follow import exact_of, follow
from verify.candidate.names import Followable
from verify.errors import UsageError
from verify.judge import exactly
from verify.judge.derivative import Derivative, Right
from verify.judge.function import (
    Checked,
    apart,
    called,
    results_of,
    with_tangents,
    with_upstream,
)
from verify.judge.result import Figure, Finding, Result, Verdict
from verify.network.problem import bits
from verify.numbers import tape
from verify.numbers.kinks import SIDES
from verify.numbers.run import Run, Unfollowed


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
    return _Check(checked, backward, "the upstream gradient", call, truth, links).judged()


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
    return _Check(checked, jvp, "the tangents", call, truth, links).judged()


@dataclass(eq=False)
class _Check:
    """One function held against the exact derivative: `call` calls it, `truth` differentiates.

    `weights` is what its weights are called, `links` the names of what it gives.
    """

    checked: Checked
    function: Callable[..., Any]
    weights: str
    call: Callable[[Callable[..., Any], Sequence[Any], Sequence[Any]], Any]
    truth: Callable[[Sequence[Any], Mapping[str, Any], Sequence[Any]], Mapping[str, Any]]
    links: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def judged(self) -> Result:
        right = self._right()
        found = self._floats()
        if not self.checked.finite:
            self.cannot("forward gives floats that are not finite at these inputs")
        elif not _is_finite({name: r.first for name, r in right.items()}):
            self.cannot("the derivative of forward is not finite at these inputs")
        elif found is not None:
            own = self._own()
            for name, wanted in right.items():
                self._judge(name, found.get(name), wanted, own.get(name))
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        sees = [f.bound / abs(f.truth) for f in self.figures if f.truth]
        return Result(
            getattr(code, "co_filename", ""), self.subject, getattr(code, "co_firstlineno", 0),
            self.checked.dtype, "cpu", findings=tuple(dict.fromkeys(self.findings)),
            figures=tuple(self.figures), notes=tuple(dict.fromkeys(self.notes)),
            links=tuple(self.links.values()), resolution=max(sees, default=float("nan")),
        )  # fmt: skip

    def fail(self, check: str, message: str, name: str = "") -> None:
        link = self.links.get(name)
        self.findings.append(Finding(check, Verdict.FAIL, message, self.subject, link))

    def cannot(self, why: str) -> None:
        told = f"{why}: give others"
        self.findings.append(Finding("range", Verdict.CANNOT_JUDGE, told, self.subject))

    def _right(self) -> Mapping[str, Right]:
        """The exact derivative; on both sides of every kink.

        Raises  UsageError where forward leaves exact arithmetic.
        """

        def exact(_: Run) -> Mapping[str, Exact]:
            given, weights = self.checked.exactly(varying=True)
            results = results_of(Followable(self.checked.forward)(*given.values()))
            return {n: exact_of(a) for n, a in self.truth(results, given, weights).items()}

        try:
            run, found = follow(exact, self.checked.dtype, recording=True)
            sides = [found]
            for side in range(1, SIDES) if run.ties else ():
                sides.append(follow(exact, self.checked.dtype, recording=True, side=side)[1])
        except Unfollowed as error:
            raise UsageError(f"forward cannot be differentiated exactly: {error}") from None
        if run.ties:
            self.notes.append(
                f"{', '.join(run.ties)} compares equal numbers: where forward has a kink, every"
                " slope between those of its sides is right"
            )
        sides = [side for side in sides if _is_finite(side)] or sides
        return {name: Right(tuple(side[name] for side in sides)) for name in found}

    def _floats(self) -> Mapping[str, Any] | None:
        """What the function gives for floats, and what it does besides."""
        weights, named = self.checked.weights, self.weights
        found = self._once("", weights)
        if found is None:
            return None
        again = self._once("the same call again: ", weights) or {}
        for name, a in found.items():
            if name in again and bits(a) != bits(again[name]):
                told = "the same call twice differs; is a state kept between calls?"
                self.fail("repeat", told, name)
        wide = f"with {named} as every second column of a wider array"
        for name, a in (self._once(f"{wide}: ", [apart(w) for w in weights]) or {}).items():
            first = found.get(name, a)
            if np.shape(a) == np.shape(first) and not np.allclose(a, first, 1e-3, 0, True):
                self.fail("layout", f"{wide} it gives other numbers", name)
        nothing = self._once(f"with {named} 0: ", [np.zeros_like(w) for w in weights])
        for name, a in (nothing or {}).items():
            if np.isfinite(found.get(name, np.nan)).all() and np.any(a):
                self.fail("upstream", f"with {named} 0 it is not 0; is it left out?", name)
        return found

    def _once(self, what: str, weights: Sequence[Any]) -> dict[str, Any] | None:
        """One call with floats; None, and a finding, where there is no answer."""
        inputs = self.checked.inputs
        given, kept = [a.copy() for a in inputs.values()], [w.copy() for w in weights]
        try:
            raw = called(lambda: self.call(self.function, given, weights), "it", ())
        except UsageError as error:
            self.fail("exception", f"{what}{error}")
            return None
        changed = [n for n, a in zip(inputs, given, strict=True) if bits(a) != bits(inputs[n])]
        if any(bits(w) != bits(k) for w, k in zip(weights, kept, strict=True)):
            changed.append(self.weights)
        for name in changed:
            self.fail("mutated", f"{name} was changed in place; work on a copy", name)
        return self._named(raw)

    def _named(self, raw: Any) -> dict[str, Any] | None:
        """The parts of an answer by name; those that are None left out."""
        wanted = f"expected {', '.join(self.links)}"
        if isinstance(raw, Mapping):
            parts, strangers = dict(raw), [str(name) for name in raw if name not in self.links]
            told = f"it gives {strangers[0]!r}; {wanted}" if strangers else ""
        else:
            listed = results_of(raw)
            told = f"it gives {len(listed)} arrays; {wanted}"
            told = "" if len(listed) == len(self.links) else told
            parts = dict(zip(self.links, listed, strict=not told))
        if told:
            self.fail("gradient", told)
            return None
        return {name: np.asarray(a) for name, a in parts.items() if a is not None}

    def _own(self) -> Mapping[str, Exact]:
        """The function's own code in exact arithmetic; nothing where it cannot be followed."""

        def exact(_: Run) -> dict[str, Exact]:
            given, weights = self.checked.exactly(varying=False)
            raw = self.call(Followable(self.function), list(given.values()), weights)
            parts = raw
            if not isinstance(raw, Mapping):
                parts = dict(zip(self.links, results_of(raw), strict=True))
            return {name: exact_of(a) for name, a in parts.items() if a is not None}

        try:
            run, found = follow(exact, self.checked.dtype)
        except Unfollowed as error:
            self.notes.append(f"the formula could not be followed: {error}; its floats are judged")
            return {}
        if run.close:
            told = f"{', '.join(run.close)} compares numbers that rounding may exchange"
            self.notes.append(told)
        return found

    def _judge(self, name: str, found: Any, right: Right, own: Exact | None) -> None:
        """One derivative: its shape and dtype, its formula, its floats."""
        wanted, link, dtype = right.first.hi, self.links[name], self.checked.dtype
        if found is None:
            if np.any(wanted):
                self.fail("gradient", f"{link} is None; forward depends on {name}", name)
            return
        if found.shape != wanted.shape:
            self.fail("shape", f"{link} has shape {found.shape}; expected {wanted.shape}", name)
            return
        if found.dtype.kind == "f" and found.dtype.itemsize > np.dtype(dtype).itemsize:
            self.notes.append(f"{link} has dtype {found.dtype}, and the inputs {dtype}")
        elif found.dtype != np.dtype(dtype):
            self.fail("dtype", f"{link} has dtype {found.dtype}; expected {dtype}", name)
        if found.dtype.kind not in "fiu" or not found.size:
            return
        if own is not None and own.hi.shape != found.shape:
            own = None
        if own is not None and not exactly.is_followed(found, own):
            self.notes.append(exactly.OTHERWISE.format(link=link))
            own = None
        derivative = Derivative(self.subject, link, found, right, own, dtype)
        figure = derivative.figure()
        self.figures.append(figure)
        self.findings += derivative.findings(figure)
        if not figure.holds:
            self.notes += derivative.patterns()


def _is_finite(derivatives: Mapping[str, Exact]) -> bool:
    return all(np.isfinite(exact.hi).all() for exact in derivatives.values())
