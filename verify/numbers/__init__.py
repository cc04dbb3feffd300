"""What it is computed on: the arithmetic that a bound allows for."""
