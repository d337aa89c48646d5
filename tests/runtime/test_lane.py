"""A lane: messages handed on within one turn, and when that ends."""

import threading

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from natya_builders import a_candle, a_tick
from natya_examples import QUARTER

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, Lane, RuntimeActor, handles
from natya.messages.codec import decode
from natya.messages.market import Candle, Tick

OPENING_NS = 1_700_000_000_000_000_000


class Play(msgspec.Struct, frozen=True):
    """Play ticks with these numbers, at as many nanoseconds; tell the places reached, and when the market is."""

    numbers: tuple[int, ...]
    sent_before: tuple[int, ...] = ()
    speed: float = 0.0
    symbols: tuple[str, ...] = ("TCS",)
    passes_over: bool = False


def ticks(numbers, symbols=("TCS",)):
    return [
        a_tick(number, symbols[place % len(symbols)], exchange_ns=OPENING_NS + number)
        for place, number in enumerate(numbers)
    ]


class Market(RuntimeActor):
    """Has one lane for all plays, and plays on in the same turn where it ended."""

    def on_start(self):
        self.lane = Lane(self)

    @handles(Play)
    def play(self, play, sender):
        self.pace_market(play.speed)
        for each in ticks(play.sent_before):
            self.send("hearer", each)
        messages, places = ticks(play.numbers, play.symbols), [0]
        while places[-1] < len(messages):
            place = self.lane.play("router", messages, places[-1], len(messages), passes_over=play.passes_over)
            places.append(place)
        self.send(sender, (places[1:], self.clock.now_ns() - OPENING_NS))


class Router(RuntimeActor):
    """Hands ticks on in a lane of its own."""

    relayed_ticks = 0

    def on_start(self):
        self.lane = Lane(self)
        self.routed = 0

    @handles(Tick)
    def route(self, tick, _sender):
        self.routed += 1
        self.lane.hand_to(tuple(self.settings), tick)

    def statistics(self):
        return self.routed, self.relayed_ticks


class Relay(Router):
    """Says to whom, instead."""

    def relays(self, message):
        return tuple(self.settings)

    def relayed(self, message, count):
        assert isinstance(message, Tick)
        self.relayed_ticks += count


class Hearer(RuntimeActor):
    """Notes what it hears; fails at 13, sends itself something at 7, wants to be woken at 3, begins a job at 5."""

    @handles(Tick)
    def hear(self, tick, _sender):
        number = tick.sequence
        self.settings["heard"].append(number)
        if number == 13:
            raise ZeroDivisionError
        if number == 7:
            self.send(self.myAddress, a_tick(70))
        if number == 3:
            self.after(1e-9, a_tick(30))
        if number == 5:
            self.offload(lambda: None, then=lambda _: None)


class Onlooker(Hearer):
    @handles(Tick)
    def hear(self, tick, _sender):
        self.settings["heard"].append(self.host.worker.current is self.host and not self.host.idle)


class Conversing(Hearer):
    """Notes to which conversation a tick belongs."""

    @handles(Tick)
    def hear(self, tick, _sender):
        self.settings["heard"].append(self.correlation_id)


class Blocking(Hearer):
    blocking = True


class Rememberer(Hearer):
    """Needs the newest of ticks up to the sequence 100."""

    def newest_is_enough(self, tick):
        return tick.sequence <= 100


class Late(Hearer):
    """Has all of a turn at its end; fails at 99 then."""

    def defers(self, message):
        return True

    def catch_up(self, messages):
        self.settings["heard"].append(tuple(each.sequence for each in messages))
        if any(each.sequence == 99 for each in messages):
            raise ZeroDivisionError

    @handles(Candle)
    def hear_candle(self, candle, _sender):
        self.settings["heard"].append("candle")


class Writer(Hearer):
    """Sends a candle to the late one at 7."""

    @handles(Tick)
    def hear(self, tick, _sender):
        if tick.sequence == 7:
            self.send("late", a_candle())


@pytest.fixture
def base():
    return InProcessSystemBase(seed=1, market_opening_ns=OPENING_NS)


@pytest.fixture(params=[Router, Relay])
def play(request, base):
    """Return what plays numbers to a hearer, and returns the places, the time, and what was heard."""
    with InProcessSystem(base) as system:

        def begin(*numbers, hearer=Hearer, **fields):
            notes = {"heard": []}
            system.start("hearer", hearer, notes)
            system.start("router", request.param, ("hearer",))
            system.start("market", Market)
            places, now_ns = system.request("market", Play(numbers, **fields))
            system.request("market", Play(()))  # let in when all is quiet: the hearer has handled everything
            system.stop("hearer")
            return places, now_ns, notes["heard"]

        yield begin


