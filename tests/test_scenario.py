"""Scenario files: what is right is read whole, what is wrong is named with its place."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import DRAWN, EXAMPLE, written

from verify import locate
from verify.cases import cases
from verify.document import Document, Limits
from verify.errors import ScenarioError
from verify.scenario import load

HOSTILE = sorted((Path(__file__).parent / "hostile").glob("*.toml"))


def refusal(path: Path, limits: Limits | None = None) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load(path, limits)
    return caught.value


@pytest.mark.parametrize("path", HOSTILE, ids=lambda p: p.stem)
def test_a_hostile_file_is_refused_on_the_guilty_line_in_the_expected_words(path):
    expected = [
        (number, line.split("# E: ")[1])
        for number, line in enumerate(path.read_text().split("\n"), 1)
        if "# E: " in line
    ]
    assert len(expected) == 1
    error = refusal(path)
    (line, sentence), (fault,) = expected[0], error.faults
    assert sentence in str(fault)
    assert fault.line == (1 if "missing" in sentence and "columns" not in sentence else line)
    assert str(error).startswith(f"{path}:{fault.line}:")


def test_all_faults_of_a_file_are_told_in_its_order(tmp_path):
    text = EXAMPLE.replace("labels", "lables").replace("-2]", '"2"]').replace("0.01", "-1")
    faults = refusal(written(tmp_path, text + "dtype = 3\n[vary]\nseed = [1, 1]\n")).faults
    assert [f.key for f in faults] == [
        "inputs[0][2]", "lables", "step_size", "dtype", "vary.seed", "vary.seed[1]",
    ]  # fmt: skip


def test_the_column_is_the_characters_column_not_the_bytes(tmp_path):
    text = (
        EXAMPLE.replace('"an example"', '"ééé"; steps = 0').replace("; ", "\n") + 'source = "é" \n'
    )
    (fault,) = refusal(written(tmp_path, text)).faults
    assert (fault.line, fault.column) == (3, 9)


def test_without_the_grammar_a_fault_still_names_its_key(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "_pairs", lambda text: iter(()))
    (fault,) = refusal(written(tmp_path, EXAMPLE.replace("0.01", "-1"))).faults
    assert str(fault).endswith("s.toml: step_size: out of range (-1), greater than 0.0")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"  \n# only a comment\n", "empty"),
        (b"\xef\xbb\xbftitle = 'x'", "a byte order mark"),
        ("title = 'x'".encode("utf-16"), "not UTF-8"),
        (b"title = '\xff'", "not UTF-8"),
        (b"title = 'x'\rinputs = 1", "not TOML"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"title = 'x", "not TOML"),
        (b"x" * (2**18 + 1), "too large"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bytes_that_are_no_scenario_are_refused(content, sentence, tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes(content)
    assert sentence in str(refusal(path))


@pytest.mark.parametrize("name", ["Upper.toml", "-x.toml", "a b.toml", "é.toml", ".x.toml"])
def test_a_name_outside_the_alphabet_is_refused(name, tmp_path):
    path = tmp_path / name
    path.write_text(EXAMPLE)
    assert "not a scenario's name" in str(refusal(path))


def test_links_pipes_and_folders_are_not_read(tmp_path):
    real = written(tmp_path, EXAMPLE, "real")
    (tmp_path / "link.toml").symlink_to(real)
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    for name in ("link", "pipe", "folder"):
        assert "not a regular file" in str(refusal(tmp_path / f"{name}.toml"))
    assert "cannot be read" in str(refusal(tmp_path / "absent.toml"))


def test_limits_can_be_raised_and_lowered(tmp_path):
    path = written(tmp_path, EXAMPLE)
    for name, value, found in (
        ("file_bytes", 10, "133 bytes"),
        ("work", 5, "N D K = 6"),
        ("numbers", 10, "N D + D K + N K = 11"),
        ("cases", 1, "2"),
        ("total_work", 11, "N D K of all steps of all cases is 12"),
    ):
        error = str(refusal(path, Limits(**{name: value})))
        assert f"({found}), at most {value}; --scenario-limit {name}=N allows more" in error
        assert load(path, Limits(**{name: 200})).axes


def test_carriage_returns_before_newlines_change_nothing(tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes(EXAMPLE.replace("\n", "\r\n").encode())
    assert load(path).axes == load(written(tmp_path, EXAMPLE)).axes


def test_defaults_are_both_dtypes_one_step_cpu_and_C_order(tmp_path):
    axes = load(written(tmp_path, EXAMPLE)).axes
    assert axes["dtype"] == ("float32", "float64")
    assert [axes[n] for n in ("steps", "device", "layout")] == [(1,), ("cpu",), ("C",)]


def test_an_id_spells_what_varies_and_the_dtype(tmp_path):
    text = DRAWN.replace("batch_size = 11\n", "") + "[vary]\nbatch_size = [1, 2]\nseed = [0]\n"
    assert load(written(tmp_path, text)).named == ("batch_size", "seed", "dtype")


def test_a_table_beside_the_scenario_is_read(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "t.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n")
    text = """
title = "table"
inputs = { file = "data/t.csv", columns = ["a", "b"] }
weights = { random = "normal" }
labels = { file = "data/t.csv", column = "kind" }
step_size = 0.1
"""
    assert len(load(written(tmp_path, text)).data["data/t.csv"]) == 2
    wrong = text.replace('"b"', '"kind"')
    assert "line 2 of the table is not a number ('x')" in str(refusal(written(tmp_path, wrong)))
    wrong = text.replace('column = "kind"', 'column = "kid"')
    assert "no such column ('kid'), did you mean 'kind'?" in str(refusal(written(tmp_path, wrong)))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_scenario_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "s.toml"
    path.write_bytes(content)
    refusal(path)


KEYS = st.sampled_from([name for name in Document.model_fields if name != "source"])
VALUES = st.sampled_from(
    [
        *("1", "-1", "0.5", "nan", "1e400", '"x"', '"7.87"', "true", "1979-05-27", "{}"),
        *("[]", "[0]", "[[1.0]]", "[[1], [2, 3]]", "[1, [2]]"),
        *('{ random = "normal" }', '{ random = "soft" }', '{ file = "a.csv" }'),
    ]
)


@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_document_is_either_a_scenario_or_refused_line_by_line(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("keys") / "s.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in pairs.items()))
    with contextlib.suppress(ScenarioError):
        assert cases(load(path))
        return
    for line in str(refusal(path)).split("\n"):
        assert re.match(rf"{re.escape(str(path))}:\d+:\d+: ", line)
