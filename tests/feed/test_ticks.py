"""Recordings of full packets."""

import pytest

from natya.actors.feed import RecordingError
from natya.messages.market import Depth

FULL = (
    "time,type,ltp,volume,oi,ltq,atp,total_buy_qty,total_sell_qty,open,high,low,close,"
    "bid_price_1,bid_qty_1,bid_orders_1,ask_price_1,ask_qty_1,ask_orders_1,bid_price_2,bid_qty_2,ask_price_2,ask_qty_2"
)
PACKET = (
    "2025-12-29 12:47:02.553384,full,25974.900390625,3333675,11148150,75,26024.109375,309225,421350,26080.0,"
    "26100.19921875,25972.400390625,26060.19921875,25974.80078125,525,7,25980.0,300,3,25974.69921875,600,25980.900390625,600"
)
INTEREST = "2025-12-29 12:47:02.555390,oi,,,11148150" + "," * 18


class TestAFullPacket:
    def test_becomes_a_tick_with_depth_and_day(self, write, messages):
        (tick,) = messages(write(FULL, PACKET))

        assert (tick.symbol, tick.price, tick.quantity, tick.volume) == ("TCS", 25974.9, 75, 3333675)
        assert tick.exchange_ns == 1_766_992_622_553_384_000
        assert tick.depth == Depth(
            bid_prices=(25974.8, 25974.7),
            bid_quantities=(525, 600),
            ask_prices=(25980.0, 25980.9),
            ask_quantities=(300, 600),
            bid_orders=(7,),
            ask_orders=(3,),
        )
        assert (tick.day.high_price, tick.day.close_price, tick.day.average_price) == (26100.2, 26060.2, 26024.11)
        assert (tick.day.total_buy_quantity, tick.day.open_interest) == (309225, 11148150)

    def test_without_a_last_price_is_no_tick(self, write, messages):
        ticks = messages(write(FULL, PACKET, INTEREST, PACKET))

        assert [tick.sequence for tick in ticks] == [1, 2]

    def test_leaves_out_levels_where_nobody_stands(self, write, messages):
        header = "time,ltp,bid_price_1,bid_qty_1,bid_orders_1,bid_price_2,bid_qty_2,bid_orders_2,ask_price_1,ask_qty_1"
        (tick,) = messages(write(header, "2025-12-29 12:00,100,0,0,0,99.5,10,3,,"))

        assert (tick.depth.bid_prices, tick.depth.bid_orders) == ((99.5,), (3,))
        assert tick.depth.ask_prices == ()

    @pytest.mark.parametrize(
        ("side", "row", "found"),
        [
            ("bid", "99,5", ((99.0,), ())),
            ("ask", "101,5", ((), (101.0,))),
            ("bid", "0,0", ((), ())),
            ("bid", "0,", ((), ())),
            ("bid", ",", None),
        ],
    )
    def test_may_have_one_side_and_zeros_are_an_empty_book_where_nothing_is_none(
        self, write, messages, side, row, found
    ):
        (tick,) = messages(write(f"time,ltp,{side}_price_1,{side}_qty_1", f"2025-12-29 12:00,100,{row}"))

        depth = tick.depth
        assert (None if depth is None else (depth.bid_prices, depth.ask_prices)) == found

    @pytest.mark.parametrize(
        ("row", "day"),
        [("1,2,1,2", (1.0, 2.0)), (",2,1,2", (0.0, 2.0)), ("0,0,0,0", (0.0, 0.0)), (",,,2", (0.0, 2.0)), (",,,", None)],
    )
    def test_has_the_prices_of_the_day_that_are_told(self, write, messages, row, day):
        (tick,) = messages(write("time,ltp,ltq,open,high,low,close", f"2025-12-29 12:00,100,1,{row}"))

        assert (None if tick.day is None else (tick.day.open_price, tick.day.close_price)) == day

    @pytest.mark.parametrize(
        ("level", "bids"),
        [("99.5,10", (100.0, 99.5)), ("0,10", (100.0,)), (",10", (100.0,)), ("99.5,0", (100.0,)), ("99.5,", (100.0,))],
    )
    def test_leaves_out_a_level_without_a_price_or_without_shares_whatever_else_is_told(
        self, write, messages, level, bids
    ):
        header = (
            "time,ltp,ltq,total_buy_qty,total_sell_qty,open,high,low,close,"
            "bid_price_1,bid_qty_1,bid_price_2,bid_qty_2,ask_price_1,ask_qty_1"
        )
        (tick,) = messages(write(header, f"2025-12-29 12:00,100,1,7,8,100,101,99,100,100,5,{level},101,6"))

        assert (tick.depth.bid_prices, len(tick.depth.bid_quantities)) == (bids, len(bids))
        assert (tick.depth.ask_prices, tick.depth.ask_quantities) == ((101.0,), (6,))
        assert (tick.day.open_price, tick.day.total_buy_quantity, tick.day.total_sell_quantity) == (100.0, 7, 8)

    def test_may_say_nothing_but_time_and_price(self, write, messages):
        (tick,) = messages(write("timestamp,last_price", "1766992622,100"))

        assert (tick.price, tick.quantity, tick.volume, tick.depth, tick.day) == (100.0, 0, 0, None, None)


