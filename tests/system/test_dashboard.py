"""The dashboard of a system that trades on paper, in a browser: what a person sees and does there."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from natya_browser import CHROMIUM, WAIT_MS, a_browser, watched_page
from natya_processes import await_that
from playwright.sync_api import expect

import natya
from natya.actors.control.http import stream
from natya.actors.control.http.token_file import read_token

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("engines"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]

WIDE, PHONE = (1_280, 900), (390, 844)


@pytest.fixture(scope="module")
def browser():
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("dashboard")
    overrides = {
        "system.data_dir": str(data_dir),
        "control.http": True,
        "feed.duration_s": 0.0,
        "feed.ticks_per_s": 200.0,
        "feed.symbols": ["TCS", "INFY"],
        "log.path": str(data_dir / "natya.log"),
        "strategies": [
            {"name": "cross", "strategy": "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"},
        ],
    }
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)):
        yield data_dir


@pytest.fixture
def opened(browser, system):
    """Open the page as `natya dashboard` does; what it complains of, or asks of anybody else, fails the test."""
    with natya.connect(data_dir=system) as client:
        url = client.show_http().url
    contexts, complaints, asked = [], [], []

    def opened(size=WIDE, **wishes):
        contexts.append(browser.new_context(viewport=dict(zip(("width", "height"), size, strict=True)), **wishes))
        page = watched_page(contexts[-1], complaints, asked)
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{url}/#token={read_token(system).reveal()}")
        expect(page.locator("#ready")).to_have_text("ready")
        expect(page.locator("#prices tr")).to_have_count(2)
        return page

    yield opened
    for each in contexts:
        each.close()
    foreign = [each for each in asked if not each.startswith(url)]
    assert (complaints, foreign) == ([], [])


@pytest.fixture
def page(opened):
    return opened()


def test_shows_prices_candles_figures_and_actors_that_go_on(page):
    prices = page.locator("#prices td.number")
    first = prices.all_text_contents()
    expect(page.locator("#candles canvas").first).to_be_attached()
    expect(page.locator("#equity canvas").first).to_be_attached()
    expect(page.locator("#prices svg.spark")).to_have_count(2)
    await_that(lambda: prices.all_text_contents() != first)
    actors = page.locator("#actors tr > :first-child").all_text_contents()

    assert {"journal", "orders", "cross"} <= {each.strip() for each in actors}
    expect(page.locator("#rate")).to_have_text(re.compile(r"^[1-9][\d,]*$"))


def test_says_what_becomes_of_its_orders(page):
    expect(page.locator("#mode")).to_have_text("paper")


def test_shows_how_the_profit_went_before_it_was_opened(page):
    expect(page.locator("#curve-told")).to_have_text(re.compile(r"^[^ ]?[\d,.]+ to [^ ]?[\d,.]+ since "))


def test_shows_the_life_of_one_order_and_of_no_other(page):
    page.locator("#orders button").first.click()
    life = page.get_by_role("dialog", name="The life of an order")
    expect(life.locator("#life-facts dl").first).to_be_visible()
    page.keyboard.press("Escape")

    expect(life).to_be_hidden()


def test_lists_the_orders_that_somebody_looks_for(page):
    words, rows = page.get_by_role("searchbox", name="Orders with these words"), page.locator("#orders tr")
    expect(page.locator("#orders button").first).to_be_visible()
    words.fill("tcs cross")
    assert all("TCS" in each for each in rows.all_text_contents())
    words.fill("no such order")
    assert rows.all_text_contents() == ["None of these is so."]
    words.fill("")

    expect(page.locator("#orders button").first).to_be_visible()


def test_greys_what_is_old_where_the_system_falls_silent(page, monkeypatch):
    monkeypatch.setattr(stream, "EVERY_S", 60.0)

    expect(page.locator("#ready")).to_have_text("not connected")
    expect(page.locator("#risk")).to_have_text("was NORMAL")
    expect(page.locator("body")).to_have_class("stale")
    expect(page.get_by_role("alert")).to_contain_text("What is shown is of")


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_moves_no_part_while_figures_and_rows_come_and_go(opened, size):
    page = opened(size)

    def tops():
        """How far below the window's top each part is."""
        return [round(each.bounding_box()["y"]) for each in page.locator(".card").all()]

    before, positions = tops(), page.locator("#positions")
    held = positions.text_content()
    await_that(lambda: positions.text_content() != held)
    page.evaluate("for (const id of ['banner', 'notice']) document.getElementById(id).hidden = false")
    for name in ("orders-open", "positions-open"):
        page.locator(f"#{name}").evaluate("(box) => box.click()")  # which scrolls to nothing

    assert tops() == before


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_moves_no_part_however_long_what_is_told_beside_a_heading_is(opened, size):
    page = opened(size)

    grown = page.evaluate(
        """() => {
            const titles = [...document.querySelectorAll(".title")];
            const before = titles.map((title) => title.offsetHeight);
            for (const told of document.querySelectorAll(".title .quiet")) told.textContent = "1,234 to ".repeat(30);
            const grown = titles.filter((title, place) => title.offsetHeight !== before[place]);
            return grown.map((title) => title.textContent);
        }"""
    )

    assert grown == []


