"""README says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from verify.cli import EXIT_CODES, cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_printed_output_is_what_the_command_prints():
    done = subprocess.run(
        [sys.executable, "-m", "verify", "run", "scenarios/worked-example.toml"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    for line in done.stdout.splitlines()[:2]:
        shown = next(s.strip() for s in README.splitlines() if s.strip()[:60] == line[:60])
        # The last digits of an error depend on the machine's kernels, the words do not.
        assert re.sub(r"[\d.e-]+(?= at| *$)", "#", shown) == re.sub(
            r"[\d.e-]+(?= at| *$)", "#", line
        )


def test_the_candidate_it_shows_is_a_right_one(tmp_path):
    """As it stands in README, with its import; where exp overflows it is still right."""
    body = re.search(r"    def gradient\(X.*?\n\n", README, re.DOTALL).group()
    (tmp_path / "lab.py").write_text("import numpy as np\n" + textwrap.dedent(body))
    done = subprocess.run(
        [sys.executable, "-m", "verify", "run", "-q", str(ROOT / "scenarios"), "--candidate",
         f"{tmp_path / 'lab.py'}:gradient", "-k", "not (large or steps or digits)"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_number_of_faults_is_the_tables():
    from verify.faults import FAULTS

    assert f"{len(FAULTS)} mistakes that people make" in README


@pytest.mark.parametrize(
    "path",
    ["README.md", "scenarios/README.md", ".github/workflows/verify.yml", ".pre-commit-hooks.yaml",
     ".ci/run"],
)  # fmt: skip
def test_every_command_that_is_named_exists(path):
    text = (ROOT / path).read_text()
    named = set(re.findall(r"^(?:    |entry: | *)verify ([a-z]+)(?= |$)", text, re.MULTILINE))
    named |= set(re.findall(r"entry: verify ([a-z]+)", text))
    assert named
    assert named <= set(cli.commands)


def test_the_hook_checks_scenario_files_and_nothing_else():
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text()
    pattern = re.search(r"files: (.*)", hook).group(1)
    assert re.search(pattern, "scenarios/one-row.toml")
    assert re.search(pattern, "tests/my/scenarios/x.toml")
    assert not re.search(pattern, "pyproject.toml")
    assert not re.search(pattern, "scenarios/data/x.csv")


@pytest.mark.parametrize("code", range(6))
def test_exit_codes_are_those_of_the_command(code):
    assert f"| {code} |" in README
    assert f"{code} " in EXIT_CODES


def test_the_links_of_the_contributors_guide_and_its_keys_exist():
    from verify.document import Document

    guide = (ROOT / "scenarios" / "README.md").read_text()
    keys = set(re.findall(r"`([a-z_]+)`", guide.split("## When")[0]))
    assert set(Document.model_fields) - {"vary", "expect"} <= keys
