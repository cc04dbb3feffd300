"""Scenario files: what is right is read whole, what is wrong is named with its place."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.documents import damaged, networks, valid
from tests.support.texts import DRAWN, EXAMPLE, written
from verify.errors import ScenarioError
from verify.scenario import places
from verify.scenario.cases import cases
from verify.scenario.document import Document
from verify.scenario.limits import Limits
from verify.scenario.load import load

HOSTILE = sorted((Path(__file__).parents[1] / "hostile").glob("*.toml"))


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
    monkeypatch.setattr(places, "_pairs", lambda text: iter(()))
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


# One file, in latin-1, for each combination of faults that a fuzzer of bytes came upon.
FUZZED = json.loads((Path(__file__).parents[1] / "golden" / "fuzzed.json").read_text())


def test_what_a_fuzzer_found_is_a_scenario_or_refused_in_lines(tmp_path):
    loaded = 0
    for text in FUZZED:
        path = tmp_path / "s.toml"
        path.write_bytes(text.encode("latin-1"))
        try:
            loaded += bool(cases(load(path)))
        except ScenarioError as error:
            for line in str(error).split("\n"):
                assert line.isprintable()
                assert line.startswith(f"{path}:")
    assert 0 < loaded < len(FUZZED) / 2


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


@given(valid())
def test_a_valid_document_is_a_scenario(tmp_path_factory, text):
    found = cases(load(written(tmp_path_factory.mktemp("valid"), text)))
    assert found
    assert len({case.name for case in found}) == len(found)
    for case in found:
        sizes = case.sizes
        assert case.problem.sizes == {"N": sizes.N, "D": sizes.D, "K": sizes.K}


@given(networks())
def test_a_valid_document_of_any_network_is_a_scenario(tmp_path_factory, text):
    for case in cases(load(written(tmp_path_factory.mktemp("network"), text))):
        problem, shapes = case.problem, case.sizes.shapes
        assert problem.network == case.network
        assert [a.shape for a in (problem.X, *problem.parameters.values(), problem.P)] == [
            *shapes.values()
        ]
        assert case.work == problem.work


@settings(max_examples=200)
@given(networks(), st.data())
def test_a_damaged_layer_is_refused_line_by_line(tmp_path_factory, text, data):
    lines = text.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(
        st.sampled_from(
            ["rtol = 1", "weights = 1", "bias = []", "[[layers]]\nunit = 1", 'activation = "tnh"',
             'upstream = "G"', "[layers]", "layers = 3", "units = 0"]
        )
    )  # fmt: skip
    path = written(tmp_path_factory.mktemp("damaged"), "\n".join(lines))
    for line in str(refusal(path)).split("\n"):
        assert re.match(rf"{re.escape(str(path))}:\d+:\d+: ", line)
        assert line.isprintable()


@settings(max_examples=200)
@given(damaged())
def test_a_damaged_document_is_refused_line_by_line_and_with_no_control_characters(
    tmp_path_factory, text
):
    path = written(tmp_path_factory.mktemp("damaged"), text)
    for line in str(refusal(path)).split("\n"):
        assert line.startswith(f"{path}:")
        assert line.isprintable()


LARGE = {
    "dotted key": lambda n: "a." * (n // 2 - 2) + "a=1",
    "dotted header": lambda n: "[" + "a." * (n // 2 - 2) + "a]",
    "quoted key": lambda n: '"a".' * (n // 4 - 2) + "a=1",
    "brackets": lambda n: "a=" + "[" * (n - 2),
    "closed brackets": lambda n: "a=" + "[" * 500 + "]" * 500,
    "inline tables": lambda n: "a=" + "{a=" * 300 + "1" + "}" * 300,
    "digits": lambda n: EXAMPLE.replace("0.01", "9" * (n - 200)),
    "hexadecimal digits": lambda n: EXAMPLE.replace("0.01", "0x" + "f" * (n - 200)),
    "a large label": lambda n: EXAMPLE.replace("[0]", "[0x" + "f" * 5000 + "]"),
    "a large seed": lambda n: DRAWN + "seed = 0x" + "f" * 5000,
    "truth values": lambda n: EXAMPLE.replace("[[2, 4", "[[" + "true," * (n // 5 - 50) + "2"),
    "text": lambda n: EXAMPLE.replace("[[2, 4", "[[" + '"a",' * (n // 4 - 50) + "2"),
    "ragged rows": lambda n: EXAMPLE.replace("[[2", "[" + "[1],[1,2]," * (n // 10 - 20) + "[2"),
    "infinities": lambda n: EXAMPLE.replace("[[2, 4", "[[" + "1e999," * (n // 6 - 50) + "2"),
    "labels": lambda n: EXAMPLE.replace("[0]", "[" + "5," * (n // 2 - 100) + "0]"),
    "keys": lambda n: "".join(f"k{i}=1\n" for i in range(n // 10)),
    "tables": lambda n: "".join(f"[t{i}]\n" for i in range(n // 10)),
    "arrays of tables": lambda n: "[[a]]\n" * (n // 6),
    "seeds": lambda n: DRAWN + "[vary]\nseed = [" + "1," * (n // 2 - 200) + "1]\n",
    "a cross product": lambda n: DRAWN + "[vary]\n" + "".join(
        f"{name} = {list(range(1, n // 40))}\n" for name in ("steps", "seed")
    ),
    "quotes": lambda n: '"' * n,
    "spaces": lambda n: " " * n,
}  # fmt: skip
LIMITED = """
import resource, sys
from pathlib import Path
from verify.errors import ScenarioError
from verify.scenario.load import load
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
for path in sys.argv[1:]:
    try:
        load(Path(path))
    except ScenarioError as error:
        print(len(str(error).split("\\n")))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 - megabytes)
"""


@pytest.mark.process
def test_no_file_of_the_largest_size_takes_long_or_much_memory(tmp_path):
    """All of them together: 10 seconds of CPU and 128 MiB beyond the imports."""
    most = Limits().file_bytes
    paths = []
    for i, make in enumerate(LARGE.values()):
        text = make(most)
        assert len(text) <= most
        paths.append(written(tmp_path, text, f"s{i}"))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *paths], capture_output=True, text=True, check=True
    )
    *told, megabytes = map(int, done.stdout.split())
    assert len(told) == len(LARGE)
    assert max(told) <= 101
    assert megabytes < 128


def test_many_faults_are_cut_off_with_a_word(tmp_path):
    faults = refusal(written(tmp_path, "".join(f"k{i} = 1\n" for i in range(200)))).faults
    assert len(faults) == 101
    assert str(faults[-1]).endswith("s.toml:201: and more faults, mend these first")


def test_the_digest_is_of_the_file_and_of_its_data(tmp_path):
    table = EXAMPLE.replace("[[2, 4, -2]]", '{ file = "t.csv", columns = ["a", "b", "c"] }')
    digests = set()
    for text, cells in ((table, "1,2,3"), (table + "# x", "1,2,3"), (table, "1,2,4")):
        (tmp_path / "t.csv").write_text(f"a,b,c\n{cells}\n")
        digests.add(load(written(tmp_path, text)).digest)
    assert len(digests) == 3
