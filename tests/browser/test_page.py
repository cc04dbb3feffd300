"""The page in a real browser: it opens, filters, leads to a case by keyboard, and asks nobody."""

from __future__ import annotations

import shutil

import pytest

from tests.support.results import DOUBLED, FIGURES, GREEN, HOSTILE, MATRIX, STEPS
from verify.judge.result import Report
from verify.report.page import page

pytest.importorskip("playwright", reason="playwright is not installed: .[browser]")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium here")


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """The page of some cases, with what the console said and what was asked of anyone."""
    from dataclasses import replace

    single = replace(GREEN, case="dtype=float32", dtype="float32", path="a.toml")
    long = replace(GREEN, path="b.toml", steps=STEPS)
    hostile = replace(GREEN, path="c.toml", case=HOSTILE, figures=FIGURES[:1])
    report = Report((single, long, hostile, replace(DOUBLED, path="d.toml")), 4)
    (tmp_path / "r.html").write_text(page(report, "verify run", MATRIX), encoding="utf-8")
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    tab = context.new_page()
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("dialog", lambda dialog: (tab.said.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto((tmp_path / "r.html").as_uri())
    yield tab
    assert tab.said == []
    assert [url for url in tab.asked if not url.startswith("data:")] == [tab.url.split("#")[0]]
    context.close()


def shown(tab, selector=".cell[href]"):
    """The ids of the cases that can be seen."""
    return [
        e.get_attribute("href" if "cell" in selector else "id").strip("#")
        for e in tab.query_selector_all(selector)
        if e.is_visible()
    ]


def test_only_what_is_not_green_is_open_at_first(opened):
    assert shown(opened) == ["c0", "c1", "c2", "c3"]
    assert shown(opened, ".case") == ["c3"]


def test_a_click_opens_a_case_with_its_chain_and_its_curve(opened):
    opened.click('.cell[href="#c1"]')
    assert shown(opened, ".case") == ["c1", "c3"]
    assert opened.is_visible("#c1 svg")
    assert opened.locator("#c1 tr").count() == 9


def test_the_keyboard_reaches_a_case_reads_its_number_and_opens_it(opened):
    opened.focus("#text")
    for _ in range(20):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.hash") == "#c0":
            break
    told = opened.evaluate("getComputedStyle(document.activeElement, '::after').content")
    assert told == '"PASS dtype=float32: error/bound 0.25 at y"'
    opened.keyboard.press("Enter")
    assert "c0" in shown(opened, ".case")


def test_a_number_is_shown_while_the_pointer_is_over_a_cell(opened):
    cell = '.cell[href="#c0"]'
    content = f"getComputedStyle(document.querySelector('{cell}'), '::after').content"
    assert opened.evaluate(content) == "none"
    opened.hover(cell)
    assert "error/bound 0.25" in opened.evaluate(content)


def test_filters_leave_what_they_say(opened):
    opened.check("#t0")
    assert shown(opened) == ["c0"]
    assert shown(opened, ".case") == []
    opened.check("#t1")
    assert shown(opened) == ["c1", "c2", "c3"]
    opened.check("#v0")
    assert shown(opened) == ["c3"]
    assert opened.locator(".map tr").filter(visible=True).count() == 1


def test_words_of_an_id_leave_the_cases_that_have_them_all(opened):
    opened.fill("#text", "A.toml float32")
    assert shown(opened) == ["c0"]
    assert opened.locator(".map tr").filter(visible=True).count() == 1
    opened.fill("#text", "")
    assert len(shown(opened)) == 4


def test_hostile_text_does_nothing(opened):
    opened.click('.cell[href="#c2"]')
    assert opened.locator("img").count() == 0
    assert "<script>alert(1)</script>" in opened.inner_text("#c2 h3")


def test_nothing_is_wider_than_a_phone(opened):
    opened.click('.cell[href="#c1"]')
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"),
                                               ("dark", "rgb(22, 22, 22)")])  # fmt: skip
def test_it_is_light_or_dark_as_the_reader_has_it(opened, scheme, paper):
    opened.emulate_media(color_scheme=scheme)
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    ink = opened.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert ink == opened.evaluate("getComputedStyle(document.body).color")


def test_print_has_what_is_not_green_and_no_filters(opened):
    opened.emulate_media(media="print")
    assert not opened.is_visible("form")
    assert shown(opened, ".case") == ["c3"]
