"""A stranger's function of torch tensors, called with NumPy arrays and differentiated by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from verify.candidate.arguments import Arguments, is_result
from verify.network.given import differentiable, other_inputs
from verify.network.problem import sought
from verify.network.twin import full_precision


def differentiated(
    function: Any, taken: Arguments, upstream: float, device: str = "cpu"
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function of torch tensors as one of NumPy arrays, and other gradients of its graph.

    `taken` calls it with those arrays that it takes. Where it returns a scalar, that is the cost C,
    and its own backward gives the gradients by the parameters; what it returns of one operation
    without taking the upstream gradient is the result, whose backward is given G; anything else is
    passed on as it is. The second function gives what load.Function says of `backward`.

    Shapes  as Problem.arrays, by name; gradients as what they are by.
    Raises  EnvironmentUnfit, when it is called, if the device is absent.
    """

    def evaluated(
        torch: Any, given: Mapping[str, Any], leaves: Iterable[str]
    ) -> tuple[Any, dict[str, Any]]:
        tensors = {n: _shared(torch, a, device) for n, a in given.items() if n not in ("h", "t")}
        for name in leaves:
            tensors[name].requires_grad_()
        return taken(function, {**given, **tensors}), tensors

    def call(given: Mapping[str, Any]) -> Any:
        with full_precision(device) as torch:
            names = sought(given)
            found, tensors = evaluated(torch, given, names)
            is_tensor = isinstance(found, torch.Tensor)
            at = [tensors[name] for name in names]
            if is_tensor and not found.ndim:
                by = torch.autograd.grad(found, at)
                return {"C": found} | _named(names, by)
            if is_tensor and is_result(taken, given):
                return _named(names, torch.autograd.grad(found, at, tensors["G"]))
            return found

    def backward(given: Mapping[str, Any]) -> Mapping[str, Any]:
        with full_precision(device) as torch:
            parameters = sought(given)
            try:
                C, tensors = evaluated(torch, given, differentiable(given))
            except Exception:  # a stranger's function that cannot record gradients by X or P
                C, tensors = evaluated(torch, given, parameters)
            if not isinstance(C, torch.Tensor) or C.ndim:
                return {}
            # Another forward pass in between: what is kept outside the graph is that one's then.
            evaluated(torch, {**given, "X": other_inputs(given["X"])}, parameters)
            leaves = [name for name, tensor in tensors.items() if tensor.requires_grad]
            up = torch.full_like(C, upstream)
            at = [tensors[name] for name in leaves]
            first = torch.autograd.grad(C, at, up, retain_graph=True, allow_unused=True)
            second = torch.autograd.grad(C, [tensors[name] for name in parameters])
            found = {"upstream": up}
            for name, g in zip(leaves, first, strict=True):
                link = f"dC_d{name}"
                if g is not None:
                    found[f"scaled {link}" if name in parameters else link] = g
            return found | {f"second dC_d{n}": g for n, g in zip(parameters, second, strict=True)}

    return call, backward


def _named(names: Iterable[str], gradients: Iterable[Any]) -> dict[str, Any]:
    return {f"dC_d{name}": g for name, g in zip(names, gradients, strict=True)}


def _shared(torch: Any, array: Any, device: str) -> Any:
    """A tensor on the array's own memory and strides, where torch can have it so."""
    plain = array.flags.writeable and min(array.strides, default=0) >= 0
    return torch.from_numpy(array if plain else array.copy()).to(device)
