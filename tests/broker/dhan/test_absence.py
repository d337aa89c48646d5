"""When it may be said that Dhan does not have an order: when the book, the trades and the positions agree."""

import msgspec
import pytest
from natya_dhan_rows import INFY, a_position, a_row, a_trade

from natya.actors.broker.bodies.dhan.absence import reason_against


def against(instrument=INFY, side="BUY", book=(), trades=(), positions=()):
    return reason_against(instrument, side, book=book, trades=trades, positions=positions)


class TestNothingSpeaksAgainstIt:
    def test_on_a_day_without_anything(self):
        assert against() == ""

    def test_if_the_book_explains_all_trades_and_positions(self):
        book = [a_row("TRADED", filled=10), a_row("CANCELLED", number="8", filled=3)]
        trades = [a_trade(), a_trade("E2", 3, number="8")]

        assert against(book=book, trades=trades, positions=[a_position(bought=13)]) == ""

    def test_if_what_is_not_explained_is_another_instrument_or_side(self):
        other = {"security_id": "11536"}
        trades = [a_trade(number="9", **other), a_trade(number="9", transaction_type="SELL")]

        assert against(trades=trades, positions=[a_position(bought=5, **other), a_position(sold=5)]) == ""

    def test_if_a_position_was_carried_over_from_yesterday(self):
        carried = a_position(bought=0, carry_forward_buy_qty=50)

        assert against(positions=[carried]) == ""


class TestItIsNotProved:
    def test_by_a_book_that_lacks_the_order_of_a_trade(self):
        assert "does not list" in against(trades=[a_trade(number="9")])

    def test_by_a_book_that_lacks_what_was_bought(self):
        assert "13 of NSE_EQ 1594 were bought" in against(
            book=[a_row("TRADED", filled=10)], positions=[a_position(bought=13)]
        )

    def test_by_a_trade_without_a_segment_and_by_none_of_another_segment(self):
        assert "does not list" in against(trades=[a_trade(number="9", exchange_segment="")])
        assert against(trades=[a_trade(number="9", exchange_segment="BSE_EQ")]) == ""

    def test_by_one_product_of_several(self):
        positions = [a_position(bought=6), a_position(bought=6, product_type="CNC")]

        assert against(book=[a_row("TRADED", filled=10)], positions=positions)

    @pytest.mark.parametrize(("total", "carried", "today"), [(13, 0, 13), (13, 3, 10), (3, 13, 0), (13, 13, 0)])
    @pytest.mark.parametrize(("side", "way", "verb"), [("BUY", "buy", "bought"), ("SELL", "sell", "sold")])
    def test_by_a_book_that_lacks_what_is_told_only_in_sum_save_what_was_carried_over(  # noqa: PLR0913, PLR0917
        self, side, way, verb, total, carried, today
    ):
        totals = {f"{way}_qty": total, f"carry_forward_{way}_qty": carried}
        found = against(side=side, positions=[msgspec.structs.replace(a_position(), **totals)])

        wanted = f"{today} of NSE_EQ 1594 were {verb} today, and the order book has 0" if today else ""
        assert found == wanted

    @pytest.mark.parametrize(("side", "way"), [("BUY", "buy"), ("SELL", "sell")])
    def test_by_a_book_that_lacks_what_is_told_of_the_day_alone(self, side, way):
        of_the_day = msgspec.structs.replace(a_position(), **{f"day_{way}_qty": 4})

        assert against(side=side, positions=[of_the_day]).startswith("4 of NSE_EQ 1594 were ")

    @pytest.mark.parametrize("instrument", [None, INFY])
    def test_for_an_order_whose_side_or_instrument_is_not_known_by_anything_unexplained(self, instrument):
        assert against(instrument=instrument, side=None, positions=[a_position(sold=1)])
        assert against(instrument=instrument, side=None, trades=[a_trade(number="9")])
