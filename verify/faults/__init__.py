"""What is planted: the mistakes that the suite must see, a line each.

table        the faults by link, of the post's network
corners      faults that show only at some sizes or values
behaviour    faults of state, memory and order
backwards    faults of a backward pass in torch
arithmetic   the right formulas that a fault replaces
networks     the faults of any network, planted at every layer where they apply
outputs      those on the way forward
slopes       those of the errors of units on the way back
gradients    those of the gradients, of what is passed below, and of the update
updates      those of embeddings, of momentum and of Adam's steps
function     a function by hand in NumPy, and the mistakes in its backward pass
functions    all of them, by name
norms        those with norms, means and variances
softmaxes    those with a softmax or a sigmoid, and the costs upon them
losses       costs with kinks, masks and pairs of rows
cells        those with weights: products, gates, recurrent cells, attention
windows      those that pick, move and add up entries by where they are
where        words for where a fault can be made and be seen
"""
