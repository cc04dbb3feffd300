"""A name or a function -> a Candidate: something that answers problems and is safe to call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from verify.candidate.child import Child
from verify.candidate.examine import Call, Reply, Session
from verify.candidate.load import Misuse, adapted
from verify.errors import CandidateError
from verify.network.problem import PAGE, Chain, Place, Problem, bits, placed


class Answer(NamedTuple):
    """What came back of one call, and which of its inputs were changed in place."""

    reply: Reply
    changed: tuple[str, ...]


@dataclass(eq=False)
class Candidate:
    """A stranger's implementation, by the name that the report gives it.

    `session` calls it, in this process or another.
    """

    name: str
    session: Session | Child
    _places: Mapping[str, Place] = field(default_factory=dict, repr=False)
    _second: bool = field(default=False, repr=False)
    _begin: int = field(default=0, repr=False)
    _end: int = field(default=0, repr=False)
    _size: int = field(default=0, repr=False)

    def ask(
        self, problem: Problem, layouts: Mapping[str, str] | None = None, **how: bool
    ) -> Answer:
        """One call on a problem; `layouts` lays out some of X, W and P otherwise.

        `how` are words of Call: first, kept, backward. Of a kept call the arrays have the shapes of
        the call before, and get the problem's numbers.

        Shapes  as Problem.
        """
        arrays = {"X": problem.X, "W": problem.W, "P": problem.P}
        if not how.get("kept"):
            self._place(arrays, layouts or {})
        views = self._views()
        if layouts:
            self._memory()[self._begin : self._end] = _GAP
        for name, array in arrays.items():
            views[name][...] = array
        reply = self.session.reply(Call(self._places, np.asarray(problem.h)[()], **how))
        changed = [n for n, array in arrays.items() if bits(self._views()[n]) != bits(array)]
        return Answer(reply, tuple(changed))

    def chain(self, problem: Problem) -> Chain:
        """Its links on one problem, called once; W_next by the update rule if it gives none.

        Shapes  as Problem and Chain.
        Raises  CandidateError with what went wrong, if it gives no answer.
        """
        reply = self.ask(problem).reply
        if reply.trouble:
            raise CandidateError(reply.trouble)
        return updated(Chain(**reply.links), problem)

    def close(self) -> None:
        """End its process, if it has one."""
        self.session.close()

    def _place(self, arrays: Mapping[str, Any], layouts: Mapping[str, str]) -> None:
        """Places in one half of the memory, in turns: what is kept of a call stays as it was."""
        made, start = {}, 0
        for name, array in arrays.items():
            made[name], start = placed(array, layouts.get(name, ""), start)
        self._second = not self._second
        half = -(-start // PAGE) * PAGE  # for the same alignment in both: kernels choose by it
        base = half if self._second else 0
        self._begin, self._end = base, base + start
        self._places = {n: replace(p, offset=p.offset + base) for n, p in made.items()}
        self._size = 2 * half

    def _memory(self) -> Any:
        return np.frombuffer(self.session.memory(self._size), np.uint8)

    def _views(self) -> dict[str, Any]:
        memory = self.session.memory(self._size)
        return {name: replace(p, writeable=True).of(memory) for name, p in self._places.items()}


_GAP = 0xFF  # of what lies between the numbers of a wider array: NaN, if it is read


def updated(chain: Chain, problem: Problem) -> Chain:
    """The chain with W_next = W - h dC_dW where it gives dC_dW alone.

    Shapes  as Chain.
    """
    if chain.W_next is not None or np.shape(chain.dC_dW) != problem.shape("dC_dW"):
        return chain
    return chain | {"W_next": problem.W - problem.h * chain.dC_dW.astype(problem.dtype)}


def of_function(function: Callable[..., Any], name: str = "", arrays: str = "numpy",
                device: str = "cpu") -> Candidate:  # fmt: skip
    """A candidate of a function of this process, which may take as long as it likes.

    Raises  ValueError, ImportError, Misuse where it can be none.
    """
    called = name or getattr(function, "__name__", type(function).__name__)
    return Candidate(called, Session(adapted(function, arrays, device)))


def candidate(
    subject: str | Callable[..., Any], arrays: str = "numpy", device: str = "cpu",
    timeout: float = 60.0, memory_limit: int = 0,
) -> Candidate:  # fmt: skip
    """A candidate by its name, in a child process; or a function, in this one and unlimited.

    It is called once, on a small problem, so that what can be none is told before it is judged.

    Raises  CandidateError where it cannot be loaded, or cannot be a candidate as it is.
    """
    name = subject if isinstance(subject, str) else ""
    try:
        if isinstance(subject, str):
            child = Child(subject, arrays, device, timeout, memory_limit)
            made = Candidate(subject, child)
            if trouble := child.start():
                child.close()
                raise CandidateError(f"candidate {subject}: {trouble}")
        else:
            made = of_function(subject, "", arrays, device)
            name = made.name
        reply = made.ask(_introduction()).reply
        if misuse := reply.misuse or _of_shapes(reply):
            made.close()
            raise Misuse(misuse)
    except (ImportError, ValueError, Misuse) as error:
        raise CandidateError(f"candidate {name}: {error}".replace(" :", ":")) from None
    return made


def _of_shapes(reply: Reply) -> str:
    """That an answer is a single number, which cannot be the gradient of a matrix."""
    if list(reply.links) == ["dC_dW"] and np.shape(reply.links["dC_dW"]) == ():
        return (
            "it returns a single number; return dC_dW, or let a cost of tensors be differentiated"
            " with --candidate-arrays torch or jax"
        )
    return ""


def _introduction() -> Problem:
    """A small problem of three distinct sizes, by which a candidate shows what it takes and gives.

    Shapes  X (5, 4), W (4, 3), P (5, 3).
    """
    X, W = (np.linspace(-1, 1, n * m).reshape(n, m) for n, m in ((5, 4), (4, 3)))
    return Problem(X, W, np.eye(3)[[0, 1, 2, 0, 1]], np.float64(0.5))
