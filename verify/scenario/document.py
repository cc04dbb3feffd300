"""The keys of a scenario file, their types and limits, and their JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic.json_schema import SkipJsonSchema

from verify.network.problem import DTYPES

Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Row: TypeAlias = Annotated[list[Number], Field(min_length=1)]
Matrix: TypeAlias = Annotated[list[Row], Field(min_length=1)]
Indices: TypeAlias = Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(min_length=1)]
Count: TypeAlias = Annotated[int, Field(ge=1, lt=2**63)]
Steps: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
Share: TypeAlias = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Dtype: TypeAlias = Literal["bfloat16", "float16", "float32", "float64"]
Device: TypeAlias = Literal["cpu", "cuda"]
Layout: TypeAlias = Literal["C", "F", "strided"]
Activation: TypeAlias = Literal[
    "identity", "sigmoid", "tanh", "relu", "leaky-relu", "softplus", "silu", "gelu", "gelu-tanh",
    "softmax", "log-softmax", "layer-norm", "batch-norm",
]  # fmt: skip
CostName: TypeAlias = Literal[
    "cross-entropy", "binary-cross-entropy", "squared-error", "half-squared-error",
    "negative-log-likelihood", "hinge", "multi-class-hinge",
]  # fmt: skip
Reduction: TypeAlias = Literal["rows", "sum", "mean"]
UpdateName: TypeAlias = Literal["gradient-descent", "momentum", "adam"]
LONGEST = 200  # characters of a title or a source
Text: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Printed: TypeAlias = Annotated[
    str, Field(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$")
]
"""A figure as a program prints it; it stands for half a unit of its last digit to either side."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class RandomValues(_Strict):
    """Draws from the frozen stream: multiples of 1/64, times `scale`, rounded to 8 bits."""

    random: Literal["normal", "uniform", "integers"]
    scale: Positive = 1.0


class RandomLabels(_Strict):
    """Labels from the frozen stream: one class a row, shares of 1, several classes, or 1/K each.

    Of squared errors, which take any labels, also normal ones; of hinge -1 or 1 each.
    """

    random: Literal["classes", "soft", "multi-hot", "uniform", "normal", "signs"]


class TableColumns(_Strict):
    """Columns of a CSV file under the scenario's folder."""

    file: str
    columns: Annotated[list[str], Field(min_length=1)]


class TableColumn(_Strict):
    """One column of a CSV file: its sorted distinct values are the classes 0, 1, ..."""

    file: str
    column: str


class ArrayFile(_Strict):
    """A .npy file under the scenario's folder: X, W, b, P or G, or a class per row."""

    file: Annotated[str, Field(pattern=r"\.npy$")]


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        if str(value.get("file", "")).endswith(".npy"):
            return "#npy"
        return "#file" if "file" in value else "#random"
    if isinstance(value, list) and value and not isinstance(value[0], list):
        return "#indices"
    return "#matrix"


def _kind_of_values(value: Any) -> str:
    return _kind(value).replace("indices", "matrix")


def _kind_of_state(value: Any) -> str:
    return "#count" if isinstance(value, int) else _kind(value).replace("indices", "row")


def _kind_of_weights(value: Any) -> str:
    """Weights are in no table: a table of theirs with a file is one of an array."""
    return _kind_of_values(value).replace("file", "npy")


Inputs: TypeAlias = Annotated[
    Annotated[Matrix, Tag("#matrix")]
    | Annotated[RandomValues, Tag("#random")]
    | Annotated[TableColumns, Tag("#file")]
    | Annotated[ArrayFile, Tag("#npy")],
    Discriminator(_kind_of_values),
]
Weights: TypeAlias = Annotated[
    Annotated[Matrix, Tag("#matrix")]
    | Annotated[RandomValues, Tag("#random")]
    | Annotated[ArrayFile, Tag("#npy")],
    Discriminator(_kind_of_weights),
]
Bias: TypeAlias = Annotated[
    Annotated[Row, Tag("#matrix")]
    | Annotated[RandomValues, Tag("#random")]
    | Annotated[ArrayFile, Tag("#npy")],
    Discriminator(_kind_of_weights),
]
Kept: TypeAlias = Annotated[
    Annotated[Matrix, Tag("#matrix")] | Annotated[Row, Tag("#row")]
    | Annotated[Count, Tag("#count")],
    Discriminator(_kind_of_state),
]  # fmt: skip
Labels: TypeAlias = Annotated[
    Annotated[Matrix, Tag("#matrix")]
    | Annotated[Indices, Tag("#indices")]
    | Annotated[RandomLabels, Tag("#random")]
    | Annotated[TableColumn, Tag("#file")]
    | Annotated[ArrayFile, Tag("#npy")],
    Discriminator(_kind),
]


