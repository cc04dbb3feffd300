"""How it is judged: Cases -> Results.

result                       Verdict, Figure, Finding, Result, Report; the exit code
asked                        the options of a run
runner                       paths -> cases -> Report: the one loop
judge                        Case -> Result
sides  compare               manual and twin; one link against a bound
lines                        which lines of a chain are wrong
steps  parts  rows           trainings; batches that come in parts; where their rows are
expect  pins  lock           what a file declares; what was locked
formulas                     a candidate's own code in exact arithmetic
trial  questions             a candidate on one case; what else it is asked
answers                      the numbers of one of its answers
patterns  likeness  causes   what an error looks like, is like, and comes from
selftest                     kernels within budget, planted faults caught
exactly                      a formula and its arithmetic, told apart
gradcheck                    any function in NumPy, and its derivative
check  function  derivative   a function held against it; its inputs; one derivative's floats
notebook                     tables of a notebook
"""
