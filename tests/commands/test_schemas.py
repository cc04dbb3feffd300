"""What is written is as its schema says."""

from __future__ import annotations

import json

import jsonschema
import pytest

import verify
from tests.support.results import ABSENT, BROKEN, FAILED, FAULT, PASSED, figure, result
from tests.support.texts import EXAMPLE, written
from verify.commands.schemas import SCHEMAS
from verify.judge import lock
from verify.judge.result import Report


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name]())


def test_every_report_is_as_the_schema_says(tmp_path):
    schema = SCHEMAS["report"]()
    reports = (
        verify.run(written(tmp_path, EXAMPLE)),
        Report((PASSED, FAILED, ABSENT, BROKEN), 5, signal=15, unlocked=("x",)),
        Report((), 0, (FAULT,)),
        Report((result(figures=(figure("C", float("nan")),)),), 1),
    )
    for report in reports:
        jsonschema.validate(json.loads(json.dumps(report.to_dict(), allow_nan=False)), schema)


@pytest.mark.parametrize("name", ["format", "counts", "results", "unlocked"])
def test_a_report_without_a_part_is_not(name):
    read = Report((PASSED,), 1).to_dict()
    del read[name]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read, SCHEMAS["report"]())


def test_a_manifest_is_as_the_schema_says(tmp_path):
    written(tmp_path, EXAMPLE)
    lock.lock(tmp_path)
    jsonschema.validate(json.loads((tmp_path / "manifest.json").read_text()), SCHEMAS["manifest"]())


def test_the_schema_of_a_scenario_offers_no_null_where_toml_has_none():
    assert {"type": "null"} not in json_values(
        SCHEMAS["scenario"]()["$defs"]["Expect"]["properties"]["post_form"]
    )


def json_values(node):
    """Everything in a JSON value."""
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [node, *(value for each in inside for value in json_values(each))]
