"""The comparison of checks: a table of what each sees, and of what it blames."""

from __future__ import annotations

import json

import pytest

from verify.experiments.checks import CHECKS, OURS
from verify.experiments.functions import comparison
from verify.faults.functions import FUNCTIONS

SOME = ("gradcheck, slow", "allclose with autograd")


def test_a_check_that_blames_what_is_right_sees_none_of_its_mistakes():
    found = comparison(names=("softmax", "huber"), checks=("gradcheck, slow",))
    double, single = found.rows
    assert (double.dtype, len(double.seen), double.alarms) == ("float64", 6, ())
    assert (single.dtype, single.seen, single.alarms) == ("float32", (), ("softmax", "huber"))


def test_it_is_a_line_a_check_and_dtype_and_json_types_only():
    found = comparison(names=("gelu-tanh",), checks=SOME)
    head, *lines = found.text().splitlines()
    assert head.split()[0] == "check"
    assert [line.split("  ")[0] for line in lines] == [*SOME, *SOME]
    assert all("2/3" in line or "0/3" in line for line in lines)
    told = json.loads(json.dumps(found.to_dict()))
    assert told["functions"] == 1
    assert told["checks"][0]["missed"] == ["gelu-tanh/constant-rounded"]
    assert len(told["mistakes"]) == 3


@pytest.mark.parametrize("name", FUNCTIONS)
def test_verify_sees_every_mistake_in_both_dtypes_and_blames_nothing_that_is_right(name):
    found = comparison(names=(name,), checks=(OURS,))
    for row in found.rows:
        assert set(found.mistakes) == set(row.seen)
        assert row.alarms == ()


def test_every_check_is_asked_in_its_own_dtypes_and_progress_is_told():
    asked = []

    def progress(pairs):
        asked.extend(pairs)
        return ()

    assert comparison(progress, names=("softmax",)).rows == ()
    assert sorted(asked) == sorted((c, d) for c, (dtypes, _) in CHECKS.items() for d in dtypes)
