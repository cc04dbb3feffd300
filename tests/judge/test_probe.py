"""The kernels of this machine are measured before anybody is blamed."""

from __future__ import annotations

import flint
import numpy as np
import pytest

from verify.errors import EnvironmentUnfit
from verify.judge import probe
from verify.network.problem import DTYPES


def test_this_machine_is_fit_and_says_how_near_its_kernels_come():
    found = probe.fit()
    assert len(found) == 10
    assert all(0.4 < error <= 9 for error in found.values())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["numpy.exp", "numpy.log"])
def test_a_kernel_beyond_its_budget_is_named(name, dtype, monkeypatch):
    right = probe.NUMPY[name]
    u = {"float32": 2.0**-24, "float64": 2.0**-53}[dtype]

    def worse(x):
        return (right(x) * x.dtype.type(1 + 24 * u)) if x.dtype == dtype else right(x)

    monkeypatch.setattr(probe, "NUMPY", {**probe.NUMPY, name: worse})
    with pytest.raises(EnvironmentUnfit, match=f"{name} in {dtype} errs by"):
        probe.fit()


def test_the_precision_of_the_caller_is_left_alone(monkeypatch):
    monkeypatch.setattr(flint.ctx, "prec", 71)
    probe._exactly.__wrapped__("exp", "float64")
    assert flint.ctx.prec == 71


def test_a_kernel_that_gives_nan_is_unfit(monkeypatch):
    monkeypatch.setattr(probe, "NUMPY", {"numpy.exp": lambda x: x * np.nan})
    with pytest.raises(EnvironmentUnfit, match=r"numpy\.exp in float32"):
        probe.fit()


@pytest.mark.parametrize("function", ["exp", "log", "sigmoid"])
def test_the_arguments_are_many_and_hold_the_known_worst(function):
    x = probe.arguments(function, "float32")
    assert len(x) >= 65_536
    assert set(np.float32(probe.WORST.get(function, ()))) <= set(x)
    assert np.isfinite(x).all()
