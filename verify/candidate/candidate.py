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
from verify.candidate.program import Program, is_command
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
    session: Session | Child | Program
    networks: frozenset[Network] = frozenset({POST})
    _places: Mapping[str, Place] = field(default_factory=dict, repr=False)
    _second: bool = field(default=False, repr=False)
    _begin: int = field(default=0, repr=False)
    _end: int = field(default=0, repr=False)
    _size: int = field(default=0, repr=False)
    _exact: Candidate | None = field(default=None, repr=False)

    def ask(
        self, problem: Problem, layouts: Mapping[str, str] | None = None, **how: bool
    ) -> Answer:
        """One call on a problem; `layouts` lays out some of its arrays otherwise.

        `how` are words of Call: first, kept, backward, exactly. Of a kept call the arrays have the
        shapes of the call before, and get the problem's numbers.

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
        asked = Call(self._places, h, network.every_link, network.gradients, **how, t=t,
                     network=network)  # fmt: skip
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

    def follow(self, problem: Problem) -> Reply:
        """What it computes in exact arithmetic, in a process of its own where it has one.

        Shapes  as Problem.
        """
        if self._exact is None:
            self._exact = Candidate(self.name, self.session.another(_FOLLOW))
        return self._exact.ask(problem, exactly=True).reply

    def introduce(self, networks: Iterable[Network]) -> None:
        """Ask it on a small problem of each network, to know of which of them it is.

        Raises  CandidateError, and ends its process, where it can be of none.
        """
        own, misuses = set[Network](), list[str]()
        left = sorted(set(networks), key=lambda network: network != POST)
        for i, network in enumerate(left):
            reply = self.ask(_introduction(network)).reply
            misuse = self._misuse(reply, network)
            misuses += [misuse] if misuse else []
            own |= set() if misuse else {network}
            if POST in own and self.session.gets_arrays:
                break  # by its parameters a function could be of others, too, and is asked no more
            if reply.timed_out and not self.session.gets_arrays:
                own |= {*left[i:]}  # it might be late each time: its cases show that
                break
        if misuses and not own:
            self.close()
            raise CandidateError(f"candidate {self.name}: {misuses[0]}".replace(" :", ":"))
        self.networks = frozenset(own)

    def _misuse(self, reply: Reply, network: Network) -> str:
        """Why it can be no candidate of a network; empty where it can."""
        told = reply.misuse or _of_shapes(reply, network)
        if told or reply.trouble or self.session.gets_arrays:
            return told
        return _of_links(reply, network)  # a program has no parameters by which it is of a network

    def close(self) -> None:
        """End its processes, if it has any."""
        self.session.close()
        if self._exact is not None:
            self._exact.close()
            self._exact = None

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


_FOLLOW = 20.0  # seconds that a call in exact arithmetic may take
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
            child = _of_name(subject, arrays, device, timeout, memory_limit)
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


def _of_name(
    name: str, arrays: str, device: str, timeout: float, memory_limit: int
) -> Child | Program:
    """What calls a function by its name, or runs a command."""
    if not is_command(name):
        return Child(name, arrays, device, timeout, memory_limit)
    if arrays != "numpy":
        raise Misuse("a program gets its numbers as text: leave --candidate-arrays out")
    return Program(name, timeout, memory_limit)


def _of_shapes(reply: Reply, network: Network) -> str:
    """That an answer is a single number, which cannot be the gradient of a matrix."""
    (only, *others), gradients = reply.links or [""], network.gradients
    if not others and only in gradients and np.shape(reply.links[only]) == ():
        return (
            f"it returns a single number; return {', '.join(gradients)}, or let a cost of tensors"
            " be differentiated with --candidate-arrays torch or jax"
        )
    return ""


def _of_links(reply: Reply, network: Network) -> str:
    """That a gradient is absent from an answer, and what it leads to as well."""
    for name in network.sought:
        if not {f"dC_d{name}", f"{name}_next"} & reply.links.keys():
            return f"it gives {', '.join(reply.links)}, but no dC_d{name}"
    return ""


def _introduction(network: Network) -> Problem:
    """A small problem of distinct sizes, by which a candidate shows what it takes and gives.

    Shapes  X (5, 4), P (5, 3); hidden layers of 6, 7, ... units. An embedding has 8 rows.
    """

    def numbers(*shape: int) -> Any:
        return np.linspace(-1, 1, math.prod(shape)).reshape(shape)

    weighted = [i for i, layer in enumerate(network.layers) if layer.weights]
    parameters, inputs = {}, 4
    for i, (layer, names) in enumerate(zip(network.layers, network.names, strict=True)):
        if layer.weights:
            units = 3 if i == weighted[-1] else 6 + i
            parameters[names["W"]] = numbers(8 if layer.embedding else inputs, units)
            inputs = units * (inputs if layer.embedding else 1)
        parameters |= {names[p]: numbers(inputs) for p in layer.vectors}
    labels = np.resize(np.eye(inputs), (5, inputs))
    X: Any = np.arange(20).reshape(5, 4) % 8 if network.embeds else numbers(5, 4)
    return Problem(X, parameters, labels, np.float64(0.5), network)