class TestALane:
    def test_lets_who_is_idle_handle_each_at_once_and_the_market_go_on(self, play):
        assert play(10, 20) == ([2], 20, [10, 20])

    @pytest.mark.parametrize("why", [7, 5])
    def test_ends_where_somebody_has_something_to_do(self, play, why):
        places, _, _ = play(why, 20)

        assert places == [1, 2]

    def test_ends_where_a_timer_is_due_before(self, play):
        places, now_ns, _ = play(3, 20)

        assert (places, now_ns) == ([1, 2], 0)

    def test_ends_where_real_time_has_to_pass(self, play):
        places, now_ns, _ = play(10, 20, speed=5.0)

        assert (places, now_ns) == ([1, 2], 0)

    def test_shows_whose_turn_it_is_to_those_who_watch_the_loop(self, play):
        _, _, heard = play(10, hearer=Onlooker)

        assert heard == [True]

    def test_begins_a_conversation_with_each(self, play):
        _, _, heard = play(10, 20, 40, hearer=Conversing)

        assert len({*heard}) == 3
        assert "" not in heard

    def test_ends_at_one_that_failed_and_gives_it_nothing_more_before_it_is_back(self, play):
        places, _, heard = play(13, 20)

        assert (places, heard) == ([1, 2], [13, 20])

    def test_has_each_counted_as_handled_once_and_the_mailbox_as_drained_after_each(self, base):
        class Drained(Hearer):
            def on_drained(self):
                self.settings["drained"].append(len(self.settings["heard"]))

        notes = {"heard": [], "drained": []}
        with InProcessSystem(base) as system:
            system.start("hearer", Drained, notes)
            system.start("router", Relay, ("hearer",))
            system.start("market", Market)
            system.request("market", Play((10, 20, 40)))
            statistics, router = system.stop("hearer"), system.stop("router")

        assert (notes["heard"], notes["drained"]) == ([10, 20, 40], [1, 2, 3])
        assert (statistics.handled, statistics.failures) == (3, 0)
        assert router == (0, 3)

    def test_keeps_the_order_of_what_was_sent_before(self, play):
        places, now_ns, heard = play(20, 40, sent_before=(10,))

        assert (places, now_ns, heard) == ([1, 2], 0, [10, 20, 40])

    @pytest.mark.parametrize("first", [Hearer, Blocking, None])
    @pytest.mark.parametrize("second", [Hearer, Blocking])
    @pytest.mark.parametrize("router", [Router, Relay])
    def test_finds_whoever_has_the_name_by_now(self, base, first, second, router):
        with InProcessSystem(base) as system:
            earlier, later = {"heard": []}, {"heard": []}
            system.start("market", Market)
            system.start("router", router, ("hearer",))
            if first is not None:
                system.start("hearer", first, earlier)
            system.request("market", Play((1, 2)))
            if first is not None:
                system.stop("hearer")
            system.start("hearer", second, later)
            system.request("market", Play((10, 20)))
            system.request("market", Play(()))
            system.stop("hearer")

        assert earlier["heard"] == ([1, 2] if first is not None else [])
        assert later["heard"] == [10, 20]

    def test_sends_to_those_of_other_threads(self, play):
        places, _, heard = play(10, 20, hearer=Blocking)

        assert (places, heard) == ([1, 2], [10, 20])


class Feed(RuntimeActor):
    """Plays ticks in a lane, or sends each when all is quiet; `settings` says which."""

    def on_start(self):
        self.lane = Lane(self)

    @handles(Play)
    def play(self, play, sender):
        self.left, self.asker = ticks(play.numbers), sender
        self.pace_market(0.0)
        self.wait()

    def wait(self):
        at_ns = self.left[0].exchange_ns if self.left else None
        self.when_quiet("go on", at_ns)

    @handles(str)
    def go_on(self, _, _sender):
        if not self.left:
            self.send(self.asker, "over")
            return
        if self.settings:
            del self.left[: self.lane.play("router", self.left, 0, len(self.left))]
        else:
            self.begin_trace()
            self.send("router", self.left.pop(0))
        self.wait()


class Plainly(Router):
    """Sends ticks on, as a router does where no market is simulated."""

    @handles(Tick)
    def route(self, tick, _sender):
        self.send_each(self.settings, (tick,))


