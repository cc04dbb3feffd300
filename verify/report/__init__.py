"""How it is told: Results -> something to read.

apart             formulas beside floats, in a table
text              lines, blocks, a summary; JSON
page  plots       the page; its pictures
derivatives       a function's derivatives, each in a line
show  formulas    the walk on one case; its links in a line each
github            annotations, the summary of a step
read              reports read back
export  failure   cases for other languages; a failing case as a scenario
"""
