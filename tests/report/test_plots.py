"""Pictures show the figures that the results have, and are the same from run to run."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from matplotlib.figure import Figure as Canvas

from tests.support.results import TRAINED, figure, result
from verify.errors import UsageError
from verify.judge.result import Figure, Step
from verify.network.problem import LINKS
from verify.report import plots

STEPS = tuple(Step(t, 8.0 - t, 7.0 - t, 6.75 - t, 7.25 - t) for t in (1, 2, 3))
WALKED = result(figures=(figure("y", 0.5), figure("C", 0.25)), steps=STEPS, resolution=1e-9)


@pytest.fixture
def ax():
    return Canvas().subplots()


def erring(ulps: float):
    return result(figures=(Figure("manual.post_form", "y", (), 1.0, 1.0, 0.0, 1.0, 0.0, ulps),))


def test_the_loss_goes_through_what_C_was_before_and_after_each_step(ax):
    plots.draw_loss(ax, WALKED)
    (line,) = ax.lines
    assert [list(a) for a in line.get_data()] == [[0, 1, 2, 3], [7.0, 6.0, 5.0, 4.0]]
    (allowed,) = ax.collections
    corners = {tuple(c) for c in allowed.get_paths()[0].vertices}
    assert {(3, 3.75), (3, 4.25), (0, 7.0)} <= corners


def test_a_place_is_0_at_the_lowest_and_1_at_the_highest(ax):
    ends = (Step(1, 8.0, 6.0, 6.0, 7.0), Step(2, 8.0, 7.0, 6.0, 7.0), Step(3, 8.0, 7.5, 6.0, 7.0))
    plots.place(ax, result(steps=(*ends, Step(4, 1.0, 1.0, 1.0, 1.0))))
    assert [list(a) for a in ax.lines[0].get_data()] == [[1, 2, 3], [0, 1, 1.5]]


def test_each_subject_has_its_ratio_at_each_link_but_not_against_another(ax):
    other = Figure("manual.post_form against twin.post_form", "y", (), *[1.0] * 6)
    plots.by_link(ax, result(figures=(*WALKED.figures, other, figure("y_o", 0.0))))
    marks = {line.get_label(): [list(a) for a in line.get_data()] for line in ax.lines}
    assert marks["manual.post_form"] == [[0, 2], [0.5, 0.25]]
    assert not any("against" in name for name in marks)


@pytest.mark.parametrize(
    ("draw", "x", "y", "scales", "names"),
    [
        (partial(plots.draw_loss, result=WALKED), "step", "C", "linear linear",
         ["allowed", "C"]),
        (partial(plots.place, result=WALKED), "step", "place in the interval", "linear linear",
         None),
        (partial(plots.by_link, result=WALKED), "", "error / bound (0 is not shown)", "linear log",
         ["manual.post_form"]),
        (partial(plots.ulps, results=[WALKED]), "ulps, to the decade above", "links",
         "linear symlog", ["float32", "float64"]),
        (partial(plots.resolution, results=[WALKED]), "relative error of one entry of dC_dW",
         "% of cases notice it", "log linear", ["float32", "float64"]),
    ],
)  # fmt: skip
def test_axes_say_what_they_show(draw, x, y, scales, names, ax):
    draw(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == (x, y)
    assert f"{ax.get_xscale()} {ax.get_yscale()}" == scales
    legend = ax.get_legend()
    assert (legend and [text.get_text() for text in legend.get_texts()]) == names


def test_steps_are_whole_numbers_links_stand_in_order_and_the_limit_is_1(ax):
    plots.place(ax, WALKED)
    assert all(float(tick).is_integer() for tick in ax.get_xticks())
    assert (ax.patches[0].get_y(), ax.patches[0].get_height()) == (0, 1)
    links = Canvas().subplots()
    plots.by_link(links, WALKED)
    assert [text.get_text() for text in links.get_xticklabels()] == list(LINKS)
    assert links.get_xlim() == (-0.5, len(LINKS) - 0.5)
    assert [1, 1] in [list(line.get_ydata()) for line in links.lines]


def test_few_steps_have_dots_and_decades_their_names(ax):
    plots.draw_loss(ax, WALKED)
    assert ax.lines[0].get_marker() == "."
    many = Canvas().subplots()
    plots.draw_loss(many, result(steps=STEPS * 10))
    assert many.lines[0].get_marker() == ""
    decades = Canvas().subplots()
    plots.ulps(decades, [WALKED])
    assert [t.get_text() for t in decades.get_xticklabels()][:2] == ["$10^{-3}$", "$10^{0}$"]


@pytest.mark.parametrize(
    ("ulps", "decade"),
    [(0.0, -3), (1e-9, -3), (0.5, 0), (1.0, 0), (1.5, 1), (1e30, 20), (float("inf"), 20)],
)
def test_an_error_is_counted_in_its_decade_of_ulps(ulps, decade, ax):
    plots.ulps(ax, [erring(ulps), erring(float("nan"))])
    bars = {round(b.get_x() + b.get_width() / 2, 1): b.get_height() for b in ax.patches}
    assert {x for x, height in bars.items() if height} == {decade + 0.2}
    assert sum(bars.values()) == 1


def test_the_resolution_rises_to_all_cases(ax):
    seen = [result(resolution=r) for r in (1e-9, 1e-12, float("nan"), float("inf"))]
    plots.resolution(ax, seen)
    line = next(line for line in ax.lines if line.get_label() == "float64")
    assert [list(a) for a in line.get_data()] == [[1e-12, 1e-9], [50, 100]]


DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from functools import partial
from tests.support.results import TRAINED, TRAINED
from verify.report import plots
sys.stdout.write(plots.inline([partial(plots.draw_loss, result=TRAINED)], "n"))
"""


