"""The command that is printed asks for the same again."""

from __future__ import annotations

import shlex

import pytest

from tests.support.command import verify
from tests.support.texts import DRAWN, written
from verify.cli import cli
from verify.judge.asked import Asked

EVERYTHING = Asked("my lab.py:f", True, "torch", 2.5, 10**9, "cuda:1", "func", 1000.0, ("cases=5",))


def test_nothing_that_is_usual_is_said():
    assert Asked().command(["s.toml::a"]) == "verify run 's.toml::a'"
    assert Asked("m:f").command(["s::a"], "show") == "verify show 's::a' --candidate m:f"


def test_everything_that_matters_is_said_and_every_option_exists():
    told = EVERYTHING.command(["s.toml::a", "it's::b"])
    words = shlex.split(told)
    assert words[:4] == ["verify", "run", "s.toml::a", "it's::b"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options == {
        "--candidate": "my lab.py:f", "--candidate-arrays": "torch", "--timeout": "2.5",
        "--candidate-memory": "1000000000", "--device": "cuda:1", "--twin": "func",
        "--truth-budget": "1000", "--scenario-limit": "cases=5",
    }  # fmt: skip
    for command in ("run", "show"):
        known = {opt for param in cli.commands[command].params for opt in param.opts}
        assert set(options) <= known


def test_of_a_function_the_call_is_said():
    told = Asked("f", named=False).command(["s.toml::a"])
    assert told == "verify.run(['s.toml::a'], candidate=..., arrays='numpy')"


CANDIDATES = """
import numpy as np
def zero(X, W, P, h):
    return W * 0
def slow(X, W, P, h):
    import time
    time.sleep(9)
kept = {}
def first_labels(X, W, P, h):
    P = kept.setdefault(P.shape, P.copy())
    return X.T @ (-P / (1 + np.exp(X @ W))) / len(X)
"""


@pytest.mark.process
@pytest.mark.parametrize(
    "options",
    [
        ["--candidate", "lab.py:zero"],
        ["--candidate", "lab.py:slow", "--timeout", "0.5", "-x"],
        ["--candidate", "lab.py:zero", "--truth-budget", "0", "--twin", "func"],
    ],
)
def test_what_is_printed_repeats_the_failure(options, tmp_path):
    written(tmp_path, DRAWN)
    (tmp_path / "lab.py").write_text(CANDIDATES)
    first = verify("run", "-q", "s.toml", *options, cwd=tmp_path)
    assert first.returncode == 1
    told = [s for s in first.stdout.splitlines() if s.lstrip().startswith("to repeat it")]
    again = verify(*shlex.split(told[0].split("it", 1)[1])[1:], cwd=tmp_path)
    assert again.returncode == 1
    facts = [s for s in first.stdout.splitlines() if s.startswith("  found ")]
    assert set(facts) & set(again.stdout.splitlines()) or not facts


@pytest.mark.process
def test_a_failure_that_needs_an_earlier_case_is_repeated_with_it(tmp_path):
    """On its own it passes: the labels that it keeps are its own."""
    text = DRAWN.replace('"soft"', '"classes"').replace("batch_size = 11", "batch_size = 1")
    written(
        tmp_path,
        text.replace("step_size", 'dtype = "float64"\nstep_size') + "[vary]\nseed = [0, 1, 2, 3]\n",
    )
    (tmp_path / "lab.py").write_text(CANDIDATES.replace("P.shape, P.copy()", "'', P.copy()"))
    first = verify("run", "-q", "s.toml", "--candidate", "lab.py:first_labels", "-v", cwd=tmp_path)
    assert first.returncode == 1
    told = [s for s in first.stdout.splitlines() if s.lstrip().startswith("to repeat it")]
    for line in (told[0], told[-1]):
        again = verify(*shlex.split(line.split("it", 1)[1])[1:], cwd=tmp_path)
        assert again.returncode == 1, line
