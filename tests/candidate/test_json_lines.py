"""What a program is asked and answers: no bit is lost, and what is unfit is told."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.problems import drawn, made
from verify.candidate.candidate import Candidate
from verify.candidate.examine import Reply, Session
from verify.candidate.json_lines import Answer, Request, reply_of, request_of
from verify.candidate.load import adapted
from verify.candidate.messages import Broken
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import Problem

finite = st.floats(allow_nan=False, allow_infinity=False)
SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)

HIDDEN = Network((Layer("tanh", bias=True), Layer("softmax")), reduction="sum", weight_decay=0.5)


class Told(Session):
    """Keeps the call that was made, and what a program would have been asked."""

    def __init__(self) -> None:
        super().__init__(adapted(lambda X, W, P: W))

    def reply(self, call):
        self.call, self.line = call, request_of(call, self._memory.data)
        return Reply()


def told(problem):
    session = Told()
    Candidate("told", session).ask(problem)
    return session


def asked(problem):
    line = told(problem).line
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return json.loads(line)


def answered(line, problem=None):
    text = line if isinstance(line, bytes) else json.dumps(line).encode()
    return reply_of(text, told(problem or drawn(1)).call)


def of_hidden():
    numbers = np.linspace(-1, 1, 20)
    parameters = {
        "W1": numbers[:12].reshape(4, 3), "b1": numbers[:3], "W2": numbers[:6].reshape(3, 2),
    }  # fmt: skip
    return Problem(numbers.reshape(5, 4), parameters, np.ones((5, 2)), np.float64(0.5), HIDDEN)


@given(finite, finite, finite)
def test_every_number_of_a_case_comes_back_bit_for_bit(x, w, p):
    read = asked(made([[x]], [[w]], [[p]], h=0.1))
    assert [read[name][0][0].hex() for name in "XWP"] == [x.hex(), w.hex(), p.hex()]
    assert read["h"] == 0.1


@given(SINGLE)
def test_a_float32_is_the_float64_that_it_is(x):
    read = asked(made([[x]], [[1]], [[1]], h=0.1, dtype="float32"))
    assert read["X"][0][0].hex() == x.hex()
    assert read["h"] == float(np.float32(0.1))
    assert read["dtype"] == "float32"


@pytest.mark.parametrize("problem", [drawn(1), of_hidden()], ids=["post", "hidden"])
def test_a_request_has_shapes_names_and_the_network_and_is_as_its_schema_says(problem):
    read = asked(problem)
    jsonschema.validate(read, Request.model_json_schema())
    assert read["shapes"] == {name: list(a.shape) for name, a in problem.arrays.items()}
    assert {name: np.shape(read[name]) for name in problem.arrays} == {
        name: a.shape for name, a in problem.arrays.items()
    }
    assert read["gradients"] == list(problem.network.gradients)
    assert set(problem.network.links) <= set(read["links"])
    assert "exact" not in read


def test_the_network_is_described_as_in_an_export():
    network = asked(of_hidden())["network"]
    layers = [(at["activation"], at["bias"], at["weights"]) for at in network["layers"]]
    assert layers == [("tanh", True, True), ("softmax", False, True)]
    assert (network["cost"], network["reduction"]) == ("cross-entropy", "sum")
    assert network["weight_decay"] == 0.5
    assert "update" not in network  # it is the usual one
    assert "embedding" not in network["layers"][0]


def test_where_there_is_no_step_h_is_null():
    network = Network((Layer(),), cost="upstream", reduction="sum")
    read = asked(replace(drawn(1), network=network))
    assert read["h"] is None
    assert "G" in read


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(value=st.floats(allow_nan=False))
def test_decimals_and_hexadecimal_floats_are_read_to_the_nearest_number(dtype, value):
    problem = made([[1]], [[1]], [[1]], dtype=dtype)
    with np.errstate(over="ignore"):
        right = np.array(value).astype(dtype).tobytes()
    for text in (repr(value), value.hex(), f"{value:.17g}", f"{value:.20e}"):
        found = answered({"C": text}, problem).links["C"]
        assert (found.tobytes(), found.dtype) == (right, dtype)
    if math.isfinite(value):
        assert answered({"C": value}, problem).links["C"].tobytes() == right


@given(SINGLE)
def test_a_float32_of_nine_digits_comes_back(value):
    problem = made([[1]], [[1]], [[1]], dtype="float32")
    found = answered(b'{"C": %.8e}' % value, problem).links["C"]
    assert found.tobytes() == np.float32(value).tobytes()


ACCEPTED = [
    1, -0, 1.5, "1.5", "+1e-3", ".5", "0x1.8p+1", "-0X1P-3", "0x1p99999", "1e999", "inf",
    "-Infinity", "nan", "NaN", "-nan", None,
]  # fmt: skip


@pytest.mark.parametrize("value", ACCEPTED, ids=repr)
def test_a_number_may_be_text_and_one_that_is_null_is_not_a_number(value):
    answer = {"dC_dy": [[value]], "error": None}
    jsonschema.validate(answer, Answer.model_json_schema())
    found = answered(answer).links["dC_dy"]
    assert (found.dtype, found.shape) == ("float64", (1, 1))
    assert np.isnan(found[0, 0]) == (value is None or "nan" in str(value).lower())


@pytest.mark.parametrize("value", [True, "one", "1_0", "", "0x", "1 ", "\u0661", {}], ids=repr)
def test_what_is_no_number_is_told_with_its_link(value):
    answer = {"dC_dW": [[0, value]]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer, Answer.model_json_schema())
    reply = answered(answer)
    assert reply.trouble == reply.misuse
    assert reply.trouble.startswith("dC_dW has ")
    assert reply.trouble.endswith(", which is no number")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ({"dC_dW": [[1, 2], [3]]}, "dC_dW is no array: its rows are of different lengths"),
        ({"dC_dW": [1, [2]]}, "dC_dW is no array: its rows are of different lengths"),
        ({"dW": [[1]]}, "unknown link 'dW' in its answer; the links are y, "),
        ({"dW": "no"}, "unknown link 'dW' in its answer; the links are y, "),
        ({}, "its answer is an empty mapping; give at least one of "),
        ({"dC_dW": None}, "its answer is an empty mapping; give at least one of "),
        ({"error": "no network of mine"}, "it answers an error: no network of mine"),
        ({"error": "no", "dC_dW": [[1]]}, "it answers an error: no"),
    ],
)
def test_an_answer_that_is_unfit_is_told(answer, trouble):
    reply = answered(answer)
    assert reply.trouble.startswith(trouble)
    assert reply.misuse == reply.trouble
    assert not reply.links


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "its answer is an empty line"),
        (b"Loading the model ...", "its answer is no JSON, column 1: 'Loading the model ...'"),
        (b'{"dC_dW": [[1, nan]]}', "its answer is no JSON, column 16: "),
        (b'{"dC_dW": ', "its answer is no JSON, column 11: "),
        (b"\xff\xfe", "its answer is not UTF-8: '\\ufffd\\ufffd'"),
        (b"[[1]]", "its answer is no JSON object of links: '[[1]]'"),
        (b"1", "its answer is no JSON object of links: '1'"),
        (b"[" * 100_000, "its answer is no JSON: '[[["),
        (
            b"\x1b[31m" + b"x" * 99,
            "its answer is no JSON, column 1: '\\x1b[31m" + "x" * 55 + "'...",
        ),
    ],
)
def test_a_line_that_is_no_object_is_no_answer(line, told):
    with pytest.raises(Broken) as broken:
        answered(line)
    assert str(broken.value).startswith(told)


def test_what_pythons_json_writes_for_what_is_not_finite_is_read():
    found = answered(b'{"dC_dy": [[NaN, Infinity, -Infinity]]}').links["dC_dy"]
    assert np.array_equal(found, [[np.nan, np.inf, -np.inf]], equal_nan=True)


def test_the_largest_integers_and_deepest_lists_are_read_or_told():
    assert answered(b'{"C": 1' + b"0" * 5000 + b"}").links["C"] == math.inf
    deep = b"[" * 500 + b"]" * 500
    assert answered(b'{"C": ' + deep + b"}").trouble.startswith("C ")
