"""The figures of a report against a second computation; and what it says besides: whatever flatters is told."""

import itertools
import math
import statistics
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from operator import itemgetter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.backtest.figures import charging
from natya.backtest.figures.charging import charged, first_day, tariff_of
from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.figures.report import Played, _flatters, figures_of
from natya.backtest.figures.shown import left_shown
from natya.backtest.figures.trades import trades_of
from natya.domain.calendar import session
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.orders import OrderFilled

TODAY_NS = int(datetime(2026, 9, 28, 5, 0, tzinfo=UTC).timestamp()) * SECOND_NS
LONG_AGO_NS = int(datetime(2015, 1, 5, 5, 0, tzinfo=UTC).timestamp()) * SECOND_NS


def a_fill(number, side, at_ns, symbol="TCS"):
    return OrderFilled(
        client_order_id=f"o{number}",
        trade_id=f"t{number}",
        strategy="s",
        symbol=symbol,
        side=side,
        quantity=10,
        price=100.0,
        cumulative_quantity=10,
        occurred_ns=at_ns,
    )


def figures(*fills, charge_model="dhan-equity-intraday", latency_s=0.02, refused=None, products=None):
    bars = Bars()
    bars.add(max((TODAY_NS, *(fill.occurred_ns for fill in fills))), 100.0, 100.0, 100.0, 100.0)
    played = Played(
        strategy="s",
        fills=fills,
        marks=Marks(dict.fromkeys({"TCS", *(fill.symbol for fill in fills)}, bars)),
        ticks=1,
        candles=0,
        orders=len(fills),
        refused=refused or {},
        rejected=0,
        capital_rupees=100_000.0,
        charge_model=charge_model,
        latency_s=latency_s,
        products=products or {},
    )
    return figures_of(played).report


def notes(*fills, **given):
    """Return all notes but the one that each report of less than a year has."""
    return tuple(note for note in figures(*fills, **given).notes if not note.startswith("figures a year"))


OPTION = "NIFTY-29Sep2026-25000-CE"
HELD = "what is held at the end counts at its last price: the charges of closing it are not in the figures"
SHORT = a_fill(1, "SELL", TODAY_NS)
BOUGHT, SOLD = a_fill(1, "BUY", TODAY_NS), a_fill(2, "SELL", TODAY_NS + SECOND_NS)


INDIA = timezone(timedelta(hours=5, minutes=30))
HOUR_NS = 3_600 * SECOND_NS
SYMBOLS = ("INFY", "TCS")

some_marks = st.lists(st.tuples(st.integers(0, 24 * 45), st.integers(300, 500)), min_size=1, max_size=12)
some_fills = st.lists(
    st.tuples(
        st.integers(0, 24 * 44), st.sampled_from(SYMBOLS), st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 400), st.integers(300, 500), st.sampled_from("abc"),
    ),
    max_size=8,
)  # fmt: skip


def a_play(marks, fills, model, capital):
    """Marks at whole hours, fills half an hour later, all in quarters of a rupee."""
    bars = {symbol: Bars() for symbol in SYMBOLS}
    for symbol, known in zip(SYMBOLS, marks, strict=True):
        for hour, price in sorted(dict(known).items()):
            bars[symbol].add(TODAY_NS + hour * HOUR_NS, price / 4, price / 4, price / 4, price / 4)
    made = tuple(
        OrderFilled(
            client_order_id=f"{order}{hour}{side}", trade_id=f"t{number}", strategy="s", symbol=symbol, side=side,
            quantity=quantity, price=price / 4, cumulative_quantity=quantity,
            occurred_ns=TODAY_NS + hour * HOUR_NS + HOUR_NS // 2,
        )
        for number, (hour, symbol, side, quantity, price, order) in enumerate(sorted(fills))
    )  # fmt: skip
    return Played(
        strategy="s", fills=made, marks=Marks(bars), ticks=3, candles=4, orders=9, refused={"b": 2, "a": 1},
        rejected=5, capital_rupees=capital, charge_model=model, latency_s=0.02, notes=("first",),
    )  # fmt: skip


