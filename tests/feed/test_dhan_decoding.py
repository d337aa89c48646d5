"""Packets of Dhan's market feed into ticks."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_packets import (
    DISCONNECT,
    EVERY,
    FULL,
    LAST_TRADE,
    LAST_TRADE_NS,
    OPEN_INTEREST,
    PREVIOUS_CLOSE,
    QUOTE,
    STATUS,
    TICKER,
    full,
)

from natya.actors.feed.bodies.dhan import decoding, prices
from natya.actors.feed.bodies.dhan.decoding import AHEAD_MAX_NS, IST_OFFSET_S, Decoder
from natya.domain.dhan.streams import packets
from natya.domain.instruments import PriceGrid
from natya.messages.codec import decode, encode
from natya.messages.market import DaySummary, Depth, Tick

NOW_NS = LAST_TRADE_NS + 400_000_000
TICK_RUPEES = 0.05
OPTION = 51_234
GRID = PriceGrid(TICK_RUPEES)


@pytest.fixture
def decoder():
    decoder = Decoder("dhan-1")
    decoder.add("NSE_EQ", "1594", "INFY", PriceGrid(TICK_RUPEES))
    decoder.add("IDX_I", "13", "NIFTY", PriceGrid(TICK_RUPEES))
    decoder.add("NSE_FNO", str(OPTION), "NIFTY OCT", PriceGrid(TICK_RUPEES))
    return decoder


def a_packet(code, *, price=1512.5, time_s=LAST_TRADE, average=1509.75):
    """One of INFY in which one thing is otherwise."""
    values = list(
        packets.LAYOUTS[code].unpack({packets.TICKER: TICKER, packets.QUOTE: QUOTE, packets.FULL: FULL}[code])
    )
    values[4], values[5 if code == packets.TICKER else 6] = price, time_s
    if code != packets.TICKER:
        values[7] = average
    return packets.LAYOUTS[code].pack(*values)


def a_ticker(price, security_id=1594, segment=1):
    return packets.TICKER_LAYOUT.pack(packets.TICKER, 16, segment, security_id, price, 1_791_368_130)


class TestATicker:
    def test_has_price_and_time(self, decoder):
        assert decoder.decode(TICKER, NOW_NS) == [
            Tick(
                symbol="INFY",
                price=1512.5,
                quantity=0,
                exchange_ns=LAST_TRADE_NS,
                source="dhan-1",
                sequence=1,
                received_ns=NOW_NS,
            )
        ]

    @given(st.integers(1, 2_000_000))
    def test_has_the_price_on_the_grid_that_was_sent(self, count):
        decoder = Decoder("x")
        grid = PriceGrid(TICK_RUPEES)
        decoder.add("NSE_EQ", "1594", "INFY", grid)
        price = grid.nearest(count * TICK_RUPEES)

        (first,) = decoder.decode(a_ticker(price), NOW_NS)
        (again,) = decoder.decode(a_ticker(price), NOW_NS)

        assert first.price == again.price == price

    def test_of_a_time_that_has_not_come_is_damaged_and_those_after_it_are_not(self, decoder):
        later = packets.TICKER_LAYOUT.pack(packets.TICKER, 16, 1, 1594, 1512.5, 2**32 - 1)
        found = decoder.decode(TICKER + later + TICKER, NOW_NS)
        assert [tick.exchange_ns for tick in found] == [LAST_TRADE_NS, LAST_TRADE_NS]
        assert (decoder.damaged, decoder.broken) == (1, "")
        assert "up to 60 s ahead" in decoder.fault
        assert decoder.ahead == decoder.damaged == 1

    @given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
    def test_has_its_own_time_whatever_came_before(self, steps):
        decoder = Decoder("x")
        decoder.add("NSE_EQ", "1594", "INFY", PriceGrid(TICK_RUPEES))
        for step in steps:
            packet = packets.TICKER_LAYOUT.pack(packets.TICKER, 16, 1, 1594, 1512.5, LAST_TRADE + step if step else 0)
            (tick,) = decoder.decode(packet, NOW_NS)
            assert tick.exchange_ns == (LAST_TRADE_NS + step * 10**9 if step else 0)


class TestAQuote:
    def test_has_the_day(self, decoder):
        (tick,) = decoder.decode(QUOTE, NOW_NS)
        assert (tick.price, tick.quantity, tick.volume, tick.exchange_ns) == (1512.5, 12, 2_450_000, LAST_TRADE_NS)
        assert tick.day == DaySummary(
            open_price=1500.0,
            high_price=1518.0,
            low_price=1496.5,
            close_price=1498.25,
            average_price=1509.75,
            total_buy_quantity=295_000,
            total_sell_quantity=310_000,
            open_interest=None,
        )

    def test_of_a_derivative_has_the_open_interest_that_came_before_it(self, decoder):
        written = packets.HEADER.pack(packets.QUOTE, 50, 2, OPTION) + QUOTE[8:]
        (before,) = decoder.decode(written, NOW_NS)
        (after,) = decoder.decode(OPEN_INTEREST + written, NOW_NS)
        assert (before.day.open_interest, after.day.open_interest) == (0, 1_250_300)

    def test_of_an_index_has_no_open_interest(self, decoder):
        (tick,) = decoder.decode(packets.HEADER.pack(packets.QUOTE, 50, 0, 13) + QUOTE[8:], NOW_NS)

        assert (tick.symbol, tick.day.open_interest) == ("NIFTY", None)

    def test_without_a_close_has_the_previous_one_that_came_before_it(self, decoder):
        values = list(packets.QUOTE_LAYOUT.unpack(QUOTE))
        values[12] = 0.0
        close = packets.PREVIOUS_CLOSE_LAYOUT.pack(packets.PREVIOUS_CLOSE, 16, 1, 1594, 1490.05, 0)
        (tick,) = decoder.decode(close + packets.QUOTE_LAYOUT.pack(*values), NOW_NS)
        assert tick.day.close_price == 1490.05


class TestAFullPacket:
    def test_has_the_book_best_level_first(self, decoder):
        (tick,) = decoder.decode(FULL, NOW_NS)
        assert tick.depth.bid_prices == (1512.5, 1512.0, 1511.5, 1511.0, 1510.5)
        assert tick.depth.ask_prices == (1513.0, 1513.5, 1514.0, 1514.5, 1515.0)
        assert tick.depth.bid_quantities == (100, 101, 102, 103, 104)
        assert tick.depth.ask_quantities == (200, 201, 202, 203, 204)
        assert (tick.depth.bid_orders, tick.depth.ask_orders) == ((2,) * 5, (3,) * 5)
        assert (tick.day.open_price, tick.day.high_price, tick.day.low_price) == (1500.0, 1518.0, 1496.5)

    def test_of_a_derivative_has_open_interest(self, decoder):
        (tick,) = decoder.decode(full(OPTION, 2, open_interest=77), NOW_NS)
        assert tick.day.open_interest == 77


UNITS = st.integers(0, 2**32 - 1)
PRICES = st.integers(1, 40_000).map(lambda count: count / 4)  # on the grid, and exactly as 32 bits have them
DAYS = st.lists(PRICES | st.just(0.0), min_size=4, max_size=4)


@st.composite
def contents(draw):
    """What a full packet says, of which a quote is a part; a day that is drawn again is one that has not moved."""
    return {
        "price": draw(PRICES),
        "quantity": draw(st.integers(0, 65_535)),
        "time_s": LAST_TRADE + draw(st.integers(-5, 5)),
        "average": draw(st.integers(0, 40_000)) / 4,
        "volume": draw(UNITS),
        "sellers": draw(UNITS),
        "buyers": draw(UNITS),
        "open_interest": draw(UNITS),
        "day": draw(st.sampled_from([[1500.0, 1498.25, 1518.0, 1496.5], [1500.0, 0.0, 1518.0, 1496.5]]) | DAYS),
        "levels": draw(
            st.lists(
                st.tuples(UNITS, UNITS, st.integers(0, 65_535), st.integers(0, 65_535), PRICES, PRICES),
                min_size=5,
                max_size=5,
            )
        ),
    }


class TestWhateverAPacketSays:
    @pytest.mark.parametrize("kind", [packets.QUOTE, packets.FULL])
    @pytest.mark.parametrize("of", [(1, 1594, "INFY"), (2, OPTION, "NIFTY OCT")], ids=["a share", "an option"])
    @given(
        said=st.lists(contents(), min_size=1, max_size=3),
        close=st.sampled_from([None, 1490.05]),
        together=st.booleans(),
    )
    def test_each_field_of_the_tick_is_that_of_the_packet(self, kind, of, said, close, together):
        segment, security_id, symbol = of
        decoder = Decoder("dhan-1", sequence=40)
        for listed, number, name in (("NSE_EQ", "1594", "INFY"), ("NSE_FNO", str(OPTION), "NIFTY OCT")):
            decoder.add(listed, number, name, GRID)
        if close is not None:
            of_before = packets.PREVIOUS_CLOSE_LAYOUT.pack(packets.PREVIOUS_CLOSE, 16, segment, security_id, close, 9)
            decoder.decode(of_before, NOW_NS)
        frames = []
        for each in said:
            first = (each["price"], each["quantity"], each["time_s"], each["average"], each["volume"])
            counts, header = (each["sellers"], each["buyers"]), (kind, packets.LAYOUTS[kind].size, segment, security_id)
            if kind == packets.QUOTE:
                frames.append(packets.QUOTE_LAYOUT.pack(*header, *first, *counts, *each["day"]))
                continue
            levels = [value for level in each["levels"] for value in level]
            interest = (each["open_interest"], 1, 2)
            frames.append(packets.FULL_LAYOUT.pack(*header, *first, *counts, *interest, *each["day"], *levels))
        found = [
            tick for frame in ([b"".join(frames)] if together else frames) for tick in decoder.decode(frame, NOW_NS)
        ]

        assert (decoder.sequence, decoder.ticks, decoder.damaged) == (40 + len(said), len(said), 0)
        for place, (tick, each) in enumerate(zip(found, said, strict=True), 41):
            opened, closed, high, low = each["day"]
            bid_quantities, ask_quantities, bid_orders, ask_orders, bids, asks = zip(*each["levels"], strict=True)
            interest = each["open_interest"] if kind == packets.FULL else 0
            book = Depth(
                bid_prices=bids,
                bid_quantities=bid_quantities,
                ask_prices=asks,
                ask_quantities=ask_quantities,
                bid_orders=bid_orders,
                ask_orders=ask_orders,
            )
            assert tick == Tick(
                symbol=symbol,
                price=each["price"],
                quantity=each["quantity"],
                exchange_ns=LAST_TRADE_NS + (each["time_s"] - LAST_TRADE) * 10**9,
                source="dhan-1",
                sequence=place,
                received_ns=NOW_NS,
                volume=each["volume"],
                depth=book if kind == packets.FULL else None,
                day=DaySummary(
                    open_price=opened,
                    high_price=high,
                    low_price=low,
                    close_price=closed or close or 0.0,
                    average_price=each["average"],
                    total_buy_quantity=each["buyers"],
                    total_sell_quantity=each["sellers"],
                    open_interest=interest if segment == 2 else None,
                ),
            )

    @pytest.mark.parametrize("code", [packets.TICKER, packets.QUOTE, packets.FULL])
    def test_of_a_time_of_none_has_none_and_of_a_minute_ahead_is_the_last_that_is_taken(self, decoder, code):
        def at(time_s):
            return decoder.decode(a_packet(code, time_s=time_s), NOW_NS)

        ahead_s = (NOW_NS + AHEAD_MAX_NS) // 10**9 + IST_OFFSET_S
        assert [tick.exchange_ns for tick in at(0) + at(IST_OFFSET_S) + at(IST_OFFSET_S + 1)] == [0, 0, 10**9]
        assert at(ahead_s)[0].exchange_ns == (ahead_s - IST_OFFSET_S) * 10**9
        assert at(ahead_s + 1) == []
        assert [tick.exchange_ns for tick in at(LAST_TRADE)] == [LAST_TRADE_NS]  # one that is told late

    @pytest.mark.parametrize("code", [packets.QUOTE, packets.FULL])
    @pytest.mark.parametrize(
        ("average", "told"), [(0.0, 0.0), (0.125, 0.13), (1e12, 1e12), (-0.5, None), (1.1e12, None), (math.nan, None)]
    )
    def test_has_its_average_to_the_paisa_or_is_damaged(self, decoder, code, average, told):
        found = decoder.decode(a_packet(code, average=average), NOW_NS)

        assert [tick.day.average_price for tick in found] == ([] if told is None else [pytest.approx(told, rel=1e-6)])
        assert (decoder.damaged, "an average price" in decoder.fault) == (int(told is None), told is None)

    @pytest.mark.parametrize("code", [packets.TICKER, packets.QUOTE, packets.FULL])
    def test_without_a_last_price_is_damaged(self, decoder, code):
        assert decoder.decode(a_packet(code, price=0.0), NOW_NS) == []
        assert (decoder.damaged, decoder.sequence, decoder.fault) == (1, 0, "a last price above 0 wanted, found 0")

    def test_a_table_of_prices_is_emptied_before_it_grows_without_end(self, monkeypatch):
        monkeypatch.setattr(prices, "PRICES_MAX", 2)
        table = prices.OnGrid(GRID)
        assert [table[each] for each in (1.01, 1.06, 1.11, 1.01)] == [1.0, 1.05, 1.1, 1.0]
        assert len(table) == 2

    def test_is_counted_where_it_says_only_that_the_feed_lives(self, decoder):
        for code in (packets.HEARTBEAT, packets.INDEX):
            assert decoder.decode(packets.HEADER.pack(code, 8, 0, 0), NOW_NS) == []
        assert (decoder.packets, decoder.unknown, decoder.damaged) == (2, 0, 0)
        assert (decoder.reason, decoder.broken, decoder.fault, decoder.statuses) == (0, "", "", [])


class TestAFrame:
    def test_of_several_packets_gives_ticks_that_are_numbered_on(self, decoder):
        found = decoder.decode(STATUS + TICKER + PREVIOUS_CLOSE + QUOTE + FULL, NOW_NS)
        assert [tick.sequence for tick in found] == [1, 2, 3]
        assert decoder.decode(TICKER, NOW_NS)[0].sequence == 4
        assert (decoder.packets, decoder.ticks, decoder.unknown) == (6, 4, 0)

    def test_that_tells_a_status_names_the_segment(self, decoder):
        assert decoder.decode(STATUS, NOW_NS) == []
        decoder.decode(bytes.fromhex("0708000800000000") + TICKER, NOW_NS)
        assert decoder.statuses == ["NSE_EQ", "BSE_FNO"]
        decoder.decode(bytes.fromhex("0708006300000000"), NOW_NS)
        assert (decoder.statuses, decoder.unknown) == (["NSE_EQ", "BSE_FNO"], 1)

    def test_that_ends_the_connection_tells_why(self, decoder):
        assert decoder.decode(TICKER + DISCONNECT, NOW_NS)
        assert decoder.reason == 807

    def test_about_what_is_not_subscribed_to_is_counted_and_left_out(self, decoder):
        decoder.remove("NSE_EQ", "1594")
        assert decoder.decode(TICKER + QUOTE + FULL + bytes.fromhex("6308000000000000"), NOW_NS) == []
        assert decoder.unknown == 4

    @pytest.mark.parametrize("price", [math.nan, math.inf, -1.0, 0.0, 1e13])
    def test_with_a_price_that_is_none_gives_the_others(self, decoder, price):
        found = decoder.decode(a_ticker(price) + TICKER, NOW_NS)
        assert [tick.price for tick in found] == [1512.5]
        assert decoder.damaged == 1
        assert "price" in decoder.fault

    @pytest.mark.parametrize("place", range(14))
    def test_with_a_number_that_is_none_anywhere_gives_none(self, decoder, place):
        floats = [8, 18, 46, 50, 54, 58, *(62 + level * 20 + side for level in range(4) for side in (12, 16))]
        frame = bytearray(FULL)
        struct.pack_into("<f", frame, floats[place], math.nan)
        assert decoder.decode(bytes(frame), NOW_NS) == []
        assert decoder.damaged == 1

    def test_that_is_cut_off_gives_what_was_before(self, decoder):
        assert len(decoder.decode(TICKER + FULL[:-1], NOW_NS)) == 1
        assert (decoder.damaged, decoder.broken) == (1, decoder.fault)
        assert decoder.fault == "a packet of 162 bytes at 16 wanted, found the frame's end at 177"

    @given(data=st.data())
    def test_of_any_bytes_gives_ticks_that_a_reader_accepts(self, data):
        decoder = Decoder("x")
        for segment in range(3):
            decoder.add(packets.SEGMENTS[segment], "1594", f"S{segment}", PriceGrid(TICK_RUPEES))
        frame = bytearray(b"".join(data.draw(st.lists(st.sampled_from(EVERY), min_size=1, max_size=3))))
        for _ in range(data.draw(st.integers(0, 6))):
            frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
        for tick in decoder.decode(bytes(frame), NOW_NS):
            assert decode(encode(tick)) == tick

    def test_has_the_prices_of_its_day_read_anew_only_where_they_moved(self, decoder, monkeypatch):
        read, moved = [], list(packets.QUOTE_LAYOUT.unpack(QUOTE))
        moved[11] = 1501.0
        day = decoding.Instrument.day
        monkeypatch.setattr(decoding.Instrument, "day", lambda *arguments: read.append(1) or day(*arguments))
        found = [decoder.decode(each, NOW_NS)[0] for each in (QUOTE, FULL, QUOTE, packets.QUOTE_LAYOUT.pack(*moved))]

        assert len(read) == 2
        assert [tick.day.open_price for tick in found] == [1500.0, 1500.0, 1500.0, 1501.0]
