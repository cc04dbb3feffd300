"""JSON Schemas of the files that this package reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from verify.candidate.json_lines import Answer, Request
from verify.judge.result import REPORT
from verify.report.export import Exported
from verify.scenario.document import Document
from verify.scenario.manifest import Manifest

SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "scenario": Document.model_json_schema,
    "report": partial(REPORT.json_schema, mode="serialization"),
    "manifest": Manifest.model_json_schema,
    "export": Exported.model_json_schema,
    "request": Request.model_json_schema,
    "answer": Answer.model_json_schema,
}
