"""That another copy of the package runs than the one in the working folder is told."""

from __future__ import annotations

from pathlib import Path

from verify.shadow import shadowed


def test_a_checkout_that_is_not_what_runs_is_told(tmp_path):
    assert shadowed(tmp_path) == ""
    (tmp_path / "verify").mkdir()
    (tmp_path / "verify" / "chain.py").write_text("")
    assert "not of ./verify" in shadowed(tmp_path)
    assert "pip install -e ." in shadowed(tmp_path)


def test_the_checkout_itself_is_not():
    assert shadowed(Path(__file__).parent.parent) == ""
