"""The same chain by PyTorch autograd; torch is imported here alone, when it is needed.

The forward pass calls torch's kernels; every gradient is autograd's own, read from its
intermediate tensors. Of a stack of problems, one backward pass of the sum of their costs gives the
gradients of all: none depends on another's W. Nothing here repeats a formula of the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import numpy as np

from verify import threads as pools
from verify.errors import EnvironmentUnfit
from verify.network import kernels as table
from verify.network.network import Network
from verify.network.problem import Chain, Problem
from verify.numbers import dtypes
from verify.numbers.rounding import Array


def post_form(problem: Problem, device: str = "cpu") -> Chain:
    """The chain of C = -(1/N) sum p log(sigmoid(y)), differentiated by autograd.

    Shapes  as manual.post_form.
    Breaks  where the post's formulas break: torch.sigmoid is 1 / (1 + exp(-y)) too.
    Raises  EnvironmentUnfit when the device is absent.
    Source  torch.sigmoid, torch.log and their derivatives in PyTorch.
    """
    return _differentiated("post", problem, device)


def stable_form(problem: Problem, device: str = "cpu") -> Chain:
    """The chain of C = -(1/N) sum p logsigmoid(y), differentiated by autograd.

    Shapes  as manual.post_form.
    Breaks  dC_dy_o alone, where y_o or p / y_o is beyond the dtype.
    Raises  EnvironmentUnfit when the device is absent.
    Source  torch.nn.functional.logsigmoid and its derivative in PyTorch.
    """
    return _differentiated("stable", problem, device)


def _differentiated(form: str, problem: Problem, device: str) -> Chain:
    return Chain(**chain(problem.network, problem.numbers, form, device))


def chain(
    network: Network,
    numbers: Mapping[str, Any],
    form: str,
    device: str = "cpu",
    by_X: bool = False,
) -> dict[str, Any]:
    """Every link of a network: torch's kernels forward, autograd for all the rest.

    dC_dy_o of the last layer is taken from a graph of its own, where y_o is a leaf: in the stable
    form y_o may not be on the path to C. With `by_X`, dC_dX too.

    Shapes  `numbers` by name: X (N, D), the parameters, P or G (N, K), h and N ().
    Raises  EnvironmentUnfit when the device is absent.
    """
    with full_precision(device) as torch:
        t = tensors(torch, numbers, device)
        for name in network.parameters:
            t[name].requires_grad_()
        t["X"].requires_grad_((by_X and not network.embeds) or "dC_dX" in network.links)
        kept, links = forward(torch, network, t, t["N"], form)
        for name, tensor in kept.items():
            tensor.retain_grad()  # after forward, whose own gradients it would keep too
            links[name] = tensor
        links["C"].sum().backward()
        kept["X"] = t["X"]
        for name in network.parameters:
            kept[name] = t[name]
            links |= table.updated(network, t, name, t[name].grad)
        by = {f"dC_d{name}": tensor.grad for name, tensor in kept.items()}
        links = {**{name: g for name, g in by.items() if g is not None}, **links}
        return {name: array(links[name]) for name in (*network.links, "dC_dX") if name in links}


def forward(
    torch: Any, network: Network, t: Mapping[str, Any], N: int, form: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(y and y_o of every layer, C with dC_dy_o and each dy_o_dy); C.backward() gives the rest.

    Shapes  as chain.
    """
    kept, terms = table.forward(torch, network, t, form)
    C = table.total(terms) / N
    at = kept[network.names[-1]["y_o"]].detach().requires_grad_()
    by_y_o = table.of_y_o(torch, network, at, t).sum() / N
    links = {network.names[-1]["dC_dy_o"]: torch.autograd.grad(by_y_o, at)[0]}
    for names in network.names:
        if names["dy_o_dy"] in network.links:
            y, y_o = kept[names["y"]], kept[names["y_o"]]
            ones = torch.ones_like(y)
            (slope,) = torch.autograd.grad(y_o, y, ones, retain_graph=True)
            links[names["dy_o_dy"]] = slope
    for name in network.weights if network.decays else ():
        C = C + table.total(table.decay(t[name], t["decay"]))
    return kept, {**links, "C": C}


FORMS: dict[str, Callable[..., Chain]] = {"post": post_form, "stable": stable_form}