def traded_days(days):
    """Trading days from the first to the last, those with a mark included."""
    span = (days[-1] - days[0]).days + 1
    return max(len(days), sum(session(days[0] + timedelta(days=count)) is not None for count in range(span)))


def signed(fill):
    return fill.quantity if fill.side == "BUY" else -fill.quantity


class Account:
    """The account of a play at each mark and fill, one after another, in exact fractions."""

    def __init__(self, played):
        self.fills = played.fills
        self.costs = [Fraction(each) for each in charged(played.fills, played.charge_model)]
        self.known = {name: list(zip(each.times, each.closes, strict=True)) for name, each in played.marks.bars.items()}
        self.capital = Fraction(played.capital_rupees)
        self.marked = sorted({at_ns for known in self.known.values() for at_ns, _ in known})
        times = sorted({*self.marked, *(fill.occurred_ns for fill in self.fills)})
        self.curve = [(at_ns, *self.at(at_ns)) for at_ns in times]

    def at(self, at_ns):
        worth, held = self.capital, Fraction(0)
        for fill, cost in zip(self.fills, self.costs, strict=True):
            if fill.occurred_ns <= at_ns:
                worth -= signed(fill) * Fraction(fill.price) + cost
        for symbol, known in self.known.items():
            shares = sum(signed(each) for each in self.fills if each.symbol == symbol and each.occurred_ns <= at_ns)
            traded = [(each.occurred_ns, each.price) for each in self.fills if each.symbol == symbol]
            prices = sorted(traded + known, key=itemgetter(0))
            price = [price for time_ns, price in prices if time_ns <= at_ns or time_ns == prices[0][0]][-1]
            worth, held = worth + shares * Fraction(price), held + abs(shares) * Fraction(price)
        return worth, held

    def last_of(self, name_of):
        """The last value of each day, or month, in India."""
        return {
            name_of(datetime.fromtimestamp(at_ns // SECOND_NS, INDIA)): float(worth) for at_ns, worth, _ in self.curve
        }

    @property
    def exposed(self):
        """For each mark, whether anything was held at it, at the mark before, or behind a fill between them."""
        for before_ns, mark_ns in pairwise([0, *self.marked]):
            yield any(held > 0 for at_ns, _, held in self.curve if before_ns <= at_ns <= mark_ns)

    @property
    def lost_ns(self):
        return next((at_ns for at_ns, worth, _ in self.curve if worth <= 0), None)

    def returns(self, values):
        before, found = float(self.capital), []
        for value in values:
            if before <= 0:
                break
            found.append(value / before - 1)
            before = value
        return found

    def drawdown(self):
        """The deepest, and the longest in nanoseconds."""
        peak, peak_ns, was_under = self.capital, self.curve[0][0], False
        deepest, longest_ns = 0.0, 0
        for at_ns, worth, _ in self.curve:
            if worth < peak or was_under:
                longest_ns = max(longest_ns, at_ns - peak_ns)
            was_under = worth < peak
            if not was_under:
                peak, peak_ns = worth, at_ns
            deepest = min(deepest, float(worth / peak - 1))
        return deepest, longest_ns


def near(value):
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)


def rupees(exact):
    return round(Decimal(exact.numerator) / exact.denominator, 2)


class TestTheFigures:
    @settings(max_examples=40, deadline=None)
    @given(
        marks=st.tuples(some_marks, some_marks),
        fills=some_fills,
        model=st.sampled_from(["none", "dhan-equity-delivery"]),
        capital=st.sampled_from([20_000.0, 1_000_000.0]),
    )
    def test_are_those_of_a_second_computation(self, marks, fills, model, capital):
        played = a_play(marks, fills, model, capital)
        account, figures = Account(played), figures_of(played)
        found = figures.report

        daily = account.last_of(lambda moment: moment.date())
        returns = account.returns(daily.values())
        deepest, longest_ns = account.drawdown()
        a_year = 252 * len(daily) / (traded := traded_days(list(daily)))
        growth = max(0.0, math.prod(1 + each for each in returns)) ** (a_year / len(returns)) - 1
        lost_ns = account.lost_ns
        if lost_ns is not None:
            returns, growth = [], -1.0
        assert (found.first_ns, found.last_ns) == (account.curve[0][0], account.curve[-1][0])
        assert (found.days, found.trading_days) == (len(daily), traded)
        assert found.exposure == near(statistics.mean(account.exposed))
        assert (found.max_drawdown, found.longest_drawdown_days) == (near(deepest), near(longest_ns / DAY_NS))
        assert (found.cagr, found.calmar) == (near(growth), near(growth / -deepest if deepest else None))
        spread = statistics.stdev(returns) if len(returns) > 1 else None
        assert found.volatility == near(None if spread is None else spread * math.sqrt(a_year))
        mean = statistics.mean(returns or [0])
        downside = math.sqrt(statistics.mean(min(each, 0.0) ** 2 for each in returns or [0]))
        assert found.sharpe == near(mean / spread * math.sqrt(a_year) if spread and spread > 1e-11 else None)
        assert found.sortino == near(
            mean / downside * math.sqrt(a_year) if len(returns) > 1 and downside > 1e-11 else None
        )

        costs, last = sum(account.costs), {name: Fraction(known[-1][1]) for name, known in account.known.items()}
        held = {name: sum(signed(each) for each in played.fills if each.symbol == name) for name in SYMBOLS}
        profit = sum(signed(each) * (last[each.symbol] - Fraction(each.price)) for each in played.fills)
        traded = sum(each.quantity * Fraction(each.price) for each in played.fills)
        assert (found.profit_rupees, found.charges_rupees) == (rupees(profit), rupees(Fraction(costs)))
        assert found.net_rupees == rupees(profit - costs)
        assert found.final_rupees == rupees(account.capital + profit - costs)
        assert found.total_return == near(float((profit - costs) / account.capital))
        assert (found.turnover_rupees, found.turnover) == (rupees(Fraction(traded)), near(float(traded) / capital))
        assert found.positions == {name: shares for name, shares in held.items() if shares}

        closed = [each for each in figures.trades if each.exit_ns is not None]
        nets = [each.profit - each.charges for each in closed]
        assert (found.trades, found.open_trades) == (len(closed), len(figures.trades) - len(closed))
        assert found.win_rate == near(statistics.mean(net > 0 for net in nets) if nets else None)
        assert found.best_rupees == (round(max(nets), 2) if nets else None)
        assert found.worst_rupees == (round(min(nets), 2) if nets else None)
        assert found.expectancy_rupees == near(float(statistics.mean(nets)) if nets else None)

        months = account.last_of(lambda moment: f"{moment:%Y-%m}")
        last = "9999" if lost_ns is None else f"{datetime.fromtimestamp(lost_ns // SECOND_NS, INDIA):%Y-%m}"
        of_months = {
            name: of for name, of in zip(months, account.returns(months.values()), strict=False) if name <= last
        }
        assert {each.name: each.return_ for each in found.months if each.name in months} == {
            name: near(of_months.get(name)) for name in months
        }
        for parts, name_of in (
            (found.months, lambda trade: f"{datetime.fromtimestamp(trade.exit_ns // SECOND_NS, INDIA):%Y-%m}"),
            (found.by_symbol, lambda trade: trade.symbol),
        ):
            assert [each.name for each in parts] == sorted(each.name for each in parts)
            assert sum(each.trades for each in parts) == len(closed)
            for part in parts:
                of_it = [each for each in closed if name_of(each) == part.name]
                assert (part.trades, part.profit_rupees) == (len(of_it), round(sum(t.profit for t in of_it), 2))
                assert part.charges_rupees == round(sum(t.charges for t in of_it), 2)
                assert part.net_rupees == round(sum(t.profit - t.charges for t in of_it), 2)
                assert part.win_rate == near(statistics.mean(t.net > 0 for t in of_it) if of_it else None)

    def test_have_beside_them_what_was_counted(self):
        found = figures_of(a_play(([(0, 400)], [(1, 400)]), [], "none", 1_000_000.0)).report

        assert (found.strategy, found.symbols, found.charge_model, found.latency_s) == ("s", SYMBOLS, "none", 0.02)
        assert (found.ticks, found.candles, found.orders, found.rejected, found.fills) == (3, 4, 9, 5, 0)
        assert list(found.refused.items()) == [("a", 1), ("b", 2)]
        assert (found.capital_rupees, found.notes) == (Decimal(1_000_000), ("first",))


class TestANote:
    def test_is_not_made_of_trades_that_are_what_they_seem(self):
        assert notes(BOUGHT, SOLD) == ()

    def test_tells_that_nothing_was_charged(self):
        assert notes(BOUGHT, SOLD, charge_model="none") == (
            "no charges are counted: a broker and the state would have taken theirs",
        )

    def test_tells_that_orders_had_no_latency(self):
        (note,) = notes(BOUGHT, SOLD, latency_s=0.0)

        assert "which flatters" in note

    @pytest.mark.parametrize("latency_s", [0.0, 0.02])
    def test_is_none_where_nothing_was_traded(self, latency_s):
        assert notes(latency_s=latency_s, charge_model="none") == ()

    def test_tells_of_trades_before_the_rates_that_are_known_though_the_last_are_after_it(self):
        known_since = first_day({"DELIVERY"})
        found = notes(a_fill(1, "BUY", LONG_AGO_NS), a_fill(2, "SELL", TODAY_NS), charge_model="dhan-equity-delivery")

        assert known_since.year > 2015
        assert (
            f"the rates of charges are known from {known_since} on: earlier trades are charged as on that day" in found
        )

    @pytest.mark.parametrize(("days", "is_told"), [(-1, True), (0, False)])
    def test_tells_nothing_of_trades_since_the_first_day_of_the_rates(self, days, is_told):
        first = first_day(["DELIVERY"]) + timedelta(days=days)
        bought_ns = int(datetime(first.year, first.month, first.day, 10, tzinfo=INDIA).timestamp()) * SECOND_NS
        found = notes(a_fill(1, "BUY", bought_ns), a_fill(2, "SELL", TODAY_NS), charge_model="dhan-equity-delivery")

        assert any("the rates of charges are known from" in note for note in found) is is_told

    @pytest.mark.parametrize("model", ["dhan-equity-intraday", "dhan-equity-delivery", "none"])
    @pytest.mark.parametrize(
        ("fills", "told"),
        [
            ([SHORT, a_fill(2, "BUY", TODAY_NS + DAY_NS)], "1 of 1 trades in shares were"),
            ([SHORT, a_fill(2, "BUY", TODAY_NS + SECOND_NS)], ""),
            ([SHORT, a_fill(2, "BUY", TODAY_NS + DAY_NS, "INFY")], "1 of 2 trades in shares were"),
            ([BOUGHT, a_fill(2, "SELL", TODAY_NS + DAY_NS)], ""),
            ([a_fill(1, "SELL", TODAY_NS, OPTION), a_fill(2, "BUY", TODAY_NS + DAY_NS, OPTION)], ""),
            ([a_fill(1, "SELL", TODAY_NS, "NIFTY"), a_fill(2, "BUY", TODAY_NS + DAY_NS, "NIFTY")], ""),
        ],
        ids=["over the night", "in the day", "open at the end", "a long one", "an option", "an index"],
    )
    def test_tells_of_shares_that_were_short_overnight(self, model, fills, told):
        found = [note for note in notes(*fills, charge_model=model) if "short overnight" in note]

        assert bool(found) == bool(told)
        assert all(note.startswith(f"{told} short overnight: ") for note in found)

    @pytest.mark.parametrize("symbol", ["NIFTY", "Nifty 50", "BANKNIFTY", "BSE:SENSEX", "INDIA VIX"])
    def test_tells_of_an_index_that_was_traded(self, symbol):
        told = notes(a_fill(1, "BUY", TODAY_NS, symbol), a_fill(2, "SELL", TODAY_NS + SECOND_NS, symbol))

        assert told == (f"nobody can buy or sell an index, and its contracts have prices of their own: {symbol}",)

    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ([a_fill(2, "SELL", TODAY_NS + DAY_NS)], "1 of 1 trades were held overnight, and are charged as intraday"),
            ([SOLD, a_fill(3, "BUY", TODAY_NS + DAY_NS)], ""),
            ([a_fill(2, "BUY", TODAY_NS + DAY_NS, "INFY")], "1 of 2 trades were held overnight"),
            ([SOLD, a_fill(3, "BUY", TODAY_NS, OPTION), a_fill(4, "SELL", TODAY_NS + DAY_NS, OPTION)], ""),
        ],
        ids=["closed the next day", "opened on the last day", "open since the day before", "an option"],
    )
    def test_tells_of_shares_that_were_held_overnight_and_are_charged_as_intraday(self, more, told):
        found = [note for note in notes(BOUGHT, *more) if "overnight" in note]

        assert [note.startswith(told) for note in found] == [True] * bool(told)
        assert not [note for note in notes(BOUGHT, *more, charge_model="dhan-equity-delivery") if "overnight" in note]

    @pytest.mark.parametrize(("opens_as", "is_told"), [("CNC", True), ("INTRADAY", False), (None, False)])
    def test_tells_of_shares_that_were_opened_as_delivered_ones_and_are_charged_so(self, opens_as, is_told):
        products = {} if opens_as is None else dict.fromkeys(("o1", "o2"), opens_as)
        told = notes(BOUGHT, a_fill(2, "SELL", TODAY_NS + DAY_NS), products=products)

        assert ("1 of 1 trades were opened as CNC, and are charged as delivered shares" in told) is is_told
        assert any("overnight, and are charged as intraday" in note for note in told) is not is_told
        assert notes(BOUGHT, SOLD, products=products, charge_model="dhan-equity-delivery") == ()

    def test_tells_what_is_charged_by_its_name_otherwise_than_the_model_says(self):
        bought, sold = (
            [a_fill(f"{side}{symbol}", side, TODAY_NS, symbol) for symbol in (OPTION, "MCX:GOLD-04Dec2026-FUT")]
            for side in ("BUY", "SELL")
        )

        assert notes(BOUGHT, SOLD, *bought, *sold) == (
            f"charged as options, by their names: {OPTION}",
            "charged as futures of commodities, by their names: MCX:GOLD-04Dec2026-FUT",
        )
        assert notes(bought[0], sold[0], charge_model="dhan-options") == ()

    def test_tells_that_what_is_held_is_not_charged_for_its_end(self):
        held, of_closed = notes(BOUGHT, SOLD, a_fill(3, "SELL", TODAY_NS + 2 * SECOND_NS), charge_model="dhan-futures")

        assert held == HELD
        assert of_closed == (
            "win rate, profit factor, expectancy, best and worst trade, months and symbols are of closed trades: "
            "without what is held, 1 trade at -0.88 rupees"
        )

    def test_tells_of_all_that_is_held_what_it_stands_at(self):
        fills = [a_fill(number, "BUY", TODAY_NS, symbol=symbol) for number, symbol in enumerate(("INFY", "TCS"), 1)]
        trades = trades_of(fills, [Decimal("1.50"), Decimal("2.25")], {"INFY": 40.0, "TCS": 5_000.0})
        (_, of_closed), total = _flatters(trades, 252, 252), sum(each.net for each in trades)

        assert of_closed.endswith(f"without what is held, 2 trades at {total:+,.2f} rupees")

    @pytest.mark.parametrize(
        ("days", "told"),
        [
            (1, "of 1 day, extrapolated 252 times"),
            (60, "of 60 days, extrapolated 4.2 times"),
            (251, "1 times"),
            (252, ""),
        ],
    )
    def test_tells_of_how_few_days_the_figures_a_year_are(self, days, told):
        found = [*_flatters(trades_of([BOUGHT, SOLD], [Decimal(0)] * 2, {"TCS": 1.0}), days, days)]

        assert [told in note for note in found] == [True] * bool(told)
        assert [*_flatters(trades_of([BOUGHT, SOLD], [Decimal(0)] * 2, {"TCS": 1.0}), 0, 0)] == []
        assert [*_flatters([], days, days)] == [*_flatters([], days - 1, days)] == []


