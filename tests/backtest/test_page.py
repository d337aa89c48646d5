"""The page of a backtest: what is on it is what was computed, and nothing on it comes from elsewhere."""

import base64
import hashlib
import html
import re
from decimal import Decimal
from itertools import accumulate
from pathlib import Path

import msgspec
import natya_backtests
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import example, given
from hypothesis import strategies as st
from natya_backtests import a_curve
from natya_browser import CHROMIUM, a_browser, watched_page
from natya_builders import a_candle, a_tick
from natya_pages import Page
from natya_recordings import write_candles
from typer.testing import CliRunner

import natya
from natya.backtest import BacktestRefusedError
from natya.backtest.figures.assumptions import CONCLUSION, LEFT_OUT, MODELLED
from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.figures.report import Figures
from natya.backtest.figures.shown import amounts_shown, measures_shown
from natya.backtest.figures.trades import Trade
from natya.backtest.pages import result as page_of_result
from natya.backtest.pages.document import CANDLES, OPENING, POLICY, UPLOT, document, write_page
from natya.backtest.pages.parts import notes
from natya.backtest.pages.result import CHARTS_MAX, TRADES_MAX, charts_of, fills_at, page_of, trades_data
from natya.backtest.pages.thinning import extremes, joined
from natya.backtest.running.marks import MarkKeeper
from natya.cli.app import app
from natya.messages.orders import OrderFilled

MINUTE_NS = 60 * 10**9
HOSTILE = "</script><img src=x onerror=alert(1)>&\"'\u2028"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    recording = write_candles(tmp_path_factory.mktemp("page") / "walk.csv", 400, seed=3)
    return natya.backtest(natya_backtests.Crossover, recording, symbols=["TCS"], parameters={"fast": 3, "slow": 8})


@pytest.fixture(scope="module")
def page(result):
    return Page(result.html())


def bars_of(prices, *, first_ns=MINUTE_NS, step_ns=MINUTE_NS):
    bars = Bars()
    bars.times.frombytes((first_ns + step_ns * np.arange(len(prices))).astype(np.int64).tobytes())
    for column, offset in ((bars.opens, 0.0), (bars.highs, 1.0), (bars.lows, -1.0), (bars.closes, 0.5)):
        column.frombytes((np.asarray(prices, np.float64) + offset).tobytes())
    return bars


@pytest.mark.parametrize("more", [0, 1])
def test_what_is_left_out_of_a_picture_or_a_table_is_told_only_where_something_is(monkeypatch, more):
    monkeypatch.setattr(page_of_result, "STRETCHES_MAX", 2)
    monkeypatch.setattr(page_of_result, "TRADES_MAX", 2)
    marks = np.ones(4 + more)

    curve = "".join(page_of_result._curve(a_curve(np.arange(4 + more), marks, marks), "curve", "the account"))
    trades = "".join(page_of_result._trades([None] * (2 + more)))

    assert ("Of 5 values the picture has" in curve) == ("The newest 2 of 3;" in trades) == bool(more)


