"""distributed: the rows over ranks, uneven ones too; and what averaging their means would do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import verify
from tests.support.texts import written
from verify.errors import UsageError
from verify.network import distributed

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
from verify.network import distributed, twin

right = twin.links


def of_own_rows(torch, form, X, W, P, N):
    ranks = torch.distributed.get_world_size()
    return right(torch, form, X, W, P, max(1, len(X)) * ranks)


twin.links = of_own_rows
cli.main()
"""


def torchrun(ranks: int, *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(ranks),
         "--standalone", *map(str, command), "--twin", "distributed"],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.parametrize(("ranks", "rows"), [(2, 7), (3, 2), (1, 5)])
def test_uneven_splits_and_ranks_without_rows_are_judged_as_any_twin(ranks, rows, tmp_path):
    path = written(tmp_path, ROWS % rows)
    done = torchrun(ranks, "-m", "verify", "run", path, "--json", tmp_path / "o.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 cases found, 2 judged, 2 passed") == 1
    assert "twin distributed.stable_form" in (tmp_path / "o.json").read_text()


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
    with pytest.raises(UsageError):
        distributed.started()