def test_rates_are_known_from_the_day_on_which_those_of_all_tariffs_are(monkeypatch):
    since = {"INTRADAY": date(2023, 4, 1), "FUTURE": date(2024, 10, 1)}
    monkeypatch.setattr(charging, "known_since", since.__getitem__)

    assert first_day(["INTRADAY", None, "FUTURE", "INTRADAY"]) == since["FUTURE"]
    assert first_day([None]) is None


class TestFiguresAYear:
    """2025 had 249 trading days, by the exchange's calendar and in the data of a vendor."""

    @staticmethod
    def of(days):
        """A share that is bought at 100, and rises to 110 by as much at each mark, on days of a year at 15:30."""
        begin = datetime(2025, 1, 1, tzinfo=INDIA)
        times = [int((begin + timedelta(days=day, hours=15, minutes=30)).timestamp()) * SECOND_NS for day in days]
        bars = Bars()
        for number, time_ns in enumerate(times):
            price = 100.0 + 10.0 * number / (len(times) - 1)
            bars.add(time_ns, price, price, price, price)
        return figures_of(
            Played(
                strategy="s", fills=(a_fill(1, "BUY", times[0]),), marks=Marks({"TCS": bars}), ticks=0, candles=0,
                orders=1, refused={}, rejected=0, capital_rupees=1_000.0, charge_model="none", latency_s=0.02,
            )
        ).report  # fmt: skip

    def test_of_weeks_are_those_of_the_year_that_they_are_of(self):
        traded = [day for day in range(365) if session(date(2025, 1, 1) + timedelta(days=day))]
        daily, weekly = self.of(traded), self.of([0, *range(5, 364, 7), 364])

        assert (daily.days, daily.trading_days) == (weekly.trading_days, 249) == (249, 249)
        assert weekly.days == 54
        assert weekly.cagr == near(daily.cagr) == near(1.1 ** (252 / 249) - 1)
        assert "there are prices of 54 of 249 trading days: figures a year are of all of them" in weekly.notes
        assert not any("trading days" in note for note in daily.notes)

    def test_scatter_with_the_root_of_so_many_returns_as_a_year_has(self):
        found = self.of([0, *range(5, 364, 7), 364])

        values = [1_000.0 + 100.0 * number / 53 for number in range(54)]
        returns = [0.0, *(after / before - 1 for before, after in itertools.pairwise(values))]
        assert found.sharpe == near(statistics.mean(returns) / statistics.stdev(returns) * math.sqrt(252 * 54 / 249))
        assert found.sharpe_error == near(math.sqrt((252 * 54 / 249 + found.sharpe**2 / 2) / 54))


