"""Only what passes is locked; what changed is told; nothing is half written."""

from __future__ import annotations

import pytest

from tests.support.texts import DRAWN, EXAMPLE, written
from verify.errors import ScenarioError, UsageError
from verify.judge import lock, pins
from verify.scenario import draw
from verify.scenario.collection import packaged
from verify.scenario.locked import manifest_of


def test_a_folder_that_passes_is_locked_and_then_as_locked(tmp_path):
    written(tmp_path, EXAMPLE, "a")
    written(tmp_path, DRAWN, "b")
    assert lock.check(tmp_path) == [
        f"{tmp_path}/manifest.json is not here; `verify lock` writes it"
    ]
    done = lock.lock(tmp_path)
    assert done.changes == ("a.toml: new, 2 cases", "b.toml: new, 2 cases")
    assert done.manifest == manifest_of(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.toml", "b.toml", "manifest.json"]
    assert lock.check(tmp_path) == []
    assert lock.lock(tmp_path).changes == ()


def test_what_does_not_pass_is_not_locked(tmp_path):
    written(tmp_path, EXAMPLE, "a")
    lock.lock(tmp_path)
    before = (tmp_path / "manifest.json").read_bytes()
    written(tmp_path, EXAMPLE + '[expect]\nloss_before = "7.88"\n', "b")
    done = lock.lock(tmp_path)
    assert done.manifest is None
    assert done.report.exit_code == 1
    assert (tmp_path / "manifest.json").read_bytes() == before
    written(tmp_path, "title = 1\n", "c")
    with pytest.raises(ScenarioError):
        lock.lock(tmp_path)


def test_a_lock_is_replaced_whatever_it_was(tmp_path):
    written(tmp_path, EXAMPLE)
    (tmp_path / "manifest.json").write_text("damaged")
    with pytest.raises(ScenarioError):
        lock.check(tmp_path)
    assert lock.lock(tmp_path).changes == ("s.toml: new, 2 cases",)


def test_changes_are_told_file_by_file_and_value_by_value(tmp_path):
    for name, text in (("a", EXAMPLE), ("b", DRAWN)):
        written(tmp_path, text, name)
    before = lock.lock(tmp_path).manifest
    written(tmp_path, EXAMPLE + '[vary]\ndtype = ["float64"]\n', "a")
    (tmp_path / "b.toml").rename(tmp_path / "c.toml")
    after = lock.lock(tmp_path).manifest
    assert list(lock.manifest_changes(before, after)) == [
        "a.toml: content, 2 cases before, 1 now",
        "b.toml: gone",
        "c.toml: new, 2 cases",
    ]


def test_draws_that_are_others_than_they_were_are_red_and_told_by_value(tmp_path, monkeypatch):
    import verify

    written(tmp_path, DRAWN)
    lock.lock(tmp_path)
    real = draw.values

    def values(*arguments):
        drawn = real(*arguments).copy()
        drawn[0, 0] += 1 / 64
        return drawn

    monkeypatch.setattr(draw, "values", values)
    report = verify.run(tmp_path)
    assert report.exit_code == 1
    assert [f.check for r in report.results for f in r.findings] == ["lock", "lock"]
    (difference,) = lock.check(tmp_path)
    expected = "problem of 2 cases, C_before of 2 cases, C_after of 2 cases, dC_dW of 2 cases"
    assert difference == f"{tmp_path}/s.toml: {expected}"


def test_a_path_that_is_no_folder_cannot_be_locked(tmp_path):
    for call in (lock.lock, lock.check):
        with pytest.raises(UsageError, match="no such folder"):
            call(tmp_path / "absent")


def test_the_packaged_scenarios_are_as_they_were_locked():
    """The cheap part; `verify lock --check` computes every exact value again."""
    folder = packaged()
    locked = manifest_of(folder)
    from verify.scenario.collection import of_folder

    found = of_folder(folder, lock.Limits())
    assert found.unlocked == ()
    assert len(found.cases) == sum(entry.count for entry in locked.scenarios.values())
    for case in found.cases:
        assert case.pin.problem == pins.problem_digest(case), case.id


def test_what_was_not_judged_is_not_locked(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    written(tmp_path, EXAMPLE, "a")
    written(tmp_path, EXAMPLE + 'device = "cuda"\n', "b")
    with pytest.raises(UsageError, match=r"nothing is locked: 2 cases not run, as .*no cuda"):
        lock.lock(tmp_path)
    assert not (tmp_path / "manifest.json").exists()


def test_a_copy_of_a_file_that_was_judged_is_locked(tmp_path):
    for name in "ab":
        written(tmp_path, EXAMPLE, name)
    assert len(lock.lock(tmp_path).manifest.scenarios) == 2


def test_a_folder_that_takes_no_file_is_told_before_anything_is_judged(tmp_path, monkeypatch):
    written(tmp_path, EXAMPLE)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UsageError, match="takes no files: it is read-only"):
        lock.lock(tmp_path)
