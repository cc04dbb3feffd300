"""Planted faults that show only where sizes or values are what most problems' are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from verify.faults.arithmetic import RIGHT, Formula, sigma


def _g(v: Any) -> Any:
    return v.X.T @ v.dC_dy


def _rows(v: Any, count: int) -> Any:
    """The gradient of the first rows alone."""
    return v.X[:count].T @ v.dC_dy[:count]


def _where_right(v: Any, most: float) -> Any:
    """dC_dy of a y that is clipped to [-most, most]."""
    return -v.P * sigma(-np.clip(v.y, -most, most)) / v.N


def _blank(a: Any, first: int, axis: int) -> Any:
    """A copy with 0 from one row or column on."""
    kept = np.arange(a.shape[axis]) < first
    return a * (kept[:, None] if axis == 0 else kept)


VALUES: tuple[tuple[str, str, str, Mapping[str, Formula]], ...] = (
    ("zero-weights-skipped", "dC_dW", "no gradient while W is 0", {
        "dC_dW": lambda v: _g(v) * bool(v.W.any())}),
    ("empty-rows-not-counted", "C", "rows of zeros left out of N", {
        "N": lambda v: max(1, int(np.count_nonzero(v.X.any(1))))}),
    ("sparse-path", "dC_dW", "another mean for inputs that are mostly 0", {
        "dC_dW": lambda v: _g(v) * (
            1 if 10 * np.count_nonzero(v.X) > v.X.size else v.X.dtype.type(0.5))}),
    ("minus-zero", "y", "-0 taken for a negative number", {
        "X": lambda v: np.where(np.signbit(v.X) & (v.X == 0), v.X.dtype.type(-1), v.X)}),
    ("labels-flushed", "C", "labels below 1e-5 taken for 0", {
        "P": lambda v: np.where(v.P < 1e-5, 0, v.P).astype(v.P.dtype)}),
    ("labels-capped", "C", "labels above 100 taken for 100", {
        "P": lambda v: np.minimum(v.P, v.P.dtype.type(100))}),
    ("inputs-flushed", "y", "inputs below 1e-12 taken for 0", {
        "X": lambda v: np.where(np.abs(v.X) < 1e-12, 0, v.X).astype(v.X.dtype)}),
    ("inputs-limited", "y", "inputs clipped to [-1e8, 1e8]", {
        "X": lambda v: np.clip(v.X, v.X.dtype.type(-1e8), v.X.dtype.type(1e8))}),
    ("gradient-flushed", "dC_dW", "entries below 1e-12 taken for 0", {
        "dC_dW": lambda v: np.where(np.abs(_g(v)) < 1e-12, 0, _g(v)).astype(v.X.dtype)}),
    ("gradient-limited", "dC_dW", "clipped to [-1e8, 1e8]", {
        "dC_dW": lambda v: np.clip(_g(v), v.X.dtype.type(-1e8), v.X.dtype.type(1e8))}),
    ("right-side-sign", "dC_dy", "the sign wrong where y_o rounds to 1", {
        "dC_dy": lambda v: RIGHT["dC_dy"](v) * np.where(
            v.y > (17 if v.y.dtype == np.float32 else 37), -1, 1).astype(v.y.dtype)}),
    ("pre-activation-clipped-at-88", "dC_dy", "y clipped to [-88, 88] on the way back", {
        "dC_dy": lambda v: _where_right(v, 88)}),
    ("pre-activation-clipped-at-500", "dC_dy", "y clipped to [-500, 500] on the way back", {
        "dC_dy": lambda v: _where_right(v, 500)}),
    ("error-saturated-at-64", "dC_dy", "zero where y > 64", {
        "dC_dy": lambda v: np.where(v.y > 64, 0, RIGHT["dC_dy"](v)).astype(v.y.dtype)}),
    ("softplus-threshold", "C", "softplus taken for linear above 20", {
        "C": lambda v: np.sum(v.P * np.where(
            v.y < -20, -v.y, np.logaddexp(0, -v.y)).astype(v.y.dtype)) / v.N}),
    ("slope-of-softplus-threshold", "dC_dy", "1 - y_o taken for 1 below y = -20", {
        "dC_dy": lambda v: np.where(v.y < -20, -v.P / v.N, RIGHT["dC_dy"](v)).astype(v.y.dtype)}),
    ("cost-capped", "C", "-log y_o of at most 1000", {
        "C": lambda v: np.sum(v.P * np.minimum(np.logaddexp(0, -v.y), 1000).astype(v.y.dtype))
        / v.N}),
)  # fmt: skip

SIZES: tuple[tuple[str, str, str, Mapping[str, Formula]], ...] = (
    ("rows-counted-in-half-precision", "C", "N as a float16, which ends at 2,048 by ones", {
        "N": lambda v: float(np.float16(v.N))}),
    ("rows-counted-in-16-bits", "C", "N modulo 65,536", {"N": lambda v: v.N % 2**16 or 1}),
    ("rows-after-blocks-of-2048", "dC_dW", "rows after the last whole block of 2,048 lost", {
        "dC_dW": lambda v: _rows(v, v.N // 2048 * 2048 or v.N)}),
    ("rows-after-blocks-of-5000", "dC_dW", "rows after the last whole chunk of 5,000 lost", {
        "dC_dW": lambda v: _rows(v, v.N // 5000 * 5000 or v.N)}),
    ("rows-beyond-65535", "dC_dW", "rows beyond a grid's limit of 65,535 lost", {
        "dC_dW": lambda v: _rows(v, 65535)}),
    ("features-unrolled", "y", "the last feature lost where eight at a time leave seven", {
        "y": lambda v: v.X[:, :-1] @ v.W[:-1] if v.D > 8 and v.D % 8 == 7 else v.X @ v.W}),
    ("features-after-blocks-of-16", "dC_dW", "features after the last whole block of 16 lost", {
        "dC_dW": lambda v: _blank(_g(v), v.D // 16 * 16 or v.D, 0)}),
    ("features-beyond-1024", "dC_dW", "features beyond a block's limit of 1,024 lost", {
        "dC_dW": lambda v: _blank(_g(v), 1024, 0)}),
    ("features-power-of-two", "dC_dW", "a reduction that doubles where D is a power of two", {
        "dC_dW": lambda v: _g(v) * (2 if v.D >= 16 and v.D & (v.D - 1) == 0 else 1)}),
    ("features-many-more-than-rows", "dC_dW", "another way, wrong, where D > 50 N", {
        "dC_dW": lambda v: _g(v) * (v.X.dtype.type(0.5) if v.D > 50 * v.N else 1)}),
    ("classes-eight", "dC_dy", "a path for exactly eight classes, doubled", {
        "dC_dy": lambda v: RIGHT["dC_dy"](v) * (2 if v.K == 8 else 1)}),
    ("classes-after-blocks-of-8", "dC_dy", "classes after the last whole block of eight lost", {
        "dC_dy": lambda v: _blank(RIGHT["dC_dy"](v), v.K // 8 * 8 if 10 < v.K < 64 else v.K, 1)}),
    ("classes-beyond-128", "dC_dy", "classes beyond a limit of 128 lost", {
        "dC_dy": lambda v: _blank(RIGHT["dC_dy"](v), 128, 1)}),
)  # fmt: skip