def test_lets_a_click_and_the_focus_outlast_new_figures(page):
    button = page.locator("#prices tr:last-child button")
    button.focus()
    button.evaluate("(button) => { window.focused = button; }")
    place = button.bounding_box()
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.down()
    told = page.locator("#clock").text_content()
    expect(page.locator("#clock")).not_to_have_text(told)
    page.mouse.up()

    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.activeElement === window.focused")


def test_goes_on_at_the_table_where_the_control_in_focus_is_gone(page):
    page.locator("#orders button").first.focus()
    page.get_by_role("searchbox").evaluate(
        "(filter) => { filter.value = 'no such order'; filter.dispatchEvent(new Event('input')); }"
    )

    expect(page.get_by_role("group", name="Orders")).to_be_focused()


def test_forgets_the_token_in_its_address(page):
    assert page.evaluate("location.hash") == ""


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (WIDE, "light")], ids=["a phone, dark", "wide, light"])
def test_fits_a_screen_and_can_be_read_by_anybody(opened, size, scheme):
    """Nothing is wider than the screen, tables scroll by themselves; axe looks for what a reader or an eye lacks."""
    page = opened(size, color_scheme=scheme)
    expect(page.locator("#timings tr").nth(1)).to_be_attached()
    for width in (360, 768, size[0]):
        page.set_viewport_size({"width": width, "height": size[1]})
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
        cards = page.locator(".card").evaluate_all(
            "(cards) => cards.filter((card) => card.scrollWidth > card.clientWidth)"
        )
        assert cards == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_says_to_a_screen_reader_what_each_part_is(page):
    landmarks = [each.get_attribute("aria-labelledby") for each in page.get_by_role("region").all()]

    assert len(landmarks) > 10
    assert len(set(landmarks)) == len(landmarks)
    expect(page.locator("table th:not([scope])")).to_have_count(0)


def test_halts_by_keyboard_alone_once_there_is_a_reason(page, system):
    switch, asked = page.get_by_role("button", name="Kill switch"), page.get_by_role("dialog", name="Halt all trading?")
    switch.focus()
    page.keyboard.press("Enter")
    expect(asked).to_be_visible()
    page.keyboard.press("Enter")  # without a reason it is no answer
    expect(asked).to_be_visible()
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(switch).to_be_focused()
    expect(page.locator("#risk")).to_have_text("NORMAL")

    page.keyboard.press("Enter")
    expect(asked.get_by_label("Why")).to_be_focused()
    page.keyboard.type("looked odd")
    page.keyboard.press("Enter")

    expect(page.locator("#risk")).to_have_text("HALTED")
    expect(page.locator("#notice-text")).to_have_text(re.compile("^Halted\\."))
    with natya.connect(data_dir=system) as client:
        risk = client.risk()
    assert risk.risk_state == "HALTED"
    assert "looked odd" in risk.risk_cause
