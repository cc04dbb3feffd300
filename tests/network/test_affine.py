"""The product of a layer with its weights, or of their rows, and weight decay."""

from __future__ import annotations

import numpy as np
import pytest

from verify.network.affine import affine, decay, decaying
from verify.network.links import literal

_x, _W, _b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4) / 7, np.ones(4)


@pytest.mark.parametrize("decays", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_every_form_of_a_link_is_the_same_function(bias: bool, decays: bool) -> None:
    of = {"x": _x, "W": _W, "b": _b, "dC_dy": np.cos(np.arange(8.0)).reshape(2, 4), "h": 0.25}
    of |= {"decay": 0.5, "dC_dW": _x.T @ of["dC_dy"] + 0.5 * _W * decays}
    of |= {"dC_db": of["dC_dy"].sum(0)}
    table = affine(False, bias, decays)
    for link in ("y", "dC_dW", "W_next"):
        found = [form.formula(*(of[name] for name in form.of)) for form in table[link]]
        for other in found[1:]:
            np.testing.assert_allclose(other, found[0], rtol=1e-13)
    assert ("b_next" in table) is bias


def test_an_embedding_takes_rows_and_sends_their_gradients_back() -> None:
    index, g = np.array([[2], [0], [2]]), np.arange(12.0).reshape(3, 4)
    table = affine(True, False, False)
    (y,), (back,) = table["y"], table["dC_dW"]
    assert (y.formula(index, _W) == _W[[2, 0, 2]]).all()
    by_W = back.formula(*({"x": index, "dC_dy": g, "W": _W}[name] for name in back.of))
    assert (by_W == [g[1], 0 * g[0], g[0] + g[2]]).all()


def test_weight_decay_is_added_to_any_form_of_the_cost() -> None:
    (cost,) = literal(lambda y: y.sum())
    found = decaying(cost)(_b, 0.5, _W, _x)
    assert found == _b.sum() + decay(0.5, _W) + decay(0.5, _x)
    assert decay(0.5, np.array([2.0])) == 1
