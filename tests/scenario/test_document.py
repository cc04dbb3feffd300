from __future__ import annotations

import pytest

from verify.errors import UsageError
from verify.scenario import draw
from verify.scenario.document import (
    DEFAULTS,
    Document,
    Limits,
    RandomLabels,
    RandomValues,
    Vary,
    limits,
)


def test_a_file_may_name_exactly_the_kinds_that_can_be_drawn():
    for model, kinds in ((RandomValues, draw.VALUES), (RandomLabels, draw.LABELS)):
        assert set(model.model_json_schema()["properties"]["random"]["enum"]) == set(kinds)


def test_what_can_be_varied_can_stand_at_the_top_and_has_a_default():
    assert list(Vary.model_fields) == list(DEFAULTS)
    assert set(DEFAULTS) <= set(Document.model_fields)


def test_there_is_no_field_that_could_switch_a_check_off():
    text = str(Document.model_json_schema()).lower()
    for word in ("rtol", "atol", "tolerance'", "skip'", "xfail"):
        assert word not in text


def test_every_key_has_a_description_for_editors():
    for name, field in Document.model_json_schema()["properties"].items():
        assert "description" in field or name in ("vary", "expect"), name


def test_a_limit_is_raised_by_its_name_and_says_how():
    assert limits(["work=1e12", "cases=5"]) == Limits(work=10**12, cases=5)
    assert Limits().allow("cases") == "at most 10000; --scenario-limit cases=N allows more"


@pytest.mark.parametrize("setting", ["work", "work=", "work=0", "work=-1", "work=nan", "work=inf",
                                     "wrk=5", "=5", ""])  # fmt: skip
def test_a_limit_that_is_none_is_refused_with_those_there_are(setting):
    with pytest.raises(UsageError, match=r"give NAME=N, 1 or more, of files=10000, .*total_work="):
        limits([setting])
