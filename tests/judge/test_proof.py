"""Before a stranger is judged: right passes here, and wrong fails."""

from __future__ import annotations

import pytest

import verify
import verify.judge.proof as module
from tests.support.texts import EXAMPLE, written
from verify.errors import EnvironmentUnfit, VerifyError
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS, Fault


def test_the_suite_proves_itself_here():
    assert module.proven().endswith("manual passes, 7 planted faults fail")


def test_a_suite_that_sees_nothing_refuses_to_judge(monkeypatch):
    unseen = Fault("momentum", "dC_dW", "none at all", with_formulas())
    monkeypatch.setattr(module, "FAULTS", {**FAULTS, "momentum": unseen})
    with pytest.raises(VerifyError, match="momentum is not seen"):
        module.proven()


def test_a_suite_that_fails_what_is_right_refuses_to_judge(monkeypatch):
    monkeypatch.setattr(module, "_manual", lambda X, W, P, h: W * 0)
    with pytest.raises(VerifyError, match="does not judge rightly"):
        module.proven()


def test_an_unfit_machine_ends_the_run_before_the_candidate_is_called(tmp_path, monkeypatch):
    def unfit(device):
        raise EnvironmentUnfit("numpy.exp errs")

    monkeypatch.setattr(module.probe, "fit", unfit)
    called = []
    with pytest.raises(EnvironmentUnfit):
        verify.run(written(tmp_path, EXAMPLE), candidate=lambda *a: called.append(a))
    assert called == []