class Chatty(RuntimeActor):
    """Notes what it hears, and does what the play says it does at this tick: of `fail`, `set a timer` and names."""

    def on_start(self):
        self.plan, self.diary = self.settings

    @handles(Tick)
    def hear(self, tick, _sender):
        self.diary.append((self.name, tick.sequence))
        for deed in self.plan.get((self.name, tick.sequence), ()):
            if deed == "fail":
                raise ZeroDivisionError
            if deed == "set a timer":
                self.after(0.0, f"{self.name} at {tick.sequence}")
            else:
                self.send(deed, f"{self.name} at {tick.sequence}")

    @handles(str)
    def listen(self, word, _sender):
        self.diary.append((self.name, word))


NAMES = ("a", "b", "c", "d")
DEEDS = st.lists(st.sampled_from([*NAMES, "fail", "set a timer"]), min_size=1, max_size=3)


class TestWhatActorsSeeInALane:
    """The same as in turns, in the same order."""

    @staticmethod
    def seen(plan, numbers, router, *, in_a_lane):
        diary = []
        with InProcessSystem(InProcessSystemBase(seed=1, market_opening_ns=OPENING_NS)) as system:
            for name in NAMES:
                system.start(name, Chatty, (plan, diary))
            system.start("router", router, NAMES)
            system.start("feed", Feed, in_a_lane)
            assert system.request("feed", Play(numbers)) == "over"
        return diary

    @settings(max_examples=QUARTER)
    @example({("a", 1): ["c"], ("b", 1): ["a"], ("d", 1): ["c"]})  # c is ready already when the tick is put first
    @given(plan=st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from([1, 2, 3])), DEEDS, max_size=5))
    def test_is_what_they_would_see_in_turns(self, plan):
        in_turns, routed, relayed = (
            self.seen(plan, (1, 2, 3), router, in_a_lane=router is not Plainly) for router in (Plainly, Router, Relay)
        )

        assert routed == in_turns
        assert relayed == in_turns

    @pytest.mark.parametrize("router", [Router, Relay])
    def test_is_the_tick_before_what_another_says_about_it(self, router):
        plan = {("a", 1): ["d", "b"], ("c", 1): ["d"]}

        assert self.seen(plan, (1, 2), router, in_a_lane=True) == [
            ("a", 1), ("b", 1), ("b", "a at 1"), ("c", 1), ("d", 1), ("d", "a at 1"), ("d", "c at 1"),
            ("a", 2), ("b", 2), ("c", 2), ("d", 2),
        ]  # fmt: skip

    @pytest.mark.parametrize("router", [Router, Relay, type("RelayApart", (Relay,), {"blocking": True})])
    @pytest.mark.parametrize("defers", [False, True])
    def test_is_so_for_one_on_a_thread_of_its_own_who_has_all_of_it_there(self, base, router, defers):
        class Apart(Chatty):
            blocking = True

            def defers(self, _message):
                return defers

            @handles(Tick)
            def hear(self, tick, sender):
                threads.add(threading.current_thread().name)
                super().hear(tick, sender)

        threads, diary, others, plan = set(), [], [], {("a", 1): ["b"]}
        with InProcessSystem(base) as system:
            system.start("a", Chatty, (plan, others))
            system.start("b", Apart, (plan, diary))
            system.start("router", router, ("a", "b"))
            system.start("feed", Feed, True)
            system.request("feed", Play((1, 2)))

        assert diary == [("b", 1), ("b", "a at 1"), ("b", 2)]
        assert others == [("a", 1), ("a", 2)]
        assert threads == {"natya-b"}

    def test_are_candles_too_in_one_turn_with_ticks(self, base):
        diary = []

        class Listener(RuntimeActor):
            @handles(Tick, Candle)
            def hear(self, message, _sender):
                diary.append((type(message).__name__, self.clock.now_ns() - OPENING_NS))

        class Mixed(Feed):
            def on_start(self):
                super().on_start()
                first, second, third = ticks((1, 2, 90))
                candle = a_candle(start_ns=OPENING_NS + 20, interval_ns=40)
                self.messages = [first, second, candle, candle, third]

            @handles(str)
            def go_on(self, _, sender):
                diary.append(self.lane.play("router", self.messages, 0, 5))
                self.send(self.asker, "over")

        class OfAll(Relay):
            def relayed(self, message, count):
                diary.append((f"relayed {type(message).__name__}", count))

        with InProcessSystem(base) as system:
            system.start("listener", Listener)
            system.start("router", OfAll, ("listener",))
            system.start("feed", Mixed, True)
            system.request("feed", Play((1,)))

        assert diary == [
            ("Tick", 1), ("Tick", 2), ("Candle", 60), ("Candle", 60), ("Tick", 90),
            ("relayed Tick", 3), ("relayed Candle", 2), 5,
        ]  # fmt: skip

    def test_is_the_tick_also_where_another_raises_when_its_mailbox_is_empty(self, base):
        class Raising(Chatty):
            def on_drained(self):
                raise ZeroDivisionError

        diary = []
        with InProcessSystem(base) as system:
            system.start("a", Raising, ({}, diary))
            system.start("b", Chatty, ({}, diary))
            system.start("router", Relay, ("a", "b"))
            system.start("feed", Feed, True)
            system.request("feed", Play((1,)))

            assert system.stop("a").failures == 1
        assert diary == [("a", 1), ("b", 1)]


