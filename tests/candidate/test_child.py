"""A child process: it answers, and whatever becomes of it stays with it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from with_numpy import gradient

from tests.support.problems import drawn
from tests.support.processes import has_ended
from verify.candidate.candidate import Candidate
from verify.candidate.child import Child
from verify.candidate.examine import Reply
from verify.network.problem import laid_out

pytestmark = pytest.mark.process
EXAMPLES = Path(__file__).parents[1] / "examples"
BAD = EXAMPLES / "misbehaving.py"


@pytest.fixture
def child():
    made: list[Child] = []

    def make(spec, **more):
        made.append(Child(spec, **more))
        return Candidate(spec, made[-1])

    yield make
    for each in made:
        each.close()


@pytest.fixture
def file(tmp_path):
    """A file of a candidate."""

    def make(text):
        path = tmp_path / "mine.py"
        path.write_text(text)
        return f"{path}:f"

    return make


def reply_of(candidate, problem=None, **how) -> Reply:
    return candidate.ask(problem or drawn(1), **how).reply


def test_an_answer_comes_back_bit_for_bit(child):
    problem = drawn(1)
    reply = reply_of(child(f"{EXAMPLES / 'with_numpy.py'}:chain"))
    assert reply.trouble == ""
    assert list(reply.links) == ["y", "C", "dC_dW", "W_next"]
    right = gradient(problem.X, problem.W, problem.P, problem.h)
    assert np.array_equal(reply.links["dC_dW"], right)
    assert reply.links["C"].shape == ()


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("exits", "the process exited with code 7 without an answer"),
        ("dies", "the process was killed by SIGSEGV"),
        ("raises", "ArithmeticError: no gradient today, at "),
        ("answers_text", "it returns str of dtype"),
        ("answers_nothing", "it returns None"),
        ("answers_strangely", "unknown link 'dW'"),
        ("answers_objects", "is no array of numbers"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_call_is_a_new_one(name, trouble, child):
    made = child(f"{BAD}:{name}")
    for _ in range(2):
        assert trouble in reply_of(made).trouble


def test_a_hang_ends_at_the_limit(child):
    reply = reply_of(child(f"{BAD}:hangs", timeout=0.3))
    assert reply.trouble == "no answer after 0.3 s; --timeout sets the limit"
    assert reply.timed_out
    assert not reply_of(child(f"{BAD}:raises")).timed_out


@pytest.mark.parametrize("apart", ["", ", start_new_session=True"])
def test_what_a_hanging_function_has_started_ends_with_it(child, file, tmp_path, apart):
    pid = tmp_path / "pid"
    spec = file(
        "import pathlib, subprocess, time\ndef f(X, W, P, h):\n"
        f"    started = subprocess.Popen(['sleep', '600']{apart})\n"
        f"    pathlib.Path({str(pid)!r}).write_text(str(started.pid))\n    time.sleep(600)\n"
    )
    assert "no answer" in reply_of(child(spec, timeout=1)).trouble
    assert has_ended(int(pid.read_text()))


def test_at_the_end_whatever_it_has_started_is_ended(child, file, tmp_path):
    pid = tmp_path / "pid"
    candidate = child(file(
        "import pathlib, subprocess\ndef f(X, W, P, h):\n"
        "    started = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"    pathlib.Path({str(pid)!r}).write_text(str(started.pid))\n    return W * 1\n"
    ))  # fmt: skip
    assert reply_of(candidate).trouble == ""
    candidate.close()
    assert has_ended(int(pid.read_text()))


def test_the_limit_is_for_one_call_not_for_all(child, file):
    candidate = child(
        file("import time\ndef f(X, W, P, h):\n    time.sleep(0.3)\n    return W * 1\n"),
        timeout=0.6,
    )
    assert [reply_of(candidate).trouble for _ in range(3)] == ["", "", ""]


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_the_layout_of_X_reaches_the_child(layout, child, file):
    spec = file("def f(X, W, P, h):\n    return W * 0 + X.strides[0] + 1000 * X.strides[1]\n")
    X = laid_out(drawn(1).X, layout)
    told = reply_of(child(spec), replace(drawn(1), X=X)).links["dC_dW"][0, 0]
    assert told == X.strides[0] + 1000 * X.strides[1]


def test_other_layouts_reach_the_child_and_read_only_arrays_are(child, file):
    spec = file(
        "def f(X, W, P, h):\n"
        "    return W * 0 + P.strides[0] + 1000 * P.strides[1] + 1e6 * P.flags.writeable\n"
    )
    told = [
        reply_of(child(spec), layouts={"P": layout}).links["dC_dW"][0, 0]
        for layout in ("F", "slice", "reversed", "read-only")
    ]
    assert told == [1e6 + 8 + 48000, 1e6 + 48 + 8000, 1e6 - 24 - 8000, 24 + 8000]


def test_what_it_changes_in_place_is_seen_from_outside_whatever_it_says(child, file):
    """It replaces the very function that would tell."""
    candidate = child(file(
        "import verify.candidate.examine as e\n"
        "real = e.Session.answered\n"
        "def quiet(self, call, memory):\n"
        "    reply = real(self, call, memory)\n"
        "    return e.Reply(reply.links)\n"
        "e.Session.answered = quiet\n"
        "def f(X, W, P, h):\n    g = W * 1\n    X[...] = 7\n    return g\n"
    ))  # fmt: skip
    assert candidate.ask(drawn(1)).changed == ("X",)


def test_a_kept_call_gets_the_same_arrays_with_other_numbers(child, file):
    candidate = child(file(
        "kept = []\ndef f(X, W, P, h):\n    kept.append(X)\n"
        "    return W * 0 + (kept[0] is X) + 10 * (X[0, 0] == kept[0][0, 0])\n"
    ))  # fmt: skip
    other = replace(drawn(1), X=2 * drawn(1).X)
    assert reply_of(candidate).links["dC_dW"][0, 0] == 11
    assert reply_of(candidate, other, kept=True).links["dC_dW"][0, 0] == 11
    assert reply_of(candidate).links["dC_dW"][0, 0] == 0


def test_memory_grows_with_the_problem(child):
    candidate = child(f"{EXAMPLES / 'with_numpy.py'}:gradient")
    for N in (3, 3000, 30):
        problem = drawn(1, N=N, D=9)
        assert np.array_equal(
            reply_of(candidate, problem).links["dC_dW"],
            gradient(problem.X, problem.W, problem.P, problem.h),
        )


def test_what_is_printed_or_changed_is_told(child):
    assert "debugging" in reply_of(child(f"{BAD}:prints")).notes[0]
    assert len(reply_of(child(f"{BAD}:disturbs")).notes) == 4


def test_a_function_that_cannot_be_loaded_is_told(child):
    assert "ImportError" in child("absent.py:f").session.start()


def test_the_truth_is_never_in_that_process(child, file):
    spec = file(
        "import sys\ndef f(X, W, P, h):\n"
        "    numerics = {'flint', 'verify.network.truth', 'verify.network.manual'}\n"
        "    assert not numerics & set(sys.modules)\n"
        "    return W * 1\n"
    )
    assert reply_of(child(spec)).trouble == ""


FORGED = (
    "import os, struct, stat\n"
    "def pipe():\n"
    "    numbers = [int(n) for n in os.listdir('/proc/self/fd')]\n"
    "    for n in numbers:\n"
    "        try:\n"
    "            if n > 2 and stat.S_ISSOCK(os.fstat(n).st_mode): return n\n"
    "        except OSError: pass\n"
    "def send(message):\n"
    "    os.write(pipe(), struct.pack('!i', len(message)) + message)\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the pipe in /proc")
@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("send(b'{}')", "no answer but KeyError"),
        ("send(b'[1]')", "no answer but TypeError"),
        ("send(b'not JSON')", "no answer but JSONDecodeError"),
        ("send(b'{\"n\": 0, \"links\": [], \"dtypes\": [], \"aliased\": [],"
         " \"notes\": [], \"trouble\": \"\","
         " \"misuse\": \"\", \"exact\": {}}')", "an answer that nobody asked for"),
        ("send(b'{\"n\": 2, \"links\": [\"y\"], \"aliased\": [], \"notes\": []}\\n')",
         "no answer but"),
        ("os.write(pipe(), struct.pack('!iQ', -1, 2**62))", "bad message length"),
    ],
)  # fmt: skip
def test_a_message_that_is_no_answer_is_the_functions_failure(act, told, child, file):
    candidate = child(file(f"{FORGED}def f(X, W, P, h):\n    {act}\n    return W * 1\n"))
    trouble = reply_of(candidate).trouble
    assert trouble.startswith("its process broke the protocol: ")
    assert told in trouble


@pytest.mark.skipif(sys.platform != "linux", reason="finds the pipe in /proc")
@pytest.mark.parametrize("trickle", ["send(b'{}' + b' ' * 9)", "os.write(pipe(), b'\\0')"])
def test_the_limit_is_for_the_answer_whatever_is_sent_meanwhile(trickle, child, file):
    spec = file(f"{FORGED}import time\ndef f(X, W, P, h):\n    while True:\n        {trickle}\n"
                "        time.sleep(0.01)\n")  # fmt: skip
    begun = time.monotonic()
    reply = reply_of(child(spec, timeout=0.5))
    assert "protocol" in reply.trouble or "no answer after 0.5 s" in reply.trouble
    assert time.monotonic() - begun < 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_second_answer_to_one_call_is_not_taken_for_the_next(child, file):
    candidate = child(file(
        "import os\nn = [0]\ndef f(X, W, P, h):\n    n[0] += 1\n"
        "    if n[0] == 1: os.fork()\n    return W * n[0]\n"
    ))  # fmt: skip
    assert reply_of(candidate).trouble == ""
    time.sleep(0.2)
    assert "an answer that nobody asked for" in reply_of(candidate).trouble


def test_memory_is_limited_where_that_is_asked_for(child, file):
    spec = file(
        "import numpy as np\ndef f(X, W, P, h):\n    return np.ones(2**31) if len(X) else 0\n"
    )
    with contextlib.suppress(ImportError):
        import resource  # noqa: F401

        reply = reply_of(child(spec, memory_limit=2**32))
        assert "MemoryError" in reply.trouble
