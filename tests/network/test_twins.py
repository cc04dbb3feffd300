"""Every other way to differentiate is a twin, judged by the same bound."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import verify
from tests.support.problems import drawn, made
from tests.support.texts import DRAWN, the_case, written
from verify.errors import EnvironmentUnfit, UsageError
from verify.judge import compare
from verify.judge.asked import Asked
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.network import twin, twins
from verify.network.problem import DTYPES, LINKS

HERE = ["func", "vmap", "forward-ad"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", twin.FORMS)
@pytest.mark.parametrize("name", HERE)
def test_every_link_of_every_way_is_within_its_bound(name, form, dtype):
    for sizes in ({}, {"N": 1, "D": 1, "K": 1}, {"N": 30, "D": 70, "K": 4}):
        ref = compare.reference(drawn(5, dtype=dtype, **sizes), budget=2.0**30)
        chain = twins.TWINS[name][form](ref.problem)
        figures = compare.against_truth(name, chain, ref, ref.bounds[form])
        assert [f.link for f in figures] == list(LINKS)
        assert all(f.holds for f in figures)
        assert not list(compare.misshapen(name, chain, ref.problem))


@pytest.mark.process
@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler")
def test_a_compiled_graph_is_a_twin_too():
    for form in twin.FORMS:
        ref = compare.reference(drawn(5), budget=2.0**30)
        chain = twins.TWINS["compile"][form](ref.problem)
        figures = compare.against_truth("compile", chain, ref, ref.bounds[form])
        assert [f.link for f in figures] == list(LINKS)
        assert all(f.holds for f in figures)


def test_without_a_compiler_a_compiled_twin_is_unfit(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(EnvironmentUnfit, match=r"torch\.compile needs a C\+\+ compiler"):
        twins.require_twin("compile")


@pytest.mark.parametrize("name", HERE)
def test_a_case_is_judged_with_it_and_its_name_is_told(name, tmp_path):
    result = judge(the_case(tmp_path, DRAWN), Asked(twin=name))
    assert result.ok
    assert result.twin == name
    subjects = {f.subject for f in result.figures}
    assert f"twin {name}.post_form" in subjects
    assert f"manual.stable_form against twin {name}.stable_form" in subjects
    assert not any(s.startswith("twin.") for s in subjects)


@pytest.mark.parametrize("part", ["elementwise", "gradient"])
@pytest.mark.parametrize("name", HERE)
def test_a_way_that_goes_wrong_is_a_failure(name, part, tmp_path, monkeypatch):
    from dataclasses import replace
    from functools import partial

    way = twins.DIFFERENTIATORS[name]
    right = getattr(way, part)
    wrong = replace(way, **{part: lambda *arguments: right(*arguments) * 1.001})
    broken = {form: partial(twins.chain, wrong, form) for form in twin.FORMS}
    monkeypatch.setattr(twins, "TWINS", {**twins.TWINS, name: broken})
    result = judge(the_case(tmp_path, DRAWN), Asked(twin=name))
    assert result.verdict is Verdict.FAIL
    assert result.first_broken_link == ("dC_dy_o" if part == "elementwise" else "dC_dW")


def test_where_the_post_form_breaks_every_way_breaks_alike():
    problem = made([[1]], [[-1000]], [[1]])
    for name in HERE:
        with np.errstate(all="ignore"):
            assert not np.isfinite(twins.TWINS[name]["post"](problem).dC_dW).any()
            assert twins.TWINS[name]["stable"](problem).dC_dW == -1


def test_what_is_too_large_for_entry_by_entry_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(twins, "LARGEST", 2)
    for name, verdict in (("vmap", Verdict.NOT_RUN), ("forward-ad", Verdict.NOT_RUN),
                          ("func", Verdict.PASS), ("eager", Verdict.PASS)):  # fmt: skip
        assert judge(the_case(tmp_path, DRAWN), Asked(twin=name)).verdict is verdict


def test_a_name_that_is_none_is_refused_with_those_that_are(tmp_path):
    from tests.support.texts import EXAMPLE

    with pytest.raises(UsageError, match=r"twin 'jit': choose one of eager, func, .*distributed"):
        verify.run(written(tmp_path, EXAMPLE), twin="jit")


def test_the_help_names_every_twin():
    from verify.cli import cli

    told = next(o.help for o in cli.commands["run"].params if o.name == "twin")
    assert all(name in told for name in twins.TWINS)


ROWS = """
title = "rows over ranks"
features = 3
classes = 2
inputs = { random = "normal" }
weights = { random = "normal" }
labels = { random = "classes" }
step_size = 0.01
steps = 2
batch_size = %d
"""

AVERAGED = """
# The gradients of each rank's own mean cost, averaged: DistributedDataParallel's default.
from verify import cli
from verify.network import twins

right = twins._summed


def averaged(like, part):
    ranks = twins._group("cpu").get_world_size()

    def own_mean(rows):
        return part(rows) * (len(like) / (max(1, rows.stop - rows.start) * ranks))

    return right(like, own_mean)


twins._summed = averaged
cli.main()
"""


def torchrun(ranks: int, *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(ranks),
         "--standalone", *map(str, command), "--twin", "distributed"],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize(("ranks", "rows"), [(2, 7), (3, 2), (1, 5)])
def test_uneven_splits_and_ranks_without_rows_are_judged_as_any_twin(ranks, rows, tmp_path):
    path = written(tmp_path, ROWS % rows)
    done = torchrun(ranks, "-m", "verify", "run", path, "--json", tmp_path / "o.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 cases found, 2 judged, 2 passed") == 1
    assert "twin distributed.stable_form" in (tmp_path / "o.json").read_text()


@pytest.mark.process
@pytest.mark.parametrize(("rows", "code"), [(7, 1), (8, 0)])
def test_averaging_the_ranks_means_is_wrong_where_the_rows_do_not_divide(rows, code, tmp_path):
    script = Path(tmp_path, "averaged.py")
    script.write_text(AVERAGED)
    done = torchrun(2, script, "run", written(tmp_path, ROWS % rows))
    assert done.returncode == code, done.stderr
    if code:
        assert "first broken link   C" in done.stdout
        assert "twin distributed." in done.stdout


def test_outside_of_torchrun_it_says_how_to_start(tmp_path, monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UsageError, match="start it by `torchrun --nproc-per-node 2 -m verify run"):
        verify.run(written(tmp_path, ROWS % 3), twin="distributed")
