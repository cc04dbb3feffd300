"""Random networks with their numbers; right programs of them; how far each link is off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from verify.network import truth as exact
from verify.network import twin
from verify.network.composed import Composed
from verify.network.costs import COSTS, PAIRS
from verify.network.layer import Layer
from verify.network.links import ACTIVATIONS, Form
from verify.network.network import Network
from verify.network.norms import EPSILON, NORMS
from verify.network.problem import Chain, Problem
from verify.network.step import Step, on
from verify.network.updates import Update
from verify.numbers.bounded import Bounded
from verify.numbers.rounding import MODELS

Numbers = Mapping[str, Any]
UPDATES = (("momentum",), ("momentum", 0.5), ("adam",), ("adam", 0.9, 0.75, 0.9, 1e-3))
HIDDEN = tuple(ACTIVATIONS)
ENDS = (
    *PAIRS, ("log-softmax", "negative-log-likelihood"), ("softplus", "cross-entropy"),
    *((name, cost) for name in HIDDEN
      for cost in ("squared-error", "half-squared-error", "hinge", "multi-class-hinge",
                   "upstream")),
)  # fmt: skip
USUAL = 4  # ends that people have most


def drawn(seed: int, dtype: str, widest: int = 64, deepest: int = 4) -> tuple[Network, Numbers]:
    """A network of one to four layers, of any widths, with numbers of six families."""
    rng = np.random.default_rng((seed, 3))
    depth = int(rng.integers(1, deepest + 1))
    last, cost = ENDS[rng.integers(USUAL if rng.random() < 0.5 else len(ENDS))]
    layers, more = [], np.random.default_rng((seed, 4))
    embedding = bool(more.random() < 0.25)
    for i in range(depth):
        weights = bool(i == 0 or rng.random() < 0.93)
        activation = HIDDEN[rng.integers(len(HIDDEN))] if i < depth - 1 else last
        bias, norm = weights and bool(rng.random() < 0.6), activation in NORMS
        scaled = norm and bool(rng.random() < 0.5)
        epsilon = 10 ** rng.uniform(-8, -1) if norm and rng.random() < 0.3 else EPSILON
        layers.append(Layer(activation, bias, weights, scaled, epsilon, embedding and i == 0))
    reduction = "sum" if cost == "upstream" else ("rows", "sum", "mean")[rng.integers(3)]
    decay = 10 ** rng.uniform(-4, 0) if rng.random() < 0.25 else 0.0
    update = Update(*(UPDATES[more.integers(len(UPDATES))] if more.random() < 0.4 else ()))
    network = Network(tuple(layers), cost, reduction, decay, update)
    N, *sizes = (int(np.exp(rng.uniform(0, np.log(widest + 1)))) for _ in range(depth + 2))
    if embedding:  # of a few features, each a row of as many units
        sizes[0] = min(sizes[0], 4)
        sizes[1] *= sizes[0]
    for i, layer in enumerate(layers):
        sizes[i + 1] = sizes[i + 1] if layer.weights else sizes[i]
    return network, _numbers(rng, network, N, sizes, dtype, seed)


def _numbers(
    rng: Any, network: Network, N: int, sizes: Sequence[int], dtype: str, seed: int
) -> Numbers:
    family = rng.integers(6)

    def values(shape: tuple[int, ...], fan: int) -> Any:
        scale = 10 ** rng.uniform(-1.5, 1) if rng.random() < 0.3 else 1.0
        a = rng.normal(size=shape)
        if family == 1:
            return rng.integers(-3, 4, size=shape).astype(float)
        if family == 2:
            a = np.clip(rng.standard_t(2, size=shape), -50, 50)
        elif family == 3:
            a = a * (rng.random(shape) < 0.3)
        elif family == 4:
            a = rng.normal() + 1e-3 * a
        return a * scale / np.sqrt(fan)

    found = {"X": values((N, sizes[0]), 1)}
    if family != 1:
        found["X"] = found["X"] * 10 ** rng.uniform(-1.5, 1.5)
    for i, names in enumerate(network.names):
        if network.layers[i].embedding:
            rows = int(rng.integers(1, 20))
            found["X"] = rng.integers(0, rows, (N, sizes[0]))
            found[names["W"]] = values((rows, sizes[1] // sizes[0]), 1)
        elif network.layers[i].weights:
            found[names["W"]] = values((sizes[i], sizes[i + 1]), sizes[i])
        for p in network.layers[i].vectors:
            found[names[p]] = values((sizes[i + 1],), 1)
    K = sizes[-1]
    labels_of = [
        lambda: np.eye(K)[rng.integers(K, size=N)],
        lambda: rng.dirichlet(np.ones(K), N),
        lambda: rng.integers(0, 2, (N, K)).astype(float),
        lambda: rng.random((N, K)),
    ]
    found["P"] = labels_of[rng.integers(4)]()
    taken = COSTS[network.cost].labels
    if taken == "signs":
        found["P"] = rng.choice([-1.0, 1.0], (N, K))
    elif taken == "one class a row":
        found["P"] = labels_of[0]()
    elif taken == "any" and rng.random() < 0.5:
        found["P"] = rng.normal(size=(N, K))
    found |= {"G": rng.normal(size=(N, K)), "h": np.float64(10 ** rng.uniform(-3, 0))}
    found |= {"decay": np.float64(network.weight_decay), "leak": np.float64(0.01)}
    found |= {name: np.float64(eps) for name, eps in network.epsilons.items()}
    if network.state:
        found |= {n: np.float64(number) for n, number in network.update.constants.items()}
        found |= _state(np.random.default_rng((seed, 5)), network, found)
    normal = {n: np.where(np.abs(a) < 1e-30, 0, a).astype(dtype)[()] for n, a in found.items()}
    kept = [*["X"] * network.embeds, *["t"] * bool(network.state)]
    normal |= {n: found[n] for n in kept}
    return {**normal, "N": {"rows": N, "sum": 1, "mean": N * K}[network.reduction]}


def _state(rng: Any, network: Network, found: Numbers) -> dict[str, Any]:
    """Of the first step all 0; of a later one of the sizes that gradients have."""
    if rng.random() < 0.3:
        return {"t": 1, **{n: np.zeros_like(found[n[1:]]) for n in network.state}}
    size, adam = 10 ** rng.uniform(-6, 1), network.update.name == "adam"
    made = {n: size * rng.normal(size=found[n[1:]].shape) for n in network.state}
    squares = {n: np.square(a) for n, a in made.items() if adam and n[0] == "v"}
    return {"t": int(10 ** rng.uniform(0, 4)), **made, **squares}


def problem(seed: int, dtype: str, widest: int = 16, deepest: int = 4) -> Problem:
    """The random network as a problem."""
    return as_problem(*drawn(seed, dtype, widest, deepest))


def of(
    *layers: Layer, cost: str = "cross-entropy", sizes: Sequence[int] = (4, 5, 3), N: int = 6,
    seed: int = 0, dtype: str = "float64", scale: float = 1.0, **more: Any,
) -> Problem:  # fmt: skip
    """A problem of some layers, with ordinary numbers and one class a row."""
    rng = np.random.default_rng(seed)
    network, units, parameters = Network(layers, cost, **more), list(sizes), {}
    at = 0
    for layer, names in zip(layers, network.names, strict=True):
        if layer.weights:
            shape = units[at], units[at + 1]
            parameters[names["W"]] = scale * rng.normal(size=shape) / np.sqrt(shape[0])
            at += 1
        for p in layer.vectors:
            parameters[names[p]] = scale * rng.normal(size=units[at])
    K = units[at]
    P = rng.normal(size=(N, K)) if cost == "upstream" else np.eye(K)[rng.integers(K, size=N)]
    P = 2 * P - 1 if cost == "hinge" else P
    kind = np.dtype(dtype).type
    arrays = {name: a.astype(dtype) for name, a in parameters.items()}
    X = rng.normal(size=(N, units[0])).astype(dtype)
    return Problem(X, arrays, P.astype(dtype), kind(0.125), network)


# Layers without weights, at every place.
BUILT = {
    "one operation": lambda: of(
        Layer("log-softmax", weights=False), cost="upstream", reduction="sum", sizes=(4,)),
    "an operation first": lambda: of(
        Layer("relu", weights=False), Layer("softmax", bias=True), cost="cross-entropy",
        weight_decay=0.1),
    "an operation last": lambda: of(
        Layer("tanh", bias=True), Layer("sigmoid", weights=False), cost="binary-cross-entropy",
        reduction="mean"),
    "an operation that is a pair with the cost": lambda: of(
        Layer("leaky-relu"), Layer("softmax", weights=False), cost="cross-entropy"),
}  # fmt: skip


def walked(problem: Problem, **wrong: Callable[[Any], Any]) -> Chain:
    """Every link by the table, some replaced by a formula of those so far; the rest inherit."""
    known = dict(problem.numbers)
    for step in problem.network.steps:
        known[step.name] = step.on("stable", known)
        if step.name in wrong:
            known[step.name] = wrong[step.name](known)
    return Chain(**{link: known[link] for link in problem.network.links})


def judged(network: Network) -> tuple[Step, ...]:
    return tuple(s for s in network.every_step if s.name in network.every_link)


def as_problem(network: Network, numbers: Numbers) -> Problem:
    parameters = {name: numbers[name] for name in network.parameters}
    labels = numbers["G" if network.cost == "upstream" else "P"]
    state = {name: numbers[name] for name in network.state}
    return Problem(
        numbers["X"], parameters, labels, numbers["h"], network, state, numbers.get("t", 1)
    )


def bounds(network: Network, numbers: Numbers, form: str = "wider") -> Mapping[str, Bounded]:
    """Every link and number on bounded numbers."""
    problem = as_problem(network, numbers)
    return Composed(problem, MODELS[str(problem.dtype)]).links(form)


def truth(network: Network, numbers: Numbers, limits: Mapping[str, Bounded]) -> Chain:
    """Every link enclosed, in enough precision for its bound where there is one."""
    names = [step.name for step in judged(network)]
    within = Chain(**{name: limits[name].bound() for name in names})
    return exact.truth(as_problem(network, numbers), within, names).chain


def share(found: Any, ball: exact.Enclosure, bound: Any) -> float:
    """The largest error / bound; a truth that stays open is held against nobody."""
    with np.errstate(all="ignore"):
        error = ball.error_within(found, bound)
        ratio = np.where(bound > 0, error / bound, np.where(error > 0, np.inf, 0))
    ratio = np.where(np.isinf(bound), 0, np.where(np.isnan(ratio), np.inf, ratio))
    return float(ratio.max())


Pick = Callable[[Sequence[Form], Step], Form]


def by_numpy(
    network: Network, numbers: Numbers, limits: Mapping[str, Bounded], pick: Pick
) -> dict[str, Any]:
    """The links by one form each, up to the first form that does not hold on these numbers."""
    found = dict(numbers)
    with np.errstate(all="ignore"):
        for step in network.every_step:
            form = pick([f for f in step.forms if f.kind != "local"], step)
            if step in judged(network) and not np.isfinite(on(form, limits).error).all():
                break
            found[step.name] = on(form, found)
    return {name: a for name, a in found.items() if name not in numbers}


def first(kind: str) -> Pick:
    return lambda forms, _step: next((f for f in forms if f.kind == kind), forms[0])


def any_form(seed: int) -> Pick:
    rng = np.random.default_rng(seed)
    return lambda forms, _step: forms[rng.integers(len(forms))]


def by_torch(network: Network, numbers: Numbers, form: str) -> dict[str, Any]:
    return twin.chain(network, numbers, form, by_X=True)


def beyond(network: Network, limits: Mapping[str, Bounded], form: str) -> bool:
    """Whether a kernel of torch's is outside its domain, or is one of those that err beyond."""
    model = limits["X"].model
    far = 80 if model.u > 2.0**-50 else 700
    for layer, names in zip(network.layers, network.names, strict=True):
        y = limits[names["y"]].value
        if layer.activation == "gelu" and far == 80:
            return True
        if layer.activation == "softplus" and y.max() > 15:
            return True
        if layer.activation in ("sigmoid", "silu", "gelu-tanh") and np.abs(y).max() > far:
            return True
    if form == "stable":
        return network.cost == "binary-cross-entropy"
    # The literal cost has the narrowest domain where it divides by y_o.
    return not np.isfinite(limits[network.names[-1]["dC_dy_o"]].error).all()


def worst(
    seeds: Sequence[int], dtype: str, widest: int = 64, torch: bool = True
) -> tuple[dict[tuple[str, str, int], float], int]:
    """error / bound by program, link and seed; how many links were judged."""
    found: dict[tuple[str, str, int], float] = {}
    count = 0
    for seed in seeds:
        network, numbers = drawn(seed, dtype, widest)
        limits = bounds(network, numbers)
        balls = truth(network, numbers, limits)
        programs = {
            "literal": by_numpy(network, numbers, limits, first("literal")),
            "stable": by_numpy(network, numbers, limits, first("stable")),
            "any form": by_numpy(network, numbers, limits, any_form(seed)),
        }
        for form in ("literal", "stable") if torch else ():
            if not beyond(network, limits, form):
                programs[f"torch {form}"] = by_torch(network, numbers, form)
        for program, links in programs.items():
            for name in balls.keys() & links.keys():
                count += 1
                found[program, name, seed] = share(links[name], balls[name], limits[name].bound())
    return found, count
