"""A stranger's function of torch tensors, called with NumPy arrays and differentiated by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from verify.candidate.arguments import Arguments, is_result
from verify.network.given import differentiable, other_inputs
from verify.network.problem import sought
from verify.network.twin import full_precision, shared


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
                found, tensors = evaluated(torch, given, differentiable(given))
            except Exception:  # a stranger's function that cannot record gradients by X or P
                found, tensors = evaluated(torch, given, parameters)
            of_operation = "G" in given and is_result(taken, given)
            if not isinstance(found, torch.Tensor) or (found.ndim and not of_operation):
                return {}
            # Another forward pass in between: what is kept outside the graph is that one's then.
            evaluated(torch, {**given, "X": other_inputs(given["X"])}, parameters)
            up = tensors["G"] if found.ndim else torch.full_like(found, upstream)
            made = {"upstream": up} | _passes(torch, found, tensors, parameters, up)
            unit = up if found.ndim else torch.ones_like(found)
            for name in parameters:
                alone, one = evaluated(torch, given, [name])
                made[f"alone dC_d{name}"] = torch.autograd.grad(alone, one[name], unit)[0]
            return made

    return call, backward


def _passes(
    torch: Any, found: Any, tensors: Mapping[str, Any], parameters: Iterable[str], up: Any
) -> dict[str, Any]:
    """Gradients by other backward passes of one graph, each under its name and what they are by."""
    leaves = [name for name, tensor in tensors.items() if tensor.requires_grad]

    def pulled(upstream: Any, names: Iterable[str]) -> dict[str, Any]:
        at = [tensors[name] for name in names]
        by = torch.autograd.grad(found, at, upstream, retain_graph=True, allow_unused=True)
        return {f"dC_d{n}": g for n, g in zip(names, by, strict=True) if g is not None}

    parameters = list(parameters)
    own = [f"dC_d{name}" for name in parameters]
    first = pulled(up, leaves)
    made = {f"scaled {n}" if n in own and not found.ndim else n: g for n, g in first.items()}
    if found.ndim:
        made = {n: g for n, g in first.items() if n not in own}
    again = pulled(up if found.ndim else None, parameters)
    return made | {f"second {n}": g for n, g in again.items()}


def _named(names: Iterable[str], gradients: Iterable[Any]) -> dict[str, Any]:
    return {f"dC_d{name}": g for name, g in zip(names, gradients, strict=True)}


def _shared(torch: Any, array: Any, device: str) -> Any:
    """A tensor on the array's own memory and strides, where torch can have it so."""
    plain = array.flags.writeable and min(array.strides, default=0) >= 0
    return shared(torch, array if plain else array.copy()).to(device)