def test_a_lane_hands_on_one_message_where_no_market_is_simulated():
    notes = {"heard": []}
    with InProcessSystem(InProcessSystemBase(seed=1)) as system:
        system.start("hearer", Hearer, notes)
        system.start("router", Relay, ("hearer",))
        system.start("market", Market)

        assert system.request("market", Play((10, 20, 40)))[0] == [1, 2, 3]
    assert notes["heard"] == [10, 20, 40]


class TestWhatIsPassedOver:
    def test_are_ticks_but_the_newest_of_each_symbol_where_that_is_enough(self, base):
        with InProcessSystem(base) as system:
            notes = {"heard": []}
            system.start("hearer", Rememberer, notes)
            system.start("router", Relay, ("hearer",))
            system.start("market", Market)
            told = system.request(
                "market", Play((10, 20, 30, 40, 50), symbols=("TCS", "INFY", "TCS"), passes_over=True)
            )
            system.request("market", Play((60, 70, 101), passes_over=True))
            system.stop("hearer")

        assert told == ([5], 50)
        assert notes["heard"] == [10, 40, 50, 60, 70, 101]

    def test_are_none_where_the_router_does_more_than_hand_on(self, base):
        with InProcessSystem(base) as system:
            notes = {"heard": []}
            system.start("hearer", Rememberer, notes)
            system.start("router", Router, ("hearer",))
            system.start("market", Market)
            system.request("market", Play((10, 20, 30), passes_over=True))

        assert notes["heard"] == [10, 20, 30]

    def test_are_none_where_one_is_on_a_thread_of_its_own(self, base):
        with InProcessSystem(base) as system:
            notes, others = {"heard": []}, {"heard": []}
            system.start("hearer", Rememberer, notes)
            system.start("apart", type("Apart", (Rememberer,), {"blocking": True}), others)
            system.start("router", Relay, ("hearer", "apart"))
            system.start("market", Market)
            system.request("market", Play((10, 20, 30), passes_over=True))
            system.stop("apart")

        assert (notes["heard"], others["heard"]) == ([10, 20, 30], [10, 20, 30])


class TestOneWhoDefers:
    @pytest.fixture
    def late(self, base):
        """Return what plays numbers to a late one and a writer, and returns what it heard, and its statistics."""
        with InProcessSystem(base) as system:

            def begin(*numbers):
                notes = {"heard": []}
                system.start("late", Late, notes)
                system.start("writer", Writer, {"heard": []})
                system.start("router", Relay, ("late", "writer"))
                system.start("market", Market)
                system.request("market", Play(numbers))
                system.request("market", Play(()))  # let in when all is quiet
                for name in ("market", "router", "writer"):
                    system.stop(name)
                return notes["heard"], system.stop("late")

            yield begin

    def test_has_all_of_a_turn_together_and_each_counts(self, late):
        heard, statistics = late(10, 20, 30)

        assert (heard, statistics.handled) == ([(10, 20, 30)], 3)

    def test_has_them_before_what_it_was_sent_meanwhile(self, late):
        heard, _ = late(1, 7, 20)

        assert heard == [(1, 7), "candle", 20]

    def test_fails_with_the_newest_of_them_and_goes_on(self, base, late):
        assert late(98, 99)[0] == [(98, 99)]
        heard, statistics = late(10, 20)

        assert (heard, statistics.handled) == ([(10, 20)], 2)
        (letter,) = base.dead_letters.last
        assert (letter.actor, decode(letter.payload).sequence) == ("late", 99)
