"""Scenario files for hypothesis: valid ones, which must be green, and ways to damage one."""

from __future__ import annotations

from hypothesis import strategies as st

SIZES = st.integers(1, 4)
# Of one sign, so that no gradient cancels; and y < 0, where a step is felt in C.
FIGURES = st.integers(16, 128).map(lambda n: n / 64)
WEIGHTS = FIGURES.map(lambda x: -x)


def matrix(rows: int, columns: int, figures: st.SearchStrategy = FIGURES):
    return st.lists(
        st.lists(figures, min_size=columns, max_size=columns), min_size=rows, max_size=rows
    ).map(str)


def labels(N: int, K: int):
    written = st.lists(st.integers(0, K - 1), min_size=N, max_size=N).map(str)
    kinds = st.sampled_from(["classes", "soft", "multi-hot", "uniform"])
    return st.one_of(written, matrix(N, K), kinds.map(lambda kind: f'{{ random = "{kind}" }}'))


def once(values: st.SearchStrategy, most: int):
    return st.lists(values, min_size=1, max_size=most, unique=True)


@st.composite
def valid(draw) -> str:
    """The text of a scenario that must be green: h is small enough that C falls measurably."""
    N, D, K = draw(SIZES), draw(SIZES), draw(SIZES)
    random_inputs = draw(st.booleans())
    lines = {
        "title": '"drawn by hypothesis"',
        "inputs": '{ random = "uniform", scale = 2 }' if random_inputs else draw(matrix(N, D)),
        "weights": draw(
            st.one_of(matrix(D, K, WEIGHTS), st.just('{ random = "normal", scale = 0.5 }'))
        ),
        "labels": draw(labels(N, K)),
        "classes": str(K),
        "features": str(D),
        "step_size": draw(st.sampled_from(["0.01", "0.0625", "1e-3", "5e-2"])),
    }
    if random_inputs:
        lines["batch_size"] = str(N)
    vary = {
        "dtype": draw(st.none() | once(st.sampled_from(['"float32"', '"float64"']), 2)),
        "layout": draw(st.none() | once(st.sampled_from(['"C"', '"F"', '"strided"']), 3)),
        "steps": draw(st.none() | once(st.integers(1, 5), 2)),
    }
    if random_inputs:
        vary["seed"] = draw(st.none() | once(st.integers(0, 2**63 - 1), 2))
    order = draw(st.permutations(sorted(lines)))
    text = "".join(f"{name} = {lines[name]}\n" for name in order)
    varied = {name: values for name, values in vary.items() if values}
    if varied:
        text += "[vary]\n" + "".join(
            f"{name} = [{', '.join(map(str, values))}]\n" for name, values in varied.items()
        )
    return text + draw(st.sampled_from(["", '[expect]\nloss = "falls"\n', "# the end"]))


ENDS = ("softmax", "cross-entropy"), ("sigmoid", "binary-cross-entropy"), ("gelu", "upstream")


def entry(draw, name: str, rows: int, columns: int) -> str:
    """A line that gives a matrix: written or random."""
    drawn = st.just(f'{{ random = "{draw(st.sampled_from(["normal", "uniform"]))}" }}')
    return f"{name} = {draw(st.one_of(matrix(rows, columns), drawn))}\n"


@st.composite
def networks(draw) -> str:
    """The text of a scenario of any network: one layer at the top, or several."""
    N, *sizes = draw(st.lists(SIZES, min_size=3, max_size=5))
    activation, cost = draw(st.sampled_from(ENDS))
    top = entry(draw, "inputs", N, sizes[0]) + f"features = {sizes[0]}\nclasses = {sizes[-1]}\n"
    if "inputs = {" in top:
        top += f"batch_size = {N}\n"
    if cost == "upstream":
        top += entry(draw, "upstream", N, sizes[-1])
    else:
        top += f'labels = [{"0, " * N}]\nstep_size = 0.125\ncost = "{cost}"\n'
        top += draw(st.sampled_from(["", 'reduction = "mean"\n', "weight_decay = 0.5\n"]))
    tables = []
    for i in range(1, len(sizes)):
        table = entry(draw, "weights", sizes[i - 1], sizes[i])
        if draw(st.booleans()):
            table += f"bias = {draw(matrix(1, sizes[i]))[1:-1]}\n"
        last = i == len(sizes) - 1
        table += f'activation = "{activation if last else "tanh"}"\n'
        if len(sizes) > 2:
            table = f"[[layers]]\nunits = {sizes[i]}\n{table}"
            if draw(st.booleans()) and not last:
                table += '[[layers]]\nactivation = "relu"\n'
        tables.append(table)
    return 'title = "drawn by hypothesis"\n' + top + "".join(tables)


REQUIRED = ("title", "inputs", "weights", "labels", "step_size")
WRONG = {
    "title": ["1", "''", '"\\u0007"', "true"],
    "inputs": ["[]", "[[]]", "1", "[[nan]]", "[[inf]]", "[[1e400]]", "[[true]]", '[["1"]]',
               "[[1, 2], [3]]", "[[[1]]]", "[1, 2]", "[[1e-400]]", '{ random = "norml" }',
               '{ file = "../x.csv", columns = ["a"] }', '{ file = "x.npz" }', "{}"],
    "weights": ["[]", "[[nan]]", "0.5", '{ file = "w.csv" }', "[[0.5], [0.5, 1]]", "[[1e400]]"],
    "labels": ["[]", "[-1]", "[0.5]", "[[-1.0]]", "[true]", "['0']", '{ random = "hot" }',
               "[99]", "[[0]]", "99", "[9223372036854775808]"],
    "step_size": ["0", "-1", "nan", "inf", '"0.1"', "1e400", "1e-400", "[0.1]", "true"],
}  # fmt: skip


@st.composite
def damaged(draw) -> str:
    """A valid text with one thing done to it that makes it another's or nobody's."""
    lines = draw(valid()).split("\n")
    name = draw(st.sampled_from(REQUIRED))
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{name} = "))
    damage = draw(
        st.sampled_from(["left out", "misspelt", "twice", "wrong", "cut", "unknown", "unclosed"])
    )
    if damage == "left out":
        del lines[at]
    elif damage == "misspelt":
        lines[at] = "x" + lines[at]
    elif damage == "twice":
        lines.insert(at, lines[at])
    elif damage == "wrong":
        lines[at] = f"{name} = {draw(st.sampled_from(WRONG[name]))}"
    elif damage == "cut":
        lines[at] = lines[at][: draw(st.integers(1, len(name) + 2))]
    elif damage == "unknown":
        unknown = draw(st.sampled_from(["rtol", "atol", "skip", "xfail", "format", "Title"]))
        lines.insert(at, f"{unknown} = 1")
    else:
        lines[at] += draw(st.sampled_from(["]", "[", "}", '"', " = 1", "\0", "\ufeff", " 1"]))
    return "\n".join(lines)
