"""Rows of named values -> what a notebook shows: an HTML table, or a pandas DataFrame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib.util import find_spec
from typing import Any

from verify.errors import UsageError, printable

Records = Sequence[Mapping[str, Any]]
_SHOWN = 20


def table(caption: str, rows: Records) -> str:
    """The first rows as an HTML table, and how many there are besides."""
    names = list(rows[0]) if rows else []
    lines = [names, *([_cell(row[name]) for name in names] for row in rows[:_SHOWN])]
    kinds = ["th", *["td"] * len(rows)]
    body = "".join(
        "<tr>" + "".join(f"<{kind}>{escape(text)}</{kind}>" for text in line) + "</tr>"
        for kind, line in zip(kinds, lines, strict=False)
    )
    more = f"<p>and {len(rows) - _SHOWN} more</p>" if len(rows) > _SHOWN else ""
    return f"<p>{escape(printable(caption))}</p><table>{body}</table>{more}"


def frame(rows: Records) -> Any:
    """The rows as a pandas DataFrame.

    Raises  UsageError where pandas is absent.
    """
    if find_spec("pandas") is None:
        raise UsageError("a DataFrame is of pandas, which is not here: pip install pandas")
    import pandas as pd

    return pd.DataFrame(list(rows))


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else printable(str(value))


def row(result: Any) -> dict[str, Any]:
    """A case in one row: what it is, its verdict, and its nearest approach to a bound."""
    worst = result.worst
    what = {name: getattr(result, name) for name in ("path", "case", "dtype", "device")}
    near = {"link": "", "error / bound": math.nan, "ulps": math.nan}
    if worst:
        near = {"link": worst.link, "error / bound": worst.ratio, "ulps": worst.ulps}
    figures = ("resolution", "loss_before", "loss_after", "seconds")
    told = {name: getattr(result, name) for name in figures}
    return {**what, "verdict": str(result.verdict), **near, **told}
