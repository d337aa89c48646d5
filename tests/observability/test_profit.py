"""The account's profit in a view, and how it has gone."""

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from natya.actors.observability import ProfitSamples, View, profit_in
from natya.actors.observability.profit import SAMPLES_MAX, Profit
from natya.messages.holdings import Position
from natya.messages.market import FeedStatistics
from natya.messages.order_listing import OrdersStatistics

COUNTS = dict.fromkeys(("orders", "fills", "rejected", "open_orders", "uncertain_orders"), 0)


def view_of(*quantities, prices):
    held = tuple(
        Position(symbol=f"S{place}", quantity=each, average_price=Decimal(100), realized_pnl=Decimal("2.50"))
        for place, each in enumerate(quantities)
    )
    orders = OrdersStatistics(risk_state="NORMAL", positions=held, **COUNTS)
    zeros = dict.fromkeys(("ticks", "candles", "bad_rows"), 0)
    feed = FeedStatistics(source="synthetic", ended=False, last_prices=prices, **zeros)
    return View(tree=None, statistics={"orders": orders, "feed": feed})


class TestTheProfitInAView:
    def test_is_what_was_realized_and_what_is_open_at_the_last_prices(self):
        found = profit_in(view_of(10, 0, prices={"S0": 99.5}))

        assert found == Profit(Decimal("5.00"), Decimal("-5.00"))

    def test_is_not_known_where_an_open_position_has_no_price(self):
        assert profit_in(view_of(10, 10, prices={"S0": 99.5})).unrealized is None

    def test_is_none_where_orders_did_not_say(self):
        assert profit_in(View(tree=None, statistics={})) is None


def taken(count):
    samples = ProfitSamples()
    for each in range(count):
        samples.add(each, Profit(Decimal(each), Decimal(-1)))
    return samples.curve()


class TestTheCurve:
    def test_has_each_sample_while_there_is_room(self):
        curve = taken(3)

        assert (curve.times_ns, curve.realized, curve.unrealized) == ((0, 1, 2), (0.0, 1.0, 2.0), (-1.0, -1.0, -1.0))

    def test_leaves_out_what_is_not_known(self):
        samples = ProfitSamples()
        samples.add(1, None)
        samples.add(2, Profit(Decimal(1), None))

        assert samples.curve().times_ns == ()

    @given(count=st.integers(0, 6 * SAMPLES_MAX))
    def test_is_bounded_and_spans_all_the_time_in_even_steps(self, count):
        times = taken(count).times_ns
        steps = {later - earlier for earlier, later in itertools.pairwise(times)}

        assert len(times) < SAMPLES_MAX
        assert len(steps) <= 1
        assert not count or (times[0] == 0 and count - times[-1] <= max(steps, default=1))
