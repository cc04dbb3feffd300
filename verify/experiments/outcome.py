"""The outcome of a campaign: data that adds up, so that shards of it can be merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verify.errors import UsageError, printable
from verify.experiments.stacks import STACK, Shape
from verify.judge.asked import Asked
from verify.judge.sides import blind

Dtypes: TypeAlias = Literal["float32", "float64", "both", "bfloat16", "float16"]


Count: TypeAlias = Annotated[int, Field(ge=0, le=10**10, strict=True)]
Decade: TypeAlias = Annotated[str, Field(pattern=r"^(-?[0-9]{1,3}|inf)$")]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class Plan(_Data):
    """Which problems a campaign judges, and of whom; equal plans are the same problems."""

    cases: int = Field(gt=0, le=10**10)
    seed: int = Field(0, ge=0, lt=2**63)
    dtype: Dtypes = "both"
    shape: Shape | None = Field(None, description="N, D, K; drawn for every 1,024 cases if null")
    network: str = Field("", description="a scenario file's, or drawn; the post's if empty")
    device: str = "cpu"
    candidate: str = ""
    truth_every: int = Field(4096, gt=0, description="the truth judges one case of so many")
    shards: int = Field(1, gt=0, le=10**6)


def planned(**fields: Any) -> Plan:
    """A plan with these fields.

    Raises  UsageError naming the first field that is out of range.
    """
    try:
        return Plan(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where, what = ".".join(map(str, first["loc"])), first["msg"].lower()
        raise UsageError(f"campaign: {where} = {first['input']}: {what}") from None


class Violation(_Data):
    """The first case that was found beyond a bound, and its scenario file, shrunk."""

    case: int
    dtype: str
    what: str
    link: str
    ratio: float
    file: str = ""


class Outcome(_Data):
    """What was found by some shards of a plan.

    Units   worst: the largest error over bound of what was compared, by "what: link"; resolution:
            how many cases notice a relative error of one gradient entry of 10^key, "inf" for those
            whose gradient is 0; seconds of wall time, added up over shards.
    """

    format: Literal[1] = 1
    plan: Plan
    parts: tuple[int, ...] = Field(description="the shards in it, from 1")
    judged: Count = 0
    enclosed: Count = Field(0, description="of those judged, how many against the truth")
    unjudged: Count = Field(0, description="out of the range in which bounds hold")
    violations: tuple[Violation, ...] = ()
    worst: Mapping[str, float] = {}
    resolution: Mapping[Decade, Count] = {}
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    environment: Mapping[str, str] = {}

    @property
    def found(self) -> int:
        return self.judged + self.unjudged

    @property
    def exit_code(self) -> int:
        """1 for a violation, 5 where nothing was judged."""
        return 1 if self.violations else 0 if self.judged else 5

    def text(self, asked: Asked) -> str:
        """What was judged, how near to its bound each link came, and what was beyond one."""
        plan, rate = self.plan, self.found / self.seconds if self.seconds else 0.0
        parts = ", ".join(map(str, self.parts))
        whole = len(self.parts) in (0, plan.shards)
        shards = "" if whole else f", shard {parts} of {plan.shards}"
        lines = [f"seed {plan.seed}, {plan.dtype}{shards}: {self.judged:,} cases judged,"
                 f" {self.enclosed:,} of them against the truth, {len(self.violations)} violations,"
                 f" {self.seconds:.1f} s, {rate:,.0f} cases/s"]  # fmt: skip
        if self.unjudged:
            lines.append(f"{self.unjudged:,} cases are out of the range in which bounds hold")
        subjects: dict[str, dict[str, float]] = {}
        for key, ratio in self.worst.items():
            what, _, link = key.rpartition(": ")
            subjects.setdefault(what, {})[link] = ratio
        lines.append("worst error / bound")
        for what, links in subjects.items():
            worst = ", ".join(f"{link} {ratio:.3g}" for link, ratio in links.items())
            lines.append(f"  {what:<40} {worst}")
        lines.append("relative errors of one gradient entry that cases notice")
        least = blind("float32" if plan.dtype == "both" else plan.dtype)
        lines += _noticed(self.resolution, least)
        for v in self.violations:
            lines.append(f"VIOLATION  case {v.case} ({v.dtype}): {v.what}, {v.link}: {v.ratio:.3g}")
            shown = f"  shrunk: {printable(asked.command([v.file]))}" if v.file else (
                "  it does not show when its problem is judged alone")  # fmt: skip
            lines.append(shown)
        if not self.parts:
            lines.append("INTERRUPTED: this is no whole shard")
        return "\n".join(lines)

    def added(self, other: Outcome) -> Outcome:
        """Both together; of one plan."""
        worst = {k: max(o.worst.get(k, -1.0) for o in (self, other))
                 for k in {**self.worst, **other.worst}}  # fmt: skip
        return self.model_copy(update={
            "parts": tuple(sorted({*self.parts, *other.parts})),
            **{name: getattr(self, name) + getattr(other, name)
               for name in ("judged", "enclosed", "unjudged", "violations", "seconds")},
            "worst": worst,
            "resolution": dict(Counter(self.resolution) + Counter(other.resolution)),
        })  # fmt: skip


def merged(files: Sequence[tuple[str, bytes]]) -> Outcome:
    """The outcome of a whole plan, from the names and the JSON of its shards.

    Raises  UsageError for text that is no outcome, other plans, shards missing or doubled, and
            shards that have not judged what the plan gives them.
    """
    (first, outcome), *others = outcomes = [(name, _read(name, text)) for name, text in files]
    came: dict[int, str] = dict.fromkeys(outcome.parts, first)
    for name, other in others:
        differing = [field for field in Plan.model_fields
                     if getattr(other.plan, field) != getattr(outcome.plan, field)]  # fmt: skip
        differing += [
            n for n in ("verify",) if other.environment.get(n) != outcome.environment.get(n)
        ]
        if differing:
            raise UsageError(
                f"{printable(name)} is of another campaign than {printable(first)}: it differs in"
                f" {', '.join(differing)}; merge shards of one"
            )
        for part in other.parts:
            if part in came:
                raise UsageError(
                    f"shard {part}/{outcome.plan.shards} is doubled: in {printable(came[part])} and"
                    f" in {printable(name)}; give each once"
                )
            came[part] = name
    missing = [part for part in range(1, outcome.plan.shards + 1) if part not in came]
    if missing:
        raise UsageError(
            f"of {outcome.plan.shards} shards {_listed(missing)} missing; nothing is claimed"
            " without them"
        )
    for name, one in outcomes:
        planned = sum(cases_of(one.plan, part) for part in one.parts)
        if not one.violations and (one.found != planned or one.enclosed > one.judged):
            raise UsageError(
                f"{printable(name)}: {one.judged} judged and {one.unjudged} out of range, of"
                f" {planned} cases that its shards have; run them again"
            )
    return sum_of([outcome for _, outcome in outcomes])


def stacks_of(plan: Plan, part: int) -> range:
    """The numbers of the stacks of one shard."""
    return range(part - 1, -(-plan.cases // STACK), plan.shards)


def count_of(plan: Plan, number: int) -> int:
    """How many cases of a stack are the plan's: of the last, not all may be."""
    return min(STACK, plan.cases - number * STACK)