def available(device: str) -> bool:
    """Whether torch can compute on `device` here: cpu, cuda, or one of many as cuda:1."""
    if device == "cpu":
        return True
    cuda, index = library().cuda, int(device.partition(":")[2] or 0)
    return bool(cuda.is_available() and index < cuda.device_count())


@contextmanager
def full_precision(device: str = "cpu") -> Iterator[Any]:
    """Torch at full precision, on one thread, recording gradients; everything is put back after.

    TF32 and reduced-precision sums are outside the rounding model of the bounds (they keep 10 or
    fewer bits of a product), so they are off while a twin runs.

    Raises  EnvironmentUnfit when the device is absent.
    """
    torch = library()
    if not available(device):
        raise EnvironmentUnfit(
            f"twin: no {device} device here; run on cpu, or on a machine that has one"
        )
    matmul = torch.backends.cuda.matmul
    reduced = (
        "allow_fp16_reduced_precision_reduction",
        "allow_bf16_reduced_precision_reduction",
    )
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    flags = {name: getattr(matmul, name) for name in reduced}
    try:
        if threads != 1:
            torch.set_num_threads(1)
        torch.set_float32_matmul_precision("highest")
        for name in reduced:
            setattr(matmul, name, False)
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast(device.partition(":")[0], enabled=False),
        ):
            yield torch
    finally:
        for name, flag in flags.items():
            setattr(matmul, name, flag)
        torch.set_float32_matmul_precision(precision)
        if threads != 1:
            torch.set_num_threads(threads)


def one_thread() -> AbstractContextManager[Any]:
    """One thread for every pool of this process while it lasts, torch's among them.

    Set to one and back at every call of a twin, the threads of torch's products would be woken each
    time, and spin on the core that the next link needs.
    """
    library()  # only pools that are loaded already can be limited
    return pools.one_thread()


@cache
def library() -> Any:
    """torch, imported when a twin first runs: it costs seconds, and most commands need none."""
    import torch

    return torch


def tensors(torch: Any, numbers: Mapping[str, Any], device: str) -> dict[str, Any]:
    """The numbers of a network on a device; N, leak and each eps are Python's own.

    The columns of weights lie in one piece, so that autograd takes X^T dC_dy as (dC_dy^T X)^T,
    which reads X row by row: up to three times as fast where K is small.

    Shapes  as chain.
    """
    found: dict[str, Any] = {"N": numbers["N"]}
    found |= {n: float(a) for n, a in numbers.items() if n == "leak" or n.startswith("eps")}
    for name in (n for n in numbers if n not in found):
        a = np.asarray(numbers[name])
        tensor = shared(torch, np.array(a.mT, order="C") if name.startswith("W") else a)
        found[name] = (tensor.mT if name.startswith("W") else tensor).to(device)
    return found


def shared(torch: Any, a: Array) -> Any:
    """A tensor on an array's own memory; NumPy's bfloat16 is not torch's, but has its bits.

    Shapes  any; the same.
    """
    if a.dtype.name == "bfloat16":
        return torch.from_numpy(a.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(a)


def array(tensor: Any) -> Array:
    """A tensor's numbers, without its graph.

    Shapes  any; the same.
    """
    found = tensor.detach().cpu()
    if str(found.dtype) == "torch.bfloat16":
        bits = np.asarray(found.view(library().int16))
        return bits.view(dtypes.named("bfloat16"))
    return np.asarray(found)


def eager(problem: Problem) -> Callable[[], Any]:
    """C and dC_dW as a user of torch computes them, ready to be timed: no link is kept.

    Shapes  as Problem; gives dC_dW (D, K).
    Source  torch.nn.functional.logsigmoid and autograd.
    """
    torch = library()
    X, W, P = (torch.tensor(a) for a in (problem.X, problem.W, problem.P))
    W.requires_grad_()

    def gradient() -> Any:
        C = -(P * torch.nn.functional.logsigmoid(X @ W)).sum() / len(X)
        return torch.autograd.grad(C, W)[0]

    return gradient


def kernels(device: str = "cpu") -> dict[str, Callable[[Any], Any]]:
    """torch.exp, torch.log and torch.sigmoid on a device, as functions of NumPy arrays.

    Shapes  any; the same.
    """
    torch = library()

    def of_arrays(kernel: Any) -> Callable[[Any], Any]:
        return lambda x: array(kernel(shared(torch, x).to(device)))

    return {f"torch.{name}": of_arrays(getattr(torch, name)) for name in ("exp", "log", "sigmoid")}
