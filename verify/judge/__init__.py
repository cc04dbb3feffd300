"""How it is judged: Cases -> Results."""
