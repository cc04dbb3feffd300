from __future__ import annotations

from typing import get_args

import jsonschema
import pytest

from verify.errors import UsageError
from verify.network.costs import COSTS
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS
from verify.network.network import Network
from verify.scenario import draw
from verify.scenario.document import (
    DEFAULTS,
    Activation,
    CostName,
    Document,
    LayerKeys,
    RandomLabels,
    RandomValues,
    Vary,
)
from verify.scenario.limits import Limits, limits


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
    assert all(field.description for field in LayerKeys.model_fields.values())


def test_the_activations_and_costs_of_files_are_those_there_are():
    assert get_args(Activation) == tuple(ACTIVATIONS)
    assert {*get_args(CostName), "upstream"} == {*COSTS}


def test_what_may_stand_at_the_top_of_one_layer_is_what_may_in_a_table_of_it():
    assert {*LayerKeys.model_fields} - {*Document.model_fields} == {"units", "embedding"}
    assert (Layer().activation, Network().cost, Network().reduction) == (
        "sigmoid", "cross-entropy", "rows",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "fits"),
    [
        ("weights labels", True), ("layers labels", True), ("weights upstream", True),
        ("activation upstream", True), ("layers upstream", True), ("labels", False),
        ("weights", False), ("activation labels", False), ("upstream", False),
        ("weights labels upstream", False),
    ],
)  # fmt: skip
def test_the_schema_says_what_must_be_there(keys, fits):
    values = {"title": "t", "inputs": [[1]], "weights": [[1]], "labels": [0], "layers": [{}],
              "upstream": [[1]], "activation": "relu"}  # fmt: skip
    document = {name: values[name] for name in ("title", "inputs", *keys.split())}
    assert jsonschema.Draft202012Validator(Document.model_json_schema()).is_valid(document) == fits


def test_a_limit_is_raised_by_its_name_and_says_how():
    assert limits(["work=1e12", "cases=5"]) == Limits(work=10**12, cases=5)
    assert Limits().allow("cases") == "at most 10000; --scenario-limit cases=N allows more"


@pytest.mark.parametrize("setting", ["work", "work=", "work=0", "work=-1", "work=nan", "work=inf",
                                     "wrk=5", "=5", ""])  # fmt: skip
def test_a_limit_that_is_none_is_refused_with_those_there_are(setting):
    with pytest.raises(UsageError, match=r"give NAME=N, 1 or more, of files=10000, .*total_work="):
        limits([setting])