class TestAWinRate:
    def test_is_told_by_positions_where_fewer_of_these_won(self):
        won = [(0, "TCS", "BUY", 3, 400, "a"), *((each, "TCS", "SELL", 1, 420, f"b{each}") for each in (1, 2, 3))]
        lost = [(4, "TCS", "BUY", 3, 400, "c"), (5, "TCS", "SELL", 3, 300, "d")]
        flat = [(hour, 400) for hour in range(7)]

        found = figures_of(a_play((flat, flat), won + lost, "none", 10_000.0)).report

        assert found.win_rate == 0.75
        assert (
            "win rate is of 4 trades, each what one order opened and one order closed: of the 2 positions from flat to "
            "flat that these are parts of 50.00% won"
        ) in found.notes
        assert not any("from flat to flat" in note for note in notes(BOUGHT, a_fill(2, "SELL", TODAY_NS + SECOND_NS)))


class TestAnAccountThatWasLost:
    """A short of 10 at 100 with 500 rupees: at 160 they owe 100, and at 100 all is well again, as no broker has it."""

    QUARTERS = (400, 380, 640, 400, 360)

    def a_ruin(self, capital):
        marks = [(24 * day, price) for day, price in enumerate(self.QUARTERS)]
        fills = [(0, "TCS", "SELL", 10, 400, "a")]
        return figures_of(a_play((marks, marks), fills, "none", capital)).report

    def test_has_no_ratio_and_says_when_it_was_lost(self):
        found = self.a_ruin(500.0)

        assert (found.volatility, found.sharpe, found.sharpe_error, found.sortino) == (None,) * 4
        assert (found.cagr, found.calmar, found.max_drawdown) == (-1.0, near(-1 / (650 / 550)), near(-650 / 550))
        assert "the account was lost on 2026-09-30" in "".join(found.notes)

    def test_is_told_from_one_that_holds_more_than_it_has(self):
        found = self.a_ruin(700.0)

        assert found.sharpe is not None
        assert "up to 16.00 times the account, and nothing has asked for its margin" in "".join(found.notes)
        assert not any("times the account" in note for note in self.a_ruin(5_000.0).notes)

    @pytest.mark.parametrize(("quantity", "is_told"), [(10, False), (11, True)])
    def test_is_none_that_holds_just_what_it_has(self, quantity, is_told):
        fills = [(0, "TCS", "BUY", quantity, 400, "a")]
        found = figures_of(a_play(([(0, 400), (24, 400)],) * 2, fills, "none", 1_000.0)).report

        assert any("times the account" in note for note in found.notes) is is_told


