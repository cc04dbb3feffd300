"""What scenario files may ask for, of the machine that judges them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from verify.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """What files may ask for; beyond it they are refused before memory is taken.

    Units   files: entries of a folder; file_bytes: of a scenario file; data_bytes: of a data file;
            numbers: of X, all parameters and P of a case together; cases: of a scenario file; work:
            N D K of a case, or N times the numbers of all weights; total_work: that of every step
            of every case of a file.
    """

    files: int = 10_000
    file_bytes: int = 2**18
    data_bytes: int = 2**26
    numbers: int = 2**24
    cases: int = 10_000
    work: int = 2**34
    total_work: int = 2**40

    @property
    def settings(self) -> tuple[str, ...]:
        """What differs from the usual limits, as NAME=N."""
        usual = asdict(Limits())
        return tuple(f"{n}={v}" for n, v in asdict(self).items() if v != usual[n])

    def allow(self, name: str) -> str:
        """What to say to somebody who asks for more."""
        return f"at most {getattr(self, name)}; --scenario-limit {name}=N allows more"


def limits(settings: Iterable[str]) -> Limits:
    """The limits, some of them set by NAME=N.

    Raises  UsageError for a name that is none, or an N that is no number of 1 or more.
    """
    known = asdict(Limits())
    for setting in settings:
        name, _, figure = setting.partition("=")
        try:
            value = int(float(figure))
        except (ValueError, OverflowError):
            value = 0
        if name not in known or value < 1:
            allowed = ", ".join(f"{n}={v}" for n, v in asdict(Limits()).items())
            raise UsageError(f"--scenario-limit {setting!r}: give NAME=N, 1 or more, of {allowed}")
        known[name] = value
    return Limits(**known)
