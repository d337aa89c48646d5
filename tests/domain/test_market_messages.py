"""Ticks and candles in one stream."""

from hypothesis import given
from hypothesis import strategies as st
from natya_builders import a_candle, a_tick

from natya.domain.market_messages import begin_of, ends, is_before, parted, time_of
from natya.messages.market import Candle

MESSAGES = st.one_of(
    st.builds(lambda at_ns: a_tick(exchange_ns=at_ns), st.integers(1, 9)),
    st.builds(
        lambda begin_ns, long_ns: a_candle(start_ns=begin_ns, interval_ns=long_ns), st.integers(1, 9), st.integers(1, 5)
    ),
)


@given(MESSAGES, st.integers(0, 15))
def test_a_candle_is_over_when_its_end_has_come_and_a_tick_when_its_moment_has_gone(message, moment_ns):
    is_over = time_of(message) <= moment_ns if isinstance(message, Candle) else message.exchange_ns < moment_ns

    assert is_before(message, moment_ns) == is_over


@given(MESSAGES)
def test_a_candle_lasts_and_a_tick_is_one_moment(message):
    lasts_ns = message.interval_ns if isinstance(message, Candle) else 0

    assert time_of(message) - begin_of(message) == lasts_ns
    assert ends(message) == bool(lasts_ns)


@given(st.lists(MESSAGES))
def test_parted_they_are_all_there_in_their_order(messages):
    ticks, candles = parted(messages)

    assert [*ticks] == [message for message in messages if not isinstance(message, Candle)]
    assert [*candles] == [message for message in messages if isinstance(message, Candle)]
