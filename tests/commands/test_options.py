"""Values of options: what they stand for, and what is completed in the shell."""

from __future__ import annotations

import click
import pytest

from tests.support.texts import EXAMPLE, written
from verify.commands.options import Device, ScenarioPath, Whole


def test_paths_and_cases_are_completed(tmp_path, monkeypatch):
    written(tmp_path, EXAMPLE)
    (tmp_path / "other.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    path = ScenarioPath()
    assert [i.value for i in path.shell_complete(None, None, "")] == ["s.toml"]
    found = [i.value for i in path.shell_complete(None, None, "s.toml::dtype=float3")]
    assert found == ["s.toml::dtype=float32"]
    assert path.shell_complete(None, None, "absent.toml::") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("1e6", 10**6), ("12e3", 12000), ("123456789e9", 123456789 * 10**9)],
)
def test_a_whole_number_may_have_an_exponent_and_loses_no_digit(text, number):
    assert Whole().convert(text, None, None) == number


@pytest.mark.parametrize("text", ["1.5", "-1", "1e", "e6", "1e100", "9" * 19, "٣", ""])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(click.BadParameter, match="is not a whole number"):
        Whole().convert(text, None, None)


def test_a_device_is_cpu_or_cuda_with_or_without_its_number():
    for name in ("cpu", "cuda", "cuda:1", "cuda:15"):
        assert Device().convert(name, None, None) == name
    for name in ("gpu", "cuda:", "cuda:1000", "cpu:0", "cuda:1\n"):
        with pytest.raises(click.BadParameter, match="not a device"):
            Device().convert(name, None, None)


def test_a_path_is_passed_on_as_it_is_so_that_its_reader_names_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    for name in (str(written(tmp_path, EXAMPLE)), str(tmp_path / "absent.toml::case")):
        assert ScenarioPath().convert(name, None, None) == name
