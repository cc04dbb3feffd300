"""Paths -> Cases: everything that is there is judged or refused, and held against its lock."""

from __future__ import annotations

import pytest

import verify
from tests.support.problems import drawn, made
from tests.support.texts import EXAMPLE, written
from verify.errors import ScenarioError, UsageError
from verify.judge.result import Verdict
from verify.scenario import collection
from verify.scenario.collection import collect, matching

OTHER = EXAMPLE.replace("2, 4, -2", "1, 4, -2")


def test_a_path_or_case_that_is_not_there_is_named(tmp_path):
    path = written(tmp_path, EXAMPLE)
    with pytest.raises(UsageError, match="no such file or folder"):
        collect(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match=r"has no case 'x'; it has dtype=float32, dtype=float64"):
        collect(f"{path}::x")


def test_one_case_is_the_first_of_its_file_or_the_named_one(tmp_path):
    path = written(tmp_path, EXAMPLE)
    case, others = collection.one_of(str(path))
    assert (case.name, others) == ("dtype=float32", ["dtype=float64"])
    case, others = collection.one_of(f"{path}::dtype=float64")
    assert (case.name, others) == ("dtype=float64", [])
    with pytest.raises(UsageError, match="is a folder; give one file, or FILE::CASE"):
        collection.one_of(str(tmp_path))


def test_every_fault_of_every_file_is_told_before_anything_is_judged(tmp_path):
    written(tmp_path, EXAMPLE, "a")
    written(tmp_path, EXAMPLE.replace("0.01", "-1"), "b")
    written(tmp_path, EXAMPLE.replace("labels", "lables"), "c")
    with pytest.raises(ScenarioError) as caught:
        collect(tmp_path)
    assert [f.path.removeprefix(f"{tmp_path}/") for f in caught.value.faults] == [
        "b.toml",
        "c.toml",
        "c.toml",
    ][: len(caught.value.faults)]
    assert len(caught.value.faults) == 2


def test_strangers_among_the_files_are_faults(tmp_path):
    written(tmp_path, EXAMPLE)
    for name in ("s.tml", "Folder", "link"):
        (tmp_path / name).symlink_to("s.toml")
    with pytest.raises(ScenarioError) as caught:
        collect(tmp_path)
    assert [f.path.rsplit("/", 1)[1] for f in caught.value.faults] == ["Folder", "link", "s.tml"]


def test_a_copy_of_a_file_is_counted_and_not_judged_again(tmp_path):
    written(tmp_path, EXAMPLE, "a")
    written(tmp_path, EXAMPLE, "b")
    report = verify.run(tmp_path)
    assert [r.verdict for r in report.results] == [Verdict.PASS] * 2 + [Verdict.NOT_RUN] * 2
    assert report.counts["found"] == 4
    assert report.counts["judged"] == 2
    assert report.ok
    message = report.results[2].findings[0].message
    assert message == f"the same bytes as {tmp_path}/a.toml, which is judged: no further evidence"
    assert verify.run(tmp_path / "b.toml").counts["judged"] == 2


def test_a_file_with_other_data_of_the_same_name_is_no_copy(tmp_path):
    table = """
title = "a table"
inputs = { file = "t.csv", columns = ["a"] }
weights = [[0.5, -0.5]]
labels = [0, 1]
step_size = 0.5
"""
    for name, cells in (("a", "1\n2\n"), ("b", "1\n3\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.csv").write_text("a\n" + cells)
        written(tmp_path / name, table)
    assert [case.same_as for case in collect(tmp_path)] == [""] * 4


def test_the_package_carries_its_scenarios():
    names = [p.name for p in collection.packaged().glob("*.toml")]
    assert "worked-example.toml" in names
    assert len(names) >= 40


def test_a_path_below_the_working_folder_is_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(collection.relative(tmp_path / "a" / "b.toml")) == "a/b.toml"
    assert collection.relative(tmp_path.parent) == tmp_path.parent


def test_a_copy_is_judged_where_the_first_is_not(tmp_path):
    for name in "abc":
        written(tmp_path, EXAMPLE if name != "c" else OTHER, name)
    report = verify.run(tmp_path, keyword="b.toml or c.toml")
    assert report.counts["judged"] == 4
    report = verify.run(tmp_path)
    assert report.counts["NOT RUN"] == 2


def test_a_folder_has_no_case_of_its_own(tmp_path):
    written(tmp_path, EXAMPLE)
    with pytest.raises(UsageError, match="is a folder, which has no case of its own"):
        collect(f"{tmp_path}::dtype=float32")


def test_a_packaged_scenario_needs_no_path_and_a_misspelt_one_is_guessed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [case.id for case in collect("worked-example")] == [
        "worked-example::dtype=float32", "worked-example::dtype=float64"]  # fmt: skip
    assert len(collect("worked-example::dtype=float32")) == 1
    with pytest.raises(UsageError, match="did you mean worked-example"):
        collect("worked-exmaple")


def test_a_folder_of_scenarios_here_is_what_is_judged_if_nothing_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(collect()) > 200
    (tmp_path / "scenarios").mkdir()
    written(tmp_path / "scenarios", EXAMPLE)
    assert len(collect()) == 2


@pytest.mark.parametrize(
    "problem",
    [drawn(1), made([[1.0]], [[-800]], [[1]], 1), made([[1.0]], [[40]], [[1]], 1)],
    ids=["ordinary", "beyond the post form", "blind for the post form"],
)
def test_a_problem_in_memory_is_a_case_of_the_same_numbers_of_which_nothing_is_expected(problem):
    (case,) = collect(problem)
    assert case.id == "problem-1::dtype=float64"
    assert (case.expect.loss, case.expect.post_form) == ("any", None)
    assert case.problem is problem
    report = verify.run([problem, problem])
    assert report.ok
    assert [r.path for r in report.results] == ["problem-1", "problem-2"]


@pytest.mark.parametrize("thing", [42, [42], None.__class__])
def test_what_cannot_be_run_is_told_what_can(thing):
    with pytest.raises(UsageError, match="cannot be run; give files, folders, FILE::CASE"):
        collect(thing)


ID = "scenarios/batch-sizes.toml::batch_size=7-seed=0-dtype=float32"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("batch", True),
        ("FLOAT32", True),
        ("batch_size=7", True),
        ("batch_size=8", False),
        ("batch and float64", False),
        ("batch and not float64", True),
        ("wine or float32", True),
        ("not (wine or float32)", False),
        ("wine or batch and seed=0", True),
        ("(wine or batch) and seed=1", False),
        ("not not batch", True),
    ],
)
def test_an_expression_selects_by_words_of_the_id(expression, expected):
    assert matching(expression)(ID) == expected


@pytest.mark.parametrize(
    "expression", ["and", "a and", "not", "(a", "a)", "a b", "a or or b", "()"]
)
def test_what_does_not_read_is_refused(expression):
    with pytest.raises(UsageError, match="does not read"):
        matching(expression)
