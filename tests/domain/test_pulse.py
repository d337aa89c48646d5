"""Whether someone whose heartbeat is heard lives: by the reader's own time, and by nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.pulse import Beat, Listener
from natya.domain.time import SECOND_NS

AFTER_S = 10.0


def hear(listener, at_s, **beat):
    return listener.hear(Beat(**beat) if beat else None, round(at_s * SECOND_NS))


def test_of_nobody_is_heard_that_there_is_none():
    assert hear(Listener(AFTER_S), 0.0) == hear(Listener(AFTER_S), 1e6) == "absent"
    assert Listener(AFTER_S).silent_s(5 * SECOND_NS) == 0.0


def test_a_beat_is_life_until_it_stands_still_for_too_long():
    listener = Listener(AFTER_S)

    assert [hear(listener, at_s, number=1) for at_s in (100.0, 109.9, 110.0)] == ["alive", "alive", "dead"]
    assert hear(listener, 111.0, number=2) == "alive"
    assert listener.silent_s(round(112 * SECOND_NS)) == 1.0


def test_a_new_epoch_is_life_though_its_number_is_the_same():
    listener = Listener(AFTER_S)
    hear(listener, 0.0, epoch=1)

    assert hear(listener, 10.0, epoch=1) == "dead"
    assert hear(listener, 11.0, epoch=2) == "alive"


def test_an_end_in_order_is_no_death():
    listener = Listener(AFTER_S)

    assert [hear(listener, at_s, number=1, ended=True) for at_s in (0.0, 1e6)] == ["ended", "ended"]


def test_a_file_that_cannot_be_read_any_more_stands_still():
    listener = Listener(AFTER_S)
    hear(listener, 0.0, number=1)

    assert (hear(listener, 9.9), hear(listener, 10.0)) == ("alive", "dead")


@given(steps=st.lists(st.tuples(st.floats(0.0, 20.0), st.booleans()), min_size=1, max_size=30))
def test_it_is_dead_exactly_when_no_beat_came_for_so_long(steps):
    listener, now_s, number, newest_s = Listener(AFTER_S), 0.0, 1, None
    for wait_s, beats in steps:
        now_s += wait_s
        number += beats
        if beats or newest_s is None:
            newest_s = now_s
        silent_ns = round(now_s * SECOND_NS) - round(newest_s * SECOND_NS)

        assert hear(listener, now_s, number=number) == ("dead" if silent_ns >= AFTER_S * SECOND_NS else "alive")
