"""Verdict, Figure, Finding, Result and Report: data only, made by the judge."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import ConfigDict, Field, PlainSerializer, TypeAdapter, computed_field

from verify.errors import FileFault
from verify.judge import notebook
from verify.judge.asked import Asked
from verify.network.problem import LINKS

_LISTED = 8  # results of a report's repr
Number: TypeAlias = Annotated[
    float,
    PlainSerializer(
        lambda value: value if math.isfinite(value) else str(value),
        return_type=float | Literal["nan", "inf", "-inf"],
        when_used="json",
    ),
]
"""A float; as JSON, one that JSON has no word for becomes a string."""

_COMPLETE = ConfigDict(
    json_schema_serialization_defaults_required=True,
    json_schema_extra={"additionalProperties": False},
)
"""What is written has every part, and the schema says so."""


class Verdict(StrEnum):
    """What a case, or one finding of it, comes to; the worst stands first."""

    ERROR = "ERROR"
    FAIL = "FAIL"
    CANNOT_JUDGE = "CANNOT JUDGE"
    NOT_RUN = "NOT RUN"
    PASS = "PASS"


class Of(NamedTuple):
    """What a figure is of."""

    subject: str
    link: str


@dataclass(frozen=True)
class Figure:
    """How near one link of one subject came to its bound, at its worst entry.

    Units   error and bound those of the link; ratio = error / bound; ulps of the link's dtype.
    """

    subject: str
    link: str
    entry: tuple[int, ...]
    found: Number
    truth: Number
    error: Number
    bound: Number
    ratio: Number
    ulps: Number

    @property
    def of(self) -> Of:
        return Of(self.subject, self.link)

    @property
    def holds(self) -> bool:
        """NaN never passes."""
        return self.ratio <= 1


def worst_of(figures: Iterable[Figure]) -> Figure | None:
    """The figure nearest to its bound or farthest beyond it; NaN is farther than any number."""
    return max(figures, key=lambda f: math.inf if math.isnan(f.ratio) else f.ratio, default=None)


@dataclass(frozen=True)
class Finding:
    """One thing that the judge has to say against a case.

    `check` is a stable name: formula, a mistake of mathematics, proven in exact arithmetic;
    arithmetic, a right formula that loses digits; bound, agreement, shape, dtype, exception,
    relation, descent, trajectory, loss, figure, post_form, resolution, range, lock, memory; of a
    candidate besides, mutated, aliased, reused, repeat, other data, layout; of a case that is not
    run, device, twin or copy; of a defect of the suite itself, error; pytest, where only pytest can
    say what became of it: a worker died, a conftest skipped it.
    """

    check: str
    verdict: Verdict
    message: str
    subject: str = ""
    link: str | None = None
    figure: Figure | None = None

    @property
    def kind(self) -> str:
        """What kind of mistake it is: "formula", "arithmetic", "behaviour"; empty of others."""
        own = self.check in ("formula", "arithmetic")
        return self.check if own else "behaviour" if self.check in BEHAVIOUR else ""


BEHAVIOUR = (
    "mutated", "aliased", "reused", "repeat", "other data", "layout", "backward", "exception",
    "timeout", "upstream",
)  # fmt: skip


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """The worst of them; PASS where there is none."""
    found = {finding.verdict for finding in findings}
    return next((verdict for verdict in Verdict if verdict in found), Verdict.PASS)


@dataclass(frozen=True)
class Step:
    """How the cost of a step's own batch went, where manual.stable_form went.

    Units   before, after, lowest, highest in nats a row; `lowest` and `highest` are the least and
            the most that convexity and smoothness allow `after` to be.
    """

    step: int
    before: Number
    after: Number
    lowest: Number
    highest: Number


@dataclass(frozen=True)
class Likeness:
    """What the first wrong link of a candidate is like in one case.

    It is `factor` times what a planted fault gives, or what is right, where `fault` is empty;
    `later` says what becomes of dC_dW: the "same", or it is "right" none the less.
    """

    fault: str
    factor: str
    link: str
    later: str = "same"


@dataclass(frozen=True, repr=False)
class Result:
    """The judgement of one case.

    Units   resolution: the smallest relative error of one entry of dC_dW that exceeds its bound;
            loss_before, loss_after in nats a row; seconds of wall time; work = N D K; digest: the
            SHA-256 of the file with its data, as they were read; locked: it was held against a
            manifest; twin: how torch differentiated; steps: of a long training, some
            of them at even distances, and the last; sizes: N, D and K of the first step; rows:
            those that the truth judges, where it cannot judge all; network: what it is, where it
            is not the post's; links: its, in the order of the computation; after: the
            id of an earlier case without which a candidate passes this one; likenesses: null where
            there was nothing to compare; exact: how the candidate's own code did in exact
            arithmetic, "right", "wrong" or "not followed", empty where that was not tried.
    """

    __pydantic_config__: ClassVar = _COMPLETE
    path: str
    case: str
    line: int
    dtype: str
    device: str
    layout: str = "C"
    work: int = 0
    findings: tuple[Finding, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    resolution: Number = math.nan
    post_resolution: Number = math.nan
    loss_before: Number = math.nan
    loss_after: Number = math.nan
    rows: tuple[int, ...] = ()
    network: str = ""
    links: tuple[str, ...] = LINKS
    seconds: Number = 0.0
    digest: str = ""
    locked: bool = False
    twin: str = "eager"
    steps: tuple[Step, ...] = ()
    sizes: tuple[int, ...] = ()
    likenesses: tuple[Likeness, ...] | None = None
    after: str = ""
    exact: str = ""

    def __repr__(self) -> str:
        """What was found, and how near it came; the fields have the rest."""
        worst = self.worst
        near = f", error/bound {worst.ratio:.3g} at {worst.link}" if worst else ""
        said = "".join(f"\n  {f.check}: {f.message}" for f in self.findings[:_LISTED])
        return f"<Result {self.verdict} {self.id}{near}{said}>"

    @computed_field
    @property
    def id(self) -> str:
        return f"{self.path}::{self.case}"

    @computed_field
    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.findings)

    @property
    def ok(self) -> bool:
        return self.verdict is Verdict.PASS

    @computed_field
    @property
    def first_broken_link(self) -> str | None:
        """The first link, in the order of the computation, that a failed finding names."""
        return next(iter(self.broken_links), None)

    @property
    def broken_links(self) -> list[str]:
        """All links that failed findings name, in the order of the computation."""
        broken = {f.link for f in self.findings if f.verdict is Verdict.FAIL}
        return [link for link in dict.fromkeys((*self.links, "dC_dX")) if link in broken]

    @property
    def worst(self) -> Figure | None:
        """The figure to look at: of the first broken link if one is broken, else the largest."""
        link = self.first_broken_link
        figures = [f for f in self.figures if link in (None, f.link)]
        return worst_of(figures)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; a float that JSON has no word for becomes a string."""
        made: dict[str, Any] = RESULT.dump_python(self, mode="json")
        return made

    def to_dataframe(self) -> Any:
        """The figures as a pandas DataFrame, a row each.

        Raises  UsageError where pandas is absent.
        """
        return notebook.frame([asdict(figure) for figure in self.figures])

    def _repr_html_(self) -> str:
        worst = (worst_of(f for f in self.figures if f.link == link) for link in self.links)
        rows = [asdict(figure) for figure in worst if figure is not None]
        told = "; ".join(finding.message for finding in self.findings)
        return notebook.table(f"{self.verdict} {self.id} {told}", rows)


