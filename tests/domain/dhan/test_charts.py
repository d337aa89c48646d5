"""Charts of several ranges, put together."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.dhan.market.charts import (
    Chart,
    ExpiredChart,
    ExpiredSide,
    ExpiredSides,
    chunks,
    joined,
    joined_expired,
)

some_times = st.sets(st.integers(0, 12), max_size=4).map(sorted)


def a_chart(times, price, *, tells_open_interest):
    """A chart with these candles, all of one price."""
    column = (float(price),) * len(times)
    volume = (price,) * len(times)
    interest = {"open_interest": column} if tells_open_interest else {}
    prices = dict.fromkeys(("open", "high", "low", "close"), column)
    return Chart(timestamp=tuple(times), volume=volume, **prices, **interest)


@given(st.lists(st.tuples(some_times, st.booleans()), max_size=4))
def test_charts_together_have_each_candle_once_in_order_and_of_the_later_chart(drawn):
    charts = [
        a_chart(times, price, tells_open_interest=tells)
        for price, (times, tells) in enumerate(drawn, 1)
    ]  # fmt: skip
    newest = {time: price for price, (times, _) in enumerate(drawn, 1) for time in times}

    found = joined(charts)

    assert found.timestamp == tuple(sorted(newest))
    assert found.close == found.open == tuple(float(newest[time]) for time in sorted(newest))
    assert found.volume == tuple(newest[time] for time in sorted(newest))
    tells = bool(newest) and all(tells for times, tells in drawn if times)
    assert found.open_interest == (found.close if tells else ())


def an_expired_chart(side):
    return ExpiredChart(data=ExpiredSides(ce=side))


@given(st.lists(st.tuples(some_times, st.sets(st.sampled_from(ExpiredSide.COLUMNS))), max_size=4))
def test_charts_of_an_expired_option_together_have_the_columns_that_all_with_candles_have(drawn):
    charts = [
        an_expired_chart(ExpiredSide(timestamp=tuple(times), **dict.fromkeys(names, (price,) * len(times))))
        for price, (times, names) in enumerate(drawn, 1)
    ]  # fmt: skip
    newest = {time: price for price, (times, _) in enumerate(drawn, 1) for time in times}
    prices = tuple(newest[time] for time in sorted(newest))

    found = joined_expired(charts).data
    assert found.pe is None
    if not charts:
        assert found.ce is None
        return
    assert found.ce.timestamp == tuple(sorted(newest))
    for name in ExpiredSide.COLUMNS:
        assert getattr(found.ce, name) == (prices if all(name in names for times, names in drawn if times) else ())


@given(st.integers(0, 200), st.integers(1, 90))
def test_chunks_are_all_days_once_in_order_and_no_longer_than_may_be(days, longest):
    since = date(2026, 1, 1)
    found = list(chunks(since, since + timedelta(days=days), longest))

    assert [begin + timedelta(days=each) for begin, end in found for each in range((end - begin).days)] == [
        since + timedelta(days=each) for each in range(days)
    ]
    assert all(0 < (end - begin).days <= longest for begin, end in found)


COLUMN = (1, 2, 3)


@pytest.mark.parametrize("name", Chart.__struct_fields__)
def test_a_chart_of_arrays_of_two_lengths_is_none(name):
    columns = dict.fromkeys(Chart.__struct_fields__, COLUMN)
    assert Chart(**columns).fault() == ""

    assert "wanted, found" in Chart(**columns | {name: COLUMN[:2]}).fault()
    assert Chart(**columns | {"open_interest": ()}).fault() == ""


@pytest.mark.parametrize("name", ExpiredSide.__struct_fields__)
def test_a_chart_of_an_expired_option_is_of_one_length_save_what_was_not_asked_for(name):
    columns = dict.fromkeys(ExpiredSide.__struct_fields__, COLUMN)
    assert ExpiredSide(**columns).fault() == ""

    assert "wanted, found" in ExpiredSide(**columns | {name: COLUMN[:2]}).fault()
    assert bool(ExpiredSide(**columns | {name: ()}).fault()) is (name == "timestamp")


@pytest.mark.parametrize(("times", "is_one"), [((1, 2, 3), True), ((1, 1, 3), False), ((1, 3, 2), False)])
def test_a_chart_has_each_time_once_and_in_order(times, is_one):
    columns = dict.fromkeys(Chart.COLUMNS, COLUMN) | {"timestamp": times}

    assert (Chart(**columns).fault() == "") is is_one
