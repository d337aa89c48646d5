"""Packets without prices: each byte, as the clients read them."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_messages import distinct

from natya.actors.exchange.stream_faults import GARBAGE_BYTES_MAX, garbage, of_wrong_length
from natya.actors.exchange.streams import encoding
from natya.actors.exchange.wire.groups.market import _moment_ns
from natya.actors.exchange.wire.market import DayShown
from natya.domain.dhan.streams import depth, packets
from natya.domain.time import SECOND_NS, day_start_ns
from natya.messages.market import DaySummary, Depth, Tick

AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India


def test_a_status_is_a_header_of_its_segment_alone():
    assert encoding.status(2) == packets.HEADER.pack(packets.STATUS, packets.HEADER.size, 2, 0)


def test_an_end_has_its_reason_behind_an_empty_header():
    layout = packets.DISCONNECT_LAYOUT

    assert encoding.ended(807) == layout.pack(packets.DISCONNECT, layout.size, 0, 0, 807)


def test_an_end_of_depth_has_its_reason_behind_an_empty_header():
    found = encoding.depth_ended(807)

    assert depth.HEADER.unpack_from(found) == (len(found), depth.DISCONNECT, 0, 0, 0)
    assert found[depth.HEADER.size :] == (807).to_bytes(2, "little")


def a_shown(**fields):
    tick = Tick(symbol="INFY", price=101.0, quantity=3, exchange_ns=AT_NS, source="s", sequence=1, **fields)
    shown = DayShown(tick)
    shown.move(tick)
    return shown


NUMBER = encoding.Number(2, 7)
BOOK = Depth(
    bid_prices=(99.5, 99.0),
    bid_quantities=(7, 8),
    ask_prices=(100.5, 100.75),
    ask_quantities=(9, 10),
    bid_orders=(1, 2),
    ask_orders=(3, 4),
)
DAY = distinct(DaySummary)
OF_THE_TRADE = (101.0, 3, packets.feed_time_of(AT_NS), DAY.average_price, 50)
OF_BOTH_SIDES = (DAY.total_sell_quantity, DAY.total_buy_quantity)
OF_THE_DAY = (DAY.open_price, DAY.close_price, DAY.high_price, DAY.low_price)
LEVELS = ((7, 9, 1, 3, 99.5, 100.5), (8, 10, 2, 4, 99.0, 100.75), *[(0, 0, 0, 0, 0.0, 0.0)] * 3)


def test_a_frame_is_cut_at_any_length():
    frames = [of_wrong_length(random.Random(seed), bytes(9), is_text=True) for seed in range(300)]
    cut = {len(each) for each in frames if len(each) < 9}

    assert cut == {*range(1, 9)}


def test_a_day_without_an_opening_and_without_a_volume_is_shown_by_its_ticks():
    known = replace(DAY, open_price=0.0)
    with_both, without = a_shown(day=DAY, volume=50), a_shown(day=known)
    for shown, day, volume in ((with_both, OF_THE_DAY, 50), (without, (101.0, DAY.close_price, 101.0, 101.0), 3)):
        found = packets.QUOTE_LAYOUT.unpack(encoding.quote(NUMBER, shown))
        assert (found[8], found[-4:]) == (volume, day)


def test_a_full_packet_has_trade_day_and_five_levels():
    shown = a_shown(day=DAY, depth=BOOK, volume=50)
    found = packets.FULL_LAYOUT.unpack(encoding.full(NUMBER, shown))

    head = (packets.FULL, packets.FULL_LAYOUT.size, *NUMBER)
    levels = tuple(value for level in LEVELS for value in level)
    assert found == (*head, *OF_THE_TRADE, *OF_BOTH_SIDES, DAY.open_interest, 0, 0, *OF_THE_DAY, *levels)


def test_a_quote_has_trade_and_day_and_what_the_source_does_not_tell_is_of_the_ticks():
    shown = a_shown(day=DAY, depth=BOOK, volume=50)
    head = (packets.QUOTE, packets.QUOTE_LAYOUT.size, *NUMBER)
    assert packets.QUOTE_LAYOUT.unpack(encoding.quote(NUMBER, shown)) == (
        *(*head, *OF_THE_TRADE, *OF_BOTH_SIDES, *OF_THE_DAY),
    )
    bare = packets.QUOTE_LAYOUT.unpack(encoding.quote(NUMBER, a_shown(depth=BOOK)))

    assert bare[4:] == (101.0, 3, packets.feed_time_of(AT_NS), 101.0, 3, 19, 15, 101.0, 0.0, 101.0, 101.0)


def test_depth_has_both_sides_each_with_all_its_levels():
    found = encoding.depth(NUMBER, a_shown(depth=BOOK), levels=20)
    size = depth.PACKET_BYTES
    sides = [found[:size], found[size:]]

    assert [depth.HEADER.unpack_from(side) for side in sides] == [(size, code, *NUMBER, 0) for code in (41, 51)]
    rows = [list(depth.ROW.iter_unpack(side[depth.HEADER.size :])) for side in sides]
    assert rows[0] == [(99.5, 7, 1), (99.0, 8, 2), *[(0.0, 0, 0)] * 18]
    assert rows[1] == [(100.5, 9, 3), (100.75, 10, 4), *[(0.0, 0, 0)] * 18]


def test_depth_of_two_hundred_levels_has_those_there_are_and_says_how_many():
    found = encoding.depth(NUMBER, a_shown(depth=BOOK), levels=200)
    size = depth.HEADER.size + 2 * depth.ROW.size
    sides = [found[:size], found[size:]]

    assert [depth.HEADER.unpack_from(side) for side in sides] == [(size, code, *NUMBER, 2) for code in (41, 51)]
    rows = [list(depth.ROW.iter_unpack(side[depth.HEADER.size :])) for side in sides]
    assert rows == [[(99.5, 7, 1), (99.0, 8, 2)], [(100.5, 9, 3), (100.75, 10, 4)]]


@given(seed=st.integers(0, 10_000), is_text=st.booleans())
def test_faulty_frames_are_never_the_frame_and_never_empty(seed, is_text):
    frame = encoding.full(NUMBER, a_shown(depth=BOOK))
    wrong = of_wrong_length(random.Random(seed), frame, is_text=is_text)
    assert wrong
    assert len(wrong) != len(frame) or wrong[:1] + frame[1:3] + wrong[3:] == frame
    nothing = garbage(random.Random(seed), is_text=is_text)

    assert nothing.startswith(b'{"Data":') if is_text else 1 <= len(nothing) <= GARBAGE_BYTES_MAX


@pytest.mark.parametrize(
    ("text", "at_end", "day", "clock_s"),
    [
        ("2026-10-07", False, 7, 0),
        ("2026-10-07", True, 7, 86_400),
        ("2026-10-07 09:15:00", False, 7, 33_300),
        ("2026-10-07 09:15:00", True, 7, 33_300),
    ],
)
def test_a_range_of_a_chart_is_read_in_both_forms(text, at_end, day, clock_s):
    found_ns, found_day = _moment_ns("fromDate", text, at_end=at_end)

    assert found_day == date(2026, 10, day)
    assert found_ns == day_start_ns((date(2026, 10, day) - date(1970, 1, 1)).days) + clock_s * SECOND_NS
