"""Report -> what GitHub's runner shows: annotations on the lines of files, and a step summary.

Source  the runner's workflow commands: data escapes % CR LF, properties also : and ,.
"""

from __future__ import annotations

from collections.abc import Iterator

from verify.errors import FileFault, printable
from verify.judge.causes import causes
from verify.judge.result import Report, Verdict
from verify.report.text import block, summary

_SHOWN = 50


def annotation(level: str, path: str, line: int, title: str, text: str) -> str:
    """One workflow command; `level` is error, warning or notice; a line of 0 is left out."""
    at = f",line={line}" if line else ""
    plain = "\n".join(map(printable, text.split("\n")))
    return f"::{level} file={_property(path)}{at},title={_property(title)}::{_data(plain)}"


def commands(report: Report) -> Iterator[str]:
    """One for every fault of a file, and for every case that is not green."""
    for fault in report.faults:
        yield of_fault(fault)
    for message in report.unlocked:
        path = message.partition(" ")[0]
        yield annotation("error", path, 0, "not as it was locked", message)
    of = {id(r): cause.text for cause in causes(report.results) for r in cause.results}
    for result in report.results:
        if result.verdict in (Verdict.ERROR, Verdict.FAIL, Verdict.CANNOT_JUDGE):
            text = block(result, report.asked, of.get(id(result), ""))
            yield annotation("error", result.path, result.line, result.id, text)
        elif result.verdict is Verdict.NOT_RUN:
            message = result.findings[0].message
            yield annotation("warning", result.path, result.line, f"not run: {result.id}", message)


def of_fault(fault: FileFault) -> str:
    """What is wrong in a file, on its line."""
    title = fault.key or "scenario file"
    return annotation("error", fault.path, fault.line, title, str(fault))


def step_summary(report: Report) -> str:
    """The counts and the cases that are not green, in Markdown with nothing in it that obeys."""
    lines = ["### verify", "", *(_markdown(text) + "  " for text in summary(report).split("\n"))]
    lines += [f"- {_markdown(str(fault))}" for fault in report.faults]
    bad = [r for r in report.results if not r.ok]
    if bad:
        lines += ["", "| verdict | case | what |", "|---|---|---|"]
        for result in bad[:_SHOWN]:
            first = result.findings[0].message if result.findings else ""
            cells = (str(result.verdict), printable(result.id), printable(first))
            lines.append("| " + " | ".join(map(_markdown, cells)) + " |")
        if len(bad) > _SHOWN:
            lines.append(f"\nand {len(bad) - _SHOWN} more")
    return "\n".join(lines) + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _markdown(text: str) -> str:
    """Text that Markdown shows as it is, inside a table too."""
    return "".join(f"&#{ord(c)};" if c in "&<>|`*_[]\\!#~@:" else c for c in text)
