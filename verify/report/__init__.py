"""How it is told: Results -> something to read."""
