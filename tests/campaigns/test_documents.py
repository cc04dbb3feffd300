"""Thousands of generated scenario files: the valid are green, the damaged are refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.support.documents import damaged, valid
from tests.support.texts import the_cases, written
from verify.errors import ScenarioError
from verify.judge.judge import judge
from verify.scenario.load import load

pytestmark = [pytest.mark.campaign, pytest.mark.process]


@settings(max_examples=3_000)
@given(valid())
def test_every_valid_document_is_judged_and_green(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    for case in the_cases(folder, text):
        result = judge(case)
        assert result.ok, (text, case.name, result.findings)


@settings(max_examples=10_000)
@given(damaged())
def test_every_damaged_document_is_refused(tmp_path_factory, text):
    with pytest.raises(ScenarioError):
        load(written(tmp_path_factory.getbasetemp(), text))
