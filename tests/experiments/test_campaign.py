"""campaign: random problems until one is beyond a bound, which is shrunk and written."""

from __future__ import annotations

import os
import signal
import threading

import pytest

import verify
from tests.support.processes import has_ended
from tests.support.programs import program
from verify.errors import CandidateError, UsageError, VerifyError
from verify.experiments import campaign, violation
from verify.experiments.outcome import Plan, sum_of
from verify.judge.asked import Asked
from verify.network import manual
from verify.scenario.collection import collect

HERE = Plan(cases=3000, shape=(4, 3, 2), truth_every=700)
LAB = """
import pathlib, subprocess
import numpy as np

def gradient(X, W, P, h):
    y = np.clip(X @ W, -30, 30)
    return X.T @ (-P / (1 + np.exp(y))) / len(X)

def exits(X, W, P, h):
    raise ArithmeticError("no")

def flat(X, W, P, h):
    return gradient(X, W, P, h).ravel()

def doubles_its_input(X, W, P, h):
    dC_dW = X.T @ (-P / (1 + np.exp(X @ W))) / len(X)
    X *= 2
    return dC_dW

def starts_a_process(X, W, P, h):
    with (pathlib.Path(__file__).parent / "pid").open("a") as file:
        print(subprocess.Popen(["sleep", "600"]).pid, file=file)
    return X.T @ (-P / (1 + np.exp(X @ W))) / len(X)

def single(X, W, P, h):
    E = np.exp(-np.abs(X @ W))
    s = np.where(X @ W >= 0, E, 1) / (1 + E)
    return X.T @ (-P * s) / len(X) if len(X) != 1 else X.T @ P * 0
"""


@pytest.fixture
def lab(tmp_path):
    path = tmp_path / "lab.py"
    path.write_text(LAB)
    return path


def judged(plan: Plan, numbers=range(3), asked: Asked | None = None):
    """In this process, where the manual module can be broken."""
    return campaign._judged(plan, 1, asked or Asked(), numbers)


@pytest.mark.process
def test_every_case_is_judged_and_some_against_the_truth():
    found = campaign.campaign(HERE, workers=2)
    assert (found.judged, found.unjudged, found.enclosed) == (3000, 0, 5)
    assert found.violations == ()
    assert found.exit_code == 0
    assert sum(found.resolution.values()) == 3000
    sides = {key.split(":")[0] for key in found.worst}
    assert {"manual against twin, stable form", "manual.post_form against the truth"} <= sides
    assert max(found.worst.values()) <= 1
    assert found.environment["verify"] == verify.__version__


@pytest.mark.process
def test_the_number_of_workers_changes_nothing():
    one, two = (campaign.campaign(HERE, workers=n) for n in (1, 2))
    assert one.model_copy(update={"seconds": 0.0}) == two.model_copy(update={"seconds": 0.0})


def test_shards_are_disjoint_and_together_the_whole():
    plan = HERE.model_copy(update={"shards": 2})
    parts = [campaign.campaign(plan, part) for part in (1, 2)]
    whole = campaign.campaign(HERE)
    total = sum_of(parts)
    assert (total.judged, total.enclosed) == (whole.judged, whole.enclosed)
    assert total.worst == whole.worst
    assert total.resolution == whole.resolution


@pytest.mark.parametrize("part", [0, 3])
def test_a_shard_that_is_none_is_refused(part):
    with pytest.raises(UsageError, match="shard"):
        campaign.campaign(HERE.model_copy(update={"shards": 2}), part)


def test_the_first_violation_ends_it(monkeypatch):
    right = manual.stable_form

    def wrong(problem):
        chain = right(problem)
        chain.dC_dW[[5, 900]] *= problem.dtype.type(1.5)
        return chain

    monkeypatch.setitem(manual.FORMS, "stable", wrong)
    found = judged(HERE)
    (violation,) = found.violations
    assert violation.case == 5
    assert violation.link in ("dC_dW", "W_next")
    assert violation.ratio > 1
    assert found.judged == 1024
    assert found.exit_code == 1