@pytest.mark.process
def test_the_same_results_are_the_same_bytes_in_every_process_and_name_no_date():
    here = plots.inline([partial(plots.draw_loss, result=TRAINED)], "n")
    command = [sys.executable, "-c", DRAW, str(Path(__file__).parents[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == here
    assert not re.search(r"20\d\d-|<metadata|<!--|<\?xml", here)
    assert here.startswith("<svg")
    assert ">allowed<" in here
    assert "currentColor" in here
    assert "#000000" not in here


def test_two_pictures_of_one_page_share_no_id():
    ids = [
        set(re.findall(r'clipPath id="(\w+)"|<path id="(\w+)"', plots.inline(
            [partial(plots.draw_loss, result=WALKED)], name)))
        for name in ("a", "b")
    ]  # fmt: skip
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
@pytest.mark.parametrize("case", [WALKED, result(figures=WALKED.figures)])
def test_a_walk_is_drawn_as_a_file(kind, start, case):
    drawn = plots.walked(case, kind)
    assert drawn.startswith(start)
    assert drawn == plots.walked(case, kind)


def test_without_matplotlib_there_is_a_sentence_that_says_how_to_get_it(monkeypatch):
    plots.require_matplotlib()
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install matplotlib"):
        plots.require_matplotlib()


def test_of_a_network_no_interval_is_drawn_because_none_is_known(tmp_path):
    steps = tuple(Step(t, 2.0 - t / 9, 1.9 - t / 9, math.nan, math.nan) for t in (1, 2, 3))
    of_network = replace(WALKED, steps=steps)
    assert len(plots.over_steps(of_network)) == 1
    assert len(plots.over_steps(WALKED)) == 2
    assert plots.over_steps(replace(of_network, steps=())) == []
    assert plots.walked(of_network, "svg").count(b"step</text>") == 1


def test_dtypes_of_16_bits_are_drawn_where_there_are_cases_of_them(ax):
    other = [replace(WALKED, dtype="float32"), replace(WALKED, dtype="bfloat16", resolution=0.03)]
    plots.resolution(ax, [WALKED, *other])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["float32", "float64", "bfloat16"]
    assert len({line.get_color() for line in ax.lines}) == 3
    counted = Canvas().subplots()
    plots.ulps(counted, [WALKED, *other])
    widths = {round(bar.get_width(), 6) for bar in counted.patches}
    assert widths == {round(0.8 / 3, 6)}
