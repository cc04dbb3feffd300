"""The functions by name, each with its right backward pass and the mistakes made in it."""

from __future__ import annotations

from collections.abc import Mapping

from verify.faults.cells import CELLS
from verify.faults.function import Function
from verify.faults.losses import LOSSES
from verify.faults.norms import NORMS
from verify.faults.softmaxes import SOFTMAXES
from verify.faults.windows import WINDOWS

FUNCTIONS: Mapping[str, Function] = {
    function.name: function for function in (*NORMS, *SOFTMAXES, *LOSSES, *CELLS, *WINDOWS)
}
