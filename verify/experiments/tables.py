"""What an experiment found, in lines: the fault matrix, a benchmark, a campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from verify.errors import printable
from verify.experiments.bench import Bench, Figure
from verify.experiments.faults import Comparison, Sight
from verify.experiments.outcome import Outcome
from verify.faults.table import FAULTS
from verify.judge.asked import Asked
from verify.judge.evidence import BLIND


def kill_matrix(seen: Sight) -> str:
    """The fault matrix in lines: faults by link with what catches them, then the files' worth."""
    names = {path: path.rsplit("/", 1)[-1].removesuffix(".toml") for path in seen.kinds}
    lines = [f"{'fault':<30} {'link':<8} {'caught by':>9}  first seen as, mistake"]
    for name, fault in FAULTS.items():
        by = seen.kills[name]
        how = Counter(by.values()).most_common(1)
        first = how[0][0] if how else "SURVIVES" if fault.visible else "invisible, by design"
        count = f"{len(by)}/{len(names)}"
        lines.append(f"{name:<30} {fault.link:<8} {count:>9}  {first}: {fault.mistake}")
    caught = sum(bool(by) for by in seen.kills.values())
    lines += ["", f"{caught} of {len(seen.kills)} faults caught by {len(names)} scenario files"]
    lines.append("survivors: " + (", ".join(seen.survivors) or "none"))
    for path, name in names.items():
        if seen.alone(path):
            lines.append(f"only {name} catches {', '.join(seen.alone(path))}")
    idle = [name for path, name in names.items() if not seen.alone(path)]
    lines.append(f"catch nothing that another does not: {', '.join(idle) or 'none'}")
    for times, word in ((1, "once"), (2, "twice")):
        chosen = ", ".join(names[path] for path in seen.minimal(times))
        lines.append(f"enough to catch everything {word}: {chosen}")
    lines.append("kinds of case that faults need and no file has: "
                 + (", ".join(seen.missing_kinds) or "none"))  # fmt: skip
    return "\n".join(lines)


def side_by_side(found: Comparison) -> str:
    """What each check reports of the same faults, and of what is right."""
    lines = [f"{'check':<34} {'faults seen':>11} {'false alarms':>13}"]
    for name, count in found.reported.items():
        alarms = f"{found.alarms[name]}/{found.cases}"
        lines.append(f"{name:<34} {f'{count}/{found.faults}':>11} {alarms:>13}")
    return "\n".join(lines)


def timings(found: Bench) -> str:
    """Both tables of a benchmark, a column a shape: ratios to the first row, and what is seen."""
    shapes = list(dict.fromkeys(figure.shape for figure in found.figures))
    lines = []
    for name, group in groupby(sorted(found.figures, key=lambda f: f.table), key=lambda f: f.table):
        figures = {(f.method, f.shape): f for f in group}
        methods = list(dict.fromkeys(method for method, _ in figures))
        lines.append(f"{name + ', float64, one thread':<34}" + _columns(map(str, shapes)))
        base = [f"{1000 * figures[methods[0], shape].seconds:.3g} ms" for shape in shapes]
        lines.append(f"{methods[0]:<34}" + _columns(base))
        for method in methods[1:]:
            cells = (figures.get((method, shape)) for shape in shapes)
            lines.append(f"{method:<34}" + _columns(_cell(f, len(found.planted)) for f in cells))
        seen = [
            max(f.resolution for (_, s), f in figures.items() if s == shape) for shape in shapes
        ]
        if any(seen):
            lines.append(f"{'resolution of this suite':<34}" + _columns(f"{r:.1e}" for r in seen))
        lines.append("")
    lines.append(f"k/{len(found.planted)}: how many of {', '.join(found.planted)} it reports there")
    lines.append(", ".join(f"{k} {v}" for k, v in found.environment.items()))
    return "\n".join(lines)


def _columns(cells: Iterable[str]) -> str:
    return "".join(f"{cell:>18}" for cell in cells)


def _cell(figure: Figure | None, planted: int) -> str:
    if figure is None:
        return "too slow"
    sees = f" {figure.sees}/{planted}" if figure.sees >= 0 else ""
    return f"{figure.ratio:.3g}{sees}"


def _noticed(resolution: Mapping[str, int]) -> Iterator[str]:
    """The shares of cases by decade, the sharpest first; what could notice nothing in one line."""
    total, seen = sum(resolution.values()), Counter[str]()
    for decade, count in sorted(resolution.items(), key=lambda item: float(item[0])):
        sharp = decade != "inf" and float(f"1e{decade}") <= BLIND
        size = f"1e{decade}" if sharp else f"none below {BLIND:g}"
        seen["the gradient is 0" if decade == "inf" else size] += count
    yield from (f"  {size:<20} {count / total:8.3%}" for size, count in seen.items())


def campaign(found: Outcome, asked: Asked) -> str:
    """What was judged, how near to its bound each link came, and what was beyond one."""
    plan, rate = found.plan, found.found / found.seconds if found.seconds else 0.0
    parts = ", ".join(map(str, found.parts))
    whole = len(found.parts) in (0, plan.shards)
    shards = "" if whole else f", shard {parts} of {plan.shards}"
    lines = [f"seed {plan.seed}, {plan.dtype}{shards}: {found.judged:,} cases judged,"
             f" {found.enclosed:,} of them against the truth, {len(found.violations)} violations,"
             f" {found.seconds:.1f} s, {rate:,.0f} cases/s"]  # fmt: skip
    if found.unjudged:
        lines.append(f"{found.unjudged:,} cases are out of the range in which bounds hold")
    subjects: dict[str, dict[str, float]] = {}
    for key, ratio in found.worst.items():
        what, _, link = key.rpartition(": ")
        subjects.setdefault(what, {})[link] = ratio
    lines.append("worst error / bound")
    for what, links in subjects.items():
        worst = ", ".join(f"{link} {ratio:.3g}" for link, ratio in links.items())
        lines.append(f"  {what:<40} {worst}")
    lines.append("relative errors of one gradient entry that cases notice")
    lines += _noticed(found.resolution)
    for v in found.violations:
        lines.append(f"VIOLATION  case {v.case} ({v.dtype}): {v.what}, {v.link}: {v.ratio:.3g}")
        shown = f"  shrunk: {printable(asked.command([v.file]))}" if v.file else (
            "  it does not show when its problem is judged alone")  # fmt: skip
        lines.append(shown)
    if not found.parts:
        lines.append("INTERRUPTED: this is no whole shard")
    return "\n".join(lines)
