"""The options of a run, and the command that asks for some of its cases again.

Every command builds one, so that nothing else of this package is imported before it is needed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.candidate.candidate import Candidate
    from verify.network.network import Network

DEVICE = r"cpu|cuda(:[0-9]{1,3})?"
"""A pattern of the names of devices."""


@dataclass(frozen=True)
class Asked:
    """Who is judged besides manual and twin, by what, and within what limits.

    `candidate` is as it was named; `named` is False of a function of the caller's own process.
    Empty words and zeros stand for what was not asked for; `limits` are NAME=N; `paths` and
    `keyword` say which cases, as the command does.

    Units   timeout in seconds, memory in bytes, budget in multiplications; budget is -1 for the
            usual one.
    """

    candidate: str = ""
    named: bool = True
    arrays: str = "numpy"
    timeout: float = 60.0
    memory: int = 0
    device: str = ""
    twin: str = "eager"
    budget: float = -1.0
    limits: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    keyword: str = ""

    @property
    def work(self) -> float:
        """Multiplications that may be spent on the truth of a case."""
        from verify.network import truth

        return truth.BUDGET if self.budget < 0 else self.budget

    def loaded(self, networks: Iterable[Network]) -> Candidate | None:
        """The candidate that was named, in a child process of its own; None where none was.

        It is asked which of some networks it is one of.

        Raises  CandidateError where it cannot be loaded, or cannot be a candidate as it is.
        """
        if not self.candidate:
            return None
        from verify.candidate.candidate import candidate

        device = self.device or "cpu"
        return candidate(self.candidate, self.arrays, device, self.timeout, self.memory, networks)

    def command(self, ids: Sequence[str] = (), command: str = "run") -> str:
        """The command line that judges cases again, or shows one; of a function, the call.

        Without any ids, all that were judged.
        """
        quoted = [_quoted(each) for each in ids or self.paths]
        if self.candidate and not self.named:
            cases = ", ".join(quoted)
            return f"verify.run([{cases}], candidate=..., arrays={self.arrays!r})"
        words = ["verify", command, *quoted]
        words += ["-k", shlex.quote(self.keyword)] if self.keyword and not ids else []
        for name, value, usual in (
            ("candidate", self.candidate, ""),
            ("candidate-arrays", self.arrays, "numpy"),
            ("timeout", f"{self.timeout:g}", "60"),
            ("candidate-memory", str(self.memory), "0"),
            ("device", self.device, ""),
            ("twin", self.twin, "eager"),
            ("truth-budget", f"{self.budget:g}", "-1"),
        ):
            words += [f"--{name}", shlex.quote(value)] if value != usual else []
        words += [f"--scenario-limit {shlex.quote(limit)}" for limit in self.limits]
        return " ".join(words)


def _quoted(case: str) -> str:
    """A case's id as one word of a shell, always in quotes."""
    return shlex.quote(case) if "'" in case else f"'{case}'"
