"""`verify bench`: ratios in one run, of what a gradient and its verification cost.

A figure is the median, over rounds in which all methods take turns, of the ratio to the base of the
same round: what disturbs the machine disturbs both. One thread, float64.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module, metadata, util
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np

from verify.experiments import peers
from verify.faults.table import FAULTS
from verify.judge import compare
from verify.judge.asked import Asked
from verify.judge.judge import judge
from verify.judge.runner import environment
from verify.judge.selftest import caught_by
from verify.network import manual, truth, twin
from verify.network.layer import Layer
from verify.network.network import Network
from verify.network.problem import Problem
from verify.scenario import draw
from verify.scenario.cases import Case, of_problem
from verify.scenario.document import Expect
from verify.scenario.limits import Limits
from verify.threads import inherited, one_thread

Shape: TypeAlias = tuple[int, int, int]
Call: TypeAlias = Callable[[], object]

SIZES: tuple[Shape, ...] = (
    (32, 64, 10), (256, 784, 10), (1024, 1024, 100), (4096, 2048, 256), (65536, 512, 10),
)  # fmt: skip
SECONDS = 2.0  # that one method may take for one shape, in all rounds
_ROUNDS = 200
_ONCE = 20.0  # seconds that a single call may take before it is left out
_HIDDEN = 128  # units of the hidden layer
_MOST_ROWS = 1024  # with such a layer: more would take minutes
_OTHERS = ("jax", "autograd")  # that are measured where they are installed
_PLANTED = (
    "gradient-zero",
    "gradient-sign",
    "gradient-doubled",
    "rows-shuffled",
    "single-precision-product",
    "smallest-entry-zeroed",
)


@dataclass(frozen=True)
class Timing:
    """One method at one shape.

    Units   ratio to the base of its table; seconds of one call, median; `sees`: how many of the
            planted faults it reports, -1 where it reports nothing because it only computes;
            `resolution`: the smallest relative error of one entry of dC_dW that it would report,
            0 where it does not say.
    """

    table: str
    shape: Shape
    method: str
    ratio: float
    seconds: float
    sees: int = -1
    resolution: float = 0.0


@dataclass(frozen=True)
class Bench:
    """All figures, and what they were measured with."""

    figures: tuple[Timing, ...]
    planted: tuple[str, ...]
    environment: dict[str, str]

    def text(self) -> str:
        """The tables, a column a shape: ratios to the first row, and what is seen."""
        shapes = list(dict.fromkeys(figure.shape for figure in self.figures))
        lines = []
        for name, group in groupby(
            sorted(self.figures, key=lambda f: f.table), key=lambda f: f.table
        ):
            figures = {(f.method, f.shape): f for f in group}
            methods = list(dict.fromkeys(method for method, _ in figures))
            lines.append(f"{name + ', float64, one thread':<34}" + _columns(map(str, shapes)))
            first = (figures.get((methods[0], shape)) for shape in shapes)
            base = [f"{1000 * f.seconds:.3g} ms" if f else "too slow" for f in first]
            lines.append(f"{methods[0]:<34}" + _columns(base))
            for method in methods[1:]:
                cells = (figures.get((method, shape)) for shape in shapes)
                lines.append(f"{method:<34}" + _columns(_cell(f, len(self.planted)) for f in cells))
            seen = [
                max((f.resolution for (_, s), f in figures.items() if s == shape), default=0.0)
                for shape in shapes
            ]
            if any(seen):
                lines.append(
                    f"{'resolution of this suite':<34}" + _columns(f"{r:.1e}" for r in seen)
                )
            lines.append("")
        lines.append(
            f"k/{len(self.planted)}: how many of {', '.join(self.planted)} it reports there"
        )
        lines.append(", ".join(f"{k} {v}" for k, v in self.environment.items()))
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return {"format": 1, **asdict(self)}


def bench(
    shapes: Sequence[Shape] = SIZES,
    seconds: float = SECONDS,
    progress: Callable[[Sequence[Shape]], Iterable[Shape]] | None = None,
) -> Bench:
    """All tables at every shape; `seconds` is what each method may take in all its rounds."""
    figures: list[Timing] = []
    with inherited(), one_thread(), twin.full_precision(), np.errstate(all="ignore"):
        for shape in (progress or iter)(shapes):
            case = _case(shape)
            tables = {"gradient": _gradients, "verifying": _checks}
            tables |= {"hidden layer": _of_a_network} if shape[0] <= _MOST_ROWS else {}
            for table, methods in tables.items():
                sees = _sight(case.problem) if table == "verifying" else {}
                resolution = (
                    judge(case, Asked(budget=0)).resolution if table == "verifying" else 0.0
                )
                timed = ratios_of(methods(case), seconds)
                figures += [
                    Timing(
                        table,
                        shape,
                        name,
                        ratio,
                        once,
                        sees.get(name, -1),
                        resolution if name.startswith("this suite") else 0.0,
                    )
                    for name, (ratio, once) in timed.items()
                ]
    others = {name: metadata.version(name) for name in _OTHERS if util.find_spec(name)}
    measured_with = {**environment(), **others, "threads": "1", "dtype": "float64"}
    return Bench(tuple(figures), _PLANTED, measured_with)


def ratios_of(methods: Mapping[str, Call], seconds: float) -> dict[str, tuple[float, float]]:
    """(ratio to the first method, seconds of a call) of each, in interleaved rounds.

    A method that a first call shows to be too slow is left out.
    """
    first = {name: _timed(call) for name, call in methods.items()}
    kept = {name: call for name, call in methods.items() if first[name] <= _ONCE}
    times: dict[str, list[float]] = {name: [] for name in kept}
    rounds = {name: max(1, min(_ROUNDS, int(seconds / first[name]))) for name in kept}
    base = next(iter(kept))
    ratios: dict[str, list[float]] = {name: [] for name in kept}
    for i in range(max(rounds.values())):
        now = {name: _timed(call) for name, call in kept.items() if i < rounds[name]}
        for name, taken in now.items():
            times[name].append(taken)
            ratios[name].append(taken / now.get(base, times[base][-1]))
    return {name: (float(np.median(ratios[name])), float(np.median(times[name]))) for name in kept}


def _timed(call: Call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _case(shape: Shape) -> Case:
    """A case of one shape whose y are as large as 1."""
    N, D, K = shape
    X = draw.values("normal", "X", 0, (N, D), 1.0)
    W = draw.values("normal", "W", 0, (D, K), D**-0.5)
    P = draw.labels("classes", "P", 0, (N, K))
    problem = Problem(X, W, P, np.float64(0.125))
    return of_problem(problem, "bench", Expect(), Limits(numbers=2**30, work=2**40))


def _gradients(case: Case) -> dict[str, Call]:
    """What computes C and dC_dW, the floor first: the two matrix products that none can spare."""
    problem = case.problem
    X, W, P = problem.X, problem.W, problem.P
    y, dC_dW = np.empty_like(P), np.empty_like(W)

    def floor() -> None:
        np.matmul(X, W, out=y)
        np.matmul(X.T, P, out=dC_dW)

    return {
        "two matrix products": floor,
        "manual.block_form": partial(manual.block_form, problem),
        "manual.stable_form, all links": partial(manual.stable_form, problem),
        "manual.post_form, all links": partial(manual.post_form, problem),
        "torch eager": twin.eager(problem),
        **({"jax.jit": _jax(problem)} if util.find_spec("jax") else {}),
    }


def _jax(problem: Problem) -> Call:
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    X, W, P = (jax.numpy.asarray(a) for a in (problem.X, problem.W, problem.P))

    def cost(W: Any) -> Any:
        return -(P * jax.nn.log_sigmoid(X @ W)).sum() / len(X)

    both = jax.jit(jax.value_and_grad(cost))
    return lambda: jax.block_until_ready(both(W))


def _of_a_network(case: Case) -> dict[str, Call]:
    """The same of a network with a hidden layer: manual and twin in both forms, and this suite."""
    problem = case.problem
    _, D, K = problem.sizes.values()
    network = Network((Layer("tanh", bias=True), Layer("softmax", bias=True)))
    shapes = {"W1": (D, _HIDDEN), "b1": (_HIDDEN,), "W2": (_HIDDEN, K), "b2": (K,)}
    parameters = {n: draw.values("normal", n, 0, s, s[0] ** -0.5) for n, s in shapes.items()}
    hidden = Problem(problem.X, parameters, problem.P, problem.h, network)
    judged = of_problem(hidden, "bench", Expect(loss="any"), Limits(numbers=2**30, work=2**40))
    forms = [of[form] for form in ("post", "stable") for of in (manual.FORMS, twin.FORMS)]
    return {
        "manual, twin, both forms": lambda: [form(hidden) for form in forms],
        "this suite, without truth": partial(judge, judged, Asked(budget=0)),
        "this suite, with truth": partial(judge, judged),
    }


def _checks(case: Case) -> dict[str, Call]:
    """What verifies a gradient, the barest first: manual, twin, and their largest difference.

    Other checks are given the fastest gradient there is, so that what they cost is theirs.
    """
    problem = case.problem

    def bare() -> float:
        one, other = manual.post_form(problem), twin.post_form(problem)
        return float(np.abs(one.dC_dW - other.dC_dW).max())

    checks: dict[str, Call] = {
        "manual, twin, difference": bare,
        "this suite, without truth": partial(judge, case, Asked(budget=0)),
        "this suite, with truth": partial(judge, case),
    }
    for name, check in _others(problem).items():
        checks[name] = partial(peers.notices, check, _fastest, problem)
    return checks


def _fastest(X: Any, W: Any, P: Any, h: Any) -> dict[str, Any]:
    return dict(manual.block_form(Problem(X, W, P, h)))


def _others(problem: Problem) -> dict[str, peers.Check]:
    """Everybody else's checks that end in time."""
    checks = {**peers.CHECKS, **peers.OPTIONAL}
    return {n: c for n, c in checks.items() if n != "gradcheck, slow" or _ends(problem)}


def _ends(problem: Problem) -> bool:
    """Whether slow gradcheck, two forward passes for every entry of W, ends in time."""
    once = _timed(partial(manual.post_form, problem))
    return 2 * problem.W.size * once < _ONCE / 4


def _sight(problem: Problem) -> dict[str, int]:
    """How many of the planted faults each check reports on this problem.

    None, where it reports what is right, too.
    """
    faults = [FAULTS[name] for name in _PLANTED]
    ref = compare.reference(problem, truth.BUDGET)
    ours = sum(caught_by(fault, ref) is not None for fault in faults)
    found = {"this suite, with truth": ours}
    for name, check in _others(problem).items():
        alarm = peers.notices(check, _fastest, problem)
        reported = (peers.notices(check, fault.make(), problem) for fault in faults)
        found[name] = 0 if alarm else sum(reported)
    return found


def _columns(cells: Iterable[str]) -> str:
    return "".join(f"{cell:>18}" for cell in cells)


def _cell(figure: Timing | None, planted: int) -> str:
    if figure is None:
        return "too slow"
    sees = f" {figure.sees}/{planted}" if figure.sees >= 0 else ""
    return f"{figure.ratio:.3g}{sees}"
