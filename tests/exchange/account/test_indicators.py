"""Conditional orders on technical indicators, which are computed on the candles that the exchange showed."""

import pytest

from natya.actors.exchange.account import AlertTicket
from natya.actors.exchange.account.candles import FRAMES, KEPT, Candles
from natya.domain.calendar import MINUTE_NS
from natya.domain.dhan.technical import settles_in
from natya.domain.time import DAY_NS
from natya.messages.exchange import AlertCondition, AlertOrder

INFY, INDEX = ("NSE_EQ", "1594"), ("IDX_I", "13")
NINE_NS = 20_000 * DAY_NS - 19_800 * 10**9 + 9 * 60 * MINUTE_NS
"""Nine o'clock of a day in India."""


def alert(**changes):
    fields = {"instrument": INFY, "indicator": "SMA_5", "time_frame": "ONE_MIN", "operator": "GREATER_THAN"} | changes
    order = AlertOrder(instrument=INFY, side="BUY", product="CNC", order_type="MARKET", quantity=5)
    return AlertTicket(condition=AlertCondition(**fields), orders=(order,))


def with_value(value=101.0, **changes):
    return alert(comparison="TECHNICAL_WITH_VALUE", value=value, **changes)


def play(client, prices, *, minutes=1):
    """A price at the begin of each candle, which is its close as well; return after which the alert had fired."""
    for number, price in enumerate(prices):
        client.tick(price)
        if client.account.alerts()[0].status == "TRIGGERED":
            return number
        client.wait(60 * minutes)
    return None


class TestAConditionOnAnIndicator:
    @pytest.mark.parametrize(
        ("prices", "fires"),
        [
            ([100, 100, 100, 100, 106, 0], 5),  # an average of 101.2: known when the fifth candle is over
            ([100, 100, 100, 100, 104, 104], None),
            ([100, 100, 100, 100, 100, 106, 0], 6),
            ([100, 100, 100, 120], None),  # three candles are over
        ],
    )
    def test_holds_at_the_end_of_a_candle(self, client, prices, fires):
        client.ask("place_conditional", with_value())

        assert play(client, [price or 100 for price in prices]) == fires
        assert len(client.account.orders()) == (fires is not None)

    @pytest.mark.parametrize(("frame", "minutes"), [("ONE_MIN", 1), ("FIVE_MIN", 5), ("FIFTEEN_MIN", 15)])
    def test_is_of_candles_of_its_length(self, client, frame, minutes):
        client.ask("place_conditional", with_value(time_frame=frame))

        assert play(client, [100, 100, 100, 100, 106, 100], minutes=minutes) == 5

    def test_of_days_is_looked_at_when_the_day_is_over(self, client):
        client.ask("place_conditional", with_value(time_frame="DAY"))

        assert play(client, [100, 100, 100, 100, 106, 100], minutes=24 * 60) == 5

    def test_may_have_been_shown_before_it_was_placed(self, client):
        for price in (100, 100, 100, 100):
            client.tick(price)
            client.wait(60)
        client.ask("place_conditional", with_value())

        assert play(client, [106, 100]) == 1

    @pytest.mark.parametrize(
        ("operator", "prices", "fires"),
        [
            ("CROSSING_UP", [99, 99, 99, 99, 99, 120, 100], 6),
            ("CROSSING_UP", [110, 110, 110, 110, 110, 120, 100], None),  # it was above
            ("CROSSING_DOWN", [110, 110, 110, 110, 110, 10, 100], 6),
            ("CROSSING_ANY_SIDE", [110, 110, 110, 110, 110, 10, 100], 6),
            ("CROSSING_UP", [120, 120, 120, 120, 120, 120], None),  # known for the first time, above: it did not cross
        ],
    )
    def test_crosses_between_two_candles(self, client, operator, prices, fires):
        client.ask("place_conditional", with_value(operator=operator))

        assert play(client, prices) == fires

    def test_is_compared_with_the_close(self, client):
        client.ask("place_conditional", alert(comparison="TECHNICAL_WITH_CLOSE", operator="LESS_THAN"))

        assert play(client, [100, 100, 100, 100, 100, 101, 100]) == 6

    def test_is_compared_with_another_indicator(self, client):
        fields = {"comparison": "TECHNICAL_WITH_INDICATOR", "other_indicator": "SMA_10"}
        client.ask("place_conditional", alert(**fields))

        assert play(client, [100] * 10 + [110, 100]) == 11

    def test_waits_while_the_other_is_not_known(self, client):
        fields = {"comparison": "TECHNICAL_WITH_INDICATOR", "other_indicator": "SMA_200", "operator": "NOT_EQUAL"}
        client.ask("place_conditional", alert(**fields))

        assert play(client, [100, 110] * 8) is None

    def test_of_an_earlier_process_waits_for_candles_of_this_one(self, client):
        client.ask("place_conditional", with_value())
        play(client, [100, 100, 100, 100])
        client.account = client.replayed()

        # The first of them is left out: its begin may have been shown by that process.
        assert play(client, [106, 106, 106, 106, 106, 106, 106]) == 6

    @pytest.mark.parametrize(("indicator", "candles"), [("EMA_5", 23), ("RSI_14", 139), ("MACD_HIST", 162)])
    def test_of_an_earlier_process_waits_until_what_an_average_lacks_weighs_nothing(self, client, indicator, candles):
        client.ask("place_conditional", with_value(-1_000.0, indicator=indicator))
        client.account = client.replayed()

        assert settles_in(indicator) == candles
        assert play(client, [100 + number % 2 for number in range(candles + 5)]) == candles + 2

    def test_of_a_new_account_knows_an_average_when_its_window_is_full(self, client):
        client.ask("place_conditional", with_value(-1_000.0, indicator="EMA_5"))

        assert play(client, [100] * 10) == 5


class TestTheCandles:
    def test_are_those_of_the_clock_in_india(self):
        candles, ends = Candles(), []
        for minute in range(31):
            ended = candles.move(NINE_NS + (15 + minute) * MINUTE_NS, 100.0 + minute)
            ends.append(ended)

        assert ends[0] == ()
        assert all("ONE_MIN" in each for each in ends[1:])
        assert [number for number, each in enumerate(ends) if "FIVE_MIN" in each] == [5, 10, 15, 20, 25, 30]
        assert [number for number, each in enumerate(ends) if "FIFTEEN_MIN" in each] == [15, 30]
        series = candles.series["FIFTEEN_MIN"]
        assert [series.highs.tolist(), series.lows.tolist(), series.closes.tolist()] == [
            [114.0, 129.0],
            [100.0, 115.0],
            [114.0, 129.0],
        ]
        assert candles.move(NINE_NS + DAY_NS, 1.0) == tuple(FRAMES)

    def test_have_the_highest_the_lowest_and_the_last_price(self):
        candles = Candles()
        for second, price in enumerate([100.0, 103.0, 98.0, 101.0]):
            candles.move(NINE_NS + second * 10**9, price)
        candles.move(NINE_NS + MINUTE_NS, 50.0)

        minute = candles.series["ONE_MIN"]
        assert (minute.highs.tolist(), minute.lows.tolist(), minute.closes.tolist()) == ([103.0], [98.0], [101.0])

    def test_are_bounded(self):
        candles = Candles()
        for minute in range(2 * KEPT + 5):
            candles.move(NINE_NS + minute * MINUTE_NS, float(minute))

        closes = candles.series["ONE_MIN"].closes
        assert KEPT <= len(closes) <= 2 * KEPT
        assert closes[-1] == 2 * KEPT + 3
