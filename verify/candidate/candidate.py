"""A name or a function -> a Candidate: something that answers problems and is safe to call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from verify.candidate.arguments import Misuse
from verify.candidate.child import Child
from verify.candidate.examine import Call, Reply, Session
from verify.candidate.load import adapted
from verify.errors import CandidateError
from verify.network.network import POST, Network
from verify.network.problem import PAGE, Chain, Place, Problem, bits, placed


class Answer(NamedTuple):
    """What came back of one call, and which of its inputs were changed in place."""

    reply: Reply
    changed: tuple[str, ...]


@dataclass(eq=False)
class Candidate:
    """A stranger's implementation, by the name that the report gives it.

    `session` calls it, in this process or another; `networks` are those that it is one of, where
    that was asked.
    """

    name: str
    session: Session | Child
    networks: frozenset[Network] = frozenset({POST})
    _places: Mapping[str, Place] = field(default_factory=dict, repr=False)
    _second: bool = field(default=False, repr=False)
    _begin: int = field(default=0, repr=False)
    _end: int = field(default=0, repr=False)
    _size: int = field(default=0, repr=False)

    def ask(
        self, problem: Problem, layouts: Mapping[str, str] | None = None, **how: bool
    ) -> Answer:
        """One call on a problem; `layouts` lays out some of its arrays otherwise.

        `how` are words of Call: first, kept, backward. Of a kept call the arrays have the shapes of
        the call before, and get the problem's numbers.

        Shapes  as Problem.
        """
        arrays, network = problem.arrays, problem.network
        if not how.get("kept"):
            self._place(arrays, layouts or {})
        views = self._views()
        if layouts:
            self._memory()[self._begin : self._end] = _GAP
        for name, array in arrays.items():
            views[name][...] = array
        h, t = problem.given.get("h"), problem.given.get("t")
        asked = Call(self._places, h, network.every_link, network.gradients, **how, t=t)
        reply = self.session.reply(asked)
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

    def introduce(self, networks: Iterable[Network]) -> None:
        """Ask it on a small problem of each network, to know of which of them it is.

        Raises  CandidateError, and ends its process, where it can be of none.
        """
        own, misuses = set[Network](), list[str]()
        for network in sorted(set(networks), key=lambda network: network != POST):
            misuse = _misuse(self, network)
            misuses += [misuse] if misuse else []
            own |= set() if misuse else {network}
            if POST in own:  # by its parameters it could be of others, too, and is asked no more
                break
        if misuses and not own:
            self.close()
            raise CandidateError(f"candidate {self.name}: {misuses[0]}".replace(" :", ":"))
        self.networks = frozenset(own)

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
    """The chain with every parameter's next where it gives the gradient alone: W - h dC_dW, or as
    the network's update has it, with what that keeps.

    Shapes  as Chain.
    """
    if not problem.network.trains:
        return chain
    known, found = dict(problem.numbers), {}
    for name in problem.network.parameters:
        g: Any = chain.get(f"dC_d{name}")
        if np.shape(g) == problem.parameters[name].shape:
            known[f"dC_d{name}"] = g.astype(problem.dtype)
    known |= {link: chain[link] for link in problem.network.updates if link in chain}
    for step in problem.network.steps:
        of_update = step.name in {*problem.network.updates, *problem.network.inner}
        if of_update and step.name not in known and {*step.forms[0].of} <= known.keys():
            known[step.name] = found[step.name] = step.on("literal", known)
    found = {link: value for link, value in found.items() if link in problem.network.updates}
    return chain | found if found else chain


def of_function(function: Callable[..., Any], name: str = "", arrays: str = "numpy",
                device: str = "cpu") -> Candidate:  # fmt: skip
    """A candidate of a function of this process, which may take as long as it likes.

    Raises  ValueError, ImportError, Misuse where it can be none.
    """
    called = name or getattr(function, "__name__", type(function).__name__)
    return Candidate(called, Session(adapted(function, arrays, device)))


def candidate(
    subject: str | Callable[..., Any], arrays: str = "numpy", device: str = "cpu",
    timeout: float = 60.0, memory_limit: int = 0, networks: Iterable[Network] = (POST,),
) -> Candidate:  # fmt: skip
    """A candidate by its name, in a child process; or a function, in this one and unlimited.

    It is called once on a small problem of each network, so that what can be none is told before
    it is judged. One whose parameters are the post's is judged on the post's network alone, where
    that is among them: by its parameters it could be of any network without a bias.

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
    except (ImportError, ValueError, Misuse) as error:
        raise CandidateError(f"candidate {name}: {error}".replace(" :", ":")) from None
    made.introduce(networks)
    return made


def _misuse(made: Candidate, network: Network) -> str:
    """Why it can be no candidate of a network; empty where it can."""
    reply = made.ask(_introduction(network)).reply
    return reply.misuse or _of_shapes(reply, network)


def _of_shapes(reply: Reply, network: Network) -> str:
    """That an answer is a single number, which cannot be the gradient of a matrix."""
    (only, *others), gradients = reply.links or [""], network.gradients
    if not others and only in gradients and np.shape(reply.links[only]) == ():
        return (
            f"it returns a single number; return {', '.join(gradients)}, or let a cost of tensors"
            " be differentiated with --candidate-arrays torch or jax"
        )
    return ""


def _introduction(network: Network) -> Problem:
    """A small problem of distinct sizes, by which a candidate shows what it takes and gives.

    Shapes  X (5, 4), P (5, 3); hidden layers of 6, 7, ... units. An embedding has 8 rows.
    """

    def numbers(*shape: int) -> Any:
        return np.linspace(-1, 1, math.prod(shape)).reshape(shape)

    weighted = [i for i, layer in enumerate(network.layers) if layer.weights]
    parameters, inputs = {}, 4
    for i in weighted:
        names = network.names[i]
        units = 3 if i == weighted[-1] else 6 + i
        embedding = network.layers[i].embedding
        parameters[names["W"]] = numbers(8 if embedding else inputs, units)
        units *= inputs if embedding else 1
        if network.layers[i].bias:
            parameters[names["b"]] = numbers(units)
        inputs = units
    labels = np.resize(np.eye(inputs), (5, inputs))
    X: Any = np.arange(20).reshape(5, 4) % 8 if network.embeds else numbers(5, 4)
    return Problem(X, parameters, labels, np.float64(0.5), network)