class TestAMonth:
    def test_without_a_mark_has_the_trades_that_were_closed_in_it_and_what_they_returned(self):
        before_ns = TODAY_NS - 60 * DAY_NS
        found = figures(a_fill(1, "BUY", before_ns), a_fill(2, "SELL", before_ns + SECOND_NS))

        assert [(month.name, month.trades) for month in found.months] == [("2026-07", 1), ("2026-09", 0)]
        assert found.months[0].return_ == near(-float(found.months[0].charges_rupees) / 100_000)


class TestThePositionsAtTheEnd:
    def test_are_what_is_left_long_or_short(self):
        assert figures(BOUGHT, SOLD).positions == {}
        assert figures(BOUGHT).positions == {"TCS": 10}
        assert figures(SOLD, SOLD, BOUGHT).positions == {"TCS": -10}


class TestWhatIsLeft:
    def test_is_told_where_there_is_any(self):
        assert list(left_shown(figures(BOUGHT, SOLD))) == []
        assert list(left_shown(figures(SOLD, refused={"quantity_max": 1_200, "day_loss": 3}))) == [
            "refused by rule: day_loss 3, quantity_max 1,200",
            "held at the end: TCS -10",
        ]


@pytest.mark.parametrize(
    ("symbol", "model", "rupees"),
    [  # 1,000 rupees: brokerage 0.30, exchange 0.02, GST of 0.323 (0.06) and, of crude oil, 0.10 of tax
        ("MCX:CRUDEOIL-18Dec2026-FUT", "dhan-commodity-futures", "0.48"),
        ("MCX:CARDAMOM-31Dec2026-FUT", "dhan-commodity-futures", "0.38"),
        # brokerage 20.00, exchange 0.42, the fund 0.01, tax 0.50, GST of 20.424 (3.68)
        ("MCX:CRUDEOIL-17Dec2026-6000-CE", "dhan-commodity-options", "24.61"),
    ],
)
def test_a_sale_of_a_commodity_is_charged_by_what_it_is(symbol, model, rupees):
    sale = msgspec.structs.replace(a_fill(1, "SELL", TODAY_NS), symbol=symbol)

    assert [str(each) for each in charged([sale], model)] == [rupees]


