"""What a check of a function's derivatives found."""

from __future__ import annotations

from verify.judge.result import Figure, Finding, Result, Verdict
from verify.report.derivatives import derivatives


def test_each_derivative_has_a_line_and_each_finding_and_note_its_own() -> None:
    near = Figure("f", "dC_dx", (0, 1), 1.0, 2.0, 1e-16, 4e-16, 0.25, 0.5)
    far = Figure("f", "dC_dbias", (1,), 3.0, 1.5, 1.5, 1e-16, 1.5e16, 9e15)
    finding = Finding("formula", Verdict.FAIL, "dC_dbias is wrong", "f", "dC_dbias")
    result = Result("/a/lab.py", "f", 7, "float32", "cpu", findings=(finding,),
                    figures=(near, far), notes=("a kink",))  # fmt: skip
    assert derivatives(result).splitlines() == [
        "FAIL  f  (lab.py:7, float32)",
        "  dC_dx     error/bound 0.25      sees 2.0e-16 of the worst entry",
        "  dC_dbias  error/bound 1.5e+16   at [1]: found 3, right 1.5",
        "  formula: dC_dbias is wrong",
        "  note: a kink",
    ]
