"""Dhan's market feed fails in every way: everything is subscribed to again, the gap is told, and there is no storm.

`make faulty-feed` lets each fault happen 200 times in one life of the feed; FEED_FAULTS is how often. Bounds of silence
and back-off are those of a user, on a clock that is faster than the world's.
"""

import os
import random
from pathlib import Path

import pytest
from natya_feed import Running
from natya_feed_server import (
    FeedServer,
    after,
    bid_farewell,
    closed,
    deaf,
    dripping,
    ending,
    frame,
    frozen,
    refused,
    reset,
    sending,
    silent,
    well,
    writing,
)
from natya_packets import QUOTE, TICKER
from natya_processes import WAIT_S

TIMES = int(os.environ.get("FEED_FAULTS", "1"))
FASTER = 20
INSTRUMENTS = 120
"""More than one message subscribes to."""

DESCRIPTORS = Path("/proc/self/fd")
NOISE = random.Random(5).randbytes(400)

LATER = {
    "stopped": deaf,
    "silent but for pongs": silent,
    "frozen but for heartbeats": frozen,
    "reset": reset,
    "closed by TCP": closed,
    "closed by websocket": bid_farewell,
    "dripping": dripping,
    "garbage": sending(NOISE),
    "a packet cut off": sending(QUOTE[:-1]),
    "a packet of another length": sending(QUOTE + b"\0"),
    "a packet of length 0": sending(bytes(8)),
    "text": sending(b'{"hello":1}', kind=1),
    "a frame that is masked": writing(b"\x82\x90" + bytes(20)),
    "a frame of two exabytes": writing(b"\x82\x7f\x1f" + bytes(7)),
    "a frame of a kind that is not known": writing(b"\x8b\x00"),
    "no websocket any more": writing(b"HTTP/1.1 500 Internal Server Error\r\n\r\n"),
    "cut off in a frame": after(1, reset),
    "ended for no reason": ending(0),
    "ended by its own fault": ending(800),
    "too many connections": ending(805),
}
"""After the connection has served for a while."""

AT_THE_OPENING = {
    "not answered": deaf,
    "reset": reset,
    "closed": closed,
    "refused for now": refused(429),
    "refused by its own fault": refused(500),
    "redirected": refused(302),
    "answered by noise": writing(NOISE),
    "answered by a frame": writing(frame(TICKER)),
}


@pytest.fixture
def life():
    """Make a feed of some parts, and follow it; at the end no thread, no connection and no fault may be left."""
    opened = []
    files = len(list(DESCRIPTORS.iterdir()))

    def make(*parts, **options):
        server = FeedServer(*parts)
        opened.append(server)
        running = Running(server, count=INSTRUMENTS, faster=FASTER, backoff_s=1.0, backoff_max_s=30.0, **options)
        running.__enter__()
        opened.append(running)
        return server, running

    yield make
    for each in reversed(opened):
        if isinstance(each, FeedServer):
            each.close()
        else:
            each.__exit__()
    assert len(list(DESCRIPTORS.iterdir())) <= files, "a socket was left open"


def whole(server, count):
    """Wait until the connection of this number has everything subscribed to; or one after it, where a busy machine
    let the time of an opening go by, which is 50 times shorter here."""
    server.wait_for(
        lambda: any(len(set(each.subscribed)) == INSTRUMENTS for each in server.sessions[count - 1 :]),
        WAIT_S * (1 + TIMES),
    )


def gaps_of(running, count):
    """Take what comes until so many gaps were told."""
    found = []
    while len(found) < count:
        running.woken.get(timeout=60)
        running.stream.take(10_000)
        found += running.stream.take_gaps()
    return found


def has_a_tick_of_each(running):
    """Take what comes until each instrument had a tick."""
    heard = set()
    while len(heard) < INSTRUMENTS:
        heard |= {tick.symbol for tick in running.ticks(1)}
    return True


class TestAConnectionThatIs:
    @pytest.mark.parametrize("name", LATER)
    def test_is_made_anew_with_everything_subscribed_to_and_its_gap_told(self, life, name):
        server, running = life(*[after(2, LATER[name])] * TIMES, well)

        gaps = gaps_of(running, TIMES)

        whole(server, TIMES + 1)
        assert has_a_tick_of_each(running)
        assert all(len(gap.symbols) == INSTRUMENTS for gap in gaps)
        assert all(gap.start_ns < gap.end_ns for gap in gaps)
        assert [gap.end_ns for gap in gaps] == sorted(gap.end_ns for gap in gaps)
        assert len(server.sessions) == TIMES + 1, "each fault costs one new connection, and no more"
        assert running.stream.counts().reconnects == TIMES
        assert running.stream.trouble == ""


class TestAnOpeningThatIs:
    @pytest.mark.parametrize("name", AT_THE_OPENING)
    def test_leads_to_another_and_in_the_end_to_one_that_stands(self, life, name):
        server, running = life(*[AT_THE_OPENING[name]] * 2 * TIMES, well)

        whole(server, 2 * TIMES + 1)

        assert has_a_tick_of_each(running)
        assert running.stream.trouble == ""
        assert 2 * TIMES + 1 <= len(server.sessions) <= 3 * TIMES + 1, "one attempt may be late, and there is no storm"


class TestATokenThatEnds:
    @pytest.mark.parametrize("reason", [807, 808, 809])
    def test_is_not_sent_again_and_everything_is_back_with_the_next(self, life, reason):
        server, running = life(*[after(2, ending(reason))] * TIMES, well)

        for number in range(TIMES):
            dead = running.refused.get(timeout=WAIT_S)
            running.tokens.append(f"token-{number}")
            assert dead == server.sessions[number].query["token"]

        whole(server, TIMES + 1)
        assert has_a_tick_of_each(running)
        sent = [session.query["token"] for session in server.sessions]
        assert sent == running.tokens
        assert len(set(sent)) == TIMES + 1
