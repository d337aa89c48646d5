"""A lane: messages handed on within one turn, and when that ends."""

import msgspec
import pytest

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, Lane, RuntimeActor, handles

OPENING_NS = 1_700_000_000_000_000_000


class Play(msgspec.Struct, frozen=True):
    """Hand these numbers to the hearer, and tell after each what happened so far."""

    numbers: tuple[int, ...]
    sent_before: tuple[int, ...] = ()
    speed: float = 0.0


class Number(msgspec.Struct, frozen=True):
    value: int


class Market(RuntimeActor):
    @handles(Play)
    def play(self, play, sender):
        lane, told = Lane(self), []
        self.pace_market(play.speed)
        for value in play.sent_before:
            self.send("hearer", Number(value))
        for value in play.numbers:
            lane.hand_to(("hearer",), Number(value))
            heard = tuple(self.settings["heard"])
            told.append((heard, lane.goes_to(OPENING_NS + value), self.clock.now_ns() - OPENING_NS))
        self.send(sender, told)


class LastingMarket(RuntimeActor):
    """Has one lane for all plays."""

    def on_start(self):
        self.lane = Lane(self)

    @handles(Play)
    def play(self, play, sender):
        for value in play.numbers:
            self.lane.hand_to(("hearer",), Number(value))
        self.send(sender, None)


class Hearer(RuntimeActor):
    """Notes what it hears; fails at 13, sends itself something at 7, wants to be woken at 3, begins a job at 5."""

    @handles(Number)
    def hear(self, number, _sender):
        self.settings["heard"].append(number.value)
        if number.value == 13:
            raise ZeroDivisionError
        if number.value == 7:
            self.send(self.myAddress, Number(70))
        if number.value == 3:
            self.after(1e-9, Number(30))
        if number.value == 5:
            self.offload(lambda: None, then=lambda _: None)


class Onlooker(Hearer):
    @handles(Number)
    def hear(self, number, _sender):
        self.settings["heard"].append(self.host.worker.current is self.host)


class Blocking(Hearer):
    blocking = True


@pytest.fixture
def play():
    with InProcessSystem(InProcessSystemBase(seed=1, market_opening_ns=OPENING_NS)) as system:

        def begin(*numbers, hearer=Hearer, **fields):
            notes = {"heard": []}
            system.start("hearer", hearer, notes)
            system.start("market", Market, notes)
            told = system.request("market", Play(numbers, **fields))
            system.stop("hearer")
            return told, notes["heard"]

        yield begin


class TestALane:
    def test_lets_who_is_idle_handle_each_at_once_and_the_market_go_on(self, play):
        told, _ = play(10, 20)

        assert told == [((10,), True, 10), ((10, 20), True, 20)]

    @pytest.mark.parametrize("why", [7, 5])
    def test_ends_where_somebody_has_something_to_do(self, play, why):
        told, _ = play(why)

        assert told == [((why,), False, 0)]

    def test_ends_where_a_timer_is_due_before(self, play):
        told, _ = play(3)

        assert told == [((3,), False, 0)]

    def test_ends_where_real_time_has_to_pass(self, play):
        told, _ = play(10, speed=5.0)

        assert told == [((10,), False, 0)]

    def test_shows_whose_turn_it_is_to_those_who_watch_the_loop(self, play):
        _, heard = play(10, hearer=Onlooker)

        assert heard == [True]

    def test_ends_at_one_that_failed_and_gives_it_nothing_more_before_it_is_back(self, play):
        told, heard = play(13, 20)

        assert [(what, goes) for what, goes, _ in told] == [((13,), False), ((13,), False)]
        assert heard == [13, 20]

    def test_has_each_counted_as_handled_once_and_the_mailbox_as_drained_after_each(self):
        class Drained(Hearer):
            def on_drained(self):
                self.settings["drained"].append(len(self.settings["heard"]))

        notes = {"heard": [], "drained": []}
        with InProcessSystem(InProcessSystemBase(seed=1, market_opening_ns=OPENING_NS)) as system:
            system.start("hearer", Drained, notes)
            system.start("market", Market, notes)
            system.request("market", Play((10, 20, 40)))
            statistics = system.stop("hearer")

        assert (notes["heard"], notes["drained"]) == ([10, 20, 40], [1, 2, 3])
        assert (statistics.handled, statistics.failures) == (3, 0)

    def test_keeps_the_order_of_what_was_sent_before(self, play):
        told, heard = play(20, sent_before=(10,))

        assert told == [((), False, 0)]
        assert heard == [10, 20]

    @pytest.mark.parametrize("first", [Hearer, Blocking, None])
    @pytest.mark.parametrize("second", [Hearer, Blocking])
    def test_finds_whoever_has_the_name_by_now(self, first, second):
        with InProcessSystem(InProcessSystemBase(seed=1, market_opening_ns=OPENING_NS)) as system:
            earlier, later = {"heard": []}, {"heard": []}
            system.start("market", LastingMarket)
            if first is not None:
                system.start("hearer", first, earlier)
            system.request("market", Play((1, 2)))
            if first is not None:
                system.stop("hearer")
            system.start("hearer", second, later)
            system.request("market", Play((10, 20)))
            system.stop("hearer")

        assert earlier["heard"] == ([1, 2] if first is not None else [])
        assert later["heard"] == [10, 20]

    def test_sends_to_those_of_other_threads(self, play):
        told, heard = play(10, 20, hearer=Blocking)

        assert [goes for _, goes, _ in told] == [False, False]
        assert heard == [10, 20]
