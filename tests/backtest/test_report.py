"""What a report says besides its figures: whatever flatters is told."""

from datetime import UTC, datetime

import pytest

from natya.backtest.figures.charging import first_day
from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.figures.report import Played, figures_of
from natya.backtest.figures.shown import left_shown
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.orders import OrderFilled

TODAY_NS = int(datetime(2026, 9, 28, 5, 0, tzinfo=UTC).timestamp()) * SECOND_NS
LONG_AGO_NS = int(datetime(2015, 1, 5, 5, 0, tzinfo=UTC).timestamp()) * SECOND_NS


def a_fill(number, side, at_ns):
    return OrderFilled(
        client_order_id=f"o{number}",
        trade_id=f"t{number}",
        strategy="s",
        symbol="TCS",
        side=side,
        quantity=10,
        price=100.0,
        cumulative_quantity=10,
        occurred_ns=at_ns,
    )


def figures(*fills, charge_model="dhan-equity-intraday", latency_s=0.02, refused=None):
    bars = Bars()
    bars.add(TODAY_NS, 100.0, 100.0, 100.0, 100.0)
    played = Played(
        strategy="s",
        fills=fills,
        marks=Marks({"TCS": bars}),
        ticks=1,
        candles=0,
        orders=len(fills),
        refused=refused or {},
        rejected=0,
        capital_rupees=100_000.0,
        charge_model=charge_model,
        latency_s=latency_s,
    )
    return figures_of(played).report


def notes(*fills, **given):
    return figures(*fills, **given).notes


BOUGHT, SOLD = a_fill(1, "BUY", TODAY_NS), a_fill(2, "SELL", TODAY_NS + SECOND_NS)


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
        known_since = first_day("dhan-equity-delivery")
        found = notes(a_fill(1, "BUY", LONG_AGO_NS), a_fill(2, "SELL", TODAY_NS), charge_model="dhan-equity-delivery")

        assert known_since.year > 2015
        assert found == (
            f"the rates of charges are known from {known_since} on: earlier trades are charged as on that day",
        )

    @pytest.mark.parametrize("sold", [(), (a_fill(2, "SELL", TODAY_NS + DAY_NS),)], ids=["open", "the next day"])
    def test_tells_of_trades_of_a_day_that_were_held_overnight(self, sold):
        (note,) = notes(BOUGHT, *sold)

        assert note.startswith("1 of 1 trades were held overnight, and are charged as intraday")
        assert notes(BOUGHT, *sold, charge_model="dhan-equity-delivery") == ()


class TestAMonth:
    def test_without_a_mark_has_the_trades_that_were_closed_in_it(self):
        before_ns = TODAY_NS - 60 * DAY_NS
        found = figures(a_fill(1, "BUY", before_ns), a_fill(2, "SELL", before_ns + SECOND_NS))

        assert [(month.name, month.trades) for month in found.months] == [("2026-07", 1), ("2026-09", 0)]
        assert found.months[0].return_ is None


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