class TestThePageOfABacktest:
    def test_has_every_figure_of_the_report_as_the_terminal_has_it(self, result, page):
        named = [each for rows in (measures_shown, amounts_shown) for row in rows(result.report) for each in row]

        assert page.figures == dict(named)
        assert len(page.figures) == len(named) == 26

    def test_has_its_parts_in_their_order(self, page):
        assert [each for each in page.texts["h2"] if each.strip()] == [
            *(
                "Read this first",
                "Figures",
                "Price and fills",
                "Equity",
                "Drawdown",
                "Trades",
                "Months",
                "Symbols",
                "Settings",
            ),
            *("What is modelled", "What is left out"),
        ]

    def test_has_the_candles_that_were_played(self, result, page):
        (symbol,) = page.data["symbols"]
        bars = result.played.marks.bars["TCS"]

        assert symbol["name"] == "TCS"
        assert [each * 10**9 for each in accumulate(symbol["seconds"])] == list(bars.times)
        assert symbol["opens"] == list(bars.opens)
        assert symbol["highs"] == list(bars.highs)
        assert symbol["lows"] == list(bars.lows)
        assert symbol["closes"] == list(bars.closes)
        assert symbol["joined"] == 1
        assert not [each for texts in page.texts.values() for each in texts if "without a chart" in each]

    def test_has_each_fill_in_the_candle_that_it_happened_in(self, result, page):
        (symbol,) = page.data["symbols"]
        ends_ns = list(result.played.marks.times["TCS"])
        wanted = [
            [next(bar for bar, end_ns in enumerate(ends_ns) if fill.occurred_ns <= end_ns), side, 1, fill.price]
            for fill in result.fills
            for side in [1 if fill.side == "BUY" else -1]
        ]

        assert symbol["fills"] == wanted
        assert len(wanted) > 20
        for bar, _, _, price in symbol["fills"]:
            assert symbol["lows"][bar] <= price <= symbol["highs"][bar]

    def test_has_the_curve_of_the_account(self, result, page):
        curve, equity = page.data["curve"], result.table("equity").columns()

        assert list(accumulate(curve["milliseconds"])) == (equity["time_ns"] // 10**6).tolist()
        assert curve["equity"] == pytest.approx(equity["equity"].tolist(), abs=0.005)
        assert curve["drawdown"] == pytest.approx(equity["drawdown"].tolist(), abs=5e-7)
        assert curve["drawdown"] == [round(each, 6) for each in curve["drawdown"]]
        assert curve["equity"][-1] == float(result.report.final_rupees)

    def test_has_every_trade(self, result, page):
        trades = page.data["trades"]

        assert len(trades["net"]) == len(result.trades) > 10
        assert trades["net"] == [float(round(trade.net, 2)) for trade in result.trades]
        assert [trades["symbols"][each] for each in trades["symbol"]] == [each.symbol for each in result.trades]
        assert list(accumulate(trades["entry"])) == [each.entry_ns // 10**6 for each in result.trades]
        assert sum(trades["charges"]) == pytest.approx(float(result.report.charges_rupees))
        sides = {"LONG": 1, "SHORT": -1}
        for place, trade in enumerate(result.trades):
            assert list(accumulate(trades["exit"]))[place] == trade.exit_ns // 10**6
            told = {name: trades[name][place] for name in ("side", "quantity", "profit", "charges")}
            assert told == {
                "side": sides[trade.direction],
                "quantity": trade.quantity,
                "profit": float(round(trade.profit, 2)),
                "charges": float(round(trade.charges, 2)),
            }
            assert trades["entry_price"][place] == float(round(trade.entry_price, 4))
            assert trades["exit_price"][place] == float(round(trade.exit_price, 4))

    def test_says_of_a_trade_that_is_open_that_it_has_no_exit(self):
        one = Trade(
            strategy="s", symbol="A", direction="SHORT", quantity=2, entry_ns=7 * 10**6, entry_price=Decimal(5),
            exit_ns=None, exit_price=None, profit=Decimal(-3), charges=Decimal(1),
        )  # fmt: skip
        found = trades_data([one])

        assert (found["entry"], found["exit"], found["exit_price"]) == ([7], [7], [None])
        assert (found["side"], found["profit"], found["net"]) == ([-1], [-3.0], [-4.0])

    def test_has_months_settings_and_what_it_assumes(self, result, page):
        rows = {row[0]: row[1:] for row in page.rows}
        (month,) = result.report.months

        assert rows[month.name][0] == f"{month.trades:,}"
        assert rows[month.name][3] == f"{month.net_rupees:+,}"
        assert rows["parameter fast"] == ["3"]
        assert rows["latency"] == ["20 ms"]
        assert {*MODELLED, *(f" {text}" for _, text in LEFT_OUT)} <= set(page.texts["li"])

    def test_is_the_same_for_the_same_result(self, result):
        assert result.html() == result.html()


class TestAPage:
    def test_asks_for_nothing_and_runs_only_what_it_brings(self, result, page):
        policies = [each["content"] for each in page.all("meta") if "http-equiv" in each]
        digests = [hashlib.sha256(each.encode()).digest() for each in page.scripts]
        hashes = [f"sha256-{base64.b64encode(each).decode()}" for each in digests]

        assert len(hashes) == 3
        assert policies[0].startswith(f"default-src 'none'; script-src {' '.join(map('{!r}'.format, hashes))};")
        named = {name for _, attributes in page.elements for name in attributes}
        assert not named & {"src", "href", "srcset", "action"}
        assert not {name for name in named if name.startswith("on")}
        assert not re.findall(r"url\(|@import", "".join(page.texts["style"]))
        outside = result.html()
        for script in page.scripts[:2]:  # the libraries, as published: they name their own homes
            outside = outside.replace(script, "")
        assert not re.findall(r"https?:|//[\w.]+\.\w", outside)
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", page.scripts[2])

    def test_takes_names_as_text(self, result):
        trades = tuple(msgspec.structs.replace(each, symbol=HOSTILE) for each in result.trades)
        fills = tuple(msgspec.structs.replace(each, symbol=HOSTILE) for each in result.fills)
        report = msgspec.structs.replace(
            result.report, strategy=HOSTILE, symbols=(HOSTILE,), positions={HOSTILE: 1}, refused={HOSTILE: 1},
            by_symbol=tuple(msgspec.structs.replace(each, name=HOSTILE) for each in result.report.by_symbol),
            notes=(HOSTILE,),
        )  # fmt: skip
        played = msgspec.structs.replace(
            result.played, fills=fills, marks=Marks({HOSTILE: result.played.marks.bars["TCS"]})
        )
        plan = msgspec.structs.replace(result.plan, symbols=(HOSTILE,), settings={HOSTILE: HOSTILE})

        shown = Page(page_of(plan, Figures(report, trades, result.figures.curve, result.figures.costs), played))

        assert len(shown.all("script")) == 4
        assert not shown.all("img")
        assert shown.data["symbols"][0]["name"] == HOSTILE
        assert shown.data["trades"]["symbols"] == [HOSTILE]
        assert HOSTILE in {row[0] for row in shown.rows}
        assert shown.texts["title"] == [f"{HOSTILE}: backtest"]

    def test_of_a_million_candles_and_a_hundred_thousand_trades_is_below_5_mb(self, result):
        prices = 1_000 + 900 * np.sin(np.arange(1_000_000) / 7)
        bars = bars_of(np.round(prices, 2))
        curve = a_curve(np.frombuffer(bars.times, np.int64), 1e6 + prices, prices)
        one = Trade(
            strategy="s", symbol="A", direction="SHORT", quantity=12_345, entry_ns=10**15,
            entry_price=Decimal("1234.5678"), exit_ns=10**15 + 10**14, exit_price=Decimal("2234.5678"),
            profit=Decimal("-12345.67"), charges=Decimal("123.45"),
        )  # fmt: skip
        symbols = {f"SYMBOL{number}": bars_of(prices[:9_000] + number) for number in range(CHARTS_MAX)}
        fills = [
            msgspec.structs.replace(result.fills[0], symbol="SYMBOL7", side=side, quantity=12_345, price=1234.5678,
                                    occurred_ns=at_ns)
            for at_ns in range(MINUTE_NS, 9_000 * MINUTE_NS, 20 * MINUTE_NS) for side in ("BUY", "SELL")
        ]  # fmt: skip
        played = msgspec.structs.replace(
            result.played, fills=tuple(fills), marks=Marks({"A": bars, "B": bars, **symbols})
        )
        report = msgspec.structs.replace(result.report, symbols=("A", "B", *symbols))

        text = page_of(result.plan, Figures(report, (one,) * 100_000, curve, ()), played)

        assert 1_500_000 < len(text.encode()) < 5_000_000
        assert f"The newest {TRADES_MAX:,} of 100,000" in text
        assert "Of 1,000,000 values the picture has the highest and the lowest" in text
        assert "2 symbols of 42 without a chart" in text

    def test_without_a_trade_or_a_mark_has_its_figures(self, result):
        played = msgspec.structs.replace(result.played, fills=(), marks=Marks({}))
        figures = Figures(
            result.report, (), a_curve(np.zeros(0, np.int64), np.zeros(0), np.zeros(0)), result.figures.costs
        )

        shown = Page(page_of(result.plan, figures, played))

        assert (shown.data["symbols"], shown.data["trades"]["net"], shown.data["curve"]["equity"]) == ([], [], [])

    def test_is_framed_for_a_notebook_where_it_reaches_nothing(self, result):
        (frame,) = Page(result._repr_html_()).all("iframe")

        assert frame["sandbox"] == "allow-scripts"
        assert frame["srcdoc"] == result.html()

    @pytest.mark.browser
    @pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
    @pytest.mark.systems
    def test_is_drawn_by_a_browser(self, result, tmp_path):
        path, complaints, asked = tmp_path / "report.html", [], []
        result.html(path)
        with a_browser() as browser:
            page = watched_page(browser, complaints, asked)
            page.goto(path.as_uri())
            page.locator("canvas").nth(3).wait_for(state="attached")
            drawn, read = Page(page.content()), Axe().run(page)

        assert (complaints, asked) == ([], [path.as_uri()])
        assert read.violations_count == 0, read.generate_report()
        rows = [row for row in drawn.rows if row and row[0] == "TCS" and len(row) == 10]
        assert len(rows) == len(result.trades)
        assert [row[1] for row in rows] == [trade.direction.lower() for trade in result.trades]
        assert [row[9].lstrip("+") for row in rows] == [f"{round(trade.net, 2):,.2f}" for trade in result.trades]


class TestADocument:
    def test_has_the_style_of_each_library_that_it_brings_and_no_other(self):
        plain, drawn, candles = (
            Page(document(title="a < b", body="<p>x</p>", data={"a": 1}, libraries=libraries))
            for libraries in ((), (UPLOT,), (CANDLES,))
        )

        assert [len(each.texts["style"]) for each in (plain, drawn, candles)] == [2, 3, 2]
        assert [len(each.scripts) for each in (plain, drawn, candles)] == [1, 2, 2]
        assert (plain.texts["title"], plain.data, plain.texts["p"]) == (["a < b"], {"a": 1}, ["x"])

    def test_without_data_runs_nothing(self):
        page = Page(document(title="a", body="", libraries=(UPLOT,)))

        (policy,) = [each["content"] for each in page.all("meta") if "http-equiv" in each]
        assert policy == f"default-src 'none'; script-src 'none'; {POLICY}"
        assert page.all("script") == []

    def test_has_no_data_that_could_end_its_element(self):
        text = document(title="a", body="", data={"a": HOSTILE})

        assert HOSTILE not in text
        assert Page(text).data == {"a": HOSTILE}


class TestWritingAPage:
    def test_replaces_an_earlier_one(self, result, tmp_path):
        path = tmp_path / "report.html"
        write_page(path, document(title="before", body=""))
        result.html(path)

        assert path.read_text() == result.html()
        assert [each.name for each in tmp_path.iterdir()] == ["report.html"]

    def test_replaces_no_other_file_and_no_link(self, result, tmp_path):
        other, link = tmp_path / "mine.html", tmp_path / "link.html"
        other.write_text(OPENING.replace("natya", "other"))
        (tmp_path / "page").write_text(OPENING)
        link.symlink_to(tmp_path / "page")

        for path in (other, link):
            with pytest.raises(BacktestRefusedError, match="found another file"):
                result.html(path)
        assert "other" in other.read_text()
        assert (tmp_path / "page").read_text() == OPENING

    def test_is_asked_for_by_an_option_that_refuses_before_the_test(self, tmp_path):
        recording = write_candles(tmp_path / "walk.csv", 60, seed=3)
        strategy = f"{Path(natya_backtests.__file__)}:Crossover"
        arguments = ["backtest", strategy, "--data", str(recording), "--symbol", "TCS", "--html"]

        done = CliRunner().invoke(app, [*arguments, str(tmp_path / "report.html")])
        (tmp_path / "mine.html").write_text("mine")
        refused = CliRunner().invoke(app, [*arguments, str(tmp_path / "mine.html")])

        assert done.exit_code == 0, done.stderr
        assert (tmp_path / "report.html").read_text().startswith(OPENING)
        assert refused.exit_code != 0
        assert "found another file" in refused.stderr
        assert (tmp_path / "mine.html").read_text() == "mine"


some_values = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=200)


class TestTheChartsOfAPage:
    def charts(self, symbols, fills, prices=(1.0, 2.0)):
        marks = Marks({name: bars_of(list(prices)) for name in symbols})
        made = [
            OrderFilled(
                client_order_id=f"o{number}", trade_id=f"{number}", strategy="s", symbol=symbol, side="BUY", quantity=1,
                price=1.0, cumulative_quantity=1, occurred_ns=MINUTE_NS,
            ) for number, symbol in enumerate(fills)
        ]  # fmt: skip
        return list(charts_of(marks, made))

    def test_are_of_the_symbols_with_the_most_fills_and_then_by_name(self, monkeypatch):
        assert [each["name"] for each in self.charts("DCBA", "BCCD")] == ["C", "B", "D", "A"]
        monkeypatch.setattr(page_of_result, "CHARTS_MAX", 2)
        assert [each["name"] for each in self.charts("DCBA", "BCCD")] == ["C", "B"]

    @pytest.mark.parametrize(("count", "joined_to"), [(1, 10), (2, 5), (9, 4)])
    def test_share_the_bars_of_a_page_and_have_some_each(self, monkeypatch, count, joined_to):
        monkeypatch.setattr(page_of_result, "BARS_MAX", 10)
        monkeypatch.setattr(page_of_result, "BARS_OF_ONE_MIN", 4)
        found = self.charts([f"S{number}" for number in range(count)], "", prices=range(1, 21))

        assert [(each["all"], len(each["closes"])) for each in found] == [(20, joined_to)] * count


class TestThinning:
    @example(values=[1.0] * 4, stretches_max=2)
    @example(values=[5.0] * 6 + [0.0, 9.0, 5.0], stretches_max=2)
    @example(values=[5.0] * 6 + [9.0, 0.0, 5.0], stretches_max=2)
    @given(values=some_values, stretches_max=st.integers(1, 20))
    def test_of_a_curve_hides_no_extreme_of_any_stretch(self, values, stretches_max):
        column = np.array(values)

        kept = extremes([column], stretches_max)

        assert len(kept) <= 2 * stretches_max + 2
        assert {0, len(values) - 1} <= set(kept.tolist())
        if len(values) <= 2 * stretches_max:
            assert kept.tolist() == list(range(len(values)))
        size = -(-len(values) // stretches_max)
        for begin in range(0, len(values), size):
            inside = column[kept[(kept >= begin) & (kept < begin + size)]]
            assert (inside.max(), inside.min()) == (
                column[begin : begin + size].max(),
                column[begin : begin + size].min(),
            )

    @given(some_values, st.integers(1, 20), st.sampled_from([MINUTE_NS, 3 * 10**8]))
    def test_of_bars_joins_them_whole(self, values, bars_max, step_ns):
        bars = bars_of(values, step_ns=step_ns)

        found = joined(bars, bars_max)

        seconds = len({end_ns // 10**9 for end_ns in bars.times})
        assert len(found.seconds) == -(-seconds // -(-seconds // bars_max)) <= bars_max
        assert np.all(np.diff(found.seconds) > 0)
        firsts = [0, *(np.searchsorted(bars.times, found.ends_ns[:-1], side="right").tolist())]
        lasts = [*firsts[1:], len(values)]
        for place, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
            assert found.opens[place] == bars.opens[first]
            assert found.closes[place] == bars.closes[last - 1]
            assert found.highs[place] == max(bars.highs[first:last])
            assert found.lows[place] == min(bars.lows[first:last])
        assert found.joined == max(last - first for first, last in zip(firsts, lasts, strict=True))


class TestTheFillsOfABar:
    @given(
        st.lists(st.integers(1, 50), min_size=1, max_size=8, unique=True).map(sorted),
        st.lists(
            st.tuples(st.integers(0, 60), st.sampled_from(["BUY", "SELL"]), st.integers(1, 9), st.integers(1, 99)),
            max_size=12,
        ).map(sorted),
    )
    def test_are_of_the_first_that_ends_at_their_time_or_later_or_else_of_the_last(self, ends, drawn):
        bars = Bars()
        for end in ends:
            bars.add(end * 10**9, 1.0, 1.0, 1.0, 1.0)
        fills = [
            OrderFilled(
                client_order_id="o", trade_id=f"{number}", strategy="s", symbol="A", side=side, quantity=quantity,
                price=price / 4, cumulative_quantity=quantity, occurred_ns=at * 10**9,
            ) for number, (at, side, quantity, price) in enumerate(drawn)
        ]  # fmt: skip

        found = fills_at(joined(bars, 100), fills)

        wanted = {}
        for at, side, quantity, price in drawn:
            place = next((place for place, end in enumerate(ends) if at <= end), len(ends) - 1)
            wanted.setdefault((place, 1 if side == "BUY" else -1), []).append((quantity, price / 4))
        assert found == [
            (place, side, shares := sum(each for each, _ in those),
             pytest.approx(sum(each * price for each, price in those) / shares, abs=5e-5))
            for (place, side), those in wanted.items()
        ]  # fmt: skip


class TestTheBarsOfAMarket:
    def tick(self, seconds, price, sequence=1):
        return a_tick(sequence, "TCS", price, exchange_ns=seconds * 10**9)

    def test_of_ticks_are_one_a_minute(self):
        keeper = MarkKeeper("NSE")
        candles = keeper.add(
            self.tick(seconds, price)
            for seconds, price in ((61, 10.0), (70, 12.0), (80, 9.0), (119, 11.0), (125, 13.0))
        )
        bars = keeper.marks().bars["TCS"]

        assert candles == 0
        assert list(bars.times) == [119 * 10**9, 125 * 10**9]
        assert list(zip(bars.opens, bars.highs, bars.lows, bars.closes, strict=True)) == [
            (10.0, 12.0, 9.0, 11.0),
            (13.0, 13.0, 13.0, 13.0),
        ]

    def test_of_candles_are_those(self):
        keeper = MarkKeeper("NSE")
        candle = a_candle("TCS", interval_ns=MINUTE_NS, open=1.0, high=4.0, low=0.5, close=2.0)
        candles = keeper.add((self.tick(1, 5.0), candle, self.tick(62, 5.0)))
        bars = keeper.marks().bars["TCS"]

        assert candles == 1
        assert (list(bars.times), list(bars.opens), list(bars.highs)) == ([MINUTE_NS], [1.0], [4.0])
        assert (list(bars.lows), list(bars.closes)) == ([0.5], [2.0])


def test_what_is_assumed_is_said_in_the_guide_in_the_same_words():
    guide = (Path(natya.__file__).parent / "docs" / "backtests.md").read_text().replace("**", "").replace("`", "")

    for each in (*MODELLED, *(f"{name} {text}" for name, text in LEFT_OUT), CONCLUSION):
        assert each in guide


def test_what_to_know_first_stands_in_a_card_that_warns():
    (shown,) = notes(["2 < 3", "one more"])

    assert shown.startswith('<section class="card wide warned" aria-label="Read this first">')
    assert "<ul><li>2 &lt; 3</li><li>one more</li></ul>" in shown
    assert [*notes([])] == []


def test_escaping_is_that_of_html():
    assert html.escape("\"'<&>") in document(title="\"'<&>", body="")
