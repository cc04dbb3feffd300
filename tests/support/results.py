"""Results and reports for tests."""

from __future__ import annotations

from dataclasses import replace

from verify.errors import FileFault
from verify.judge.result import Figure, Finding, Result, Step, Verdict
from verify.network.problem import LINKS
from verify.report.read import Matrix


def result(*findings: Finding, **more) -> Result:
    return Result("s.toml", "dtype=float64", 3, "float64", "cpu", findings=findings, **more)


def finding(verdict: Verdict, link: str | None = None) -> Finding:
    return Finding("bound", verdict, "m", "manual.post_form", link)


def figure(link: str, ratio: float) -> Figure:
    return Figure("manual.post_form", link, (0, 1), 1.0, 1.0, ratio, 1.0, ratio, 0.0)


PASSED, FAILED = result(), result(finding(Verdict.FAIL))
UNSURE, ABSENT = result(finding(Verdict.CANNOT_JUDGE)), result(finding(Verdict.NOT_RUN))
BROKEN = result(finding(Verdict.ERROR))
FAULT = FileFault("p", 1, 1, "k", "w", found="f", allowed="a")

# A failure with everything that there is to tell of one.
WORST = Figure(
    "manual.post_form", "dC_dy", (3, 1), -0.0703125, -0.03515625, 0.03515625, 1e-9, 3.5e7, 9e6
)
DOUBLED = result(
    Finding("bound", Verdict.FAIL, "dC_dy is beyond its bound", "manual.post_form", "dC_dy", WORST),
    Finding("bound", Verdict.FAIL, "dC_dW is beyond its bound", "manual.post_form", "dC_dW"),
    figures=(WORST, *(Figure("manual.post_form", n, (), *[0.0] * 6) for n in ("y", "y_o", "C"))),
    resolution=1e-15,
)

# A long training that passes, and what a page shows beside it.
STEPS = tuple(Step(t, 8.0 - t, 7.0 - t, 6.75 - t, 7.25 - t) for t in range(1, 101))
FIGURES = tuple(figure(link, 0.25) for link in LINKS)
GREEN = result(figures=FIGURES, loss_before=7.87, loss_after=7.63, resolution=1e-15)
MATRIX = Matrix.model_validate(
    {"faults": {
        "sign": {"link": "dC_dW", "mistake": "the sign", "visible": True,
                 "killed_by": {"s.toml": "bound dC_dW"}},
        "none": {"link": "C", "mistake": "nothing sees it", "visible": True, "killed_by": {}},
    }, "kinds": {"s.toml": [], "t.toml": []}}
)  # fmt: skip
TRAINED = replace(GREEN, steps=STEPS)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\x1b[31m\u202e"
