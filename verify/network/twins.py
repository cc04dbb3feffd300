"""Other ways to the same derivatives: torch.func, vmap, forward mode, compiled graphs, ranks.

    verify run --twin func                                      # vmap, forward-ad, compile
    torchrun --nproc-per-node 2 -m verify run scenarios --twin distributed

Each differentiates the one forward pass of `kernels` in its own way. To every link but the last y_o
zeros are added: the derivative of C by them is that by the link. dC_dy_o of the last layer is taken
from C as a function of y_o, dy_o_dy from the activation alone. All are judged by the same bound.

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import pairwise
from typing import Any, TypeAlias

from verify.errors import EnvironmentUnfit, UsageError
from verify.network import kernels, twin
from verify.network.network import Network
from verify.network.problem import Chain, Problem
from verify.numbers.dtypes import SIXTEEN

Tensors: TypeAlias = Mapping[str, Any]
Function: TypeAlias = "partial[Any]"
"""Terms of tensors by their names: of each of many rows its own, or those of a single row."""


@dataclass(frozen=True)
class Differentiator:
    """How to differentiate.

    `gradient` gives the sum of a function's terms and its derivatives by the tensors named, of
    which every row has its own or all share one; `work` what that costs where it goes row by row or
    entry by entry, in multiplications; `device` where this process computes. `by_rows`: each row is
    differentiated without the others, and what is added up is rounded to the dtype before.

    Shapes  gradient (torch, function, rows (N, ...), shared (any), names) gives () and, by name,
            what the tensors have.
    """

    gradient: Callable[[Any, Function, Tensors, Tensors, Sequence[str]], tuple[Any, Tensors]]
    work: Callable[[Problem], int] = lambda _problem: 0
    device: Callable[[str], str] = lambda device: device
    by_rows: bool = False


def chain(by: Differentiator, form: str, problem: Problem, device: str = "cpu") -> Chain:
    """Every link of the problem's network, differentiated in one way.

    Shapes  as Problem.shape.
    Raises  EnvironmentUnfit when the device is absent.
    """
    with twin.full_precision(device) as torch:
        network = problem.network
        t = twin.tensors(torch, problem.numbers, by.device(device))
        found, _ = kernels.forward(torch, network, t, form)
        X, last = t.pop("X"), network.names[-1]["y_o"]
        labels: dict[str, Any] = {name: t.pop(name) for name in ("P", "G") if name in t}

        def by_entries(function: Function, at: Any) -> tuple[Any, Any]:
            """The sum, and its derivative at every entry: each is a row of its own."""
            total, derivatives = by.gradient(torch, function, {"at": at.reshape(-1, 1)}, t, ["at"])
            return total, derivatives["at"].view_as(at)

        zeros = {name: torch.zeros_like(a) for name, a in found.items() if name != last}
        names = [*network.parameters, *zeros, *["X"] * ("dC_dX" in network.links)]
        rows = {"X": X, **labels, **zeros}
        terms = partial(_terms, torch, network, form)
        C, derivatives = by.gradient(torch, terms, rows, t, names)
        ends = {"at": found[last], **labels}
        _, by_last = by.gradient(torch, partial(_of_y_o, torch, network), ends, t, ["at"])
        derivatives = {**derivatives, last: by_last["at"]}
        for name in network.weights if network.decays else ():
            more, decay = by_entries(partial(_decay), t[name])
            C, derivatives[name] = C + more, derivatives[name] + decay

        links = {"C": C, **found, **{f"dC_d{name}": a for name, a in derivatives.items()}}
        for layer, of in zip(network.layers, network.names, strict=True):
            if of["dy_o_dy"] in network.links:
                y_o = partial(_y_o, torch, layer.activation)
                _, links[of["dy_o_dy"]] = by_entries(y_o, found[of["y"]])
        for name in network.parameters:
            links |= kernels.updated(network, t, name, derivatives[name])
        return Chain(**{name: twin.array(links[name]) for name in network.links})


def _terms(torch: Any, network: Network, form: str, t: Tensors) -> Any:
    return kernels.forward(torch, network, t, form)[1] / t["N"]


def _of_y_o(torch: Any, network: Network, t: Tensors) -> Any:
    return kernels.of_y_o(torch, network, t["at"], t) / t["N"]


def _y_o(torch: Any, activation: str, t: Tensors) -> Any:
    return kernels.ACTIVATIONS[activation](torch, t["at"], t["leak"])


def _decay(t: Tensors) -> Any:
    return kernels.decay(t["at"], t["decay"])


def _by_names(function: Any, given: Tensors, names: Sequence[str]) -> tuple[Any, Tensors]:
    """The function of the tensors named alone, and those."""
    return lambda by: function({**given, **by}).sum(), {name: given[name] for name in names}


def _func(torch: Any, function: Function, rows: Tensors, shared: Tensors, names: Any) -> Any:
    of_names, at = _by_names(function, {**rows, **shared}, names)
    gradients, value = torch.func.grad_and_value(of_names)(at)
    return value, gradients


def _vmap(torch: Any, function: Function, rows: Tensors, shared: Tensors, names: Any) -> Any:
    """A gradient for every row."""
    # In the layout of a plain copy the rows' gradients are added up in half of the time.
    copies = {name: shared[name].contiguous() for name in names if name in shared}

    def of_row(row: Tensors) -> Any:
        return _func(torch, function, row, {**shared, **copies}, names)

    values, gradients = torch.func.vmap(of_row)(rows)
    return values.sum(), {n: g if n in rows else g.sum(0) for n, g in gradients.items()}


def _forward(torch: Any, function: Function, rows: Tensors, shared: Tensors, names: Any) -> Any:
    """A derivative along every entry of what the rows share, and along every entry of a row.

    A direction of the rows is the same entry of each: their terms are functions of their own alone.
    """
    given = {**rows, **shared}

    def of_name(name: str) -> Any:
        a = given[name]
        like = a[0] if name in rows else a
        entries = torch.arange(like.numel(), device=a.device)

        def along(entry: Any) -> Any:
            one = (entries == entry).to(a.dtype).view(like.shape).expand(a.shape)
            terms = torch.func.jvp(lambda a: function({**given, name: a}), (a,), (one,))[1]
            return terms.sum(-1) if name in rows else terms.sum()

        found = torch.func.vmap(along, chunk_size=_TANGENTS)(entries)
        return found.mT if name in rows else found.view(a.shape)

    return function(given).sum(), {name: of_name(name) for name in names}


_TANGENTS = 64  # directions at once: each has a copy of every intermediate tensor


def _by_autograd(torch: Any, function: Any, rows: Tensors, shared: Tensors, names: Any) -> Any:
    of_names, at = _by_names(function, {**rows, **shared}, names)
    leaves = {name: a.detach().requires_grad_() for name, a in at.items()}
    value = of_names(leaves)
    gradients = torch.autograd.grad(value, list(leaves.values()))
    return value.detach(), dict(zip(leaves, gradients, strict=True))


@cache
def _compiled(function: Callable[..., Any], *of: Any) -> Callable[..., Any]:
    """A function, of what it is of besides tensors, as one graph for all shapes."""
    compiled: Callable[..., Any] = twin.library().compile(
        lambda t: function(*of, t), dynamic=True, fullgraph=True
    )
    return compiled


def _compile(torch: Any, function: Function, *given: Any) -> Any:
    # Beyond its limits torch runs a function as it stands; all networks' count together.
    limits = {"recompile_limit": _GRAPHS, "accumulated_recompile_limit": _GRAPHS}
    with torch._dynamo.config.patch(limits):
        return _by_autograd(torch, _compiled(function.func, *function.args), *given)


_GRAPHS = 2**16


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


def _over_ranks(torch: Any, function: Function, rows: Tensors, shared: Tensors, names: Any) -> Any:
    """Each rank differentiates its own rows, and has of every derivative all afterwards."""
    like = next(iter(rows.values()))
    group = _group(like.device.type)
    places = _rows(group, len(like))
    own = {name: a[places[group.get_rank()]] for name, a in rows.items()}
    value, found = _by_autograd(torch, function, own, shared, names)
    return _summed(group, value, places), {
        n: _gathered(torch, group, g, places) if n in rows else _summed(group, g, places)
        for n, g in found.items()
    }


def _summed(group: Any, mine: Any, _places: Sequence[slice]) -> Any:
    """The sum over all ranks of what each made of its own rows."""
    group.all_reduce(mine)
    return mine


def _gathered(torch: Any, group: Any, mine: Any, places: Sequence[slice]) -> Any:
    """All ranks' rows; sent in parts of one size, because gloo takes no others."""
    sizes = [place.stop - place.start for place in places]
    padded = torch.zeros((max(sizes), mine.shape[1]), dtype=mine.dtype, device=mine.device)
    padded[: len(mine)] = mine
    parts = [torch.empty_like(padded) for _ in sizes]
    group.all_gather(parts, padded)
    # Each without its padding, in the order of the ranks, which is that of the rows.
    return torch.cat([p[:size] for p, size in zip(parts, sizes, strict=True)])


DIFFERENTIATORS: Mapping[str, Differentiator] = {
    "func": Differentiator(_func),
    "vmap": Differentiator(_vmap, lambda problem: problem.work, by_rows=True),
    "forward-ad": Differentiator(_forward, lambda problem: (
        problem.work * sum(a.size for a in problem.parameters.values()) // _TANGENTS),
        by_rows=True),
    "compile": Differentiator(_compile),
    "distributed": Differentiator(_over_ranks, device=lambda device: (
        f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device), by_rows=True),
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


def rounds_parts(name: str, dtype: str) -> bool:
    """Whether a twin rounds to 16 bits what a sum accumulates in float32, which no bound allows."""
    return dtype in SIXTEEN and name in DIFFERENTIATORS and DIFFERENTIATORS[name].by_rows


def apart(name: str, network: Network) -> bool:
    """Whether a twin takes each row without the others, which a batch norm needs."""
    return name in DIFFERENTIATORS and DIFFERENTIATORS[name].by_rows and network.mixes_rows
