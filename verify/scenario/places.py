"""Line and column of each key of a TOML text; none where the grammar is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias

Key: TypeAlias = tuple[str | int, ...]
Pair: TypeAlias = tuple[Any, Any]


class Places:
    """Line and column, from 1, of keys and values of a TOML text.

    A path is the keys and indices that lead to a value: ("labels", 2, 0). The text is parsed when
    first asked about, which is when it has a fault, and entered no further than paths lead.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.encode().split(b"\n")
        self.lines = len(self._lines)

    def key(self, path: Key) -> tuple[int, int]:
        """The place of the key; of the nearest enclosing value where it has none; else (0, 0)."""
        return self._place(path, 0)

    def value(self, path: Key) -> tuple[int, int]:
        """The place of the value, or of the nearest value around it; else (0, 0)."""
        return self._place(path, 1)

    def _place(self, path: Key, which: int) -> tuple[int, int]:
        for end in range(len(path), 0, -1):
            pair = self._members(path[: end - 1]).get(path[end - 1])
            if pair is not None:
                row, column = pair[which if end == len(path) else 1].start_point
                return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1
        return (1, 1) if self._members(()) else (0, 0)

    @cached_property
    def _known(self) -> dict[Key, dict[str | int, Pair]]:
        found: dict[Key, dict[str | int, Pair]] = {(): {}}
        for names, pair in _pairs(self._text):
            for end in range(len(names)):  # of a.b = 1, both a and a.b are here
                found.setdefault(names[:end], {}).setdefault(names[end], pair)
        return found

    def _members(self, path: Key) -> dict[str | int, Pair]:
        """The (key node, value node) of each member of the value at a path."""
        if path not in self._known:
            pair = self._members(path[:-1]).get(path[-1])
            self._known[path] = _inside(pair[1]) if pair else {}
        return self._known[path]


def _pairs(text: str) -> Iterator[tuple[Key, Pair]]:
    """Everything that the text gives at its top and in its tables, by path."""
    try:
        import tree_sitter
        import tree_sitter_toml
    except ImportError:
        return
    language = tree_sitter.Language(tree_sitter_toml.language())
    tree = tree_sitter.Parser(language).parse(text.encode())
    arrays: dict[Key, int] = {}  # the number of tables in each array of them, so far
    for child in tree.root_node.named_children:
        if child.type == "pair":
            yield _pair(child)
        elif child.type in ("table", "table_array_element"):
            header, *members = _parts(child)
            table = _table(_names(header), child.type == "table_array_element", arrays)
            yield table, (header, child)
            for names, pair in (_pair(member) for member in members if member.type == "pair"):
                yield (*table, *names), pair


def _table(names: Key, of_array: bool, arrays: dict[Key, int]) -> Key:
    """The path of a table: of those in an array, with its index; it is counted in `arrays`."""
    path: Key = ()
    for i, name in enumerate(names, 1):
        path = (*path, name)
        if of_array and i == len(names):
            arrays[path] = arrays.get(path, 0) + 1
        if path in arrays:
            path = (*path, arrays[path] - 1)
    return path


def _pair(node: Any) -> tuple[Key, Pair]:
    key, value = _parts(node)[0], _parts(node)[-1]
    return _names(key), (key, value)


def _inside(value: Any) -> dict[str | int, Pair]:
    if value.type == "array":
        return {index: (part, part) for index, part in enumerate(_parts(value))}
    pairs = (_pair(child) for child in value.named_children if child.type == "pair")
    return {names[0]: pair for names, pair in pairs}


def _parts(node: Any) -> list[Any]:
    """A pair's or array's members; the grammar hangs a trailing comment below them too."""
    return [child for child in node.named_children if child.type != "comment"]


def _names(key: Any) -> Key:
    if key.type == "dotted_key":
        return tuple(name for part in key.named_children for name in _names(part))
    return (key.text.decode().strip("\"'"),)
