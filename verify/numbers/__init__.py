"""What it is computed on: the arithmetic that a bound allows for.

rounding   u, tiny, kernel budgets, gamma_n; a value with how far it may be off
"""
