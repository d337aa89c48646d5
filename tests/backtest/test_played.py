"""What a session has played, by what is left of it in its database."""

import pytest

from natya.transfer.stored import PlayedSource, came_live, interval_of_candles

MINUTE_NS = 60_000_000_000


def left(source="replay-1", interval_ns=MINUTE_NS, candles=100, ticks=400, symbols=1):
    return PlayedSource(source, interval_ns, candles, ticks, symbols)


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ([left()], MINUTE_NS),
        ([left(interval_ns=5 * MINUTE_NS), left("replay-2", interval_ns=5 * MINUTE_NS)], 5 * MINUTE_NS),
        ([left(ticks=403)], MINUTE_NS),
        ([left(ticks=397)], MINUTE_NS),
        ([left(ticks=408, symbols=2)], MINUTE_NS),
        ([left(ticks=0, symbols=0)], MINUTE_NS),
        ([left(ticks=405)], None),
        ([left(ticks=12_000)], None),
        ([left(interval_ns=None, candles=None)], None),
        ([left("dhan")], None),
        ([left(), left("dhan", ticks=9_000)], None),
        ([left(), left("replay-2", ticks=9_000)], None),
        ([left(), left("replay-2", interval_ns=5 * MINUTE_NS)], None),
        ([], None),
    ],
)
def test_candles_were_played_where_each_source_has_four_ticks_of_each_and_all_are_of_one_length(sources, found):
    assert interval_of_candles(sources) == found


@pytest.mark.parametrize(
    ("sources", "is_live"),
    [
        ([left("dhan-1")], True),
        ([left(), left("dhan-2")], True),
        ([left("charts", ticks=0)], False),
        ([left(), left("synthetic-7")], False),
        ([], False),
    ],
)
def test_prices_came_live_where_ticks_are_neither_replayed_nor_made_up(sources, is_live):
    assert came_live(sources) is is_live
