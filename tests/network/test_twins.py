"""Every other way to differentiate is a twin, judged by the same bound."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch

import verify
from tests.support import networks
from tests.support.networks import BUILT
from tests.support.problems import drawn, made, sixteen
from tests.support.texts import DRAWN, the_case, written
from verify.errors import EnvironmentUnfit, UsageError
from verify.judge import compare
from verify.judge.asked import Asked
from verify.judge.judge import judge
from verify.judge.result import Verdict
from verify.network import twin, twins
from verify.network.layer import Layer
from verify.network.problem import DTYPES, LINKS
from verify.network.twins import TWINS
from verify.numbers.dtypes import SIXTEEN

HERE = ["func", "vmap", "forward-ad"]
SEEDS = range(15)
FORMS = {"post": "literal", "stable": "stable"}


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


@pytest.mark.process
@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler")
def test_a_compiled_graph_of_a_network_is_a_twin_too():
    problem = BUILT["an operation first"]()
    chain, eager = twins.TWINS["compile"]["stable"](problem), twin.stable_form(problem)
    assert list(chain) == list(eager)
    for link in eager:
        np.testing.assert_allclose(chain[link], eager[link], rtol=1e-10, err_msg=link)


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


@pytest.mark.parametrize(("by", "link"), [("at", "dC_dy_o"), ("y", "dC_dy"), ("W", "dC_dW")])
@pytest.mark.parametrize("name", HERE)
def test_a_way_that_goes_wrong_is_a_failure(name, by, link, tmp_path, monkeypatch):
    way = twins.DIFFERENTIATORS[name]

    def gradient(*arguments):
        value, found = way.gradient(*arguments)
        return value, {n: a * (1.001 if n == by else 1) for n, a in found.items()}

    wrong = replace(way, gradient=gradient)
    broken = {form: partial(twins.chain, wrong, form) for form in twin.FORMS}
    monkeypatch.setattr(twins, "TWINS", {**twins.TWINS, name: broken})
    result = judge(the_case(tmp_path, DRAWN), Asked(twin=name))
    assert result.verdict is Verdict.FAIL
    assert result.first_broken_link == link


@cache
def any_network(seed, dtype):
    """A random network's problem, and of every link the truth and the bound."""
    network, numbers = networks.drawn(seed, dtype, 8)
    limits = networks.bounds(network, numbers)
    return networks.as_problem(network, numbers), limits, networks.truth(network, numbers, limits)


def shares(name, form, seed, dtype):
    """error / bound of every link, where the kernels of torch hold."""
    problem, limits, exact = any_network(seed, dtype)
    if networks.beyond(problem.network, limits, FORMS[form]):
        return {}
    chain, eager = twins.TWINS[name][form](problem), twin.FORMS[form](problem)
    assert list(chain) == list(eager)
    assert set(chain) == set(problem.network.links)
    for link, found in chain.items():
        assert (found.shape, found.dtype) == (eager[link].shape, eager[link].dtype), link
    return {link: networks.share(chain[link], exact[link], limits[link].bound()) for link in chain}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", HERE)
def test_of_any_network_every_link_is_within_its_bound(name, form, dtype):
    judged = 0
    for seed in SEEDS:
        last = any_network(seed, dtype)[0].network
        if twins.apart(name, last):
            continue
        for link, share in shares(name, form, seed, dtype).items():
            # Forward mode adds what each class does to the cost, which is no form of the table's.
            apart = name == "forward-ad" and link == last.names[-1]["dC_dy"]
            summed = apart and last.layers[-1].activation in ("softmax", "log-softmax")
            assert share <= (1.5 if summed else 1), (seed, link)
            judged += 1
    assert judged > 100


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("which", BUILT)
@pytest.mark.parametrize("name", HERE)
def test_layers_without_weights_have_all_their_links(name, which, form):
    problem = BUILT[which]()
    chain, eager = twins.TWINS[name][form](problem), twin.FORMS[form](problem)
    assert list(chain) == list(eager)
    assert ("dC_dX" in chain) == which.startswith(("one", "an operation first"))
    for link in eager:
        np.testing.assert_allclose(chain[link], eager[link], rtol=1e-10, err_msg=link)


@pytest.fixture
def graphs(monkeypatch):
    """What is compiled, counted and then run as it stands: no compiler is waited for."""
    found = []

    def backend(graph, _inputs):
        found.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    twins._compiled.cache_clear()
    yield found
    twins._compiled.cache_clear()


def test_of_any_network_what_is_compiled_is_within_its_bound(graphs):
    for seed in range(4):
        for form in FORMS:
            assert all(share <= 1 for share in shares("compile", form, seed, "float64").values())
    # More than torch compiles of one function by itself, beyond which it runs it uncompiled.
    assert len(graphs) > torch._dynamo.config.recompile_limit


def test_a_network_is_compiled_once_for_all_its_problems(graphs):
    for N in (5, 6, 7):
        twins.TWINS["compile"]["stable"](drawn(1, N=N))
    assert len(graphs) == 3  # C, C of y_o, and y_o


def test_a_link_that_a_way_drops_is_missed():
    way = twins.DIFFERENTIATORS["func"]

    def gradient(*arguments):
        value, found = way.gradient(*arguments)
        return value, {n: a for n, a in found.items() if n != "y"}

    with pytest.raises(KeyError, match="dC_dy"):
        twins.chain(replace(way, gradient=gradient), "post", drawn(1))


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


