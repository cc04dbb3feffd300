"""The house: floors, door, sizes, docstrings, names."""

from __future__ import annotations

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

import verify

PACKAGE = Path(verify.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(p for p in PACKAGE.glob("*.py") if p.name not in ("__init__.py", "__main__.py"))
ENTRY = {"judge", "runner", "report", "plugin", "cli"}


def code_lines(text: str) -> int:
    """Lines that carry code: no blanks, comments or docstrings."""
    tree = ast.parse(text)
    docs = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node)
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in (*skipped, tokenize.ENDMARKER)
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docs)


def functions(path: Path) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]


def public(path: Path) -> list[ast.FunctionDef | ast.ClassDef]:
    tree = ast.parse(path.read_text())
    return [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)
            and not n.name.startswith("_")]  # fmt: skip


def test_the_floors_are_kept():
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [command, "--no-cache"], cwd=TESTS.parent, capture_output=True, text=True, check=False
    )
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_every_module_has_its_tests(path):
    assert (TESTS / f"test_{path.stem}.py").exists()


def test_every_test_file_has_its_module():
    known = {p.stem for p in MODULES} | {"architecture", "readme", "scenarios", "door"}
    assert {p.stem.removeprefix("test_") for p in TESTS.glob("test_*.py")} <= known


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_a_module_is_at_most_220_lines_and_a_function_at_most_50(path):
    text = path.read_text()
    assert code_lines(text) <= 220
    for function in functions(path):
        assert code_lines(ast.unparse(function)) <= 50, function.name


def test_the_median_function_is_short():
    sizes = [code_lines(ast.unparse(f)) for path in MODULES for f in functions(path)]
    assert statistics.median(sizes) <= 8


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_what_is_public_has_a_docstring(path):
    assert ast.get_docstring(ast.parse(path.read_text()))
    for node in public(path):
        assert ast.get_docstring(node), node.name


SHAPED = {"manual", "twin", "truth", "forward", "bounds", "descent", "relations"}


@pytest.mark.parametrize("name", sorted(SHAPED))
def test_the_numerical_modules_give_shapes_and_sources(name):
    path = PACKAGE / f"{name}.py"
    for node in public(path):
        doc = ast.get_docstring(node) or ""
        if isinstance(node, ast.FunctionDef) and "Array" in ast.unparse(node) + "Chain Enclosure":
            takes = ast.unparse(node.args)
            if "Problem" in takes or "Array" in takes:
                assert re.search(r"^Shapes ", doc, re.MULTILINE), node.name
    assert re.search(r"Source", path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_what_raises_says_so(path):
    for node in public(path):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(n, ast.Raise) and n.exc is not None for n in ast.walk(node)
        ):
            assert "Raises" in (ast.get_docstring(node) or "") or path.stem in ENTRY, node.name


# Where code runs that may raise anything, and that it does is what is found.
STRANGERS = {"compare": 1, "child": 1, "examination": 2, "peers": 1, "runner": 1, "cli": 1,
             "twin": 1}  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_no_verdict_rests_on_an_assert_and_nothing_is_silenced(path):
    text = path.read_text()
    assert not any(isinstance(n, ast.Assert) for n in ast.walk(ast.parse(text)))
    assert "type: ignore" not in text
    broad = [line for line in text.split("\n") if "except Exception" in line]
    assert len(broad) <= STRANGERS.get(path.stem, 0)
    assert all("  # " in line for line in broad)


FORBIDDEN = {"tolerance", "approx", "dummy", "helper", "manager", "utils", "rtol", "atol"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_no_name_is_outside_the_vocabulary(path):
    names = {n.id.lower() for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
    assert not names & FORBIDDEN


ALONE = """
import importlib, os, sys
import click, flint, jinja2, numpy, pydantic, pytest, rich  # of others once, of ours nothing
for name in sys.argv[1:]:
    if not os.fork():
        importlib.import_module(f"verify.{name}")
        os._exit(0)
    if os.wait()[1]:
        print(name)
"""


def test_every_module_imports_alone_and_first():
    """Each in a process of its own, in which nothing else of the package is loaded."""
    names = [path.stem for path in MODULES]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *names], check=True, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda p: p.stem)
def test_no_test_is_hidden_by_another_of_its_name(path):
    names = [f.name for f in functions(path) if f.name.startswith("test_")]
    assert len(names) == len(set(names))


def test_the_top_level_holds_what_it_should():
    kept = {"pyproject.toml", "verify", "scenarios", "tests", "README.md", "LICENSE"}
    made = {"build", "dist"}  # by packaging tools
    top = {p.name for p in TESTS.parent.iterdir() if not p.name.startswith(".")}
    assert kept <= top <= kept | made
