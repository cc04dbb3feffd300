"""Files that are not as their manifest has them fail, however they are named."""

from __future__ import annotations

import pytest

import verify
from tests.support.texts import EXAMPLE, locked, written
from verify.errors import ScenarioError
from verify.judge.pins import entry
from verify.judge.result import Verdict
from verify.scenario import collection
from verify.scenario.cases import cases
from verify.scenario.collection import collect
from verify.scenario.load import load
from verify.scenario.manifest import Manifest

OTHER = EXAMPLE.replace("2, 4, -2", "1, 4, -2")


def test_what_is_as_it_was_locked_carries_its_pins(tmp_path):
    written(tmp_path, EXAMPLE, "a")
    written(tmp_path, OTHER, "b")
    locked(tmp_path)
    for subject in (tmp_path, tmp_path / "a.toml"):
        report = verify.run(subject)
        assert report.ok
        assert report.counts["locked"] == report.counts["judged"] > 0


def gone(folder):
    (folder / "b.toml").unlink()


def renamed(folder):
    (folder / "b.toml").rename(folder / "c.toml")


def new(folder):
    written(folder, EXAMPLE.replace("2, 4", "2, 5"), "c")


def edited(folder):
    written(folder, OTHER.replace("0.01", "0.02"), "b")


def data_edited(folder):
    written(folder, OTHER + "# a comment", "b")


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (gone, ["b.toml was locked and is not here"]),
        (renamed, ["b.toml was locked and is not here", "c.toml is not locked yet"]),
        (new, ["c.toml is not locked yet"]),
        (edited, ["b.toml, or its data, has changed since it was locked"]),
        (data_edited, ["b.toml, or its data, has changed since it was locked"]),
    ],
)
def test_a_folder_that_is_not_as_it_was_locked_is_red(change, messages, tmp_path):
    written(tmp_path, EXAMPLE, "a")
    written(tmp_path, OTHER, "b")
    locked(tmp_path)
    change(tmp_path)
    report = verify.run(tmp_path)
    assert report.exit_code == 1
    assert {r.verdict for r in report.results} == {Verdict.PASS}
    assert [m.removeprefix(f"{tmp_path}/").split(";")[0] for m in report.unlocked] == messages


def test_a_malformed_manifest_stops_the_run(tmp_path):
    path = written(tmp_path, EXAMPLE)
    (tmp_path / "manifest.json").write_text("{}")
    for subject in (tmp_path, path):
        with pytest.raises(ScenarioError, match=r"manifest\.json: not a manifest"):
            collect(subject)


def test_a_file_that_makes_other_cases_than_it_did_is_told_of(tmp_path):
    scenario = load(written(tmp_path, EXAMPLE))
    whole = entry(scenario)
    assert whole.count == len(cases(scenario)) == 2
    short = whole.model_copy(update={"cases": dict(list(whole.cases.items())[:1]), "count": 1})
    manifest = Manifest(format=1, scenarios={"s.toml": short})
    (message,) = collection.differences(manifest, {"s.toml": scenario})
    assert message.startswith("s.toml makes other cases than those 1 that were locked")


def changed(folder):
    """A folder that is locked, of which one file is another then."""
    (folder / "sub").mkdir()
    for name in ("a", "sub/b"):
        written(folder, EXAMPLE if name == "a" else OTHER, name)
    locked(folder)
    return folder


@pytest.mark.parametrize("subject", ["a.toml", "sub", "sub/b.toml", "."])
def test_a_lock_is_asked_by_name_by_subfolder_and_by_folder(subject, tmp_path):
    folder = changed(tmp_path)
    assert verify.run(folder / subject).ok
    for name in ("a", "sub/b"):
        path = folder / f"{name}.toml"
        path.write_text(path.read_text().replace("0.01", "0.02"))
    report = verify.run(folder / subject)
    assert report.exit_code == 1
    assert any("has changed since it was locked" in text for text in report.unlocked)
    assert all(r.ok and not r.locked for r in report.results)


def test_a_new_file_is_not_locked_yet_where_its_folder_is_judged_and_fine_by_its_name(tmp_path):
    folder = changed(tmp_path)
    new = written(folder, EXAMPLE.replace("0.01", "0.02"), "new")
    assert verify.run(new).ok
    assert verify.run(folder).unlocked == (
        f"{folder}/new.toml is not locked yet; `verify lock` pins it",
    )


def test_a_manifest_of_another_program_around_a_folder_is_none_of_ours(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "an app"}')
    (tmp_path / "cases").mkdir()
    assert verify.run(written(tmp_path / "cases", EXAMPLE)).ok
