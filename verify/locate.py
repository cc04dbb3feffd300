"""Where in a TOML text each key and value stands; nothing where the grammar is not installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

Key: TypeAlias = tuple[str | int, ...]


class Places:
    """Line and column, from 1, of every key and value of a TOML text.

    A path is the keys and indices that lead to a value: ("labels", 2, 0).
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.encode().split(b"\n")

    def key(self, path: Key) -> tuple[int, int]:
        """The place of the key; of the nearest enclosing value where it has none; else (0, 0)."""
        return self._place(self._nodes[0], path) or self.value(path)

    def value(self, path: Key) -> tuple[int, int]:
        """The place of the value, or of the nearest value around it; else (0, 0)."""
        for end in range(len(path), 0, -1):
            place = self._place(self._nodes[1], path[:end])
            if place:
                return place
        return (1, 1) if self._nodes[1] else (0, 0)

    @cached_property
    def _nodes(self) -> tuple[dict[Key, Any], dict[Key, Any]]:
        """Keys and values by path; parsed when first asked for, which is in a file with faults."""
        keys: dict[Key, Any] = {}
        values: dict[Key, Any] = {}
        for path, key, value in _pairs(self._text):
            keys.setdefault(path, key)
            values.setdefault(path, value)
        return keys, values

    def _place(self, nodes: Mapping[Key, Any], path: Key) -> tuple[int, int] | None:
        if path not in nodes:
            return None
        row, column = nodes[path].start_point
        return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1


def _pairs(text: str) -> Iterator[tuple[Key, Any, Any]]:
    """(path, key node, value node) of everything in the text."""
    try:
        import tree_sitter
        import tree_sitter_toml
    except ImportError:
        return
    language = tree_sitter.Language(tree_sitter_toml.language())
    tree = tree_sitter.Parser(language).parse(text.encode())
    yield from _members(tree.root_node, ())


def _members(node: Any, path: Key) -> Iterator[tuple[Key, Any, Any]]:
    for child in node.named_children:
        if child.type == "pair":
            key, value = _parts(child)[0], _parts(child)[-1]
            here = path + _names(key)
            yield here, key, value
            yield from _inside(value, here)
        elif child.type == "table":
            key = child.named_children[0]
            here = path + _names(key)
            yield here, key, child
            yield from _members(child, here)


def _inside(value: Any, path: Key) -> Iterator[tuple[Key, Any, Any]]:
    if value.type == "inline_table":
        yield from _members(value, path)
    elif value.type == "array":
        for index, element in enumerate(_parts(value)):
            yield (*path, index), element, element
            yield from _inside(element, (*path, index))


def _parts(node: Any) -> list[Any]:
    """A pair's or array's members; the grammar hangs a trailing comment below them too."""
    return [child for child in node.named_children if child.type != "comment"]


def _names(key: Any) -> Key:
    if key.type == "dotted_key":
        return tuple(name for part in key.named_children for name in _names(part))
    return (key.text.decode().strip("\"'"),)
