"""Completion of file::case in bash, which hands words over cut at : and at =."""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

_CUT_WORDS = 'COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD'
_WHOLE_LINE = 'COMP_LINE="$COMP_LINE" COMP_POINT=$COMP_POINT COMP_WORDBREAKS="$COMP_WORDBREAKS"'
_ADDED = "COMPREPLY+=($value)"
_FOLDER = "[[ $value == */ ]] && compopt -o nospace 2>/dev/null"  # to go on in it


class Bash(BashComplete):
    """Reads the line as it stands, and answers with what follows bash's last cut."""

    source_template = BashComplete.source_template.replace(_CUT_WORDS, _WHOLE_LINE).replace(
        _ADDED, f"{_ADDED}; {_FOLDER}"
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and what is begun of the word at it."""
        line = os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])]
        begun = not line.endswith(" ")
        os.environ |= {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - begun)}
        return super().get_completion_args()

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """The completed word without what bash has put before its last cut."""
        _, incomplete = self.get_completion_args()
        cuts = (incomplete.rfind(c) for c in ":=" if c in os.environ["COMP_WORDBREAKS"])
        return f"{item.type},{item.value[max(cuts, default=-1) + 1 :]}"


def register() -> None:
    """Let the command be completed so."""
    add_completion_class(Bash)
