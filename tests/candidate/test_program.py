"""Any program as a candidate: it answers, and whatever it does instead is told."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import verify
from tests.support.problems import drawn
from tests.support.processes import has_ended
from tests.support.texts import DRAWN, TWO_LAYERS, written
from verify.candidate.candidate import Candidate, candidate
from verify.candidate.program import Program, is_command
from verify.errors import CandidateError
from verify.judge.result import Verdict
from verify.network.layer import Layer
from verify.network.network import POST, Network

pytestmark = pytest.mark.process

HIDDEN = Network((Layer("tanh", bias=True), Layer("softmax", bias=True)))

# It answers zeros, and misbehaves where h is 0.125: in `act`, before its answer.
PERSISTENT = """
import json, os, signal, subprocess, sys, time

def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()

for line in sys.stdin:
    case = json.loads(line)
    D, K = case["shapes"]["W"]
    right = json.dumps({"dC_dW": [[os.getpid()] * K] * D})
    if case["h"] == 0.125:
        ACT
    say(right)
"""
GOOD, BAD = replace(drawn(1), h=np.float64(0.5)), drawn(1)


@pytest.fixture
def script(tmp_path):
    """A program that does something, as a command."""

    def make(act="pass", whole=PERSISTENT):
        path = tmp_path / "program.py"
        path.write_text(whole.replace("ACT", act))
        return f"{sys.executable} -S {path}"

    return make


@pytest.fixture
def program():
    made: list[Program] = []

    def make(spec, **more):
        made.append(Program(spec, **more))
        return Candidate(spec, made[-1])

    yield make
    for each in made:
        each.close()


def reply_of(candidate, problem=GOOD):
    return candidate.ask(problem).reply


def pid_of(candidate):
    """The process that answers."""
    reply = reply_of(candidate)
    assert reply.trouble == ""
    return int(reply.links["dC_dW"][0, 0])


def test_a_program_stays_for_further_cases(script, program):
    asked = program(script())
    assert pid_of(asked) == pid_of(asked)


UNTRUSTED = {
    "os.kill(os.getpid(), signal.SIGSEGV)": "the process was killed by SIGSEGV",
    "os.kill(os.getpid(), 40)": "the process was killed by signal 40",
    "sys.exit(7)": "the process exited with code 7 without an answer",
    "sys.exit(0)": "the process exited with code 0 without an answer",
    "sys.exit('no\\ngradient today\\n')":
        "the process exited with code 1 without an answer; its stderr ends: 'gradient today'",
    "raise OSError('tired')":
        "the process exited with code 1 without an answer; its stderr ends: 'OSError: tired'",
    "os.write(2, b'Error: tired\\n    at a line\\nEngine 1.0'); os._exit(1)":
        "the process exited with code 1 without an answer; its stderr ends: 'Error: tired'",
    "say('Loading the model ...')": "its answer is no JSON, column 1: 'Loading the model ...'",
    "say('')": "its answer is an empty line",
    "say('[1]')": "its answer is no JSON object of links: '[1]'",
    "sys.stdout.buffer.write(b'\\xff\\xfe'); say('')": "its answer is not UTF-8: '\\ufffd\\ufffd'",
    "say(right + '\\ndone')": "it writes more to stdout than its answer: 'done",
    "say(right + '\\n' + right)": "it writes more to stdout than its answer: '{\"dC_dW\": [[",
    "os.write(1, right.encode()); os._exit(0)":
        "the process exited with code 0; its answer does not end with a newline: '{\"dC_dW\": [[",
    "os.write(1, b'x'); os._exit(3)":
        "the process exited with code 3; its answer does not end with a newline: 'x'",
    "say('x' * 10**6)": "its answer is longer than 200000 bytes: 'xxx",
    "while True: os.write(1, b'x' * 65536)": "its answer is longer than 200000 bytes: 'xxx",
    "while True: say('\\n'.join([right] * 99))": "it writes more to stdout than its answer: '{",
    "os.close(1); time.sleep(60)": "it has closed its stdout",
}  # fmt: skip


@pytest.mark.parametrize(("act", "trouble"), UNTRUSTED.items())
def test_what_it_does_instead_is_told_and_the_next_case_gets_a_new_process(
    act, trouble, script, program, monkeypatch
):
    monkeypatch.setattr("verify.candidate.program.MOST", 200_000)
    asked = program(script(act))
    before = pid_of(asked)
    reply = reply_of(asked, BAD)
    assert reply.trouble.startswith(trouble)
    assert reply.misuse == ""
    assert not reply.timed_out
    assert has_ended(before)
    assert pid_of(asked) != before
    assert reply_of(asked, BAD).trouble.startswith(trouble)


LATE = {
    "time.sleep(60)": "; every line must be flushed",
    "os.write(2, b'waiting\\n'); time.sleep(60)":
        "; every line must be flushed; its stderr ends: 'waiting'",
    "os.write(1, b'{'); time.sleep(60)": "; its answer does not end with a newline: '{'",
    "while True: os.write(1, b' '); time.sleep(0.01)": "; its answer does not end with a newline",
    "while True: os.write(2, b'x' * 65536)": "; every line must be flushed",
}  # fmt: skip


@pytest.mark.parametrize(("act", "told"), LATE.items())
def test_a_hang_ends_at_the_limit(act, told, script, program):
    asked = program(script(act), timeout=2)
    before, begun = pid_of(asked), time.monotonic()
    reply = reply_of(asked, BAD)
    assert reply.trouble.startswith(f"no answer after 2 s; --timeout sets the limit{told}")
    assert reply.timed_out
    assert time.monotonic() - begun < 10
    assert has_ended(before)
    assert pid_of(asked) != before


UNASKED = {
    "say(right); time.sleep(0.1); say('late'); continue":
        "it writes more to stdout than its answer: 'late\\n'",
    "say(right); time.sleep(0.1); os._exit(3)": "the process exited with code 3 after its answer",
    "say(right); time.sleep(0.1); os.abort()": "the process was killed by SIGABRT after its answer",
    "say(right); os.close(0); time.sleep(60)": "it has closed its stdin",
}  # fmt: skip


@pytest.mark.parametrize(("act", "trouble"), UNASKED.items())
def test_what_it_does_after_its_answer_is_told(act, trouble, script, program):
    asked = program(script(act))
    before = pid_of(asked)
    told = reply_of(asked, BAD).trouble  # empty, unless this process comes late to look
    time.sleep(0.5)
    assert (told or reply_of(asked, BAD).trouble).startswith(trouble)
    assert has_ended(before)
    assert pid_of(asked) != before


def test_of_an_answer_that_was_sent_nothing_can_change(script, program):
    asked = program(script())
    pid_of(asked)
    assert asked.session.recalled().links == {}


def test_what_is_unfit_in_an_answer_needs_no_other_process(script, program):
    asked = program(script("say(json.dumps({'error': 'not today'})); continue"))
    before = pid_of(asked)
    assert reply_of(asked, BAD).trouble == "it answers an error: not today"
    assert pid_of(asked) == before


ONCE = PERSISTENT.replace("for line in sys.stdin:", "for line in [sys.stdin.readline()]:")


@pytest.mark.parametrize("act", ["pass", "say(right); time.sleep(0.3); sys.exit(0)"])
def test_a_program_that_answers_once_and_ends_with_0_is_started_again(act, script, program):
    asked = program(script(act, ONCE))
    assert len({pid_of(asked) for _ in range(3)}) == 3
    assert [reply_of(asked, BAD).trouble for _ in range(3)] == [""] * 3


def test_a_program_may_end_with_0_after_some_cases(script, program):
    few = PERSISTENT.replace("for line in", "for line, _ in zip(").replace(
        "sys.stdin:", "sys.stdin, range(2)):"
    )
    asked = program(script("pass", few))
    pids = [pid_of(asked) for _ in range(6)]
    assert pids[0::2] == pids[1::2]
    assert len(set(pids)) == 3


@pytest.mark.parametrize(
    ("act", "trouble"),
    [
        ("say(right); sys.exit(3)", "the process exited with code 3 after its answer"),
        ("say(right); time.sleep(.2); say('x')",
         "it writes more to stdout than its answer: 'x"),
        ("sys.exit(0)", "the process exited with code 0 without an answer"),
    ],
)  # fmt: skip
def test_one_that_answers_once_is_judged_until_it_has_ended(act, trouble, script, program):
    asked = program(script(act, ONCE))
    for _ in range(3):
        pid_of(asked)
    assert reply_of(asked, BAD).trouble.startswith(trouble)
    pid_of(asked)


def test_one_that_answers_before_it_reads_a_large_case_is_told(script, program):
    eager = PERSISTENT.replace(
        "for line in sys.stdin:", "say('{\"dC_dW\": [[1]]}'); time.sleep(60)\nfor line in []:"
    )
    large = drawn(1, N=2000, D=50)
    assert reply_of(program(script("pass", eager)), large).trouble == (
        "it answers before it has read the case"
    )


def test_a_large_case_is_written_while_an_answer_is_read(script, program):
    """More than pipes hold, both ways at once."""
    whole = (
        "import json, sys\nfor line in sys.stdin:\n    case = json.loads(line)\n"
        "    print(json.dumps({'dC_dX': case['X'], 'dC_dW': case['W']}), flush=True)\n"
    )
    large = drawn(1, N=2000, D=50)
    reply = reply_of(program(script("", whole)), large)
    assert np.array_equal(reply.links["dC_dX"], large.X)


@pytest.mark.parametrize("apart", ["", ", start_new_session=True"])
@pytest.mark.parametrize("end", ["time.sleep(60)", "pass", "sys.exit(1)"])
def test_whatever_it_has_started_is_ended(apart, end, script, program):
    start = f"subprocess.Popen(['sleep', '600'], stdout=2{apart}).pid"
    act = f"say(json.dumps({{'C': {start}}})); {end}; continue"
    asked = program(script(act), timeout=2)
    pid = int(reply_of(asked, BAD).links["C"])
    reply_of(asked, BAD)
    asked.close()
    assert has_ended(pid)


def test_memory_is_limited_where_that_is_asked_for(script, program):
    asked = program(script("bytearray(2**31)"), memory_limit=2**30)
    assert reply_of(asked, BAD).trouble.endswith("its stderr ends: 'MemoryError'")


@pytest.mark.parametrize(
    ("spec", "command"),
    [
        ("lab.py:f", False), ("a folder/my-lab.py:f", False), ("package.module:f", False),
        ("module:Class.method", False), ("./program", True), ("node prog.js", True),
        ("program", True), ("lab.py", True), ("lab.py:", True), ("sh -c 'a:b'", True),
        ("python lab.py --at a:b", True), ("http://x:80", True), ("my-module:f", False), ("", True),
    ],
)  # fmt: skip
def test_a_name_of_a_function_is_no_command(spec, command):
    assert is_command(spec) is command


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("nothing", "cannot be started: there is no command nothing on the PATH; give FILE"),
        ("./nothing --fast", "cannot be started: ./nothing: no such file; give FILE.py:NAME,"),
        ("plain", "there is no command plain on the PATH; ./plain is the one here"),
        ("./plain", "./plain is not executable: chmod +x ./plain, or name what runs it, as 'sh"),
        ("./folder", "./folder is a folder; name a program in it"),
        ("lab.py", "give lab.py:NAME for a function of it, or 'python lab.py' where it is a"),
        ("./lab.py", "give ./lab.py:NAME for a function of it, or 'python ./lab.py' where it is a"),
        ("./headless", "./headless has no #! in its first line; name what runs it, as 'sh"),
        ("./orphan", "./orphan is run by what is not there: '#!/no/such/thing -x'"),
        ("sh 'a", "is no command: No closing quotation; give FILE.py:NAME, PACKAGE.MODULE:NAME"),
        ("  ", "is no command; give FILE.py:NAME, PACKAGE.MODULE:NAME, or a command, as ./program"),
        ("sh absent.sh", "cannot be started: the process exited with code 2 without an answer"),
        ("true", "cannot be started: the process exited with code 0 without an answer"),
    ],
)  # fmt: skip
def test_what_cannot_be_started_is_told_once_and_what_would_do(spec, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, text, mode in (
        ("plain", "", 0o644), ("lab.py", "", 0o644), ("headless", "true", 0o755),
        ("orphan", "#!/no/such/thing -x\n", 0o755),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    with pytest.raises(CandidateError) as error:
        candidate(spec)
    assert told in str(error.value)
    assert str(error.value).startswith(f"candidate {spec}".rstrip())


def test_a_program_gets_no_tensors():
    with pytest.raises(CandidateError, match="leave --candidate-arrays out"):
        candidate("true", arrays="torch")


def test_a_program_that_was_there_and_is_gone_is_a_case_without_an_answer(tmp_path, program):
    path = tmp_path / "once"
    path.write_text(f"#!{sys.executable} -S\n{ONCE.replace('ACT', 'pass')}")
    path.chmod(0o755)
    asked = program(str(path))
    pid_of(asked)
    path.unlink()
    assert "no such file" in reply_of(asked).trouble


# Of which networks a program is: it answers what `answer` makes of a case.
ANSWERING = (
    "import json, sys\nACT\nfor line in sys.stdin:\n"
    "    print(json.dumps(answer(json.loads(line))), flush=True)\n"
)
GRADIENTS = (
    "def zeros(shape): return [zeros(shape[1:])] * shape[0] if shape else 0\n"
    "def gradients(case): return {f'dC_d{n}': zeros(case['shapes'][n]) for n in case['shapes']\n"
    "                             if n not in 'XP'}\n"
)


@pytest.mark.parametrize(
    ("answer", "own"),
    [
        ("gradients(case)", {POST, HIDDEN}),
        ("gradients(case) if 'W' in case else {'error': 'no'}", {POST}),
        ("gradients(case) if 'W1' in case else {'error': 'no'}", {HIDDEN}),
        ("{'error': 'no', **gradients(case)} if 'W' in case else gradients(case)", {HIDDEN}),
        ("gradients(case) if 'W' in case else {'y1': [[0]]}", {POST}),
        ("gradients(case) if 'W' in case else {'dC_dW1': [[0]]}", {POST}),
        ("gradients(case) if 'W' in case else {'dC_dW': [[0]]}", {POST}),
        ("gradients(case) if 'W' in case else sys.exit(1)", {POST, HIDDEN}),
        ("gradients(case) if 'W1' in case else sys.exit(1)", {POST, HIDDEN}),
    ],
)
def test_it_is_of_the_networks_that_it_does_not_refuse(answer, own, script):
    act = f"{GRADIENTS}def answer(case): return {answer}"
    made = candidate(script(act, ANSWERING), networks={POST, HIDDEN})
    made.close()
    assert made.networks == own


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("{'error': 'I am of a convolution'}", "it answers an error: I am of a convolution"),
        ("{'y': [[0]]}", "it gives y, but no dC_dW"),
        ("{'dW': [[0]]}", "unknown link 'dW' in its answer"),
    ],
)
def test_one_that_refuses_every_network_is_told_once(answer, told, script):
    with pytest.raises(CandidateError, match=told):
        candidate(script(f"def answer(case): return {answer}", ANSWERING))


def test_a_hang_is_asked_about_once_before_its_cases_show_it(script):
    act = "import time\ndef answer(case): time.sleep(60)"
    begun = time.monotonic()
    made = candidate(script(act, ANSWERING), networks={POST, HIDDEN}, timeout=1)
    made.close()
    assert time.monotonic() - begun < 10
    assert made.networks == {POST, HIDDEN}


def test_a_case_of_a_network_that_it_refuses_is_not_run(script, tmp_path):
    paths = written(tmp_path, DRAWN), written(tmp_path, TWO_LAYERS, "two")
    act = GRADIENTS + "def answer(case): return gradients(case) if 'W' in case else {'error': ''}"
    report = verify.run(paths, candidate=script(act, ANSWERING))
    other = [r for r in report.results if r.verdict is Verdict.NOT_RUN]
    assert [r.path for r in other] == [str(paths[1])] * 2
    assert other[0].findings[0].message == "another network than the candidate's, by its answers"
    assert {r.first_broken_link for r in report.results if r not in other} == {"dC_dW"}


def test_what_one_case_breaks_is_that_cases_alone(script, tmp_path):
    """Of two steps sizes one crashes it; the other case is wrong by its numbers only."""
    text = DRAWN.replace("step_size = 0.25", "step_size = 0.125")
    paths = written(tmp_path, DRAWN), written(tmp_path, text, "crash")
    report = verify.run(paths, candidate=script("os.abort()"))
    found = {(r.path == str(paths[1]), f.check) for r in report.results for f in r.findings}
    assert found == {(False, "bound"), (True, "exception")}
    told = {f.message for r in report.results for f in r.findings if f.check == "exception"}
    assert told == {"the process was killed by SIGABRT"}


def test_a_call_that_is_repeated_and_other_data_are_asked_but_no_layouts(script, tmp_path):
    calls = tmp_path / "calls"
    act = (
        f"def answer(case):\n    with open({str(calls)!r}, 'a') as file:\n"
        "        file.write(json.dumps(case['X']) + chr(10))\n"
        "    X, W, P = case['X'], case['W'], case['P']\n    import math\n"
        "    y = [[sum(x * w for x, w in zip(row, c)) for c in zip(*W)] for row in X]\n"
        "    e = [[-p / (1 + math.exp(v)) / len(X) for p, v in zip(*r)] for r in zip(P, y)]\n"
        "    return {'dC_dW': [[sum(a * b for a, b in zip(c, k)) for k in zip(*e)]\n"
        "                      for c in zip(*X)]}"
    )
    (result, _) = verify.run(written(tmp_path, DRAWN), candidate=script(act, ANSWERING)).results
    assert result.ok
    assert result.notes == ()
    asked = [json.loads(line) for line in calls.read_text().splitlines()]
    assert asked.count(asked[1]) >= 3
    assert len({json.dumps(X) for X in asked}) >= 3
    assert len(asked) < 20  # with layouts there would be 15 more
