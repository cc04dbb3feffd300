"""Other ways to the same derivatives: torch.func, vmap, forward mode, compiled graphs, ranks.

    verify run --twin func                                      # vmap, forward-ad, compile
    torchrun --nproc-per-node 2 -m verify run scenarios --twin distributed

Each writes the cost down as a term of one entry, -p log sigma(y), and differentiates that; links
that no gradient passes through are taken by their definition. All are judged by the same bound.

Of several processes every rank runs the same judge on the same case, differentiates its own rows
and has all of every link afterwards; rank 0 speaks. The ranks need not have equally many rows, nor
any. What is summed is the cost of the rows over the N of all: the mean of the ranks' own means,
which is what DistributedDataParallel takes, is another number where N does not divide.

Source  torch.func, torch.autograd, torch.compile and torch.distributed of PyTorch; gloo on CPU,
        nccl on CUDA.
"""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from verify.errors import EnvironmentUnfit, UsageError
from verify.network import twin
from verify.network.problem import Chain, Problem

Term: TypeAlias = Callable[[Any, Any], Any]
"""A cost of one entry, from its y or y_o and its p; also of whole tensors, entry by entry."""


@dataclass(frozen=True)
class Differentiator:
    """How to differentiate.

    `elementwise` gives the derivative of a term at every entry of a tensor; `gradient` that of the
    sum of a term of X W, by W; `total` that sum; `work` what the entry by entry ones cost, in
    multiplications; `device` where this process computes.

    Shapes  elementwise (torch, term, a (N, K), P (N, K)) gives (N, K); gradient (torch, term, X, W,
            P) gives (D, K); total (torch, term, y (N, K), P) gives ().
    """

    elementwise: Callable[[Any, Term, Any, Any], Any]
    gradient: Callable[[Any, Term, Any, Any, Any], Any]
    total: Callable[[Any, Term, Any, Any], Any] = lambda _torch, term, y, P: term(y, P).sum()
    work: Callable[[Problem], int] = lambda _problem: 0
    device: Callable[[str], str] = lambda device: device


def chain(by: Differentiator, form: str, problem: Problem, device: str = "cpu") -> Chain:
    """The chain of one form, differentiated in one way.

    Shapes  as manual.post_form.
    Raises  EnvironmentUnfit when the device is absent.
    """
    with twin.full_precision(device) as torch:
        device = by.device(device)
        X, W, P = (torch.tensor(a, device=device) for a in (problem.X, problem.W, problem.P))
        N, term = len(X), _term(form)

        y = X @ W
        y_o = torch.sigmoid(y)
        C = by.total(torch, term, y, P) / N

        dC_dy_o = by.elementwise(torch, _of_y_o, y_o, P) / N
        dy_o_dy = by.elementwise(torch, _sigmoid, y, P)
        dC_dy = by.elementwise(torch, term, y, P) / N
        dC_dW = by.gradient(torch, term, X, W, P) / N

        W_next = W - torch.from_numpy(np.asarray(problem.h)).to(device) * dC_dW
        links = (y, y_o, C, dC_dy_o, dy_o_dy, dC_dy, dC_dW, W_next)
        return Chain(*(np.asarray(link.detach().cpu()) for link in links))


@cache
def _term(form: str) -> Term:
    """The same function for the same form, so that it is compiled once."""
    torch = twin.library()
    if form == "post":
        return lambda y, p: -p * torch.log(torch.sigmoid(y))
    return lambda y, p: -p * torch.nn.functional.logsigmoid(y)


def _of_y_o(y_o: Any, p: Any) -> Any:
    return -p * y_o.log()


def _sigmoid(y: Any, _p: Any) -> Any:
    return y.sigmoid()


def _cost(term: Term, W: Any, X: Any, P: Any) -> Any:
    return term(X @ W, P).sum()


FUNC = Differentiator(
    lambda torch, term, a, P: torch.func.grad(lambda a: term(a, P).sum())(a),
    lambda torch, term, X, W, P: torch.func.grad(partial(_cost, term))(W, X, P),
)
VMAP = Differentiator(  # a gradient for every entry, and for every row
    lambda torch, term, a, P: torch.func.vmap(torch.func.vmap(torch.func.grad(term)))(a, P),
    lambda torch, term, X, W, P: torch.func.vmap(
        torch.func.grad(partial(_cost, term)), in_dims=(None, 0, 0))(W, X, P).sum(0),
    work=lambda problem: problem.work,
)  # fmt: skip


def _directions(torch: Any, term: Term, X: Any, W: Any, P: Any) -> Any:
    """The derivative in the direction of every entry of W, some at a time."""

    def along(direction: Any) -> Any:
        return torch.func.jvp(lambda W: _cost(term, W, X, P), (W,), (direction.view_as(W),))[1]

    size = W.numel()
    found = []
    for start in range(0, size, _TANGENTS):
        entries = torch.arange(start, min(start + _TANGENTS, size), device=W.device)
        directions = torch.nn.functional.one_hot(entries, size).to(W.dtype)
        found.append(torch.func.vmap(along)(directions))
    return torch.cat(found).view_as(W)


