"""The options of the commands that judge; what they do is told in tests/test_cli.py."""

from __future__ import annotations

import pytest

from tests.support.command import verify


@pytest.mark.parametrize("command", [("run",), ("show",), ("campaign", "--cases", "5")])
def test_an_empty_name_of_a_candidate_is_wrong_usage_and_not_nobody(command):
    done = verify(*command, "--candidate", "")
    assert done.returncode == 2
    assert "--candidate '': give package.module:name, file.py:name, or a command" in done.stderr
