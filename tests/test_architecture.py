"""The house: families, floors, sizes, docstrings, names."""

from __future__ import annotations

import ast
import io
import itertools
import re
import statistics
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

import pytest

import verify

PACKAGE = Path(verify.__file__).parent
TESTS = Path(__file__).parent
FAMILIES = sorted(p.parent for p in PACKAGE.glob("*/__init__.py"))
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.stem not in ("__init__", "__main__"))
ENTRY = {"judge", "runner", "cli"}


def named(path: Path) -> str:
    """A module by its name below the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def floors() -> list[set[str]]:
    """The families from the top, those of one floor together: as pyproject has them."""
    tool = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["tool"]
    layers = tool["importlinter"]["contracts"][0]["layers"]
    return [set(floor.split(" | ")) for floor in layers]


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


@pytest.mark.process
def test_the_floors_are_kept():
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [command, "--no-cache"], cwd=TESTS.parent, capture_output=True, text=True, check=False
    )
    assert "2 kept, 0 broken" in done.stdout


def test_the_package_tells_its_families_as_the_contract_has_them():
    table = (verify.__doc__ or "").split("where to read on:\n\n")[1]
    every = set.union(*floors())
    cells = [line.strip().split() for line in table.strip().splitlines()]
    told = [set(itertools.takewhile(every.__contains__, words)) for words in cells]
    assert told == floors()


def test_every_family_is_on_a_floor_and_says_what_its_modules_are():
    assert {path.name for path in FAMILIES} <= set.union(*floors())
    for path in FAMILIES:
        tree = ast.parse((path / "__init__.py").read_text())
        rows = re.findall(r"^ *(\w[\w ]*?)   +\S", ast.get_docstring(tree) or "", re.MULTILINE)
        names = {name for row in rows for name in row.split()}
        assert {p.stem for p in path.glob("*.py")} - {"__init__"} <= names, path.name


def test_every_family_has_its_tests_each_named_after_a_module():
    top = {"architecture", "readme", "scenarios", "door", "cli", "errors", "files", "threads"}
    assert {p.stem.removeprefix("test_") for p in TESTS.glob("test_*.py")} == top
    for family in FAMILIES:
        files = {p.stem.removeprefix("test_") for p in (TESTS / family.name).glob("test_*.py")}
        assert files
        assert files <= {p.stem for p in family.glob("*.py")} | {family.name}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_is_used_by_a_test_of_its_family(path):
    family = TESTS / path.parent.name if path.parent != PACKAGE else TESTS
    texts = "\n".join(p.read_text() for p in [*family.glob("*.py"), *TESTS.glob("support/*.py")])
    fam, _, name = named(path).rpartition(".")
    dotted = rf"verify\.{re.escape(named(path))}\b"
    imported = rf"from verify(\.{fam})? import [^\n]*\b{name}\b"
    assert (family / f"test_{name}.py").exists() or re.search(f"{dotted}|{imported}", texts)


def test_no_test_imports_a_test():
    for path in TESTS.rglob("*.py"):
        assert not re.search(
            r"^\s*(from|import) (tests\.\w+\.)?test_", path.read_text(), re.MULTILINE
        ), path


def test_no_module_imports_itself_through_others():
    assert not cycles({named(path): imports(path) for path in MODULES})


def imports(path: Path) -> set[str]:
    """The modules of the package that a module imports when it is loaded."""
    known = {f"verify.{named(path)}": named(path) for path in MODULES}
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
            found |= {known[name] for name in names if name in known}
    return found


def cycles(graph: dict[str, set[str]]) -> set[str]:
    """What is left when modules that import nothing more are taken away."""
    while ends := {name for name, others in graph.items() if not others}:
        graph = {name: others - ends for name, others in graph.items() if name not in ends}
    return set(graph)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_is_at_most_220_lines_and_a_function_at_most_50(path):
    text = path.read_text()
    assert code_lines(text) <= 220
    for function in functions(path):
        assert code_lines(ast.unparse(function)) <= 50, function.name


def test_the_median_function_is_short():
    sizes = [code_lines(ast.unparse(f)) for path in MODULES for f in functions(path)]
    assert statistics.median(sizes) <= 8


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_what_is_public_has_a_docstring(path):
    assert ast.get_docstring(ast.parse(path.read_text()))
    for node in public(path):
        assert ast.get_docstring(node), node.name


SHAPED = {"manual", "twin", "truth", "forward", "bounds", "descent", "relations"}


@pytest.mark.parametrize("name", sorted(SHAPED))
def test_the_numerical_modules_give_shapes_and_sources(name):
    path = PACKAGE / "network" / f"{name}.py"
    for node in public(path):
        doc = ast.get_docstring(node) or ""
        if isinstance(node, ast.FunctionDef) and "Array" in ast.unparse(node) + "Chain Enclosure":
            takes = ast.unparse(node.args)
            if "Problem" in takes or "Array" in takes:
                assert re.search(r"^Shapes ", doc, re.MULTILINE), node.name
    assert re.search(r"Source", path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_what_raises_says_so(path):
    for node in public(path):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(n, ast.Raise) and n.exc is not None for n in ast.walk(node)
        ):
            assert "Raises" in (ast.get_docstring(node) or "") or path.stem in ENTRY, node.name


# Where code runs that may raise anything, and that it does is what is found.
STRANGERS = {"judge.compare": 1, "candidate.child": 1, "candidate.examine": 2,
             "experiments.peers": 1, "judge.runner": 1, "cli": 1, "candidate.tensors": 1,
             "candidate.arguments": 1, "scenario.data": 1, "candidate.follow": 1,
             "judge.function": 1, "commands.gradcheck": 1}  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_verdict_rests_on_an_assert_and_nothing_is_silenced(path):
    text = path.read_text()
    assert not any(isinstance(n, ast.Assert) for n in ast.walk(ast.parse(text)))
    assert "type: ignore" not in text
    broad = [line for line in text.split("\n") if "except Exception" in line]
    assert len(broad) <= STRANGERS.get(named(path), 0)
    assert all("  # " in line for line in broad)


FORBIDDEN = {"tolerance", "approx", "dummy", "helper", "manager", "utils", "rtol", "atol"}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_name_is_outside_the_vocabulary(path):
    names = {n.id.lower() for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
    assert not names & FORBIDDEN


ALONE = """
import importlib, os, sys
# Of others once, of ours nothing.
import click, concurrent.futures.process, difflib, flint, jinja2, multiprocessing.connection, numpy
import pydantic.main, pydantic.root_model, pytest, rich, sysconfig, threadpoolctl, tomllib
import tree_sitter_toml
for name in sys.argv[1:]:
    if not os.fork():
        importlib.import_module(f"verify.{name}")
        os._exit(0)
    if os.wait()[1]:
        print(name)
"""


@pytest.mark.process
def test_every_module_imports_alone_and_first():
    """Each in a process of its own, in which nothing else of the package is loaded."""
    names = [named(path) for path in MODULES]
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
