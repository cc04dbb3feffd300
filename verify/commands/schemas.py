"""JSON Schemas of the files that this package reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from verify.judge.result import Report, Result
from verify.report.export import Exported
from verify.scenario.document import Document
from verify.scenario.manifest import Manifest


class _Serialised(GenerateJsonSchema):
    """Numbers as `Report.to_dict` writes them: JSON has no word for nan and inf."""

    def float_schema(self, schema: Any) -> dict[str, Any]:
        return {"anyOf": [super().float_schema(schema), {"enum": ["nan", "inf", "-inf"]}]}


def report() -> dict[str, Any]:
    """The JSON Schema of `verify run --json`; `format` in it changes when the layout does."""
    made = TypeAdapter(Report).json_schema(schema_generator=_Serialised)
    text, number, whole, truth = ({"type": t} for t in ("string", "number", "integer", "boolean"))
    made["properties"] |= {
        "format": {"const": 1},
        "ok": truth,
        "exit_code": whole,
        "counts": {"type": "object", "additionalProperties": whole},
        "seconds": number,
    }
    del made["properties"]["found"]
    result = made["$defs"][Result.__name__]
    result["properties"] |= {
        "id": text,
        "verdict": text,
        "first_broken_link": {"anyOf": [text, {"type": "null"}]},
    }
    for part in (made, result):
        part["required"] = list(part["properties"])
        part["additionalProperties"] = False
    return made


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "scenario": Document.model_json_schema,
    "report": report,
    "manifest": Manifest.model_json_schema,
    "export": Exported.model_json_schema,
}
