"""What is measured: what the suite sees, what it costs, random problems by the million."""
