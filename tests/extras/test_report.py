"""The page of `samcli report` in a browser, as a reader opens it: drawn, readable, and without a network."""

import json
import math
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from run_folders import SAM, SGD, Results

from samcli.report import compare, render
from samcli.report.cells import VERDICT, cells
from samcli.report.page import page as make

pytest.importorskip("playwright", reason="playwright is not installed; make test-extras installs it")
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "</script><b>x %{x} &amp; \u05d0\u05d1"
pytestmark = pytest.mark.filterwarnings("ignore")  # of the driver, which are no business of ours


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Two data sets, three radii, a long name and a hostile one."""
    made = Results(tmp_path_factory.mktemp("browser") / "results")
    for seed in range(6):
        for noise in (0.0, 0.4):
            made.add(SGD, seed, (0.5, 0.7, 0.72 + 0.01 * seed), sharpness=0.08, dataset={"label_noise": noise})
            for rho in (0.05, 0.1, 0.5):
                values = (0.4, 0.7, 0.8 + rho / 10 + 0.01 * math.sin(seed))
                made.add(
                    {**SAM, "rho": rho}, seed, values, gradients=200, sharpness=0.02, dataset={"label_noise": noise}
                )
        made.add({**SAM, "name": HOSTILE, "note": "long " * 60}, seed, (0.3, 0.6, 0.7), sharpness=0.03)
    return made


@pytest.fixture(scope="module")
def file(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(make(results.runs(), compare(results.runs())), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        path = CHROMIUM or driver.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("there is no Chromium; name one in CHROMIUM, or: playwright install chromium")
        opened = driver.chromium.launch(executable_path=path)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Page]:
    yield from visit(browser, file)


def visit(browser: Browser, file: Path, **how: Any) -> Iterator[Page]:
    """A page that is open; whatever it says on the console, or asks of a network, fails the test."""
    page = browser.new_page(viewport=how.pop("viewport", {"width": 1280, "height": 900}), **how)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: faults.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
    )
    page.goto(file.as_uri())
    yield page
    page.close()
    assert faults == []


def draw_all(page: Page) -> int:
    """Scroll to every plot, as a reader does; how many there are."""
    canvases = page.locator(".canvas")
    for number in range(canvases.count()):
        canvases.nth(number).scroll_into_view_if_needed()
        canvases.nth(number).locator(".main-svg").first.wait_for()
    return canvases.count()


def test_every_plot_is_drawn(opened: Page) -> None:
    assert draw_all(opened) == 2 + 2 + 2 + 2 + 1  # curves, cost, sharpness, along rho; along the noise
    drawn = opened.evaluate(
        "[...document.querySelectorAll('.canvas')].map(one => one.querySelectorAll('.scatterlayer .trace').length)"
    )
    assert all(drawn)
    titles = opened.locator(".canvas .xtitle").all_text_contents()
    assert "epoch" in titles[0]


def test_the_figures_are_those_of_compare(opened: Page, results: Results) -> None:
    comparison = compare(results.runs())
    embedded = opened.evaluate("JSON.parse(document.getElementById('comparison').textContent)")
    assert embedded == json.loads(render(comparison, "json"))
    shown = opened.locator("#table tbody tr").all_inner_texts()
    assert len(shown) == len(comparison.rows)
    for row, text in zip(comparison.rows, shown, strict=True):
        figures = {column: cell for column, cell in cells(row).items() if column.is_number or column is VERDICT}
        assert figures
        for word in " ".join(figures.values()).split():
            assert word in text


def test_the_numbers_of_a_plot(opened: Page, results: Results) -> None:
    """The table below a plot has them, and follows the choice of what it goes over."""
    box = opened.locator("[data-section=curves]")
    details = box.locator(".numbers").first
    details.locator("summary").click()
    first = details.locator("tbody tr").first
    assert "\t".join(first.locator("th, td").all_inner_texts()).split("\t")[1:] == ["1", "30", "0", "6"]
    box.get_by_role("button", name="gradient evaluations").click()
    assert first.locator("td").first.inner_text() == "100"
    assert box.locator(".xtitle").first.text_content() == "gradient evaluations"


def test_hover_tells_which_run_it_is(opened: Page) -> None:
    canvas = opened.locator("[data-section=curves] .canvas").first
    canvas.scroll_into_view_if_needed()
    point = canvas.locator(".scatterlayer .point").first.bounding_box()
    assert point
    opened.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    label = canvas.locator(".hoverlayer .hovertext")
    label.wait_for()
    told = label.first.text_content() or ""
    assert "test accuracy in %" in told
    assert "n = 6" in told
    assert "%{" not in told.replace("%{x}", "")


def test_the_legend_hides_a_line(opened: Page) -> None:
    box = opened.locator("[data-section=curves]")
    lines = box.locator(".canvas").first.locator(".scatterlayer .js-line")
    draw_all(opened)
    before = lines.count()
    button = box.get_by_role("button", name="sgd", exact=True)
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert box.locator("[aria-pressed=false]", has_text="sgd").count() == 1
    assert lines.count() < before
    box.get_by_role("button", name="All").click()
    assert lines.count() == before


def test_names_are_text(opened: Page) -> None:
    legend = opened.locator("[data-section=curves] .legend button bdi").all_text_contents()
    assert any(name.startswith(HOSTILE) for name in legend)
    assert opened.locator("main b").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser: Browser, file: Path, scheme: str) -> None:
    for page in visit(browser, file, color_scheme=scheme):
        colours = "[getComputedStyle(document.body).backgroundColor, document.querySelector('.xtick text').style.fill]"
        draw_all(page)
        asked = [brightness(colour) for colour in page.evaluate(colours)]
        assert (asked[0] > 0.5 > asked[1]) == (scheme == "light")
        page.locator("#theme").click()
        turned = [brightness(colour) for colour in page.evaluate(colours)]
        assert (turned[0] > 0.5 > turned[1]) == (scheme == "dark")


def brightness(colour: str) -> float:
    """From black, 0, to white, 1."""
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / (3 * 255)


def test_by_keyboard(opened: Page) -> None:
    """Every link, button, fold and table that scrolls is reached by TAB, shows that it is, and answers to a key."""
    reached = set()
    for _ in range(400):
        opened.keyboard.press("Tab")
        outline, what = opened.evaluate(
            "(() => { const one = document.activeElement; return [getComputedStyle(one).outlineStyle, "
            "one === document.body ? '' : one.tagName + one.textContent.slice(0, 40)]; })()"
        )
        if not what:
            break
        assert outline != "none", what
        reached.add(what)
    names = " ".join(reached)
    for word in (
        "ATo the verdicts",
        "AComparison",
        "BUTTONDark",
        "BUTTONseconds",
        "BUTTONsgd",
        "SUMMARYNumbers",
        "DIV",
    ):
        assert word in names
    fold = opened.locator("#runs summary").first
    fold.focus()
    opened.keyboard.press("Enter")
    assert opened.locator("#runs details[open]").count() == 1


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_screen(browser: Browser, file: Path, width: int) -> None:
    for page in visit(browser, file, viewport={"width": width, "height": 800}):
        draw_all(page)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_table_shows_that_it_goes_on_to_the_right(browser: Browser, file: Path) -> None:
    """A mark at the edge until the last column is seen, and none on a table that fits; scrollbars may be hidden."""
    marked = "one => getComputedStyle(one.parentElement, '::after').content !== 'none'"
    for page in visit(browser, file, viewport={"width": 700, "height": 800}):
        table = page.locator("#table .scroll").first
        page.locator("#table .wide.more").first.wait_for()
        assert table.evaluate(marked)
        table.evaluate("one => { one.scrollLeft = one.scrollWidth; }")
        page.locator("#table .wide:not(.more)").first.wait_for()
        assert not table.evaluate(marked)
        page.set_viewport_size({"width": 1440, "height": 800})
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.wait_for_timeout(200)
        each = page.locator(".scroll").all()
        assert [one.evaluate(marked) for one in each] == [
            one.evaluate("one => one.scrollLeft + one.clientWidth < one.scrollWidth - 2") for one in each
        ]
        assert not all(one.evaluate(marked) for one in each)


def test_on_paper_every_plot_is_drawn_light(browser: Browser, file: Path, tmp_path: Path) -> None:
    for page in visit(browser, file, color_scheme="dark"):
        page.evaluate(
            "addEventListener('beforeprint', () => { window.printed = [...document.querySelectorAll('.canvas')]"
            ".map(one => [one.querySelectorAll('.main-svg').length, one.querySelector('.xtick text').style.fill]); })"
        )
        page.pdf(path=tmp_path / "report.pdf", format="A4")
        assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
        printed = page.evaluate("printed")
        assert len(printed) == 9
        assert all(drawn and brightness(fill) < 0.5 for drawn, fill in printed)


def test_a_watched_page_keeps_its_place(browser: Browser, results: Results, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(make(results.runs(), compare(results.runs()), reload=0.5), encoding="utf-8")
    for page in visit(browser, file):
        page.locator("#runs summary").first.click()
        page.evaluate("scrollTo(0, 700)")
        page.evaluate("window.before = true")
        page.wait_for_event("load")
        page.wait_for_timeout(200)
        assert page.evaluate("window.before") is None
        assert page.evaluate("scrollY") == 700
        assert page.locator("#runs details[open]").count() == 1