class LayerKeys(_Strict):
    """One layer: y = x W + b and activation(y), or, without weights, activation(x).

    Of an embedding y = W[X] + b, with the rows that a row of X names side by side.
    """

    units: Count | None = Field(None, description="how many, where no weights or bias say")
    embedding: Count | None = Field(None, description="V, rows of W, of which X holds numbers")
    weights: Weights | None = Field(None, description="W, a row of numbers for each input")
    bias: Bias | None = Field(None, description="b, a number for each unit; none if absent")
    activation: Activation | None = Field(None, description="sigmoid if absent")
    gamma: Bias | None = Field(None, description="of a norm, with beta: y_o = gamma x + beta")
    beta: Bias | None = Field(None, description="of a norm, with gamma; neither if absent")
    epsilon: Positive | None = Field(None, description="of a norm, added to the variance; 1e-5")


class Vary(_Strict):
    """Parameters that take several values; crossed, one case per combination."""

    features: list[Count] | None = None
    classes: list[Count] | None = None
    batch_size: list[Count] | None = None
    step_size: list[Positive] | None = None
    steps: list[Steps] | None = None
    seed: list[Seed] | None = None
    dtype: list[Dtype] | None = None
    device: list[Device] | None = None
    layout: list[Layout] | None = None


class Expect(_Strict):
    """What must be seen. There is no tolerance, skip or expected failure."""

    loss: Literal["falls", "rises", "any"] = Field("falls", description="over all steps")
    loss_before: Printed | None = Field(None, description='a printed figure of C, as "7.87"')
    loss_after: Printed | None = Field(None, description="the same after all steps")
    post_form: Literal["agrees", "nonfinite", "blind"] | SkipJsonSchema[None] = Field(
        "agrees",
        description="nonfinite: exp(-y) overflows in the post's formulas; blind: 1 - y_o has lost"
        " its digits, so that they could notice nothing",
    )


class Document(_Strict):
    """A scenario: a problem, what varies, and what is expected."""

    model_config = ConfigDict(
        title="verify scenario",
        json_schema_extra={
            "required": ["title", "inputs"],
            "oneOf": [{"required": ["labels"]}, {"required": ["upstream"]}],
            "anyOf": [
                {"required": ["weights"]},
                {"required": ["layers"]},
                {"required": ["upstream", "activation"]},
            ],
        },
    )

    title: Text | None = Field(None, description="the fact that this scenario shows")
    source: Text | None = Field(None, description="where the numbers are from")
    inputs: Inputs | None = Field(None, description="X, N rows of D numbers")
    weights: Weights | None = Field(None, description="W, D rows of K numbers")
    bias: Bias | None = Field(None, description="b, K numbers; none if absent")
    activation: Activation | None = Field(None, description="of y = X W + b; sigmoid if absent")
    gamma: Bias | None = Field(None, description="of a norm, with beta: y_o = gamma x + beta")
    beta: Bias | None = Field(None, description="of a norm, with gamma; neither if absent")
    epsilon: Positive | None = Field(None, description="of a norm, added to the variance; 1e-5")
    layers: Annotated[list[LayerKeys], Field(min_length=1)] | None = Field(
        None,
        description="a table a layer, from the input on, instead of weights, bias and activation",
    )
    labels: Labels | None = Field(
        None, description="a class per row, or P, N rows of K numbers >= 0; any for squared errors"
    )
    cost: CostName | None = Field(None, description="C; cross-entropy if absent")
    reduction: Reduction | None = Field(
        None, description="C is divided by N (rows), by 1 (sum) or by N K (mean); rows if absent"
    )
    weight_decay: Positive | None = Field(
        None, description="lambda of (lambda / 2) sum W^2 of all weights, added to C; 0 if absent"
    )
    update: UpdateName | None = Field(None, description="of a step; gradient-descent if absent")
    momentum: Share | None = Field(None, description="of the velocity before, kept; 0.9 if absent")
    beta1: Share | None = Field(None, description="of Adam's mean of gradients; 0.9 if absent")
    beta2: Share | None = Field(None, description="of that of their squares; 0.999 if absent")
    eps: Positive | None = Field(None, description="added to Adam's root; 1e-8 if absent")
    state: dict[str, Kept] | None = Field(None, description="kept so far: vW1, ..., 0 if absent; t")
    upstream: Weights | None = Field(
        None,
        description="G, of the output's shape, instead of labels, cost and steps: C = sum G y_o",
    )
    step_size: Positive | None = Field(None, description="h")
    steps: Steps | None = Field(None, description="gradient steps; 1 if absent")
    features: Count | None = Field(None, description="D, for random inputs")
    classes: Count | None = Field(None, description="K, where labels and weights do not say")
    batch_size: Count | None = Field(
        None, description="N for random inputs; else rows a step, taken in turn"
    )
    seed: Seed | None = Field(None, description="of the draws, or of the order of a table's rows")
    dtype: Dtype | None = Field(None, description="float32 and float64 if absent")
    device: Device | None = Field(None, description="cpu if absent")
    layout: Layout | None = Field(None, description="memory layout of X; C if absent")
    vary: Vary | None = None
    expect: Expect | None = None


DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "features": (None,),
    "classes": (None,),
    "batch_size": (None,),
    "step_size": (),
    "steps": (1,),
    "seed": (0,),
    "dtype": DTYPES,
    "device": ("cpu",),
    "layout": ("C",),
}
