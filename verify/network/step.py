"""One link of a network: the forms that people compute it by, and what it is."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from verify.network.links import Form, Formula
from verify.numbers.bounded import Bounded, together, widest
from verify.numbers.derivative import Recorded, derivatives


@dataclass(frozen=True)
class Definition:
    """What a link is: a formula of other links, or its derivative by one of them.

    With `by`, the derivative of sum(upstream * formula); upstream is 1 where it names no link.
    """

    formula: Formula
    of: tuple[str, ...]
    by: str = ""
    upstream: str = ""

    def on(self, known: Mapping[str, Any]) -> Any:
        """The link on numbers of any kind.

        Shapes  those of the link.
        """
        if not self.by:
            return self.formula(*(known[name] for name in self.of))
        inputs = [Recorded(known[name], varies=name == self.by) for name in self.of]
        upstream = known[self.upstream] if self.upstream else 1.0
        result = self.formula(*inputs)
        return derivatives(result, [inputs[self.of.index(self.by)]], upstream)[0]


@dataclass(frozen=True)
class Step:
    """One link: its name, its forms, and its definitions, whose sum it is."""

    name: str
    forms: tuple[Form, ...]
    definitions: tuple[Definition, ...]
    by_kind: bool = False

    @property
    def composed(self) -> list[Form]:
        """The forms of links alone, by which it is bounded from X on."""
        return [f for f in self.forms if f.kind != "local"]

    def on(self, kind: str, known: Mapping[str, Any]) -> Any:
        """The link by the first form of a kind, or the first of all where the kind has none.

        Shapes  those of the link.
        """
        of_kind = [f for f in self.forms if f.kind == kind]
        return on((of_kind or self.forms)[0], known)

    def bounded(self, kind: str, known: Mapping[str, Bounded]) -> Bounded:
        """The link by the widest form that holds, entry by entry.

        Of a kind where the link has it as a function of the cost alone (`by_kind`), else of all.
        Forms of the same inputs are one function, and inherit what the least of them does.

        Shapes  those of the link.
        """
        composed = self.composed
        wanted = [f for f in composed if self.by_kind and f.kind == kind] or composed
        if len(composed) == 1:
            alone: Bounded = on(composed[0], known).settled()
            return alone
        found: list[Bounded] = []
        for of in dict.fromkeys(form.of for form in wanted):
            same = [f for f in composed if f.of == of]
            one = together([on(form, known) for form in same])
            found += [f for f, form in zip(one, same, strict=True) if form in wanted]
        return widest(found)

    def exactly(self, known: Mapping[str, Any]) -> Any:
        """The link by its definitions.

        Shapes  those of the link.
        """
        return reduce(operator.add, (d.on(known) for d in self.definitions))


def step(
    names: Mapping[str, str], link: str, forms: tuple[Form, ...], *definitions: Definition
) -> Step:
    """A step with the names of its layer; its definition is its first form where none is given."""
    named = tuple(f._replace(of=tuple(names[p] for p in f.of)) for f in forms)
    return Step(names[link], named, definitions or (Definition(named[0].formula, named[0].of),))


def definition(
    names: Mapping[str, str], formula: Formula, by: str = "", upstream: str = ""
) -> Definition:
    """A definition with the names of its layer."""
    of = tuple(names[p] for p in inspect.signature(formula).parameters)
    return Definition(formula, of, names[by] if by else "", names[upstream] if upstream else "")


def on(form: Form, known: Mapping[str, Any]) -> Any:
    """A form on the links that are known.

    Shapes  those of its link.
    """
    return form.formula(*(known[name] for name in form.of))
