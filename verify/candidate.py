"""A name or a function -> a Candidate: something that answers problems and is safe to call.

    def gradient(X, W, P, h):              # (N, D), (D, K), (N, K), a scalar: NumPy arrays
        ...
        return dC_dW                       # or a mapping of any links: {"y": y, "dC_dW": dC_dW}

    verify run --candidate lab.py:gradient
    pytest scenarios -n auto --candidate package.module:gradient
    verify run --candidate lab.py:MyFunction --candidate-arrays torch

The more links it gives, the nearer the report comes to the line that is wrong. With torch it is an
autograd.Function, or a function of (X, W, P) tensors that returns the cost, whose own backward is
judged; likewise jax, where that is installed. Any right algorithm passes: the bound is, entry by
entry, that of the wider form.

By name, it runs in a child process with a limit for each call, so that a crash or a hang is that
case's failure and nothing else's; a function that is given as one runs in this process, without a
limit. Besides the numbers are checked: shape, dtype, unchanged inputs, fresh memory, the same call
twice, other data of the same shape, other memory layouts, a read-only X. Before it is judged the
run proves itself: kernels within their budgets, manual passes, planted faults fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from verify.chain import Chain, Problem
from verify.child import Child
from verify.errors import CandidateError
from verify.examination import Answer, Inputs, examine
from verify.loading import adapted

LAYOUTS = ("F", "strided", "read-only")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A stranger's implementation, by the name that the report gives it.

    `answers` examines it on some inputs; `close` ends the process it may have.
    """

    name: str
    answers: Callable[[Inputs], Answer]
    close: Callable[[], None] = lambda: None

    def examined(self, problem: Problem, layouts: bool) -> tuple[Answer, Problem]:
        """Its answer on the problem and on other data of the same shape, which are given back.

        Shapes  as Problem.
        """
        other = replace(problem, X=np.ascontiguousarray(problem.X[::-1] * problem.dtype.type(0.5)))
        inputs = Inputs(
            problem.X, problem.W, problem.P, np.asarray(problem.h), other.X,
            layouts=LAYOUTS if layouts else (),
        )  # fmt: skip
        return self.answers(inputs), other

    def chain(self, problem: Problem) -> Chain:
        """Its links on one problem, called once; W_next by the update rule if it gives none.

        Shapes  as Problem and Chain.
        Raises  CandidateError with what went wrong, if it gives no answer.
        """
        inputs = Inputs(problem.X, problem.W, problem.P, np.asarray(problem.h), calls=1)
        answer = self.answers(inputs)
        if answer.trouble:
            raise CandidateError(answer.trouble)
        return updated(Chain(**answer.links), problem)


def updated(chain: Chain, problem: Problem) -> Chain:
    """The chain with W_next = W - h dC_dW where it gives dC_dW alone.

    Shapes  as Chain.
    """
    if chain.W_next is not None or np.shape(chain.dC_dW) != problem.shape("dC_dW"):
        return chain
    return replace(chain, W_next=problem.W - problem.h * chain.dC_dW.astype(problem.dtype))


def candidate(
    subject: str | Callable[..., Any], arrays: str = "numpy", device: str = "cpu",
    timeout: float = 60.0,
) -> Candidate:  # fmt: skip
    """A candidate by its name, in a child process; or a function, in this one and unlimited.

    Raises  CandidateError where it cannot be loaded, with the reason.
    """
    if not isinstance(subject, str):
        try:
            function = adapted(subject, arrays, device)
        except (ImportError, TypeError, ValueError) as error:
            raise CandidateError(f"candidate: {error}") from None
        name = getattr(subject, "__name__", type(subject).__name__)
        return Candidate(name, partial(examine, function))
    child = Child(subject, arrays, device, timeout)
    trouble = child.start()
    if trouble:
        child.close()
        raise CandidateError(f"candidate {subject}: {trouble}")
    return Candidate(subject, child.examine, child.close)
