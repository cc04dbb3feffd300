"""One function held against the exact derivative of another: floats, formula, behaviour."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.candidate.exact import Exact
from verify.candidate.follow import exact_of, follow
from verify.candidate.names import Followable
from verify.errors import UsageError
from verify.judge import exactly
from verify.judge.derivative import Derivative, Right
from verify.judge.function import Checked, apart, called, results_of
from verify.judge.result import Figure, Finding, Result, Verdict
from verify.network.problem import bits
from verify.numbers.kinks import SIDES
from verify.numbers.run import Run, Unfollowed


@dataclass(eq=False)
class Check:
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
    apart: Mapping[str, Any] = field(default_factory=dict)
    sees: list[float] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def judged(self) -> Result:
        """What was found.

        Raises  UsageError where the function itself cannot be differentiated exactly.
        """
        right = self._right()
        if not self.checked.finite:
            self._cannot("forward gives floats that are not finite at these inputs")
        elif not _is_finite({name: r.first for name, r in right.items()}):
            self._cannot("the derivative of forward is not finite at these inputs")
        found = self._floats() if not self.findings else None
        if found is not None:
            own = self._own()
            for name, wanted in right.items():
                self._judge(name, found.get(name), wanted, own.get(name))
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        return Result(
            getattr(code, "co_filename", ""), self.subject, getattr(code, "co_firstlineno", 0),
            self.checked.dtype, "cpu", findings=tuple(dict.fromkeys(self.findings)),
            figures=tuple(self.figures), notes=tuple(dict.fromkeys(self.notes)),
            links=tuple(self.links.values()), resolution=max(self.sees, default=float("nan")),
        )  # fmt: skip

    def _fail(self, check: str, message: str, name: str = "") -> None:
        link = self.links.get(name)
        self.findings.append(Finding(check, Verdict.FAIL, message, self.subject, link))

    def _is_of_floats(self, values: Sequence[Exact]) -> bool:
        """Whether the exact results are those that floats come to, but for rounding."""
        if not self.checked.finite:
            return True
        pairs = zip(self.checked.results, values, strict=True)
        return all(r.shape == v.hi.shape and exactly.is_followed(r, v) for r, v in pairs)

    def _cannot(self, why: str) -> None:
        told = f"{why}: give others"
        self.findings.append(Finding("range", Verdict.CANNOT_JUDGE, told, self.subject))

    def _right(self) -> Mapping[str, Right]:
        """The exact derivative; on both sides of every kink.

        Raises  UsageError where forward leaves exact arithmetic.
        """

        forward = self.checked.forward

        def exact(_: Run) -> tuple[list[Exact], Mapping[str, Exact]]:
            given, weights = self.checked.exactly(varying=True)
            results = results_of(Followable(forward)(*(a.copy() for a in given.values())))
            found = self.truth(results, given, weights)
            return [exact_of(r) for r in results], {n: exact_of(a) for n, a in found.items()}

        try:
            with _as_it_was(forward):
                run, first = follow(exact, self.checked.dtype, recording=True)
                both = [first]
                for side in range(1, SIDES) if run.ties else ():
                    both.append(follow(exact, self.checked.dtype, recording=True, side=side)[1])
        except Unfollowed as error:
            raise UsageError(f"forward cannot be differentiated exactly: {error}") from None
        # Where branches do not join, floats take one of them, and only its slope is right.
        sides = [found for values, found in both if self._is_of_floats(values)]
        if not sides:
            where = f"; {', '.join(run.close)} may be decided by rounding" if run.close else ""
            self._cannot(f"forward gives other numbers in exact arithmetic than for floats{where}")
            sides = [first[1]]
        if len(sides) > 1:
            self.notes.append(
                f"{', '.join(run.ties)} compares equal numbers: where forward has a kink, every"
                " slope between those of its sides is right"
            )
        sides = [side for side in sides if _is_finite(side)] or sides
        return {name: Right(tuple(side[name] for side in sides)) for name in first[1]}

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
                self._fail("repeat", told, name)
        wide = f"with {named} as every second column of a wider array: "
        self.apart = self._once(wide, [apart(w) for w in weights]) or {}
        nothing = self._once(f"with {named} 0: ", [np.zeros_like(w) for w in weights])
        for name, a in (nothing or {}).items():
            if np.isfinite(found.get(name, np.nan)).all() and np.any(a):
                self._fail("upstream", f"with {named} 0 it is not 0; is it left out?", name)
        return found

    def _once(self, what: str, weights: Sequence[Any]) -> dict[str, Any] | None:
        """One call with floats; None, and a finding, where there is no answer."""
        inputs = self.checked.inputs
        given, kept = [a.copy() for a in inputs.values()], [w.copy() for w in weights]
        self._forward()
        try:
            raw = called(lambda: self.call(self.function, given, weights), "it", ())
        except UsageError as error:
            self._fail("exception", f"{what}{error}")
            return None
        changed = [n for n, a in zip(inputs, given, strict=True) if bits(a) != bits(inputs[n])]
        if any(bits(w) != bits(k) for w, k in zip(weights, kept, strict=True)):
            changed.append(self.weights)
        for name in changed:
            self._fail("mutated", f"{name} was changed in place; work on a copy", name)
        return self._named(raw)

    def _forward(self) -> None:
        """Forward on floats: a layer keeps what its backward pass needs."""
        called(self.checked.forward, "forward", [a.copy() for a in self.checked.inputs.values()])

    def _named(self, raw: Any) -> dict[str, Any] | None:
        """The parts of an answer by name; those that are None left out."""
        parts, strange = self._parts(raw)
        if strange:
            self._fail("gradient", f"it gives {strange}; expected {', '.join(self.links)}")
            return None
        try:
            arrays = {name: np.array(a) for name, a in parts.items()}
        except ValueError:  # of rows of different lengths
            arrays = {"": np.empty(0, object)}
        for name, a in arrays.items():
            if a.dtype.kind not in "fiub":
                told = f"{self.links.get(name, 'a gradient')} is no array of numbers"
                self._fail("gradient", told, name)
                return None
        return arrays

    def _parts(self, raw: Any) -> tuple[dict[str, Any], str]:
        """The parts of an answer by name, those that are None left out; what is none of them."""
        if isinstance(raw, Mapping):
            of = {link: name for name, link in self.links.items()}
            parts = {of.get(name, str(name)): a for name, a in raw.items()}
            strange = next((repr(name) for name in parts if name not in self.links), "")
        else:
            listed = [raw] if isinstance(raw, list) and len(self.links) == 1 else results_of(raw)
            strange = "" if len(listed) == len(self.links) else f"{len(listed)} arrays"
            parts = dict(zip(self.links, listed, strict=False))
        return {name: a for name, a in parts.items() if a is not None}, strange

    def _own(self) -> Mapping[str, Exact]:
        """The function's own code in exact arithmetic; nothing where it cannot be followed."""

        def exact(_: Run) -> dict[str, Exact]:
            given, weights = self.checked.exactly(varying=False)
            Followable(self.checked.forward)(*(a.copy() for a in given.values()))
            raw = self.call(Followable(self.function), list(given.values()), weights)
            return {name: exact_of(a) for name, a in self._parts(raw)[0].items()}

        try:
            with _as_it_was(self.checked.forward), _as_it_was(self.function):
                run, found = follow(exact, self.checked.dtype)
        except Unfollowed as error:
            self.notes.append(exactly.UNFOLLOWED.format(why=error))
            return {}
        finally:
            self._forward()
        if run.close:
            told = f"{', '.join(run.close)} compares numbers that rounding may exchange"
            self.notes.append(told)
        return found

    def _judge(self, name: str, found: Any, right: Right, own: Exact | None) -> None:
        """One derivative: its shape and dtype, its formula, its floats."""
        wanted, link, dtype = right.first.hi, self.links[name], self.checked.dtype
        if found is None:
            if np.any(wanted):
                self._fail("gradient", f"{link} is None; forward depends on {name}", name)
            return
        if found.shape != wanted.shape:
            self._fail("shape", f"{link} has shape {found.shape}; expected {wanted.shape}", name)
            return
        if found.dtype.kind == "f" and found.dtype.itemsize > np.dtype(dtype).itemsize:
            self.notes.append(f"{link} has dtype {found.dtype}, and the inputs {dtype}")
        elif found.dtype != np.dtype(dtype):
            self._fail("dtype", f"{link} has dtype {found.dtype}; expected {dtype}", name)
        if found.dtype.kind not in "fiu" or not found.size:
            return
        if own is not None and own.hi.shape != found.shape:
            own = None
        if own is not None and not exactly.is_followed(found, own):
            self.notes.append(exactly.OTHERWISE.format(link=link))
            own = None
        derivative = Derivative(self.subject, link, found, right, own, dtype)
        other = self.apart.get(name, found)
        if other.shape == found.shape and not derivative.are_alike(found, other):
            wide = f"with {self.weights} as every second column of a wider array"
            self._fail("layout", f"{wide} it gives other numbers", name)
        figure = derivative.figure()
        self.sees.append(derivative.sees())
        self.figures.append(figure)
        self.findings += derivative.findings(figure)
        if not figure.holds:
            self.notes += derivative.patterns()


def _is_finite(derivatives: Mapping[str, Exact]) -> bool:
    return all(np.isfinite(exact.hi).all() for exact in derivatives.values())


@contextmanager
def _as_it_was(function: Callable[..., Any]) -> Iterator[None]:
    """Inside, the object that a method is of may keep exact numbers; not afterwards."""
    own = getattr(getattr(function, "__self__", None), "__dict__", {})
    kept = dict(own)
    try:
        yield
    finally:
        if isinstance(own, dict):
            own.clear()
            own.update(kept)
