"""What is computed: a network by hand, by torch and exactly, and how far each may err.

links             every formula, forward beside backward, in the forms that people use
norms             layer norm and batch norm: their formulas
affine            the product with the weights, and gradient descent
costs             the same for costs, and for the last activation with them
updates           the same for a step with momentum, or Adam's
step              one link: the forms that people compute it by, and what it is
layer             a layer: what it computes, its parameters
network           a network as a list of steps, on any kind of number
given             what a function of a problem is given, and in which order
problem           Problem, Chain, names and shapes of the links; layouts in memory
manual            the gradient by hand: the post, line by line; the stable form
kernels           the forward half of the table in torch
twin              the same by torch autograd; devices, precision
twins             other ways to differentiate, ranks among them
truth             the exact chain, as Arb balls
composed          the bound of every link of any network, from X on
local             the same from the links that are given before it
forward  bounds   the bounds of the post's network, up to dC_dy, and of all
descent           how far C must fall in a step
relations         exact powers of two
"""
