"""Which copy of this package runs, where there are two: an installed one, and a checkout."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def shadowed(folder: Path | None = None) -> str:
    """That a checkout in the working folder is not what runs; empty where it is, or is none."""
    checkout = (folder or Path.cwd()) / "verify"
    if not (checkout / "chain.py").is_file() or checkout.resolve() == _HERE:
        return ""
    return (
        f"note: this is the verify of {_HERE}, not of ./verify: what you change here is not what"
        " runs; `pip install -e .` installs the checkout itself"
    )
