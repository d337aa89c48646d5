"""The dashboard of a system that trades on paper, in a browser: what a person sees and does there."""

import pytest
from natya_browser import CHROMIUM, Browser

import natya
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
        and node["role"]["value"] in {"button", "textbox", "combobox", "checkbox", "region", "img", "link"}
        and not node.get("name", {}).get("value")
    ]
    assert nameless == []
    assert page.value("document.querySelectorAll('table th:not([scope])').length") == 0


def test_halts_by_keyboard_alone_after_a_question_whose_first_answer_is_no(page, system):
    page.value("document.getElementById('kill').focus()")
    page.press("Enter")
    page.await_that("document.getElementById('ask-kill').open")
    focused = page.value("document.activeElement.textContent")
    page.press("Escape")
    page.await_that("!document.getElementById('ask-kill').open")
    assert focused == "Leave it"
    assert page.text("risk") == "NORMAL"

    page.press("Enter")
    page.await_that("document.getElementById('ask-kill').open")
    page.value("document.getElementById('kill-reason').focus()")
    page.write("looked odd")
    for _ in range(3):
        page.press("Tab")
    assert page.value("document.activeElement.textContent") == "Halt"
    page.press("Enter")

    page.await_that("document.getElementById('risk').textContent === 'HALTED'")
    with natya.connect(data_dir=system) as client:
        risk = client.risk()
    assert risk.risk_state == "HALTED"
    assert "looked odd" in risk.risk_cause
