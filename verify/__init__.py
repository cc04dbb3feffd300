"""A reference and verification suite for hand-written backpropagation.

    import verify
    report = verify.run("scenarios", candidate=my_gradient)
    report.ok, report.counts
    report.results[0].id, report.results[0].verdict, report.results[0].first_broken_link
    report.to_dict(), report.to_dataframe()        # JSON types; a pandas DataFrame, a row a case

`run` takes files, folders, `file::case` names, names of packaged scenarios, Scenarios, Cases and
Problems, and gives a Report of Results.
An implementation is something that turns a Problem (X, W, P, h) into a Chain of LINKS; the links,
N rows, D features, K classes:

    y        = X W                          (N, K)  pre-sigmoid output
    y_o      = sigma(y)                     (N, K)  post-sigmoid output
    C        = -(1/N) sum p log(y_o)        ()      cost, in nats a row; p >= 0
    dC_dy_o  = -(1/N) p / y_o               (N, K)
    dy_o_dy  = sigma(y) (1 - sigma(y))      (N, K)
    dC_dy    = dC_dy_o * dy_o_dy            (N, K)  element-wise
    dC_dW    = X^T dC_dy                    (D, K)  the gradient
    W_next   = W - h dC_dW                  (D, K)  one step

Where to read on, each with `python -m pydoc verify.NAME`:

    manual  twin  truth     the formulas, by hand, by torch, and exactly
    rounding                what correct arithmetic may do
    forward  bounds         how far a link may lie from the truth, up to dC_dy, and all of it
    descent                 how far C may fall, and must
    result                  what a judgement says
    candidate               judging your own code
    campaign  ways          random problems by the million; other twins
    tally  lock             gating a CI on it; pinning what was verified
    export  reading         the cases for other languages; reports read back
    errors                  what may be raised, each with its exit code

The floors, from the top; a module imports only from floors below its own:

    cli  plugin
    experiments  authoring
    tally  terminal
    options
    items  github  schemas  page  joined
    report  tables  plots  reading
    sight  lock  export  bench  campaign  failure  walk
    runner
    judge  proof
    blocks
    pins  collection
    trial  expected  evidence  causes
    training  diagnosis  subjects  questions  likeness
    compare  screening
    cases  candidate
    scenario
    consistency  magnitudes
    wording  sizes  folder
    document  manifest
    outcome
    probe  peers  stacks  ways
    distributed
    manual  twin  truth  bounds  descent  relations  result  draw  locate  table  npy
    selection  shrink  child  faults  skeleton
    corners  messages
    examination  formulas  forward
    backwards  behaviour  layout  loading  notebook  rounding  files  undisturbed
    asked  chain  datafile  shadow  threads
    errors
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.cases import Case
    from verify.chain import LINKS, Chain, Problem
    from verify.document import Limits
    from verify.errors import (
        CandidateError,
        EnvironmentUnfit,
        ScenarioError,
        UsageError,
        VerifyError,
    )
    from verify.result import Figure, Finding, Report, Result, Verdict
    from verify.runner import Interrupted, run
    from verify.scenario import Scenario

__version__ = "0.1.0"

_HOMES = {
    "LINKS": "chain",
    "CandidateError": "errors",
    "Case": "cases",
    "Chain": "chain",
    "EnvironmentUnfit": "errors",
    "Figure": "result",
    "Finding": "result",
    "Interrupted": "runner",
    "Limits": "document",
    "Problem": "chain",
    "Report": "result",
    "Result": "result",
    "Scenario": "scenario",
    "ScenarioError": "errors",
    "UsageError": "errors",
    "Verdict": "result",
    "VerifyError": "errors",
    "run": "runner",
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
    "run",
]


def __getattr__(name: str) -> Any:
    """The door's names, resolved on first use: importing one module must not load all."""
    if name in _HOMES:
        return getattr(import_module(f"verify.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'verify' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