class TestTheColumns:
    def test_are_known_by_name_in_any_order_and_case(self, write, messages):
        header = "Ask Quantity,BID_PRICE,LTP,Best,Date-Time,Bid Qty,ask price,Tradingsymbol"
        (tick,) = messages(write(header, "7,99.95,100,x,2025-12-29T12:47:02,5,100.05,INFY"), symbol="")

        assert (tick.symbol, tick.price) == ("INFY", 100.0)
        assert (tick.depth.bid_prices, tick.depth.ask_quantities) == ((99.95,), (7,))

    def test_decide_the_symbol_before_the_setting(self, write, messages):
        (tick,) = messages(write("time,ltp,symbol", "2025-12-29,100,INFY"), symbol="TCS")

        assert tick.symbol == "INFY"

    def test_or_the_setting_must_name_the_symbol(self, write, messages):
        with pytest.raises(RecordingError, match=r"one symbol for it is wanted, found none: --symbol, or SYMBOL=FILE"):
            messages(write(FULL, PACKET), symbol="")

    def test_that_say_the_same_twice_are_refused(self, write, messages):
        with pytest.raises(RecordingError, match="one column for time is wanted, found 'date' and 'timestamp'"):
            messages(write("date,timestamp,ltp", "2025-12-29,12:00,100"))

    def test_of_another_kind_of_file_are_refused(self, write, messages):
        with pytest.raises(RecordingError, match=r"line 1: columns time and ltp .* found no time, open"):
            messages(write("name,size", "a,b"))


class TestABrokenRow:
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("2025-12-29 12:47,0,1,TCS", "above 0 rupees is wanted, found '0'"),
            ("2025-12-29 12:47,nan,1,TCS", "found 'nan'"),
            ("2025-12-29 12:47,-5,1,TCS", "found '-5'"),
            ("2025-12-29 12:47,100,-1,TCS", "a whole number from 0 is wanted, found '-1'"),
            ("yesterday,100,1,TCS", "found 'yesterday'"),
            ("2025-12-29 12:47,100", "4 columns are wanted, found 2"),
            ("2025-12-29 12:47,100,1,TCS,5", "4 columns are wanted, found 5"),
            ("2025-12-29 12:45,100,1,TCS", "a time not before"),
            ('"2025-12-29 12:47","1,00",1,TCS', "found '1,00'"),
        ],
    )
    def test_ends_the_recording_with_file_line_and_reason(self, write, messages, row, reason):
        path = write("time,ltp,volume,symbol", "2025-12-29 12:46,100,1,TCS", "", row)

        with pytest.raises(RecordingError) as caught:
            messages(path)

        assert caught.value.path == path
        assert caught.value.line == 4
        assert reason in caught.value.reason

    def test_is_skipped_as_long_as_that_is_allowed(self, write, messages):
        lines = ["time,ltp", "1766992622,100", "1766992622,x", "1766992623,101", "1766992623,y"]
        ticks = messages(write(*lines), bad_rows_max=2)

        assert [(tick.sequence, tick.price) for tick in ticks] == [(1, 100.0), (2, 101.0)]
        with pytest.raises(RecordingError, match="line 5"):
            messages(write(*lines), bad_rows_max=1)
