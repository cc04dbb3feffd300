"""What may lie in a folder of scenarios."""

from __future__ import annotations

import os

import pytest

from verify.errors import ScenarioError
from verify.scenario import folder
from verify.scenario.limits import Limits


def test_files_of_folders_below_are_found_in_the_order_of_names(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/x.toml", "c.toml", "a.toml", "README.md"):
        (tmp_path / name).write_text("")
    found = [str(p.relative_to(tmp_path)) for p in folder.entries(tmp_path, Limits())]
    assert found == ["README.md", "a.toml", "b/x.toml", "c.toml"]


@pytest.mark.parametrize("name", ["t.csv", "x.npy", "README.md", "manifest.json"])
def test_data_a_readme_and_a_manifest_may_stand_beside(name, tmp_path):
    (tmp_path / name).write_text("")
    assert folder.is_known(tmp_path / name)
    (tmp_path / "real").mkdir()
    link = tmp_path / "real" / name
    link.symlink_to(tmp_path / name)
    assert not folder.is_known(link)


@pytest.mark.parametrize(
    "name",
    ["s.tml", "s.toml~", "s.TOML", "s.JSON", ".hidden", "s.yaml", "notes.md", "x.npz", "x.NPY",
     "Manifest.json", "conftest.py"],
)  # fmt: skip
def test_a_file_that_nobody_would_run_is_a_stranger(name, tmp_path):
    (tmp_path / name).write_text("")
    assert not folder.is_known(tmp_path / name)
    assert not folder.is_scenario(tmp_path / name)
    assert "neither a scenario nor data" in str(folder.stranger(tmp_path / name))


@pytest.mark.parametrize("name", ["Upper", ".git", "__pycache__", "a b", "é"])
def test_a_folder_of_another_name_is_told_of(name, tmp_path):
    (tmp_path / name).mkdir()
    (tmp_path / name / "s.toml").write_text("")
    assert tmp_path / name in folder.entries(tmp_path, Limits())
    assert not folder.is_known(tmp_path / name)


def test_a_linked_folder_is_told_of_and_not_entered(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert folder.entries(tmp_path, Limits()) == [tmp_path / "link", tmp_path / "loop"]


def test_a_folder_that_cannot_be_read_is_a_fault_and_not_an_empty_one(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("inside"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(ScenarioError, match=r"inside: cannot be read \(Permission denied\)"):
        folder.entries(tmp_path, Limits())


def test_too_many_entries_are_refused_with_the_limit(tmp_path):
    for i in range(4):
        (tmp_path / f"{i}.toml").write_text("")
    with pytest.raises(ScenarioError, match="at most 3; --scenario-limit files=N allows more"):
        folder.entries(tmp_path, Limits(files=3))
    assert len(folder.entries(tmp_path, Limits(files=4))) == 4
