"""Who is asked: your own code, judged beside manual and twin.

    def gradient(X, W, P, h):              # (N, D), (D, K), (N, K), a scalar: NumPy arrays
        ...
        return dC_dW                       # or a mapping of any links: {"y": y, "dC_dW": dC_dW}

    def gradients(X, W1, b1, W2, P):       # of a network: by the names of its parameters
        ...
        return dC_dW1, dC_db1, dC_dW2      # in the order of the parameters, or a mapping

    verify run --candidate lab.py:gradient
    pytest --scenarios scenarios -n auto --candidate package.module:gradient
    verify run --candidate lab.py:MyFunction --candidate-arrays torch
    verify run --candidate "node lab.js"   # or ./lab: any program, in any language

The more links it gives, the nearer the report comes to the line that is wrong. With torch it is an
autograd.Function, or a function of tensors that returns the cost, or the result of one operation,
whose own backward is judged; likewise jax, where that is installed. Parameters that are named X, P,
h, G and as the network's are given by these names, in any order; others in the order X, parameters,
P, h. Of an embedding X is int64. With momentum or Adam it gives gradients, or its whole step too:
then it takes what is kept by name (vW1, mW1, t), and gives vW1_next, mW1_next and W1_next.

Any right algorithm passes: its numbers are held to the bound of the stable form, and where they
are beyond it to that of the post's form, then to the widest of the right forms. The resolution that
is printed is that of the bound that it kept, and a case in which that bound could not have told
-dC_dW from dC_dW is no evidence for it.

A program is any command that is no such name, and is started without a shell. It reads a case a
line from stdin, JSON with the arrays by their names, h, the network and the gradients that are
asked for, and writes a line to stdout, a JSON object of links by their names; `verify schema
request` and `verify schema answer` describe both. It must flush every line, and write anything else
to stderr. It stays for further cases; one that answers once and ends with 0 is started again. It is
asked once of every network that is judged: where it answers {"error": "why"}, or without a gradient
that is asked for, it is not of that network; anything else, a crash too, is judged. Its numbers are
read as float64, then rounded to the case's dtype. What only an array in memory could show is not
asked of it.

By name, it runs in a child process with a limit for each call, so that a crash or a hang is that
case's failure and nothing else's; a function that is given as one runs in this process, without a
limit. Besides the numbers are checked: shape, dtype, unchanged inputs, fresh memory, the same call
twice, other inputs, parameters and labels in the same arrays, and each array in other memory
layouts and read-only; of a cost that torch or jax differentiates an upstream gradient that is not
1, a second backward pass, and the gradients by X and P if it gives them. Two answers to one call
may differ by rounding; the report says by how much. Before it is judged the run proves itself:
kernels within their budgets, manual passes, planted faults fail.

    arguments     by which names, or in which order, it is called
    tensors       a function of torch tensors
    load          a name -> a function of NumPy arrays
    examine       the function, called in its process; what it did besides
    undisturbed   what it changes of the process, put back
    child         the process, with a limit of time
    messages      what the two processes say to each other
    exact         what a program computes in exact arithmetic
    follow        a program in exact arithmetic
    names         its names meanwhile, which lead to
    stand_ins     what stands in for NumPy's and math's functions
    program       any command that answers
    running       one process of it: its pipes, and how it ended
    json_lines    what it is asked and what it answers
    process       what a stranger's process is kept apart by, and ended
    candidate     Candidate: all of it, safe to call
"""
