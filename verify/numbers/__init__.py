"""What it is computed on: kinds of number that one formula, plain NumPy, runs on.

dtypes       dtypes by name; the nearest numbers of one
rounding     u, tiny, kernel budgets, gamma_n
number       the closed table of operations that every kind has
constant     real numbers by name; the precision of Arb
bounded      numbers with how far rounding may have moved them
rules        how each operation moves them, and rounds
sums         the same of sums, whose terms come in any order
moves        how the errors of inputs become those of a result
balls        exact values, enclosed
narrow       sums that accumulate in 16 bits, as none should
derivative   reverse mode over any kind
run          a program's run on shadows: what it is asked for, what it met
kinks        on which side of a kink a run is
comparisons   of such numbers
shadow       a number of a program: its exact value, and how far rounding may have moved it
elementary   functions of shadows
contracted   sums and products of arrays of shadows
ufuncs       NumPy's ufuncs, entry by entry
followed     arrays of shadows that behave like float arrays
linear       systems of linear equations in them
functions    NumPy's functions of them
tape         a run on shadows, differentiated
"""