@pytest.mark.parametrize("model", ["dhan-equity-intraday", "dhan-equity-delivery", "dhan-futures", "dhan-options"])
@pytest.mark.parametrize(
    ("symbol", "tariff"),
    [
        (OPTION, "OPTION"),
        ("NIFTY 25000 PE", "OPTION"),
        ("BSE:SENSEX-24Sep2026-80000-CE", "OPTION"),
        ("RELIANCE-29Sep2026-FUT", "FUTURE"),
        ("MCX:CRUDEOIL-18Dec2026-FUT", "COMMODITY_FUTURE"),
        ("MCX:CARDAMOM-31Dec2026-FUT", "UNTAXED_FUTURE"),
        ("MCX:CRUDEOIL-17Dec2026-6000-CE", "COMMODITY_OPTION"),
    ],
)
def test_a_contract_pays_its_own_tariff_in_any_account(symbol, tariff, model):
    assert tariff_of(symbol, model) == tariff
    assert tariff_of(symbol, "none") is None


@pytest.mark.parametrize(
    ("model", "of_a_share", "of_gold", "of_its_call"),
    [
        ("dhan-equity-intraday", "INTRADAY", "FUTURE", "OPTION"),
        ("dhan-equity-delivery", "DELIVERY", "FUTURE", "OPTION"),
        ("dhan-futures", "FUTURE", "FUTURE", "OPTION"),
        ("dhan-options", "OPTION", "FUTURE", "OPTION"),
        ("dhan-commodity-futures", "COMMODITY_FUTURE", "COMMODITY_FUTURE", "COMMODITY_OPTION"),
        ("dhan-commodity-options", "COMMODITY_OPTION", "COMMODITY_FUTURE", "COMMODITY_OPTION"),
    ],
)
def test_what_a_name_does_not_tell_the_model_says(model, of_a_share, of_gold, of_its_call):
    names = "TCS", "GOLDM-04Dec2026-FUT", "GOLDM-27Nov2026-121000-CE"

    assert [tariff_of(name, model) for name in names] == [of_a_share, of_gold, of_its_call]


