"""Before a stranger is judged: right passes here, and wrong fails."""

from __future__ import annotations

import flint
import numpy as np
import pytest

import verify
import verify.judge.selftest as module
from tests.support.texts import EXAMPLE, written
from verify.errors import EnvironmentUnfit, VerifyError
from verify.faults.arithmetic import with_formulas
from verify.faults.table import FAULTS, Fault
from verify.judge import selftest
from verify.network.problem import DTYPES
from verify.numbers.dtypes import SIXTEEN


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

    monkeypatch.setattr(module, "fit", unfit)
    called = []
    with pytest.raises(EnvironmentUnfit):
        verify.run(written(tmp_path, EXAMPLE), candidate=lambda *a: called.append(a))
    assert called == []


def test_this_machine_is_fit_and_says_how_near_its_kernels_come():
    found = selftest.fit()
    assert len(found) == 10
    assert all(0.4 < error <= 9 for error in found.values())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["numpy.exp", "numpy.log"])
def test_a_kernel_beyond_its_budget_is_named(name, dtype, monkeypatch):
    right = selftest.NUMPY[name]
    u = {"float32": 2.0**-24, "float64": 2.0**-53}[dtype]

    def worse(x):
        return (right(x) * x.dtype.type(1 + 24 * u)) if x.dtype == dtype else right(x)

    monkeypatch.setattr(selftest, "NUMPY", {**selftest.NUMPY, name: worse})
    with pytest.raises(EnvironmentUnfit, match=f"{name} in {dtype} errs by"):
        selftest.fit()


def test_the_precision_of_the_caller_is_left_alone(monkeypatch):
    monkeypatch.setattr(flint.ctx, "prec", 71)
    selftest._exactly.__wrapped__("exp", "float64")
    assert flint.ctx.prec == 71


def test_a_kernel_that_gives_nan_is_unfit(monkeypatch):
    monkeypatch.setattr(selftest, "NUMPY", {"numpy.exp": lambda x: x * np.nan})
    with pytest.raises(EnvironmentUnfit, match=r"numpy\.exp in float32"):
        selftest.fit()


@pytest.mark.parametrize("function", ["exp", "log", "sigmoid"])
def test_the_arguments_are_many_and_hold_the_known_worst(function):
    x = selftest.arguments(function, "float32")
    assert len(x) >= 65_536
    assert set(np.float32(selftest.WORST.get(function, ()))) <= set(x)
    assert np.isfinite(x).all()


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_of_16_bits_every_number_is_an_argument_and_proven_where_it_is_asked_for(dtype):
    assert len(selftest.arguments("log", dtype)) == {"bfloat16": 32639, "float16": 31743}[dtype]
    found = selftest.fit("cpu", [dtype])
    assert all(0.9 < error <= 1.001 for error in found.values())
    assert module.proven("cpu", [dtype]).endswith("manual passes, 7 planted faults fail")
