"""The twin on several processes: the rows are split over ranks, the sums are reduced.

Every rank runs the same judge on the same case and holds the same chain afterwards; rank 0 speaks.
The ranks need not have equally many rows, nor any. What is summed is the cost of the rows over the
N of all: the mean of the ranks' own means, which is what DistributedDataParallel takes, is another
number where N does not divide.

Source  torch.distributed of PyTorch; gloo on CPU, nccl on CUDA.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from verify.errors import UsageError
from verify.network import twin
from verify.network.problem import Chain, Problem


def chain(form: str, problem: Problem, device: str = "cpu") -> Chain:
    """The chain of one form, of which every rank computes some rows.

    Shapes  as manual.post_form.
    Raises  EnvironmentUnfit when the device is absent.
    """
    with twin.pinned(device) as torch:
        group, device = _joined(device), _own(device)
        N, rank, ranks = len(problem.X), group.get_rank(), group.get_world_size()
        edges = [N * r // ranks for r in range(ranks + 1)]
        rows = slice(edges[rank], edges[rank + 1])
        X, P = (torch.tensor(a[rows], device=device) for a in (problem.X, problem.P))
        W = torch.tensor(problem.W, device=device).requires_grad_()

        y, y_o, C, dC_dy_o, dy_o_dy = twin.links(torch, form, X, W, P, N)
        C.backward()
        C = C.detach()
        for total in (C, W.grad):
            group.all_reduce(total)

        W_next = W.detach() - torch.from_numpy(np.asarray(problem.h)).to(device) * W.grad
        mine = [t.detach() for t in (y, y_o, dC_dy_o, dy_o_dy, y.grad)]
        y, y_o, dC_dy_o, dy_o_dy, dC_dy = (_gathered(torch, group, t, edges) for t in mine)
        links = (y, y_o, C, dC_dy_o, dy_o_dy, dC_dy, W.grad, W_next)
        return Chain(*(np.asarray(link.cpu()) for link in links))


_PATIENCE = timedelta(minutes=5)  # with a rank that does not come
FORMS: dict[str, Callable[..., Chain]] = {form: partial(chain, form) for form in twin.FORMS}


def started() -> None:
    """Nothing, where torchrun started this process.

    Raises  UsageError where it did not.
    """
    if "RANK" not in os.environ:
        raise UsageError(
            "twin distributed: this is no rank of a group; start it by"
            " `torchrun --nproc-per-node 2 -m verify run ... --twin distributed`"
        )


@cache
def _joined(device: str) -> Any:
    """torch.distributed, in whose group this process is until it ends."""
    group = twin.library().distributed
    backend = "nccl" if device.startswith("cuda") else "gloo"
    group.init_process_group(backend, timeout=_PATIENCE)
    atexit.register(group.destroy_process_group)
    return group


def _own(device: str) -> str:
    """A GPU for each rank of a machine."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device


def _gathered(torch: Any, group: Any, part: Any, edges: list[int]) -> Any:
    """All ranks' rows; sent in parts of one size, because gloo takes no others."""
    sizes = [end - start for start, end in pairwise(edges)]
    padded = torch.zeros((max(sizes), part.shape[1]), dtype=part.dtype, device=part.device)
    padded[: len(part)] = part
    parts = [torch.empty_like(padded) for _ in sizes]
    group.all_gather(parts, padded)
    return torch.cat([p[:size] for p, size in zip(parts, sizes, strict=True)])
