"""A program that is a candidate, in a language that is there for sure."""

from __future__ import annotations

import sys
from pathlib import Path

_TEXT = """#!{python} -S
import json, math, sys

def product(A, B):
    return [[sum(a * b for a, b in zip(row, column)) for column in zip(*B)] for row in A]

for line in sys.stdin:
    case = json.loads(line)
    if "W" not in case:
        print('{{"error": "more layers than one"}}', flush=True)
        continue
    X, W, P = case["X"], case["W"], case["P"]
    pairs = [zip(*rows) for rows in zip(P, product(X, W))]
    dC_dy = [[-p / (1 + math.exp(min(y, 700))) / len(X) for p, y in row] for row in pairs]
    dC_dW = product(list(zip(*X)), dC_dy)
    print(json.dumps({{"dC_dW": [[{factor} * g for g in row] for row in dC_dW]}}), flush=True)
"""


def program(folder: Path, factor: float = 1) -> Path:
    """An executable file that gives the post's gradient, times a factor; it refuses others."""
    path = folder / f"times-{factor:g}"
    path.write_text(_TEXT.format(python=sys.executable, factor=factor))
    path.chmod(0o755)
    return path
