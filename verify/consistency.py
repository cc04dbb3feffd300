"""Whether the parts of a document fit together: sizes, ranges, columns, and nothing said twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from verify.document import Document, Limits, RandomLabels, RandomValues, TableColumn, TableColumns
from verify.errors import ScenarioError
from verify.locate import Key
from verify.sizes import Tables, claims_of
from verify.wording import Complaint, closest, dotted, nearest, shown

Axes: TypeAlias = Mapping[str, tuple[Any, ...]]


def complaints(
    raw: Mapping[str, Any], document: Document, axes: Axes, tables: Tables, limits: Limits
) -> Iterator[Complaint]:
    """Everything that is wrong with a document whose single values are right.

    `raw` is the file as parsed; in `document`, None stands for what is absent or was refused.
    """
    yield from _required(raw)
    yield from _count(axes, limits)
    for check in _CHECKS:
        yield from check(document, tables)
    for combination in _combinations(axes):
        yield from _sizes_fit(document, tables, combination, limits)
    yield from _in_range(document, axes)


def _required(raw: Mapping[str, Any]) -> Iterator[Complaint]:
    misspelt = {
        closest(key, Document.model_fields) for key in raw if key not in Document.model_fields
    }
    for key in ("title", "inputs", "weights", "labels"):
        if key not in raw and key not in misspelt:
            yield (
                (key,),
                "missing",
                "",
                "every scenario gives title, inputs, weights, labels and step_size",
            )
    vary = raw.get("vary")
    varied = isinstance(vary, dict) and "step_size" in vary
    if "step_size" not in {*raw, *misspelt} and not varied:
        yield ("step_size",), "missing", "", "h > 0, at the top or in [vary]"


def _varied(document: Document, _tables: Tables) -> Iterator[Complaint]:
    for name, varied in document.vary or ():
        if varied is None:
            continue
        if getattr(document, name) is not None:
            yield ("vary", name), "given twice", "", "either at the top or in [vary]"
        if not varied:
            yield ("vary", name), "empty", "[]", "at least one value; none would mean no case"
        for i, value in enumerate(varied):
            if value in varied[:i]:
                yield ("vary", name, i), "given twice", shown(value), "each value once"


def _count(axes: Mapping[str, tuple[Any, ...]], limits: Limits) -> Iterator[Complaint]:
    count = 1
    for values in axes.values():
        count *= max(1, len(values))
    if count > limits.cases:
        yield ("vary",), "too many cases", str(count), f"at most {limits.cases} a file"


def _combinations(axes: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """The combinations of what decides the sizes."""
    for features in axes["features"]:
        for classes in axes["classes"]:
            for batch_size in axes["batch_size"]:
                yield {"features": features, "classes": classes, "batch_size": batch_size}


def _ragged(document: Document, _tables: Tables) -> Iterator[Complaint]:
    for name in ("inputs", "weights", "labels"):
        rows = getattr(document, name)
        if isinstance(rows, list) and isinstance(rows[0], list):
            for i, row in enumerate(rows):
                if len(row) != len(rows[0]):
                    yield (
                        (name, i),
                        "a ragged row",
                        f"{len(row)} numbers",
                        f"{len(rows[0])} as in row 0",
                    )


def _label_values(document: Document, _tables: Tables) -> Iterator[Complaint]:
    labels = document.labels
    if not isinstance(labels, list) or not isinstance(labels[0], list):
        return
    for i, row in enumerate(labels):
        for k, p in enumerate(row if isinstance(row, list) else ()):
            if p < 0:
                yield ("labels", i, k), "a negative label", repr(float(p)), "a label is 0 or more"
    if not any(p for row in labels for p in (row if isinstance(row, list) else ())):
        yield (
            ("labels",),
            "all labels are 0",
            "",
            "at least one label above 0, else nothing is learnt",
        )


def _columns_exist(document: Document, tables: Tables) -> Iterator[Complaint]:
    inputs, labels = document.inputs, document.labels
    wanted: list[tuple[Key, str, str]] = []
    if isinstance(inputs, TableColumns):
        wanted += [(("inputs", "columns", i), inputs.file, c) for i, c in enumerate(inputs.columns)]
        for i, c in enumerate(inputs.columns):
            if c in inputs.columns[:i]:
                yield ("inputs", "columns", i), "given twice", repr(c), "each column once"
    if isinstance(labels, TableColumn):
        wanted.append((("labels", "column"), labels.file, labels.column))
    for key, file, column in wanted:
        if file in tables and column not in tables[file].columns:
            allowed = nearest(column, list(tables[file].columns))
            yield key, "no such column", shown(column), allowed
        elif file in tables and key[0] == "inputs":
            try:
                tables[file].numbers(column)
            except ScenarioError as error:
                fault = error.faults[0]
                yield (
                    key,
                    f"line {fault.line} of the table is {fault.what}",
                    fault.found,
                    fault.allowed,
                )


def _something_random(document: Document, _tables: Tables) -> Iterator[Complaint]:
    drawn = (RandomValues, RandomLabels, TableColumns)
    if any(isinstance(s, drawn) for s in (document.inputs, document.weights, document.labels)):
        return
    if document.seed is not None or (document.vary and document.vary.seed):
        key: Key = ("seed",) if document.seed is not None else ("vary", "seed")
        yield key, "nothing to draw", "", "a seed only where inputs, weights or labels are drawn"


_CHECKS: tuple[Callable[[Document, Tables], Iterator[Complaint]], ...] = (
    _varied,
    _ragged,
    _label_values,
    _columns_exist,
    _something_random,
)


_UNSAID = {
    "N": (("batch_size",), "random inputs need a batch_size"),
    "D": (("features",), "random inputs and weights need features"),
    "K": (("classes",), "where neither weights nor labels say how many classes, classes does"),
}


def _sizes_fit(
    document: Document, tables: Tables, combination: Mapping[str, Any], limits: Limits
) -> Iterator[Complaint]:
    if None in (document.inputs, document.weights, document.labels):
        return
    claims = claims_of(document, tables, combination)
    unread = {s.file for s in (document.inputs, document.labels)
              if isinstance(s, TableColumns | TableColumn)} - set(tables)  # fmt: skip
    for axis, said in claims.items():
        if not said:
            key, allowed = _UNSAID[axis]
            if not unread:
                yield key, "missing", "", allowed
        for where, size in said[1:]:
            if size != said[0][1]:
                yield (
                    where,
                    f"{axis} does not fit",
                    f"{axis} = {size}",
                    f"{axis} = {said[0][1]} as {dotted(said[0][0])} says",
                )
    batch, N = combination["batch_size"], claims["N"]
    if batch is not None and N and batch > N[0][1]:
        yield ("batch_size",), "more rows than there are", str(batch), f"at most {N[0][1]}"
    if all(claims.values()):
        product = claims["N"][0][1] * claims["D"][0][1] * claims["K"][0][1]
        if product > limits.work:
            yield ("inputs",), "too large", f"N D K = {product}", f"N D K at most {limits.work}"
    labels, K = document.labels, claims["K"]
    if isinstance(labels, list) and not isinstance(labels[0], list) and K:
        for i, label in enumerate(labels):
            if isinstance(label, int) and label >= K[0][1]:
                yield ("labels", i), "label out of range", str(label), f"0 to {K[0][1] - 1}"


def _in_range(document: Document, axes: Mapping[str, tuple[Any, ...]]) -> Iterator[Complaint]:
    """Numbers that a dtype of the scenario rounds to infinity, or holds with lost digits."""
    float32 = "float32" in axes["dtype"]
    low, high = (2.0**-126, 2.0**128 * (1 - 2.0**-25)) if float32 else (2.0**-1022, float("inf"))
    name = "float32" if float32 else "float64"
    numbers: list[tuple[Key, float]] = [(("step_size",), h) for h in axes["step_size"]]
    for field in ("inputs", "weights", "labels"):
        rows = getattr(document, field)
        if isinstance(rows, list) and isinstance(rows[0], list):
            numbers += [((field, i, j), v) for i, row in enumerate(rows) for j, v in enumerate(row)]
        elif isinstance(rows, RandomValues):
            numbers += [((field, "scale"), rows.scale / 64), ((field, "scale"), rows.scale * 4)]
    for key, value in numbers:
        if value and not low <= abs(value) < high:
            yield (
                key,
                f"out of {name}'s range",
                repr(float(value)),
                f"0 or {low:.3g} to {min(high, 1.797e308):.3g} in size",
            )
