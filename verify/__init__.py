"""A reference and verification suite for hand-written backpropagation.

    import verify
    report = verify.run("scenarios", candidate=my_gradient)
    report.ok, report.counts
    report.results[0].id, report.results[0].verdict, report.results[0].first_broken_link
    report.to_dict(), report.to_dataframe()        # JSON types; a pandas DataFrame, a row a case
    verify.gradcheck(forward, backward, inputs).ok         # any function in NumPy; jvpcheck too

`run` takes files, folders, `file::case` names, names of packaged scenarios, Scenarios, Cases and
Problems, and gives a Report of Results.
An implementation is something that turns a Problem into a Chain of links. Those of the post's
network, N rows, D features, K classes, are LINKS:

    y        = X W                          (N, K)  pre-sigmoid output
    y_o      = sigma(y)                     (N, K)  post-sigmoid output
    C        = -(1/N) sum p log(y_o)        ()      cost, in nats a row; p >= 0
    dC_dy_o  = -(1/N) p / y_o               (N, K)
    dy_o_dy  = sigma(y) (1 - sigma(y))      (N, K)
    dC_dy    = dC_dy_o * dy_o_dy            (N, K)  element-wise
    dC_dW    = X^T dC_dy                    (D, K)  the gradient
    W_next   = W - h dC_dW                  (D, K)  one step

Of several layers every symbol carries its number from the input on (y1, y_o1, ..., dC_dW2, dC_db2):
`Problem.network.links` has them in the order of the computation. What momentum or Adam keep of a
parameter from step to step is `Problem.state` (vW1, mW1), and a link of the next (vW1_next).

The families, from the top; each imports only from those below it, and `python -m pydoc
verify.FAMILY` says where to read on:

    cli
    commands  plugin            what a user types; pytest
    report  experiments         how it is told; what is measured
    judge                       how it is judged
    scenario  candidate  faults what is asked; who is asked; what is planted
    network                     what is computed
    numbers                     what it is computed on
    files  threads
    errors                      what may be raised, each with its exit code
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.errors import (
        CandidateError,
        EnvironmentUnfit,
        ScenarioError,
        UsageError,
        VerifyError,
    )
    from verify.judge.gradcheck import gradcheck, jvpcheck
    from verify.judge.result import Figure, Finding, Report, Result, Verdict
    from verify.judge.runner import Interrupted, run
    from verify.network.problem import LINKS, Chain, Problem
    from verify.scenario.cases import Case
    from verify.scenario.limits import Limits
    from verify.scenario.load import Scenario

__version__ = "0.1.0"

_HOMES = {
    "LINKS": "network.problem",
    "CandidateError": "errors",
    "Case": "scenario.cases",
    "Chain": "network.problem",
    "EnvironmentUnfit": "errors",
    "Figure": "judge.result",
    "Finding": "judge.result",
    "Interrupted": "judge.runner",
    "Limits": "scenario.limits",
    "Problem": "network.problem",
    "Report": "judge.result",
    "Result": "judge.result",
    "Scenario": "scenario.load",
    "ScenarioError": "errors",
    "UsageError": "errors",
    "Verdict": "judge.result",
    "VerifyError": "errors",
    "gradcheck": "judge.gradcheck",
    "jvpcheck": "judge.gradcheck",
    "run": "judge.runner",
}

__all__ = [
    "LINKS",
    "CandidateError",
    "Case",
    "Chain",
    "EnvironmentUnfit",
    "Figure",
    "Finding",
    "Interrupted",
    "Limits",
    "Problem",
    "Report",
    "Result",
    "Scenario",
    "ScenarioError",
    "UsageError",
    "Verdict",
    "VerifyError",
    "__version__",
    "gradcheck",
    "jvpcheck",
    "run",
]


def __getattr__(name: str) -> Any:
    """The door's names, resolved on first use: importing one module must not load all."""
    if name in _HOMES:
        return getattr(import_module(f"verify.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'verify' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
