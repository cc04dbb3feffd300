"""What is planted: the mistakes that the suite must see, a line each.

table        the faults by link
corners      faults that show only at some sizes or values
behaviour    faults of state, memory and order
backwards    faults of a backward pass in torch
arithmetic   the right formulas that a fault replaces
"""