def test_of_a_batch_norm_no_twin_takes_a_row_by_itself(tmp_path):
    text = (
        DRAWN.replace('"soft"', '"normal"') + 'activation = "batch-norm"\ncost = "squared-error"\n'
    )
    case = the_case(tmp_path, text + 'expect.loss = "any"\n')
    for name in (*HERE, "eager"):
        apart = name in ("vmap", "forward-ad")
        result = judge(case, Asked(twin=name))
        assert result.verdict is (Verdict.NOT_RUN if apart else Verdict.PASS)
        assert not apart or "of a batch norm no row stands alone" in result.findings[0].message
    assert twins.apart("distributed", case.network)
    assert not twins.apart("vmap", networks.of(Layer("layer-norm"), sizes=(3, 4)).network)


def test_the_work_is_that_of_all_layers(monkeypatch):
    problem = networks.of(Layer("tanh", bias=True), Layer(), sizes=(3, 4, 4), N=2)
    passes = 2 * (12 + 16)
    for name, work in (("vmap", passes), ("forward-ad", passes * (12 + 4 + 16) // 64)):
        for largest in (work - 1, work):
            monkeypatch.setattr(twins, "LARGEST", largest)
            assert twins.too_large(name, problem) == (largest < work)
    assert not twins.too_large("func", problem)


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


def averaged(group, mine, places):
    own, ranks = places[group.get_rank()], len(places)
    mine *= places[-1].stop / (max(1, own.stop - own.start) * ranks)
    return right(group, mine, places)


twins._summed = averaged
cli.main()
"""

OF_NETWORKS = """
import numpy as np

from tests.support.networks import BUILT
from verify.network import twin, twins

for which, problem in BUILT.items():
    for form in twin.FORMS:
        chain, eager = twins.TWINS["distributed"][form](problem()), twin.FORMS[form](problem())
        assert list(chain) == list(eager)
        for link in eager:
            np.testing.assert_allclose(chain[link], eager[link], rtol=1e-10, err_msg=link)
"""

RIGHT = "from verify import cli; cli.main()"

# What torchrun does, but that torch is loaded once for all ranks of all runs.
RANKS = """
import json, os, socket, sys
import torch, verify.cli

program, *runs = json.loads(sys.argv[1])
for ranks, arguments in runs:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for rank in range(ranks):
        if not os.fork():
            place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "MASTER_PORT": port}
            os.environ |= {name: str(number) for name, number in place.items()}
            sys.argv = ["verify", "run", *arguments, "--twin", "distributed"]
            exec(program)
            sys.exit()
    print("exit codes", {os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(ranks)}, flush=True)
"""


def started(*command: object) -> subprocess.CompletedProcess[str]:
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd()),
                   "MASTER_ADDR": "127.0.0.1"}  # fmt: skip
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, check=False,
        timeout=120, env={**os.environ, **environment},
    )  # fmt: skip


def on_ranks(program: str, *runs: tuple[int, list[str]]) -> list[str]:
    """What some runs print, one after the other, and end with: so many ranks, with arguments."""
    done = started("-c", RANKS, json.dumps([program, *runs]))
    told = re.split(r"(?<=})\n", done.stdout)
    assert len(told) == len(runs) + 1, done.stderr
    return told[:-1]


@pytest.mark.process
def test_under_torchrun_uneven_splits_are_judged_as_any_twin(tmp_path):
    file = tmp_path / "o.json"
    ranks = ("-m", "torch.distributed.run", "--nproc-per-node", 2, "--standalone")
    run = ("-m", "verify", "run", written(tmp_path, ROWS % 7), "--json", file)
    done = started(*ranks, *run, "--twin", "distributed")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 cases found, 2 judged, 2 passed") == 1
    assert "twin distributed.stable_form" in file.read_text()


@pytest.mark.process
def test_ranks_without_rows_and_one_rank_are_judged_as_any_twin(tmp_path):
    files = [tmp_path / "3.json", tmp_path / "1.json"]
    paths = [written(tmp_path, ROWS % rows, str(rows)) for rows in (2, 5)]
    asked = [[str(path), "--json", str(file)] for path, file in zip(paths, files, strict=True)]
    for told, file in zip(on_ranks(RIGHT, (3, asked[0]), (1, asked[1])), files, strict=True):
        assert told.endswith("exit codes {0}")
        assert told.count("2 cases found, 2 judged, 2 passed") == 1
        assert "twin distributed.stable_form" in file.read_text()


@pytest.mark.process
def test_every_rank_has_all_links_of_any_network():
    assert on_ranks(OF_NETWORKS, (3, [])) == ["exit codes {0}"]  # of which one has no row


@pytest.mark.process
def test_averaging_the_ranks_means_is_wrong_where_the_rows_do_not_divide(tmp_path):
    paths = [str(written(tmp_path, ROWS % rows, str(rows))) for rows in (7, 8)]
    uneven, even = on_ranks(AVERAGED, *((2, [path]) for path in paths))
    assert uneven.endswith("exit codes {1}")
    assert "first broken link   C" in uneven
    assert "twin distributed." in uneven
    assert even.endswith("exit codes {0}")


def test_outside_of_torchrun_it_says_how_to_start(tmp_path, monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UsageError, match="start it by `torchrun --nproc-per-node 2 -m verify run"):
        verify.run(written(tmp_path, ROWS % 3), twin="distributed")


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_a_twin_that_rounds_parts_of_a_sum_is_not_asked_in_16_bits(dtype):
    """Others are: what they sum accumulates in float32."""
    parts = [name for name in TWINS if twins.rounds_parts(name, dtype)]
    assert parts == ["vmap", "forward-ad", "distributed"]
    assert not any(twins.rounds_parts(name, "float32") for name in TWINS)
    problem = sixteen(drawn(3, N=60), dtype)
    ref = compare.reference(problem, 2.0**30)
    chain = TWINS["func"]["stable"](problem)
    assert all(f.holds for f in compare.against_truth("func", chain, ref, ref.bounds.stable))
