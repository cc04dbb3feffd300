"""A reference and verification suite for hand-written backpropagation.

    import verify
    report = verify.run("scenarios")
    report.ok, report.results[0].id, report.results[0].verdict

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
    trial  expected  evidence
    training  diagnosis  subjects
    reduced
    compare  screening
    cases  candidate
    scenario
    consistency  magnitudes
    wording  sizes  folder
    document  manifest
    outcome
    probe  peers  stacks  ways
    distributed
    manual  twin  truth  bounds  descent  relations  result  draw  locate  table  npy  selection
    shrink  child  faults  skeleton
    examination  formulas  loading
    behaviour  layout  notebook
    chain  datafile  threads
    errors
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.chain import LINKS, Chain, Problem
    from verify.errors import ScenarioError, VerifyError
    from verify.result import Report, Result
    from verify.runner import run

__version__ = "0.1.0"

__all__ = [
    "LINKS",
    "Chain",
    "Problem",
    "Report",
    "Result",
    "ScenarioError",
    "VerifyError",
    "__version__",
    "run",
]

_HOMES = {
    "LINKS": "chain",
    "Chain": "chain",
    "Problem": "chain",
    "Report": "result",
    "Result": "result",
    "ScenarioError": "errors",
    "VerifyError": "errors",
    "run": "runner",
}


def __getattr__(name: str) -> Any:
    """The door's names, resolved on first use: importing one module must not load all."""
    if name in _HOMES:
        return getattr(import_module(f"verify.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'verify' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
