"""The dashboard of a system that trades on paper, in a browser: what a person sees and does there."""

import pytest
from natya_browser import CHROMIUM, Browser

import natya
from natya.actors.control.http import stream
from natya.actors.control.http.token_file import read_token

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("engines"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
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
def page(browser, system):
    """The page as `natya dashboard` opens it; whatever it complains of in its console fails the test."""
    with natya.connect(data_dir=system) as client:
        url = client.show_http().url
    found = browser.open("about:blank")
    found.complaints.clear()
    found.shape(1_280, 900)
    browser.open(f"{url}/#token={read_token(system).reveal()}")
    found.await_that("document.getElementById('ready')?.textContent === 'ready'")
    yield found
    assert found.complaints == []


def test_shows_prices_candles_figures_and_actors_that_go_on(page):
    page.await_that("document.querySelectorAll('#prices tr').length === 2")
    first = page.await_that("[...document.querySelectorAll('#prices td.number')].map(each => each.textContent).join()")
    page.await_that("document.querySelectorAll('#candles canvas').length > 0")
    page.await_that("document.querySelectorAll('#equity canvas').length > 0")
    page.await_that("document.querySelectorAll('#prices svg.spark').length === 2")
    page.await_that(
        f"[...document.querySelectorAll('#prices td.number')].map(each => each.textContent).join() !== {first!r}"
    )
    actors = page.value("[...document.querySelectorAll('#actors tr')].map(each => each.cells[0].textContent)")

    assert {"journal", "orders", "cross"} <= {each.strip() for each in actors}
    page.await_that("/^[1-9][\\d,]*$/.test(document.getElementById('rate').textContent)")


def test_says_what_becomes_of_its_orders(page):
    assert page.text("mode") == "paper"


def test_shows_how_the_profit_went_before_it_was_opened(page):
    page.await_that("/^[^ ]?[\\d,.]+ to [^ ]?[\\d,.]+ since /.test(document.getElementById('curve-told').textContent)")


def test_shows_the_life_of_one_order_and_of_no_other(page):
    page.await_that("document.querySelectorAll('#orders button').length > 0")
    page.value("document.querySelector('#orders button').click()")
    page.await_that("document.querySelectorAll('#life-facts dl').length > 0")
    page.press("Escape")
    page.await_that("!document.getElementById('life').open")


def test_lists_the_orders_that_somebody_looks_for(page):
    page.await_that("document.querySelectorAll('#orders button').length > 0")
    listing = (
        "(text) => { const filter = document.getElementById('orders-filter'); filter.value = text; "
        "filter.dispatchEvent(new Event('input')); "
        "return [...document.querySelectorAll('#orders tr')].map((each) => each.textContent); }"
    )

    assert all("TCS" in each for each in page.value(f"({listing})('tcs cross')"))
    assert page.value(f"({listing})('no such order')") == ["None of these is so."]
    assert page.value(f"({listing})('')")


def test_greys_what_is_old_where_the_system_falls_silent(page, monkeypatch):
    monkeypatch.setattr(stream, "EVERY_S", 60.0)
    page.await_that("document.getElementById('ready').textContent === 'not connected'")

    assert page.text("risk") == "was NORMAL"
    assert page.value("document.body.className") == "stale"
    assert "What is shown is of" in page.text("banner")


TOPS = "[...document.querySelectorAll('.card')].map((each) => Math.round(each.getBoundingClientRect().top)).join()"
"""How far below the window's top each part is."""


@pytest.mark.parametrize("width", [390, 1_280])
def test_moves_no_part_while_figures_and_rows_come_and_go(page, width):
    page.shape(width, 800)
    page.await_that("document.querySelectorAll('#prices tr').length === 2")
    before = page.value(TOPS)
    held = page.value("document.getElementById('positions').textContent")
    page.await_that(f"document.getElementById('positions').textContent !== {held!r}")
    page.value(
        "document.getElementById('banner').hidden = false; document.getElementById('notice').hidden = false; "
        "for (const id of ['orders-open', 'positions-open']) document.getElementById(id).click()"
    )

    assert page.value(TOPS) == before


def test_lets_a_click_and_the_focus_outlast_new_figures(page):
    page.await_that("document.querySelectorAll('#prices tr').length === 2")
    page.value("document.querySelector('#prices tr:last-child button').focus({preventScroll: true})")
    page.value("window.focused = document.activeElement; document.getElementById('market').scrollIntoView()")
    place = page.value(
        "(({x, y, width, height}) => ({x: x + width / 2, y: y + height / 2}))"
        "(document.querySelector('#prices tr:last-child button').getBoundingClientRect())"
    )
    mouse = {**place, "button": "left", "clickCount": 1}
    page.do("Input.dispatchMouseEvent", type="mousePressed", **mouse)
    told = page.text("clock")
    page.await_that(f"document.getElementById('clock').textContent !== {told!r}")
    page.do("Input.dispatchMouseEvent", type="mouseReleased", **mouse)

    page.await_that("document.querySelector('#prices tr:last-child button').getAttribute('aria-pressed') === 'true'")
    assert page.value("document.activeElement === window.focused")


def test_goes_on_at_the_table_where_the_control_in_focus_is_gone(page):
    page.await_that("document.querySelectorAll('#orders button').length > 0")
    page.value("document.querySelector('#orders button').focus()")
    page.value(
        "const filter = document.getElementById('orders-filter'); filter.value = 'no such order'; "
        "filter.dispatchEvent(new Event('input'))"
    )

    assert page.value("document.activeElement.getAttribute('aria-labelledby')") == "h-orders"


def test_forgets_the_token_in_its_address(page):
    assert page.value("location.hash") == ""


@pytest.mark.parametrize("width", [360, 768, 1_280])
@pytest.mark.parametrize("dark", [False, True])
def test_fits_a_screen_and_is_readable_in_light_and_dark(page, width, dark):
    page.shape(width, 800, dark=dark)
    page.await_that("document.querySelectorAll('#prices tr').length === 2")

    # Nothing is wider than the screen: tables scroll by themselves.
    page.await_that("document.scrollingElement.scrollWidth <= window.innerWidth")
    page.await_that("document.querySelectorAll('#timings tr').length > 1")
    assert (
        page.value("[...document.querySelectorAll('.card')].filter(each => each.scrollWidth > each.clientWidth).length")
        == 0
    )
    assert page.value(CONTRAST) >= 4.5


CONTRAST = """(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((each) => each / 255)
      .map((each) => (each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(color) && color !== "transparent") return color;
    }
    return "rgb(255, 255, 255)";
  };
  const seen = [...document.querySelectorAll("h1, h2, th, td, dt, dd, button, .pill, .quiet, label")]
    .filter((each) => each.offsetParent !== null && each.textContent.trim());
  return Math.min(...seen.map((each) => {
    const [one, other] = [light(getComputedStyle(each).color), light(behind(each))].sort((a, b) => a - b);
    return (other + 0.05) / (one + 0.05);
  }));
})()"""
"""The smallest contrast of a text with what is behind it; WCAG wants 4.5."""


def test_says_to_a_screen_reader_what_each_part_is(page):
    page.await_that("document.querySelectorAll('#prices tr').length === 2")
    named = page.do("Accessibility.getFullAXTree")["nodes"]
    nameless = [
        node["role"]["value"]
        for node in named
        if not node.get("ignored")
        and node["role"]["value"] in {"button", "textbox", "combobox", "checkbox", "region", "group", "img", "link"}
        and not node.get("name", {}).get("value")
    ]
    landmarks = [node["name"]["value"] for node in named if node.get("role", {}).get("value") == "region"]
    assert nameless == []
    assert sorted(landmarks) == sorted(set(landmarks))
    assert page.value("document.querySelectorAll('table th:not([scope])').length") == 0


def test_halts_by_keyboard_alone_once_there_is_a_reason(page, system):
    page.value("document.getElementById('kill').focus()")
    page.press("Enter")
    page.await_that("document.getElementById('ask-kill').open")
    page.press("Enter")  # without a reason it is no answer
    assert page.value("document.getElementById('ask-kill').open")
    page.press("Escape")
    page.await_that("!document.getElementById('ask-kill').open")
    assert page.value("document.activeElement.id") == "kill"
    assert page.text("risk") == "NORMAL"

    page.press("Enter")
    page.await_that("document.getElementById('ask-kill').open")
    assert page.value("document.activeElement.id") == "kill-reason"
    page.write("looked odd")
    page.press("Enter")

    page.await_that("document.getElementById('risk').textContent === 'HALTED'")
    assert page.await_that("document.getElementById('notice-text').textContent").startswith("Halted.")
    with natya.connect(data_dir=system) as client:
        risk = client.risk()
    assert risk.risk_state == "HALTED"
    assert "looked odd" in risk.risk_cause
