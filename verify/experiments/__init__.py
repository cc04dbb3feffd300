"""What is measured: what the suite sees, what it costs, random problems by the million.

faults  kinds                 which file catches which fault; kinds of cases
planting                      faults planted in one problem, whatever its network
peers                         other checks on the same faults
functions  checks             what checks see of functions by hand; those checks
forwards                      the same functions in torch
bench                         ratios of cost
campaign  stacks  screening   random problems, a stack at a time
networks                      random networks, a problem at a time
outcome  violation  shrink    what a campaign found; its smallest violation
"""