@dataclass(frozen=True, repr=False)
class Report:
    """The judgements of one run, in the order of the files.

    `found` is the number of cases collected, counted before judging; `unlocked` says
    which files are not those of the manifest; `signal` is what interrupted the run, 0 if nothing;
    `stopped` why it ended before all cases were judged, empty if it did not.
    """

    __pydantic_config__: ClassVar = _COMPLETE
    results: tuple[Result, ...]
    found: Annotated[int, Field(exclude=True)]
    faults: tuple[FileFault, ...] = ()
    seconds: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)
    candidate: str = ""
    proof: str = ""
    unlocked: tuple[str, ...] = ()
    signal: int = 0
    stopped: str = ""
    asked: Asked = field(default_factory=Asked)

    @computed_field
    @property
    def format(self) -> Literal[3]:
        """Another when the layout of `to_dict` is."""
        return 3

    def __repr__(self) -> str:
        """The counts, and the first that are not green; `results` has the rest."""
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        red = [r for r in self.results if not r.ok][:_LISTED]
        return "\n".join([f"<Report exit code {self.exit_code}: {counts}>", *map(repr, red)])

    @computed_field
    @property
    def counts(self) -> dict[str, int]:
        """Cases found, judged, and not as they should be; one count for each verdict.

        Found are those judged, not run, and errors: defects of the suite, and cases that got lost.
        Of a run that ended early, those that it did not come to are not run.
        """
        verdicts = Counter(r.verdict for r in self.results)
        judged = len(self.results) - verdicts[Verdict.NOT_RUN] - verdicts[Verdict.ERROR]
        left = self.found - len(self.results)
        if self.signal or self.stopped:
            verdicts[Verdict.NOT_RUN] += left
        return {
            "found": self.found,
            "judged": judged,
            "locked": sum(r.locked and r.verdict is not Verdict.NOT_RUN for r in self.results),
            "errors": self.found - judged - verdicts[Verdict.NOT_RUN],
        } | {str(v): verdicts[v] for v in Verdict if v is not Verdict.ERROR}

    @computed_field
    @property
    def ok(self) -> bool:
        """Every file was read, something was judged, and all that was judged passed."""
        return self.exit_code == 0

    @computed_field
    @property
    def exit_code(self) -> int:
        counts = self.counts
        if self.faults:
            return 2
        if self.signal:
            return 128 + self.signal
        if counts["errors"]:
            return 3
        if counts["FAIL"] or counts["CANNOT JUDGE"] or self.unlocked:
            return 1
        return 0 if counts["judged"] else 5

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; `format` changes when the layout does."""
        made: dict[str, Any] = REPORT.dump_python(self, mode="json")
        return made

    def to_dataframe(self) -> Any:
        """The cases as a pandas DataFrame, a row each.

        Raises  UsageError where pandas is absent.
        """
        return notebook.frame([notebook.row(result) for result in self.results])

    def _repr_html_(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        red_first = sorted(self.results, key=lambda r: r.ok)
        return notebook.table(counts or "nothing was judged", [notebook.row(r) for r in red_first])


RESULT, REPORT = TypeAdapter(Result), TypeAdapter(Report)