@pytest.mark.parametrize(
    ("model", "held_as", "tariff"),
    [
        ("dhan-equity-intraday", "CNC", "DELIVERY"),
        ("dhan-equity-intraday", "MARGIN", "INTRADAY"),
        ("dhan-equity-delivery", "INTRADAY", "INTRADAY"),
        ("dhan-equity-delivery", None, "DELIVERY"),
        ("dhan-futures", "CNC", "FUTURE"),
        ("none", "CNC", None),
    ],
)
def test_a_share_is_charged_by_the_product_that_its_order_names(model, held_as, tariff):
    assert tariff_of("TCS", model, held_as) == tariff
    assert tariff_of(OPTION, model, held_as) == (None if model == "none" else "OPTION")


def test_each_order_is_charged_by_its_own_product_and_what_is_delivered_leaves_the_depository_once_a_day():
    sales = [a_fill(number, "SELL", TODAY_NS + number) for number in range(3)]
    by_model = {model: charged(sales, f"dhan-equity-{model}") for model in ("intraday", "delivery")}

    first, again = by_model["delivery"][0], by_model["delivery"][1]
    assert first > again
    assert charged(sales, "dhan-equity-intraday", {"o1": "CNC", "o2": "CNC"}) == [
        by_model["intraday"][0], first, again,
    ]  # fmt: skip


def test_an_option_that_is_sold_in_an_account_of_shares_pays_what_its_contract_note_says():
    sale = msgspec.structs.replace(a_fill(1, "SELL", TODAY_NS, OPTION), price=100.0, quantity=75)

    # 7,500 rupees: brokerage 20.00, tax 11.25, exchange 2.63, SEBI 0.01, the fund 0.04, GST of 22.67 (4.08)
    assert [str(each) for each in charged([sale], "dhan-equity-intraday")] == ["38.01"]