def cases_of(plan: Plan, part: int) -> int:
    """How many cases a shard has."""
    return sum(count_of(plan, number) for number in stacks_of(plan, part))


def sum_of(outcomes: Sequence[Outcome]) -> Outcome:
    """All of them, at least one, of one plan, together."""
    total, *rest = outcomes
    for outcome in rest:
        total = total.added(outcome)
    return total


def _read(name: str, text: bytes) -> Outcome:
    try:
        return Outcome.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{printable(name)} is not what `verify campaign --json` writes: {where}"
            f" {first['msg'].lower()}"
        ) from None


def _listed(parts: Iterable[int]) -> str:
    told = [str(part) for part in parts]
    return ", ".join(told[:20]) + (" and more are" if len(told) > 20 else
                                   " are" if len(told) > 1 else " is")  # fmt: skip


def decades(resolution: Any) -> dict[str, int]:
    """How many cases notice a relative error of 10^key, rounded up."""
    finite = np.isfinite(resolution)
    keys = np.ceil(np.log10(resolution[finite])).astype(int).tolist()
    others = {"inf": int((~finite).sum())} if not finite.all() else {}
    return {**{str(d): n for d, n in sorted(Counter(keys).items())}, **others}


def _noticed(resolution: Mapping[str, int], least: float) -> Iterator[str]:
    """The shares of cases by decade, the sharpest first; what could notice nothing in one line."""
    total, seen = sum(resolution.values()), Counter[str]()
    for decade, count in sorted(resolution.items(), key=lambda item: float(item[0])):
        sharp = decade != "inf" and float(f"1e{decade}") <= least
        size = f"1e{decade}" if sharp else f"none below {least:g}"
        seen["the gradient is 0" if decade == "inf" else size] += count
    yield from (f"  {size:<20} {count / total:8.3%}" for size, count in seen.items())
