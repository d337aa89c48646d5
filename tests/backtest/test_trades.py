"""Fills become trades: first in, first out, and nothing is lost on the way."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.backtest.figures.charging import MODELS, charged
from natya.backtest.figures.trades import round_trips, trades_of
from natya.domain.positions import Holding
from natya.messages.orders import OrderFilled

START_NS = 1_762_141_500_000_000_000


def a_fill(number, side, quantity, price, *, order=None, symbol="TCS"):  # noqa: PLR0913  what a fill may be
    return OrderFilled(
        client_order_id=order or f"o{number}",
        trade_id=f"t{number}",
        strategy="s",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        cumulative_quantity=quantity,
        occurred_ns=START_NS + number * 10**9,
    )


def trades(*fills, costs=None, last=100.0):
    costs = costs or [Decimal(0)] * len(fills)
    return trades_of(fills, costs, {fill.symbol: last for fill in fills})


def short(trade):
    exit_price = None if trade.exit_price is None else float(trade.exit_price)
    return trade.direction, trade.quantity, float(trade.entry_price), exit_price, float(trade.profit)


class TestFills:
    def test_that_open_and_close_are_one_trade(self):
        (trade,) = trades(a_fill(1, "BUY", 10, 100.0), a_fill(2, "SELL", 10, 101.5))

        assert short(trade) == ("LONG", 10, 100.0, 101.5, 15.0)
        assert (trade.entry_ns, trade.exit_ns) == (START_NS + 10**9, START_NS + 2 * 10**9)

    def test_that_sell_first_are_a_short_trade(self):
        (trade,) = trades(a_fill(1, "SELL", 10, 100.0), a_fill(2, "BUY", 10, 101.5))

        assert short(trade) == ("SHORT", 10, 100.0, 101.5, -15.0)

    def test_close_the_oldest_first(self):
        found = trades(a_fill(1, "BUY", 5, 100.0), a_fill(2, "BUY", 5, 110.0), a_fill(3, "SELL", 7, 120.0), last=115.0)

        assert list(map(short, found)) == [
            ("LONG", 5, 100.0, 120.0, 100.0),
            ("LONG", 2, 110.0, 120.0, 20.0),
            ("LONG", 3, 110.0, None, 15.0),
        ]

    def test_of_one_order_are_one_entry(self):
        fills = [a_fill(1, "BUY", 4, 100.0, order="a"), a_fill(2, "BUY", 6, 101.0, order="a")]

        (trade,) = trades(*fills, a_fill(3, "SELL", 10, 102.0))

        assert short(trade) == ("LONG", 10, 100.6, 102.0, 14.0)

    def test_are_trades_in_the_order_in_which_each_was_over(self):
        found = trades(
            a_fill(1, "BUY", 10, 100.0),
            a_fill(2, "SELL", 2, 101.0, order="a"),
            a_fill(3, "SELL", 3, 102.0, order="b"),
            a_fill(4, "SELL", 5, 103.0, order="a"),
        )

        assert [(trade.quantity, trade.exit_ns) for trade in found] == [
            (3, START_NS + 3 * 10**9),
            (7, START_NS + 4 * 10**9),
        ]

    def test_that_turn_a_position_around_close_and_open(self):
        found = trades(a_fill(1, "BUY", 5, 100.0), a_fill(2, "SELL", 8, 102.0), last=101.0)

        assert list(map(short, found)) == [("LONG", 5, 100.0, 102.0, 10.0), ("SHORT", 3, 102.0, None, 3.0)]

    def test_of_other_symbols_do_not_close_each_other(self):
        found = trades(a_fill(1, "BUY", 5, 100.0), a_fill(2, "SELL", 5, 100.0, symbol="INFY"))

        assert [trade.is_open for trade in found] == [True, True]

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["BUY", "SELL"]),
                st.integers(1, 30),
                st.integers(9_000, 11_000),
                st.sampled_from(["A", "B"]),
                st.integers(0, 500),
            ),
            max_size=25,
        )
    )
    def test_come_to_the_same_as_the_book_of_positions(self, drawn):
        fills = [
            a_fill(number, side, quantity, paise / 100, symbol=symbol)
            for number, (side, quantity, paise, symbol, _) in enumerate(drawn)
        ]
        costs = [Decimal(each[4]) / 100 for each in drawn]
        last = {"A": 100.0, "B": 99.5}

        found = trades_of(fills, costs, last)

        closed = [trade for trade in found if not trade.is_open]
        still_open = found[len(closed) :]
        assert [trade.exit_ns for trade in closed] == sorted(trade.exit_ns for trade in closed)
        assert [trade.entry_ns for trade in still_open] == sorted(trade.entry_ns for trade in still_open)
        worth = Decimal(0)
        for symbol, price in last.items():
            holding = Holding()
            for fill in fills:
                if fill.symbol == symbol:
                    holding.trade(fill.quantity if fill.side == "BUY" else -fill.quantity, fill.price)
            in_paise = (holding.realized - holding.cost) * 100 + round(price * 100) * holding.quantity
            assert in_paise.denominator == 1
            worth += Decimal(in_paise.numerator) / 100
        assert abs(sum(trade.profit for trade in found) - worth) < Decimal("1e-9")
        assert sum(trade.charges for trade in found) == sum(costs)
        assert all(trade.charges == round(trade.charges, 2) for trade in found)


def share_by_share(fills, last):
    """The same trades by other means: every share is one of a queue, and closes the oldest that is open against it."""
    queues, trades = {}, {}
    for fill in fills:
        queue = queues.setdefault((fill.strategy, fill.symbol), [])
        for _ in range(fill.quantity):
            if queue and queue[0].side != fill.side:
                opened = queue.pop(0)
                trades.setdefault((opened.client_order_id, fill.client_order_id), []).append((opened, fill))
            else:
                queue.append(fill)
    for queue in queues.values():
        for opened in queue:
            trades.setdefault((opened.client_order_id, None), []).append((opened, None))
    found = []
    for shares in trades.values():
        opened, closed = shares[0][0], shares[-1][1]
        paid = sum(Decimal(str(first.price)) for first, _ in shares)
        got = sum(Decimal(str(last[first.symbol] if second is None else second.price)) for first, second in shares)
        direction = "LONG" if opened.side == "BUY" else "SHORT"
        profit = got - paid if opened.side == "BUY" else paid - got
        prices = paid / len(shares), None if closed is None else got / len(shares)
        times = opened.occurred_ns, None if closed is None else closed.occurred_ns
        found.append((opened.strategy, opened.symbol, direction, len(shares), *times, *prices, profit))
    return found


some_traded = st.lists(
    st.tuples(
        st.sampled_from(["slow", "fast"]),
        st.sampled_from(["A", "B"]),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 9),
        st.integers(9_990, 10_010),
        st.integers(1, 3),
    ),
    max_size=20,
)


class TestEveryTrade:
    @given(some_traded)
    def test_is_of_one_strategy_and_symbol_and_as_if_counted_share_by_share(self, drawn):
        fills = [
            msgspec.structs.replace(
                a_fill(number, side, quantity, paise / 100, symbol=symbol, order=f"{strategy}{symbol}{side}{order}"),
                strategy=strategy,
            )
            for number, (strategy, symbol, side, quantity, paise, order) in enumerate(drawn)
        ]
        last = {"A": 100.0, "B": 99.5}

        found = [
            (
                *(each.strategy, each.symbol, each.direction, each.quantity, each.entry_ns, each.exit_ns),
                *(each.entry_price, each.exit_price, each.profit),
            )
            for each in trades_of(fills, [Decimal(0)] * len(fills), last)
        ]
        assert sorted(map(str, found)) == sorted(map(str, share_by_share(fills, last)))


class TestCharges:
    def test_of_an_intraday_trade_are_those_of_the_tariff(self):
        buys, sells = charged([a_fill(1, "BUY", 10, 1_000.0), a_fill(2, "SELL", 10, 1_000.0)], "dhan-equity-intraday")

        # buying: 3.00 brokerage, 0.30 exchange, 0.01 SEBI, 0.01 fund, 0.30 stamp, 0.60 GST; selling: no stamp, 2.50 tax
        assert (buys, sells) == (Decimal("4.22"), Decimal("6.42"))

    def test_have_brokerage_of_an_order_not_of_each_fill(self):
        whole = charged([a_fill(1, "BUY", 100, 1_500.0)], "dhan-equity-intraday")
        parts = charged([a_fill(n, "BUY", 50, 1_500.0, order="a") for n in (1, 2)], "dhan-equity-intraday")

        assert abs(sum(parts) - sum(whole)) <= Decimal("0.05")

    def test_of_the_depository_are_taken_once_a_day_and_symbol(self):
        fills = [a_fill(n, "SELL", 1, 1_000.0) for n in (1, 2)]

        first, second = charged(fills, "dhan-equity-delivery")

        assert first - second == Decimal("14.75")  # 12.50 and GST

    def test_of_a_time_before_the_known_rates_are_those_of_the_first_ones(self):
        early = a_fill(1, "BUY", 10, 1_000.0)
        early = OrderFilled(
            **{name: getattr(early, name) for name in early.__struct_fields__} | {"occurred_ns": 10**18}
        )

        assert charged([early], "dhan-equity-intraday")[0] > 0

    def test_are_known_for_every_model(self):
        assert [charged([a_fill(1, "BUY", 10, 100.0)], model)[0] > 0 for model in MODELS] == [True] * 6 + [False]


class TestAPosition:
    def test_is_one_from_flat_to_flat_however_many_orders_opened_and_closed_it(self):
        in_parts = [a_fill(1, "BUY", 9, 100.0), *(a_fill(2 + each, "SELL", 3, 101.0) for each in range(3))]
        at_once = [a_fill(6, "BUY", 5, 100.0), a_fill(7, "BUY", 5, 99.0), a_fill(8, "SELL", 10, 90.0)]

        found = trades(*in_parts, *at_once)

        assert [float(each.net) for each in found] == [3.0, 3.0, 3.0, -50.0, -45.0]
        assert round_trips(found) == [9, -95]

    def test_that_is_turned_round_is_two(self):
        found = trades(a_fill(1, "BUY", 5, 100.0), a_fill(2, "SELL", 10, 101.0), a_fill(3, "BUY", 5, 103.0))

        assert round_trips(found) == [5, -10]

    def test_that_is_still_open_has_no_result_yet(self):
        found = trades(a_fill(1, "BUY", 5, 100.0), a_fill(2, "SELL", 2, 101.0), a_fill(3, "BUY", 1, 100.0))

        assert round_trips(found) == []

    def test_is_of_its_symbol_alone(self):
        found = trades(
            a_fill(1, "BUY", 5, 100.0),
            a_fill(2, "BUY", 5, 100.0, symbol="INFY"),
            a_fill(3, "SELL", 5, 90.0, symbol="INFY"),
            a_fill(4, "SELL", 5, 101.0),
        )

        assert round_trips(found) == [-50, 5]