def test_the_truth_sees_what_manual_and_twin_share(monkeypatch):
    """One in 700 is enclosed: a fault of those alone, on both sides, is seen by nothing else."""
    from verify.experiments import screening

    chains = screening.screened

    def both_wrong(stack, device):
        seen = chains(stack, device)
        for chain in seen.chains.values():
            chain.W_next[:] += 1
        return seen

    monkeypatch.setattr(screening, "screened", both_wrong)
    (violation,) = judged(HERE).violations
    assert violation.case == 0
    assert violation.what.endswith("_form against the truth")
    assert violation.link == "W_next"


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("gradient", "candidate against manual"),
        ("exits", "candidate, exception"),
        ("flat", "candidate, shape"),
    ],
)
def test_a_wrong_candidate_is_a_violation(lab, name, what):
    plan = Plan(cases=2048, dtype="float64", shape=(4, 3, 2))
    (violation,) = judged(plan, range(2), Asked(f"{lab}:{name}")).violations
    assert violation.what == what


@pytest.mark.process
def test_a_program_is_a_candidate_of_a_campaign(tmp_path):
    plan = Plan(cases=1024, dtype="float64", shape=(2, 2, 1), truth_every=512)
    assert judged(plan, range(1), Asked(str(program(tmp_path)))).violations == ()
    (violation,) = judged(plan, range(1), Asked(str(program(tmp_path, 1.001)))).violations
    assert violation.what == "candidate, bound"


@pytest.mark.process
def test_a_candidate_that_breaks_a_promise_is_a_violation_where_the_truth_is_asked(lab):
    plan = Plan(cases=2048, dtype="float64", shape=(4, 3, 2), truth_every=100)
    (violation,) = judged(plan, range(1, 2), Asked(f"{lab}:doubles_its_input")).violations
    assert (violation.what, violation.case) == ("candidate, mutated", 1100)


@pytest.mark.process
def test_what_a_candidate_has_started_ends_with_the_campaign(lab):
    plan = Plan(cases=5, shape=(1, 1, 1))
    assert campaign.campaign(plan, asked=Asked(f"{lab}:starts_a_process")).judged == 5
    started = (lab.parent / "pid").read_text().split()
    assert all(has_ended(int(pid)) for pid in started)


def test_a_campaign_that_loses_cases_is_not_green():
    with pytest.raises(VerifyError, match="shard 1/1 lost 3000 cases"):
        campaign.campaign(HERE, progress=lambda tasks: tasks[1:])


@pytest.mark.process
def test_a_candidate_that_cannot_be_loaded_is_an_error_of_usage(tmp_path):
    with pytest.raises(CandidateError):
        campaign.campaign(Plan(cases=5), asked=Asked(str(tmp_path / "absent.py:f")))


def test_an_interrupted_campaign_tells_what_was_judged_and_is_no_shard():
    plan = Plan(cases=10**9, shape=(4, 3, 2))

    def progress(tasks):
        for i, task in enumerate(tasks):
            if i == 4:
                threading.Timer(0, os.kill, (os.getpid(), signal.SIGINT)).start()
                signal.pause()
            yield task

    with pytest.raises(campaign.CampaignInterrupted) as caught:
        campaign.campaign(plan, workers=1, progress=progress)
    found = caught.value.outcome.found
    assert found > 0
    assert str(caught.value) == f"{found} cases were judged"
    assert caught.value.outcome.parts == ()
    assert caught.value.signal == signal.SIGINT


@pytest.mark.process
def test_a_candidate_that_gives_no_gradient_is_a_violation(tmp_path):
    (tmp_path / "lab.py").write_text("def only_y(X, W, P, h):\n    return {'y': X @ W}\n")
    (violation,) = judged(HERE, range(1), Asked(f"{tmp_path / 'lab.py'}:only_y")).violations
    assert violation.what == "candidate, gradient"


