"""A manifest is read strictly, and written so that a change of a case is the change of a line."""

from __future__ import annotations

import difflib
import json

import pytest

from verify.errors import ScenarioError
from verify.scenario import manifest
from verify.scenario.manifest import Entry, Manifest, Pin

PIN = Pin(problem="a" * 64, C_before="0x1.8p+1", C_after="-0x0.0p+0", dC_dW=None)
LOCKED = Manifest(
    format=1,
    scenarios={
        "b.toml": Entry(content="b" * 64, count=1, cases={"dtype=float32": PIN}),
        "a.toml": Entry(content="c" * 64, count=2, cases={"x": PIN, "y": PIN}),
    },
)


def read(folder, text):
    path = folder / "manifest.json"
    path.write_text(text)
    return manifest.read(path)


def test_what_is_written_is_read(tmp_path):
    assert read(tmp_path, manifest.text(LOCKED)) == LOCKED
    assert json.loads(manifest.text(LOCKED))["scenarios"]["a.toml"]["count"] == 2


def test_one_case_that_changes_is_one_line_that_changes():
    other = LOCKED.model_copy(deep=True)
    other.scenarios["a.toml"].cases["x"] = PIN.model_copy(update={"C_before": "0x1.8p+2"})
    lines = [manifest.text(m).split("\n") for m in (LOCKED, other)]
    changed = [d for d in difflib.ndiff(*lines) if d.startswith("+ ")]
    assert len(changed) == 1
    assert '"x"' in changed[0]


GOOD = manifest.text(LOCKED)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Expecting value"),
        ("{}", "Field required"),
        ("[" * 100_000, "recursion"),
        (GOOD[:-5], "Expecting"),
        (GOOD + "{}", "Extra data"),
        (GOOD.replace('"format": 1', '"format": 2'), "format"),
        (GOOD.replace('"format": 1', '"format": 1, "format": 1'), "'format' twice"),
        (GOOD.replace('"y"', '"x"'), "'x' twice"),
        (GOOD.replace('"count": 2', '"count": 3'), "a.toml: count 3, 2 cases"),
        (GOOD.replace('"count": 2', '"count": 2.0'), "count"),
        (GOOD.replace("a" * 64, "a" * 63), "problem"),
        (GOOD.replace("0x1.8p+1", "3.0"), "C_before"),
        (GOOD.replace("0x1.8p+1", "nan"), "C_before"),
        (GOOD.replace('"dC_dW": null', '"dC_dw": null'), "dC_dW"),
        ("\ufeff" + GOOD, "a byte order mark"),
    ],
)
def test_a_malformed_manifest_is_refused_whole(text, sentence, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        read(tmp_path, text)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/manifest.json:")


def test_a_link_to_a_manifest_is_none(tmp_path):
    (tmp_path / "real").write_text(GOOD)
    (tmp_path / "manifest.json").symlink_to(tmp_path / "real")
    with pytest.raises(ScenarioError, match="not a regular file"):
        manifest.read(tmp_path / "manifest.json")
