"""Market data for a receiver that is behind."""

import operator
import threading
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_builders import a_tick

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, handles
from natya.actors.runtime.conflation import BEHIND, KeepingUp, behind_at, conflate, share_of
from natya.actors.runtime.mailboxes import Bounded
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.runtime.simulation.clock import VirtualClock
from natya.messages.market import Tick

SYMBOLS = "abcde"


NOW_NS = 10**18
BY_TIME = operator.attrgetter("exchange_ns")


def came(number, letter):
    """A tick; of a capital letter, a late one."""
    exchange_ns = NOW_NS + number - 50 * letter.isupper()
    return a_tick(number, symbol=letter.lower(), exchange_ns=exchange_ns, received_ns=NOW_NS)


class Loop:
    """The mailbox of an actor on the shared loop, which is conflated at the beginning of a turn."""

    def __init__(self):
        self.queue = deque()
        self.conflated = 0
        self.append, self.popleft = self.queue.append, self.queue.popleft

    def __len__(self):
        return len(self.queue)

    def turn(self):
        if len(self.queue) > 3:
            self.conflated += conflate(self.queue)


class OwnThread(KeepingUp):
    """That of an actor on a thread of its own, which is conflated where it is sent to."""

    def turn(self):
        """Nothing: it is behind from the start."""
        self._behind_at = 3


@pytest.mark.parametrize("kind", [Loop, OwnThread])
@given(steps=st.lists(st.sampled_from([*SYMBOLS, *SYMBOLS.upper(), "fact", "take", "turn"]), max_size=80))
def test_whatever_comes_and_goes_order_is_kept_the_newest_is_last_and_all_is_counted(kind, steps):
    box, published, delivered = kind(), [], []
    for step in [*steps, "turn"]:
        if step == "turn":
            box.turn()
        elif step == "take":
            if len(box):
                delivered.append(box.popleft()[0])
        else:
            place = len(published)
            published.append(f"fact {place}" if step == "fact" else came(place + 1, step))
            box.append((published[-1], None, 0))
        assert len(published) == len(delivered) + box.conflated + len(box)
    while len(box):
        delivered.append(box.popleft()[0])

    places = [published.index(message) for message in delivered]
    assert places == sorted(set(places))
    assert [each for each in delivered if isinstance(each, str)] == [
        each for each in published if isinstance(each, str)
    ]
    for symbol in SYMBOLS:
        of_symbol = [each for each in published if isinstance(each, Tick) and each.symbol == symbol]
        heard = [each for each in delivered if isinstance(each, Tick) and each.symbol == symbol]
        assert sorted(heard, key=BY_TIME)[-1:] == sorted(of_symbol, key=BY_TIME)[-1:]


def test_a_mailbox_that_was_emptied_is_conflated_from_as_few_messages_on_as_before():
    """Facts are kept, so that after many of them it is looked through later."""
    box = KeepingUp()
    for number in range(10 * BEHIND):
        box.append((number, None, 0))
    while box:
        box.popleft()
    for number in range(BEHIND + 1):
        box.append((a_tick(number), None, 0))

    assert (len(box), box.conflated) == (1, BEHIND)


def test_a_queue_from_which_another_takes_keeps_what_was_not_taken():
    class Taken(deque):
        def popleft(self):
            taken = super().popleft()
            if taken[0].sequence == 2:
                super().popleft()
            return taken

    queue = Taken((a_tick(sequence, symbol=f"S{sequence}"), None, 0) for sequence in range(1, 5))

    with pytest.raises(IndexError):
        conflate(queue)
    assert [envelope[0].sequence for envelope in queue] == [1, 2, 4]


@given(st.integers(0, 10**10), st.integers(1, BEHIND))
def test_the_share_of_a_turn_is_some_messages_and_the_fewer_the_longer_they_take(taken_ns, count):
    assert 1 <= share_of(taken_ns, count) <= BEHIND
    assert share_of(2 * taken_ns, count) <= share_of(taken_ns, count)
    assert behind_at(count) >= BEHIND


class Receiver(RuntimeActor):
    """Keeps what it hears; holds its thread at `hold` until the test lets go."""

    conflates = True

    def on_start(self):
        self.heard = []

    @handles(Tick)
    def hear(self, tick, _sender):
        self.heard.append(tick.sequence)
        if self.settings is not None:
            self.settings(tick)

    @handles(threading.Event, from_outside=True)
    def hold(self, event, _sender):
        assert event.wait(10)

    @handles(str)
    def tell(self, text, sender):
        self.heard.append(text)
        if text == "heard?":
            self.send(sender, self.heard[:-1])


class OnItsOwnThread(Receiver):
    blocking = True


class HearsAll(Receiver):
    conflates = False


class Market(RuntimeActor):
    """Sends so many ticks of five symbols at once, with a word in between."""

    @handles(int)
    def send_many(self, count, sender):
        for sequence in range(1, count + 1):
            self.send("receiver", a_tick(sequence, symbol=SYMBOLS[sequence % 5]))
            if sequence % 100 == 0:
                self.send("receiver", str(sequence))
        self.send(sender, "sent")


