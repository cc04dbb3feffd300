"""A child process: it answers, and whatever becomes of it stays with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from problems import drawn
from processes import has_ended
from with_numpy import gradient

from verify.child import Child
from verify.examination import Inputs
from verify.layout import laid_out

EXAMPLES = Path(__file__).parent / "examples"
BAD = EXAMPLES / "misbehaving.py"


def inputs(**more) -> Inputs:
    p = drawn(1)
    return Inputs(p.X, p.W, p.P, np.asarray(p.h), p.X * 0.5, **more)


@pytest.fixture
def child():
    made: list[Child] = []

    def make(spec, **more):
        made.append(Child(spec, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_an_answer_comes_back_bit_for_bit(child):
    given = inputs(layouts=("F",))
    answer = child(f"{EXAMPLES / 'with_numpy.py'}:chain").examine(given)
    assert answer.trouble == ""
    assert list(answer.links) == ["y", "C", "dC_dW", "W_next"]
    assert np.array_equal(answer.links["dC_dW"], gradient(given.X, given.W, given.P, given.h))
    assert answer.links["C"].shape == ()
    assert np.array_equal(answer.other["y"], given.X_other @ given.W)
    assert answer.layouts["F"].shape == given.W.shape


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("exits", "the process exited with code 7 without an answer"),
        ("dies", "the process was killed by SIGSEGV"),
        ("raises", "ArithmeticError: no gradient today"),
        ("answers_text", "TypeError: str"),
        ("answers_nothing", "TypeError: None is no answer"),
        ("answers_strangely", "unknown link 'dW'"),
        ("answers_objects", "is no array of numbers"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_call_is_a_new_one(name, trouble, child):
    made = child(f"{BAD}:{name}")
    for _ in range(2):
        assert trouble in made.examine(inputs()).trouble


def test_a_hang_ends_at_the_limit(child):
    made = child(f"{BAD}:hangs", timeout=0.3)
    assert made.examine(inputs()).trouble == "no answer after 0.3 s; --timeout sets the limit"


def test_what_a_hanging_function_has_started_ends_with_it(child, tmp_path):
    nested, pid = tmp_path / "nested.py", tmp_path / "pid"
    nested.write_text(
        "import pathlib, subprocess, time\ndef f(X, W, P, h):\n"
        "    started = subprocess.Popen(['sleep', '600'])\n"
        f"    pathlib.Path({str(pid)!r}).write_text(str(started.pid))\n    time.sleep(600)\n"
    )
    assert "no answer" in child(f"{nested}:f", timeout=1).examine(inputs()).trouble
    assert has_ended(int(pid.read_text()))


def test_the_limit_is_for_one_call_not_for_all(child, tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ndef f(X, W, P, h):\n    time.sleep(0.3)\n    return W * 1\n")
    answer = child(f"{slow}:f", timeout=0.6).examine(inputs(layouts=("F", "strided")))
    assert answer.trouble == ""


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_the_layout_of_X_reaches_the_child(layout, child, tmp_path):
    teller = tmp_path / "teller.py"
    teller.write_text("def f(X, W, P, h):\n    return W * 0 + X.strides[0] + 1000 * X.strides[1]\n")
    X = laid_out(drawn(1).X, layout)
    given = replace(inputs(), X=X, calls=1)
    told = child(f"{teller}:f").examine(given).links["dC_dW"][0, 0]
    assert told == X.strides[0] + 1000 * X.strides[1]


def test_what_is_printed_or_changed_is_told(child):
    answer = child(f"{BAD}:prints").examine(inputs())
    assert "debugging" in answer.notes[0]
    assert len(child(f"{BAD}:disturbs").examine(inputs()).notes) == 4


def test_a_function_that_cannot_be_loaded_is_told(child):
    assert "ImportError" in child("absent.py:f").start()


def test_the_truth_is_never_in_that_process(child, tmp_path):
    spy = tmp_path / "spy.py"
    spy.write_text(
        "import sys\ndef f(X, W, P, h):\n"
        "    assert not {'flint', 'verify.truth', 'verify.manual'} & set(sys.modules)\n"
        "    return W * 1\n"
    )
    assert child(f"{spy}:f").examine(inputs()).trouble == ""
