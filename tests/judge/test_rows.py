"""Entries of some rows, told by their place among all."""

from __future__ import annotations

from dataclasses import replace

from tests.support import networks
from tests.support.results import figure
from verify.judge import compare
from verify.judge.result import Finding, Verdict
from verify.judge.rows import among_all, in_a_batch, in_rows, of_some_rows
from verify.network.layer import Layer

PROBLEM = networks.of(Layer("tanh", bias=True), Layer("softmax"), N=40)
OF_ROWS = replace(figure("y1", 0.5), entry=(2, 1))
OF_WEIGHTS = replace(figure("dC_dW1", 0.5), entry=(2, 1))


def test_an_entry_of_a_row_is_that_among_all_and_one_of_weights_stays():
    assert among_all(OF_ROWS, 10, PROBLEM).entry == (12, 1)
    assert among_all(OF_ROWS, (3, 9, 27), PROBLEM).entry == (27, 1)
    assert among_all(OF_WEIGHTS, 10, PROBLEM).entry == (2, 1)


def test_a_finding_says_in_which_rows_it_is():
    finding = Finding("bound", Verdict.FAIL, "y1 is wrong", "it", "y1", OF_ROWS)
    told = in_rows(finding, 40, PROBLEM)
    assert told.message == "y1 is wrong, in rows 40 to 79"
    assert told.figure.entry == (42, 1)


def test_a_batch_of_some_rows_is_told_by_its_size_and_its_first_rows():
    ref = compare.reference(PROBLEM, 20000)
    rows = ref.rows
    expected = f"in a batch of {len(rows)} rows: {rows[0]}, {rows[1]}, {rows[2]}, ..."
    assert in_a_batch(ref) == expected
    finding = Finding("bound", Verdict.FAIL, "y1 is wrong", "it", "y1", OF_ROWS)
    told = of_some_rows(finding, ref)
    assert told.message == f"y1 is wrong, {expected}"
    assert told.figure.entry == (rows[2], 1)