def played(system, kind, count=1_000, settings=None):
    """Send at once; return the words and the ticks that were heard, and the counters of the mailbox."""
    address = system.start("receiver", kind, settings)
    system.start("market", Market)
    assert system.request("market", count) == "sent"
    heard = system.request("receiver", "heard?")
    words = [each for each in heard if isinstance(each, str)]
    assert words == [str(each) for each in range(100, count + 1, 100)]
    return heard, [each for each in heard if not isinstance(each, str)], address.counters()


class TestAReceiverThatIsBehindInALiveMarket:
    def test_gets_the_newest_of_each_symbol_every_fact_and_the_rest_is_counted(self, system):
        heard, ticks, counters = played(system, Receiver)

        assert ticks == [996, 997, 998, 999, 1_000]
        assert (heard[-2], counters.conflated, counters.dropped) == (1_000, 995, 0)

    def test_gets_the_same_on_a_thread_of_its_own_whose_mailbox_stays_small(self, system):
        address = system.start("receiver", OnItsOwnThread)
        system.start("market", Market)
        gate = threading.Event()
        system.tell("receiver", gate)
        try:
            assert system.request("market", 10_000) == "sent"
            assert address.counters().depth < 2 * (BEHIND + 105)
        finally:
            gate.set()
        heard = system.request("receiver", "heard?")

        ticks = [each for each in heard if not isinstance(each, str)]
        assert [each for each in heard if isinstance(each, str)] == [str(each) for each in range(100, 10_001, 100)]
        assert ticks[-5:] == [9_996, 9_997, 9_998, 9_999, 10_000]
        assert len(ticks) + address.counters().conflated == 10_000

    def test_gets_each_tick_in_a_worker_process_whose_parent_conflates(self, system):
        system.base.conflates = False

        _, ticks, counters = played(system, Receiver)

        assert (ticks, counters.conflated) == (list(range(1, 1_001)), 0)

    def test_gets_each_tick_if_its_class_says_so(self, system):
        _, ticks, counters = played(system, HearsAll)

        assert (ticks, counters.conflated) == ([*range(1, 1_001)], 0)

    def test_gets_what_its_own_mailbox_lets_in(self, system):
        class Few(Receiver):
            mailbox = Bounded(1_200)

        _, ticks, counters = played(system, Few)

        assert (ticks, counters.conflated) == ([*range(1, 1_001)], 0)

    def test_gets_each_tick_while_it_is_not_behind(self, system):
        system.start("receiver", Receiver)
        for sequence in range(1, 500):
            system.tell("receiver", a_tick(sequence))
            if sequence % 50 == 0:
                system.request("receiver", "heard?")

        assert len(system.request("receiver", "heard?")) == 499 + 9

    def test_has_a_share_of_the_loop_and_the_others_theirs(self):
        clock, order = VirtualClock(1), []

        def a_millisecond(tick):
            clock.pass_by(1_000_000)
            order.append(tick.sequence)

        class Other(RuntimeActor):
            @handles(int)
            def go_on(self, count, _sender):
                order.append("other")
                if count:
                    self.send(self.myAddress, count - 1)

        class Flood(RuntimeActor):
            @handles(str)
            def send_all(self, word, sender):
                for sequence in range(1, 61):
                    self.send("receiver", a_tick(sequence, symbol=f"S{sequence}"))
                self.send("other", 100)
                self.send(sender, word)

        with InProcessSystem(InProcessSystemBase(clock=clock, shutdown_s=5)) as system:
            system.start("receiver", Receiver, a_millisecond)
            system.start("other", Other)
            system.start("flood", Flood)
            system.request("flood", "go")
            system.request("receiver", "heard?")
            first = order.copy()
            order.clear()
            system.request("flood", "go")
            system.request("receiver", "heard?")

        assert first[:60] == [*range(1, 61)]  # how long one takes is not known yet
        assert order[:6] == [1, 2, "other", 3, 4, "other"]


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), bursts=st.lists(st.integers(1, 200), min_size=1, max_size=6))
def test_in_whatever_order_actors_have_their_turns_each_tick_is_handled_or_counted(seed, bursts):
    with InProcessSystem(SimulatedSystemBase(seed=seed)) as system:
        address = system.start("receiver", Receiver)
        for name in ("one", "two"):
            system.start(name, Market)
        for count in bursts:
            for name in ("one", "two"):
                system.tell(name, count)
        system.base.run_for(1)
        heard = system.request("receiver", "heard?")

    ticks = [each for each in heard if not isinstance(each, str)]
    assert len(ticks) + address.counters().conflated == 2 * sum(bursts)
    assert len(heard) - len(ticks) == 2 * sum(count // 100 for count in bursts)
    assert ticks[-1] in bursts


class TestAReceiverInASimulatedMarket:
    @pytest.mark.parametrize("kind", [Receiver, OnItsOwnThread])
    def test_gets_each_tick_however_far_behind_it_is(self, kind):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1)) as system:
            _, ticks, counters = played(system, kind)

        assert (ticks, counters.conflated) == ([*range(1, 1_001)], 0)