_TANGENTS = 64  # directions at once: each has a copy of every intermediate tensor
FORWARD = Differentiator(
    lambda torch, term, a, P: torch.func.jvp(lambda a: term(a, P), (a,), (torch.ones_like(a),))[1],
    _directions,
    work=lambda problem: problem.work * problem.W.size // _TANGENTS,
)


def _by_autograd(torch: Any, total: Callable[[Any], Any], at: Any) -> Any:
    """The gradient of a sum by its only argument."""
    leaf = at.detach().requires_grad_()
    return torch.autograd.grad(total(leaf), leaf)[0]


@cache
def _cost_of(term: Term) -> Callable[..., Any]:
    """The cost of a term; the same function for the same term, so that it is compiled once."""
    return lambda W, X, P: term(X @ W, P)


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The sum of a function of tensors, as one graph for all shapes."""
    torch = twin.library()
    compiled: Callable[..., Any] = torch.compile(
        lambda *tensors: function(*tensors).sum(), dynamic=True
    )
    return compiled


COMPILE = Differentiator(
    lambda torch, term, a, P: _by_autograd(torch, lambda a: _compiled(term)(a, P), a),
    lambda torch, term, X, W, P: _by_autograd(
        torch, lambda W: _compiled(_cost_of(term))(W, X, P), W),
)  # fmt: skip


@cache
def _group(device: str) -> Any:
    """torch.distributed, in whose group this process is until it ends."""
    group = twin.library().distributed
    backend = "nccl" if device.startswith("cuda") else "gloo"
    group.init_process_group(backend, timeout=_PATIENCE)
    atexit.register(group.destroy_process_group)
    return group


_PATIENCE = timedelta(minutes=5)  # with a rank that does not come


def _rows(group: Any, N: int) -> list[slice]:
    """Which of N rows each rank has."""
    ranks = group.get_world_size()
    edges = [N * r // ranks for r in range(ranks + 1)]
    return [slice(*ends) for ends in pairwise(edges)]


def _summed(like: Any, part: Callable[[slice], Any]) -> Any:
    """The sum over all ranks of what each makes of its own rows."""
    group = _group(like.device.type)
    total = part(_rows(group, len(like))[group.get_rank()])
    group.all_reduce(total)
    return total


def _gathered(torch: Any, like: Any, part: Callable[[slice], Any]) -> Any:
    """All ranks' rows; sent in parts of one size, because gloo takes no others."""
    group = _group(like.device.type)
    places = _rows(group, len(like))
    mine = part(places[group.get_rank()])
    sizes = [place.stop - place.start for place in places]
    padded = torch.zeros((max(sizes), mine.shape[1]), dtype=mine.dtype, device=mine.device)
    padded[: len(mine)] = mine
    parts = [torch.empty_like(padded) for _ in sizes]
    group.all_gather(parts, padded)
    # Each without its padding, in the order of the ranks, which is that of the rows.
    return torch.cat([p[:size] for p, size in zip(parts, sizes, strict=True)])


DISTRIBUTED = Differentiator(
    lambda torch, term, a, P: _gathered(torch, a, lambda rows: _by_autograd(
        torch, lambda part: term(part, P[rows]).sum(), a[rows])),
    lambda torch, term, X, W, P: _summed(X, lambda rows: _by_autograd(
        torch, lambda W: _cost(term, W, X[rows], P[rows]), W)),
    lambda _torch, term, y, P: _summed(y, lambda rows: term(y[rows], P[rows]).sum()),
    device=lambda device: f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device,
)  # fmt: skip

DIFFERENTIATORS: Mapping[str, Differentiator] = {
    "func": FUNC, "vmap": VMAP, "forward-ad": FORWARD, "compile": COMPILE,
    "distributed": DISTRIBUTED,
}  # fmt: skip

TWINS: Mapping[str, Mapping[str, Callable[..., Chain]]] = {
    "eager": twin.FORMS,
    **{name: {form: partial(chain, by, form) for form in twin.FORMS}
       for name, by in DIFFERENTIATORS.items()},
}  # fmt: skip

LARGEST = 2**26  # above it, per-row gradients and tangents are too many


def require_twin(name: str) -> None:
    """Raise unless the twin exists and can run here.

    Raises  UsageError with the names that there are, or where torchrun did not start this process;
            EnvironmentUnfit without a C++ compiler for what is compiled.
    """
    if name not in TWINS:
        raise UsageError(f"twin {name!r}: choose one of {', '.join(TWINS)}")
    if name == "distributed" and "RANK" not in os.environ:
        raise UsageError(
            "twin distributed: not started by torchrun; start it by"
            " `torchrun --nproc-per-node 2 -m verify run ... --twin distributed`"
        )
    if name == "compile" and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))):
        raise EnvironmentUnfit(
            "twin compile: torch.compile needs a C++ compiler (g++, clang++, or CXX); install one,"
            " or take another --twin"
        )


def too_large(name: str, problem: Problem) -> bool:
    """Whether a twin is not to be had for a problem of this size."""
    return name in DIFFERENTIATORS and DIFFERENTIATORS[name].work(problem) > LARGEST
