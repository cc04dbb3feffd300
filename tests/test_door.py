"""What `import verify` gives, and that it is light."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import verify


def test_the_door_is_complete_and_sorted():
    assert dir(verify) == sorted(verify.__all__)
    assert set(verify._HOMES) | {"__version__"} == set(verify.__all__)
    for name in verify.__all__:
        assert getattr(verify, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        verify.runn  # noqa: B018


@pytest.mark.process
def test_importing_the_package_loads_nothing_of_it():
    code = "import sys, verify; print([m for m in sys.modules if m.startswith('verify.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_run_takes_gives_and_raises_is_at_the_door():
    """As run's docstring names it."""
    named = set(
        re.findall(
            r"\b[A-Z][a-zA-Z]+(?:Error|Unfit|Interrupted)\b|\bInterrupted\b", verify.run.__doc__
        )
    )
    named |= {"Scenario", "Case", "Problem", "Report", "Result", "Verdict"}
    assert named - {"TypeError"} <= set(verify.__all__)
