"""Exported cases are read by a few lines of any language: here Python without NumPy, and Node."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import two_layers

from tests.support.texts import DRAWN, EXAMPLE, TWO_LAYERS, the_case, the_cases
from verify.commands.schemas import SCHEMAS
from verify.errors import UsageError
from verify.judge import pins
from verify.network.problem import LINKS
from verify.report import export
from verify.scenario.collection import collect, packaged

EXAMPLES = Path(__file__).parents[1] / "examples"


def numbers(value):
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return float.fromhex(value)


def worst(path, factor=1.0):
    """|found - exact| / bound of a gradient in plain Python: the reader of a few lines."""
    case = json.loads(path.read_text())
    X, W, P = (numbers(case[name]) for name in "XWP")
    exact, bound = (numbers(case[name]["dC_dW"]) for name in ("exact", "bound"))
    N, D, K = (case["sizes"][axis] for axis in "NDK")
    y = [[sum(x * W[d][k] for d, x in enumerate(row)) for k in range(K)] for row in X]
    ratios = []
    for d in range(D):
        for k in range(K):
            terms = (X[n][d] * -P[n][k] / (1 + math.exp(y[n][k])) for n in range(N))
            ratios.append(abs(factor * sum(terms) / N - exact[d][k]) / bound[d][k])
    return max(ratios)


def in_node(reader, path, *more):
    """What an example in JavaScript prints of an exported case."""
    command = ["node", EXAMPLES / reader, path, *more]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("text", [EXAMPLE, DRAWN])
def test_a_reader_in_plain_python_agrees_within_the_bound_and_sees_a_factor(text, tmp_path):
    written, left = export.export(the_cases(tmp_path, text), tmp_path / "out")
    assert [str(p.relative_to(tmp_path / "out")) for p in written] == [
        "s/dtype=float32.json", "s/dtype=float64.json",
    ]  # fmt: skip
    assert left == []
    for path in written:
        assert worst(path) <= 1
        assert worst(path, 1 + 1e-3) > 1


@pytest.mark.process
@pytest.mark.skipif(shutil.which("node") is None, reason="no JavaScript here")
def test_a_reader_in_javascript_agrees_and_sees_a_factor(tmp_path):
    (_, path), _ = export.export(the_cases(tmp_path, DRAWN), tmp_path / "out")

    assert in_node("read_export.js", path)["worst"] <= 1
    assert in_node("read_export.js", path, "wrong")["worst"] > 1e6
    first = in_node("read_export.js", path)["first"]
    assert first == float(the_case(tmp_path, DRAWN).problem.X[0, 0])


def test_two_layers_in_plain_python_agree_link_by_link(tmp_path):
    for path in export.export(the_cases(tmp_path, TWO_LAYERS), tmp_path / "out")[0]:
        case = json.loads(path.read_text())
        names = ("X", "W1", "b1", "W2", "b2", "P")
        arrays = {name: np.array(numbers(case[name])) for name in names}
        for link, found in two_layers.gradient(**arrays).items():
            exact, bound = (np.array(numbers(case[name][link])) for name in ("exact", "bound"))
            assert (np.abs(found - exact) <= bound).all(), link
            assert (np.abs(1.001 * exact - exact) > bound).any(), link


def test_the_numbers_are_those_of_the_case_bit_for_bit(tmp_path):
    case = the_case(tmp_path, DRAWN, "float32")
    made = export.exported(case)
    assert numbers(made.X) == case.problem.X.astype(float).tolist()
    assert numbers(made.h) == float(case.problem.h)
    assert made.problem == pins.problem_digest(case)
    assert list(made.exact) == list(LINKS) == list(made.bound)
    jsonschema.validate(made.model_dump(), SCHEMAS["export"]())


def test_the_schema_allows_arrays_by_their_names_and_nothing_else(tmp_path):
    made = export.exported(the_case(tmp_path, EXAMPLE)).model_dump()
    for place, value in ((made, 1.5), (made["exact"], {}), (made["network"], "sigmoid")):
        place["another"] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(made, SCHEMAS["export"]())
        del place["another"]


def test_a_case_that_stays_on_disk_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("verify.scenario.cases.HELD", 0)
    np.save(tmp_path / "X.npy", np.ones((1, 3)))
    np.save(tmp_path / "P.npy", np.zeros(1, int))
    text = EXAMPLE.replace("[[2, 4, -2]]", '{ file = "X.npy" }').replace(
        "[0]", '{ file = "P.npy" }'
    )
    case = the_case(tmp_path, text + 'dtype = "float64"\n')
    assert case.large
    assert export.exported(case) is None


def test_the_edges_of_the_domain_are_exported_too():
    for case in collect(packaged() / "post-form-overflows-float64.toml"):
        made = export.exported(case)
        assert all(math.isfinite(v) for row in numbers(made.exact["dC_dW"]) for v in row)


def test_a_folder_that_is_not_empty_is_not_written_to(tmp_path):
    with pytest.raises(UsageError, match="not an empty folder"):
        export.export(the_cases(tmp_path, EXAMPLE), tmp_path)


def test_a_case_too_large_for_its_truth_is_left_and_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(pins, "LOCK_BUDGET", 100)
    cases = the_cases(tmp_path, DRAWN)
    assert export.export(cases, tmp_path / "out") == ([], cases)


def test_a_path_that_is_a_file_or_cannot_be_made_is_refused(tmp_path):
    (case,) = the_cases(tmp_path, EXAMPLE.replace("step_size", 'dtype = "float64"\nstep_size'))
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match="not an empty folder; name a new one"):
        export.export([case], tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        export.export([case], tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "kept"