@pytest.mark.process
def test_the_resolution_is_that_of_what_was_judged(tmp_path):
    (tmp_path / "lab.py").write_text(LAB.replace("-30, 30", "-3e9, 3e9"))
    plan = HERE.model_copy(update={"cases": 100, "dtype": "float64"})
    of_candidate = judged(plan, range(1), Asked(f"{tmp_path / 'lab.py'}:gradient")).resolution
    of_manual = judged(plan, range(1)).resolution
    assert sum(of_candidate.values()) == sum(of_manual.values()) == 100
    assert of_candidate != of_manual


NETWORKS = Plan(cases=40, network="drawn", truth_every=4)


def test_drawn_networks_are_judged_one_by_one_and_some_by_the_truth():
    found = judged(NETWORKS, range(1))
    assert found.violations == ()
    assert found.judged + found.unjudged == 40
    assert 0 < found.enclosed <= 10
    assert any(key.startswith("manual.stable_form against the truth: ") for key in found.worst)
    assert not any(character.isdigit() for key in found.worst for character in key)
    assert 0.3 < max(found.worst.values()) <= 1


def test_a_wrong_line_of_a_network_is_a_violation(monkeypatch):
    def wrong(problem):
        chain = manual.stable(problem)
        return chain | {g: 1.001 * chain[g] for g in problem.network.gradients}

    monkeypatch.setitem(manual.FORMS, "stable", wrong)
    found = judged(NETWORKS, range(1))
    assert len(found.violations) == 1
    assert found.found < 40


HIDDEN = """
title = "a hidden layer"
features = 3
classes = 2
batch_size = 4
inputs = { random = "normal" }
labels = { random = "soft" }
step_size = 0.25

[[layers]]
units = 5
weights = { random = "normal" }
bias = { random = "normal" }
activation = "tanh"

[[layers]]
weights = { random = "normal" }
"""
OF_HIDDEN = """
import numpy as np

def right(X, W1, b1, W2, P):
    y_o1 = np.tanh(X @ W1 + b1)
    dC_dy2 = -P / (1 + np.exp(y_o1 @ W2)) / len(X)
    dC_dy1 = dC_dy2 @ W2.T * (1 - y_o1**2)
    return X.T @ dC_dy1, dC_dy1.sum(0), y_o1.T @ dC_dy2

def averaged(X, W1, b1, W2, P):
    dC_dW1, dC_db1, dC_dW2 = right(X, W1, b1, W2, P)
    return dC_dW1, dC_db1 / len(X), dC_dW2
"""


@pytest.mark.process
def test_of_a_files_network_a_candidate_is_judged_and_its_violation_is_shrunk(tmp_path):
    file, lab = tmp_path / "hidden.toml", tmp_path / "lab.py"
    file.write_text(HIDDEN)
    lab.write_text(OF_HIDDEN)
    plan = Plan(cases=8, network=str(file), truth_every=3, candidate=f"{lab}:right")
    assert campaign.campaign(plan).violations == ()
    wrong = plan.model_copy(update={"candidate": f"{lab}:averaged"})
    (found,) = campaign.campaign(wrong).violations
    assert (found.what, found.link) == ("candidate, formula", "dC_db1")
    with_file = violation.with_file(wrong, found, Asked(wrong.candidate), tmp_path)
    (case, *_) = collect(with_file.file)
    assert case.sizes.N == 2  # of one row the mean is the sum
    assert case.sizes.D == 1
    assert case.problem.parameters["W1"].shape == (1, 1)


def test_a_candidate_of_drawn_networks_is_refused():
    with pytest.raises(UsageError, match="a candidate is of one network: give its file"):
        campaign.campaign(NETWORKS.model_copy(update={"candidate": "lab.py:f"}))
