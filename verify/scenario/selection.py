"""The -k expression: words that an id contains, joined by and, or, not and brackets."""

from __future__ import annotations

import re
from collections.abc import Callable

from verify.errors import UsageError


def matching(expression: str) -> Callable[[str], bool]:
    """A predicate on ids, without regard to case.

    Raises  UsageError where the expression does not read.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    words = {"and", "or", "not", "(", ")"}
    position = 0

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1] if position <= len(tokens) else ""

    def peek() -> str:
        return tokens[position] if position < len(tokens) else ""

    def alternatives() -> Callable[[str], bool]:
        parts = [conjunction()]
        while peek() == "or":
            take()
            parts.append(conjunction())
        return lambda text: any(part(text) for part in parts)

    def conjunction() -> Callable[[str], bool]:
        parts = [atom()]
        while peek() == "and":
            take()
            parts.append(atom())
        return lambda text: all(part(text) for part in parts)

    def atom() -> Callable[[str], bool]:
        token = take()
        if token == "not":
            negated = atom()
            return lambda text: not negated(text)
        if token == "(":
            inner = alternatives()
            if take() == ")":
                return inner
        elif token and token not in words:
            return lambda text: token.lower() in text.lower()
        raise UsageError(f"-k {expression!r} does not read; words, and, or, not and brackets do")

    predicate = alternatives()
    if peek():
        raise UsageError(f"-k {expression!r} does not read after {' '.join(tokens[:position])!r}")
    return predicate
