from __future__ import annotations

from verify import draw
from verify.document import DEFAULTS, Document, RandomLabels, RandomValues, Vary, schema


def test_a_file_may_name_exactly_the_kinds_that_can_be_drawn():
    for model, kinds in ((RandomValues, draw.VALUES), (RandomLabels, draw.LABELS)):
        assert set(model.model_json_schema()["properties"]["random"]["enum"]) == set(kinds)


def test_what_can_be_varied_can_stand_at_the_top_and_has_a_default():
    assert list(Vary.model_fields) == list(DEFAULTS)
    assert set(DEFAULTS) <= set(Document.model_fields)


def test_there_is_no_field_that_could_switch_a_check_off():
    text = str(schema()).lower()
    for word in ("rtol", "atol", "tolerance'", "skip'", "xfail"):
        assert word not in text


def test_every_key_has_a_description_for_editors():
    for name, field in schema()["properties"].items():
        assert "description" in field or name in ("vary", "expect"), name
