"""The twin: autograd's own intermediate gradients, at full precision, leaving torch as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.problems import drawn, made, sixteen, worked_example
from verify.errors import EnvironmentUnfit
from verify.judge import compare
from verify.network import manual, twin
from verify.network.problem import DTYPES, LINKS, laid_out
from verify.numbers.dtypes import SIXTEEN, nearest
from verify.threads import ENVIRONMENT


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", twin.FORMS)
def test_autograd_prints_the_posts_figures(form, dtype):
    problem = worked_example(dtype)
    chain = twin.FORMS[form](problem)
    after = twin.FORMS[form](problem.having(W=chain.W_next))
    assert (f"{chain.C:.2f}", f"{after.C:.2f}") == ("7.87", "7.63")


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("form", twin.FORMS)
def test_every_link_of_autograd_is_the_manual_one(form, link):
    problem = drawn(7)
    found, expected = twin.FORMS[form](problem), manual.FORMS[form](problem)
    np.testing.assert_allclose(getattr(found, link), getattr(expected, link), rtol=1e-12)


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_every_layout_of_X_is_taken(layout):
    problem = drawn(8)
    other = replace(problem, X=laid_out(problem.X, layout))
    np.testing.assert_allclose(
        twin.post_form(other).dC_dW, twin.post_form(problem).dC_dW, rtol=1e-12
    )


def test_both_forms_break_where_the_manual_ones_do():
    problem = made([[1]], [[-1000]], [[1]])
    assert np.isnan(twin.post_form(problem).dC_dW).all()
    assert twin.stable_form(problem).dC_dW == -1


def test_torch_is_left_as_it_was():
    matmul = torch.backends.cuda.matmul

    def settings():
        return (torch.get_num_threads(), torch.get_float32_matmul_precision(),
                matmul.allow_fp16_reduced_precision_reduction,
                matmul.allow_bf16_reduced_precision_reduction, torch.is_grad_enabled(),
                torch.get_default_dtype())  # fmt: skip

    torch.set_num_threads(2)
    matmul.allow_fp16_reduced_precision_reduction = True
    matmul.allow_bf16_reduced_precision_reduction = True
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.no_grad():
            before = settings()
            with twin.full_precision():
                inside = settings()
            assert settings() == before
            assert inside[:5] == (1, "highest", False, False, True)
    finally:
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("highest")


def test_torch_is_put_back_after_an_error(red):
    torch.set_float32_matmul_precision("high")
    try:

        def failing():
            with twin.full_precision():
                raise ArithmeticError("inside")

        red(failing, ArithmeticError, "inside")
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_an_absent_device_is_an_unfit_environment(red):
    assert not twin.available("cuda")
    red(lambda: twin.post_form(worked_example(), "cuda"), EnvironmentUnfit, "no cuda device")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_agrees_with_the_manual_module():
    problem = drawn(9)
    found = twin.stable_form(problem, "cuda")
    np.testing.assert_allclose(found.dC_dW, manual.stable_form(problem).dC_dW, rtol=1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("form", twin.FORMS)
def test_on_cuda_TF32_is_off_and_switched_on_it_is_beyond_the_bound(form, monkeypatch):
    ref = compare.reference(drawn(3, N=64, D=64, K=64, dtype="float32"), budget=2.0**30)

    def holds() -> bool:
        chain = twin.FORMS[form](ref.problem, "cuda")
        return all(f.holds for f in compare.against_truth("twin", chain, ref, ref.bounds[form]))

    assert holds()
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda _precision: None)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", True)
    assert not holds()


@pytest.mark.parametrize(("count", "fit"), [(1, False), (2, True)])
def test_a_device_by_its_number_is_there_where_so_many_are(count, fit, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert twin.available("cuda")
    assert twin.available("cuda:1") is fit


FRESH = """
from verify.network import twin
with twin.one_thread():
    print(twin.library().get_num_threads())
print(twin.library().get_num_threads())
"""


@pytest.mark.process
def test_torch_has_one_thread_inside_where_it_was_not_loaded_before():
    done = subprocess.run(
        [sys.executable, "-c", FRESH], capture_output=True, text=True, check=True,
        env={n: a for n, a in os.environ.items() if n not in ENVIRONMENT}
        | {"OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    assert done.stdout == "1\n2\n"


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_numbers_of_16_bits_go_to_torch_and_back_bit_for_bit(dtype):
    a = nearest(np.linspace(-3, 3, 12).reshape(4, 3), dtype)
    tensor = twin.shared(torch, a)
    assert str(tensor.dtype) == f"torch.{dtype}"
    assert np.array_equal(twin.array(tensor.mT).T, a)
    tensor[0, 0] = 7
    assert a[0, 0] == 7


@pytest.mark.parametrize("dtype", SIXTEEN)
@pytest.mark.parametrize("form", twin.FORMS)
def test_autograd_in_16_bits_is_within_the_bounds_of_the_truth(form, dtype):
    ref = compare.reference(sixteen(drawn(7, N=50, D=9), dtype), 2.0**30)
    chain = twin.FORMS[form](ref.problem)
    assert {str(np.asarray(link).dtype) for link in chain.values()} == {dtype}
    figures = compare.against_truth("twin", chain, ref, ref.bounds[form])
    assert {f.link for f in figures} == set(LINKS)
    assert all(f.holds for f in figures)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shapes", [((1, 6000), (6000, 1)), ((3, 6000), (6000, 2))])
def test_torch_accumulates_products_and_sums_of_16_bits_in_float32(shapes, dtype):
    """In 16 bits a sum of ones would stop at 256, or 2,048."""
    a, b = (torch.ones(shape, dtype=dtype) for shape in shapes)
    for found in (a @ b, (b.mT @ a.mT).mT, a.sum(1), b.sum(0), b.mT.contiguous().mT.sum(0)):
        assert ((found.float() - 6000).abs() <= 6000 * 2.0**-8).all()
