"""README says what is so."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.support.command import Done, verify
from verify.cli import EXIT_CODES, cli
from verify.faults.table import FAULTS
from verify.network import manual
from verify.network.problem import Problem
from verify.numbers.rounding import MODELS
from verify.scenario.collection import collect

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_printed_output_is_what_the_command_prints():
    done = verify("run", "scenarios/worked-example.toml", cwd=ROOT)
    for line in [*done.stdout.splitlines()[:2], *done.stdout.splitlines()[3:4]]:
        shown = next(s.strip() for s in README.splitlines() if s.strip()[:60] == line[:60])
        # The last digits of an error depend on the machine's kernels, the words do not.
        assert re.sub(r"[\d.e-]+(?= at| *$)", "#", shown) == re.sub(
            r"[\d.e-]+(?= at| *$)", "#", line
        )


def test_the_budgets_of_exp_and_log_are_those_of_the_bounds():
    one, two = MODELS["float32"], MODELS["float64"]
    told = f"exp within {one.exp} u (float32) or {two.exp} u (float64), log within {one.log} u or"
    assert f"{told} {two.log} u, where u is 2^-24 or 2^-53" in " ".join(README.split())
    assert (one.u, two.u) == (2.0**-24, 2.0**-53)


WRONG, RIGHT = (
    "import numpy as np\n\n" + textwrap.dedent(body)
    for body in re.findall(r"^    def gradient\(X.*?\n\n", README, re.DOTALL | re.MULTILINE)
)


FEW = "not (large or steps or digits or iris-batches)"  # no long trainings


def verified(folder: Path, body: str, *arguments: str) -> Done:
    (folder / "mine.py").write_text(body)
    return verify(*arguments, "--candidate", "mine.py:gradient", cwd=folder)


@pytest.mark.process
def test_the_tutorial_comes_out_as_it_says(tmp_path):
    """From an empty folder: the mistake is named, the mended one is right but for eight cases."""
    done = verified(tmp_path, WRONG, "show")
    assert done.returncode == 1
    assert "    " + next(s for s in README.splitlines() if "(y_o is right)" in s).strip() in (
        done.stdout.replace("  first", "    first")
    )
    mended = WRONG.replace("dC_dy = dC_dy_o\n", "dC_dy = dC_dy_o * y_o * (1 - y_o)\n")
    assert "`dC_dy = dC_dy_o * y_o * (1 - y_o)`" in " ".join(README.split())
    assert verified(tmp_path, mended, "show").returncode == 0
    done = verified(tmp_path, mended, "run", "-q", "-k", FEW)
    assert done.returncode == 1
    assert "8 failed, 3 cannot judge" in done.stdout
    assert "Eight cases fail" in README
    assert "Three cannot be judged" in " ".join(README.split())


@pytest.mark.process
def test_the_candidate_it_ends_with_is_a_right_one(tmp_path):
    done = verified(tmp_path, RIGHT, "run", "-q", "-k", FEW)
    assert done.returncode == 0, done.stdout


def test_the_function_of_the_readme_comes_out_as_it_says(tmp_path, monkeypatch):
    code, told = re.search(
        r"As `norms.py`:\n\n(.*?)\n\n`verify gradcheck (?:[^`]*)` says\n\n(.*?)\n\n",
        README,
        re.DOTALL,
    ).groups()
    (tmp_path / "norms.py").write_text(textwrap.dedent(code))
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"`verify (gradcheck norms[^`]*)`", README)
    found = CliRunner().invoke(cli, command.split())
    assert found.exit_code == 1
    shown, lines = (re.sub(r"[\d.e+-]{4,}", "#", t) for t in (textwrap.dedent(told), found.output))
    assert lines.split() == shown.split()


def test_so_many_mistakes_still_print_the_posts_figures():
    """C before and after one step of the post's example, to two digits."""
    case = next(c for c in collect(ROOT / "scenarios/worked-example.toml") if c.dtype == "float64")
    problem = case.problem
    X, W, P, h = problem.X, problem.W, problem.P, problem.h

    def prints(fault) -> bool:
        try:
            answer = fault.make()(X.copy(), W.copy(), P.copy(), h)
            found = answer if isinstance(answer, dict) else {"dC_dW": answer}
            step = found["W_next"] if "W_next" in found else W - h * np.asarray(found["dC_dW"])
        except ValueError:  # shapes that do not fit
            return False
        after = manual.post_form(Problem(X, np.asarray(step, W.dtype), P, h)).C
        before = found.get("C", manual.post_form(problem).C)
        return (f"{float(before):.2f}", f"{float(after):.2f}") == ("7.87", "7.63")

    with np.errstate(all="ignore"):
        of_numpy = [fault for fault in FAULTS.values() if fault.arrays == "numpy"]
        count = sum(prints(fault) for fault in of_numpy)
    assert (
        f"{count} of the {len(FAULTS)} planted mistakes still print the post's 7.87 and 7.63"
        in " ".join(README.split())
    )
    example = (ROOT / "scenarios/worked-example.toml").read_text()
    assert f"{count} of {len(FAULTS)} planted faults still print 7.87 and 7.63" in example


def test_the_number_of_faults_is_the_tables():
    told = " ".join(README.split())
    of_numpy = sum(fault.arrays == "numpy" for fault in FAULTS.values())
    assert f"{len(FAULTS)} mistakes that people make" in told
    assert f"catch {len(FAULTS) - 1}; of the last" in told
    assert f"{len(FAULTS)} planted mistakes prove" in told
    assert f"faults seen of {of_numpy} |" in told


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


def test_the_hook_reads_the_folder_when_anything_in_it_changes():
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text()
    pattern = re.search(r"files: (.*)", hook).group(1)
    assert re.search(pattern, "scenarios/one-row.toml")
    assert re.search(pattern, "tests/my/scenarios/x.toml")
    assert re.search(pattern, "scenarios/data/x.csv")  # it belongs to what is read
    assert re.search(pattern, "scenarios/x.TOML")
    assert not re.search(pattern, "pyproject.toml")


@pytest.mark.parametrize("code", range(6))
def test_exit_codes_are_those_of_the_command(code):
    assert f"| {code} |" in README
    assert f"{code} " in EXIT_CODES


def test_the_links_of_the_contributors_guide_and_its_keys_exist():
    from verify.scenario.document import Document

    guide = (ROOT / "scenarios" / "README.md").read_text()
    keys = set(re.findall(r"`([a-z_0-9]+)`", guide.split("## When")[0]))
    assert set(Document.model_fields) - {"vary", "expect"} <= keys
