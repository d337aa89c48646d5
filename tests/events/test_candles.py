"""The candles that the router makes."""

import pytest
from natya_builders import a_candle, a_tick

from natya.actors.events import EventsActor, EventsSettings
from natya.actors.events.routes import RouteTable
from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.runtime.simulation.clock import VirtualClock
from natya.domain.time import SECOND_NS, day_start_ns
from natya.messages.events import Subscribe, Subscribed
from natya.messages.journal import Journaled, JournalRecord
from natya.messages.market import Candle, FeedGapped, Tick
from natya.messages.supervision import Failed
from natya.messages.system import Ping

MINUTE_NS = 60 * SECOND_NS
OPENING_NS = day_start_ns(20_451) + (9 * 60 + 15) * MINUTE_NS  # Monday, 2025-12-29


def at(second, symbol="INFY", **fields):
    return a_tick(symbol=symbol, exchange_ns=OPENING_NS + int(second * SECOND_NS), **fields)


def wants(subscriber="strategy", minutes=(1,), symbols=(), topics=("Tick", "Candle")):
    intervals_ns = tuple(each * MINUTE_NS for each in minutes)
    return Subscribe(subscriber=subscriber, topics=topics, symbols=symbols, intervals_ns=intervals_ns)


def heard(probe):
    """What has come: the second of a tick, the start and the length in minutes of a candle."""
    found = []
    while not probe.is_empty():
        message = probe.receive()
        if isinstance(message, Tick):
            found.append((message.exchange_ns - OPENING_NS) / SECOND_NS)
        elif isinstance(message, Candle):
            found.append(((message.start_ns - OPENING_NS) // MINUTE_NS, message.interval_ns // MINUTE_NS))
    return found


def counts(system):
    return system.request("events", Ping()).statistics


class TestALiveMarket:
    """In virtual time, at ten seconds before the opening."""

    @pytest.fixture
    def system(self):
        clock = VirtualClock(OPENING_NS - 10 * SECOND_NS)
        with InProcessSystem(SimulatedSystemBase(seed=1, clock=clock)) as system:
            system.start("events", EventsActor, EventsSettings())
            yield system

    @pytest.fixture
    def probe(self, system):
        probe = system.probe("strategy")
        assert system.request("events", wants()) == Subscribed(subscriber="strategy")
        return probe

    def tell(self, system, *messages):
        for message in messages:
            system.tell("events", message)
        system.base.run_for(0.001)

    def test_has_a_candle_closed_by_the_next_tick_before_that_tick(self, system, probe):
        self.tell(system, at(0), at(59), at(60))

        assert heard(probe) == [0, 59, (0, 1), 60]

    def test_has_it_closed_by_time_when_its_ticks_have_had_time_to_come(self, system, probe):
        self.tell(system, at(0))
        system.base.run_for(10 + 60 + 1.9)
        assert heard(probe) == [0]

        system.base.run_for(0.2)

        assert heard(probe) == [(0, 1)]
        assert counts(system).candles == 1

    def test_has_its_last_candle_closed_by_the_close_of_its_exchange(self, system):
        probe = system.probe("strategy")
        system.request("events", wants(minutes=(60,)))
        system.base.run_for(10 + 360 * 60)  # to 15:15, with fifteen minutes left
        self.tell(system, at(360 * 60))
        system.base.run_for(15 * 60 + 1.9)
        assert heard(probe) == [360 * 60]

        system.base.run_for(0.2)

        assert heard(probe) == [(360, 60)]

    def test_counts_and_logs_a_tick_that_comes_when_its_candle_is_closed(self, system, probe, caplog):
        self.tell(system, at(0), at(60), at(59))

        assert counts(system).late_ticks == 1
        (told,) = [record for record in caplog.records if record.levelname == "WARNING"]
        assert (told.message, told.fields["symbol"]) == ("tick.late", "INFY")
        assert told.fields["behind_s"] == pytest.approx(-69.0, abs=0.1), "by the clock of this machine it is early"
        assert heard(probe) == [0, (0, 1), 60, 59]

    def test_tells_no_candle_of_which_a_part_was_not_heard(self, system):
        system.base.run_for(30)
        probe = system.probe("strategy")
        system.request("events", wants())
        self.tell(system, at(25), at(60), at(120))

        assert heard(probe) == [25, 60, (1, 1), 120]
        assert counts(system).partial_candles == 1

    def test_tells_no_candle_of_which_a_part_fell_into_a_gap_of_the_feed(self, system, probe):
        gap = FeedGapped(
            source="dhan",
            symbols=("INFY",),
            start_ns=OPENING_NS + 10 * SECOND_NS,
            end_ns=OPENING_NS + 30 * SECOND_NS,
            cause="silence",
            occurred_ns=OPENING_NS + 30 * SECOND_NS,
        )
        record = JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=gap)
        self.tell(system, at(0), at(0, "TCS"), Journaled(records=(record,)), at(60), at(60, "TCS"), at(120))

        assert heard(probe) == [0, 0, 60, (0, 1), 60, (1, 1), 120]

    def test_goes_on_with_a_candle_when_its_subscriber_subscribes_again_as_after_a_restart(self, system, probe):
        self.tell(system, at(0, quantity=3))
        system.base.run_for(30)
        system.request("events", wants())
        self.tell(system, at(30, quantity=4), at(60))

        assert heard(probe) == [0, 30, (0, 1), 60]

    def test_has_its_open_candles_again_after_a_restart_of_the_router(self, system, probe, monkeypatch):
        self.tell(system, at(0, quantity=3))
        with monkeypatch.context() as patch:
            patch.setattr(RouteTable, "add", _raise)
            system.tell("events", wants("another"))
            system.base.run_for(1)
        assert system.base.find("events").failures == 1

        self.tell(system, at(30, quantity=4))
        probe.receive()
        probe.receive()
        system.base.run_for(90)

        candle = probe.receive()
        assert (candle.start_ns, candle.volume) == (OPENING_NS, 7)

    def test_closes_them_in_time_after_a_restart_of_the_router_though_no_tick_comes(self, system, probe, monkeypatch):
        self.tell(system, at(0, quantity=3))
        with monkeypatch.context() as patch:
            patch.setattr(RouteTable, "add", _raise)
            system.tell("events", wants("another"))
            system.base.run_for(1)
        assert system.base.find("events").failures == 1

        system.base.run_for(10 + 60 + 2)

        assert heard(probe) == [0, (0, 1)]

    def test_makes_what_several_want_once_for_each(self, system, probe):
        other = system.probe("other")
        system.request("events", wants("other", (1, 3), symbols=("TCS",), topics=("Candle",)))
        self.tell(system, at(0), at(0, "TCS"), at(180), at(180, "TCS"))

        assert heard(probe) == [0, 0, (0, 1), 180, (0, 1), 180]
        assert heard(other) == [(0, 1), (0, 3)]
        assert counts(system).candles == 3

    def test_makes_them_although_somebody_sends_one_of_his_own(self, system, probe):
        self.tell(system, at(0), a_candle(start_ns=OPENING_NS, interval_ns=MINUTE_NS), at(59), at(60))

        assert heard(probe) == [0, (0, 1), 59, (0, 1), 60]

    def test_refuses_lengths_that_are_none(self, system, probe):
        answer = system.request("events", Subscribe(subscriber="strategy", topics=("Candle",), intervals_ns=(5,)))

        assert isinstance(answer, Failed)
        assert "whole seconds" in answer.reason
        many = Subscribe(
            subscriber="strategy", topics=("Candle",), intervals_ns=tuple(n * SECOND_NS for n in range(1, 40))
        )
        assert "at most 32" in system.request("events", many).reason

    def test_makes_none_where_nobody_asks_for_a_length(self, system):
        probe = system.probe("strategy")
        system.request("events", wants(minutes=()))
        self.tell(system, at(0), at(60), a_candle())

        assert [type(probe.receive()).__name__ for _ in range(3)] == ["Tick", "Tick", "Candle"]
        assert counts(system).candles == 0


def _raise(*_):
    raise ZeroDivisionError("once")


class Market(RuntimeActor):
    """Releases messages, each at its time, as the feed does."""

    @handles(list)
    def play(self, messages, sender):
        self.left, self.asker = messages, sender
        self.go_on()

    @handles(str)
    def release(self, due, _sender):
        if due == "over":
            self.send(self.asker, due)
        else:
            self.send("events", self.left.pop(0)[1])
            self.go_on()

    def go_on(self):
        if self.left:
            self.when_quiet("due", self.left[0][0])
        else:
            self.when_quiet("over")


class TestASimulatedMarket:
    @pytest.fixture
    def system(self):
        with InProcessSystem(InProcessSystemBase(market_opening_ns=OPENING_NS)) as system:
            system.start("events", EventsActor, EventsSettings())
            system.start("market", Market)
            yield system

    def play(self, system, *messages):
        timed = [
            (each.start_ns + each.interval_ns if isinstance(each, Candle) else each.exchange_ns, each)
            for each in messages
        ]
        assert system.request("market", timed, timeout_s=10) == "over"

    def test_closes_candles_by_its_own_clock(self, system):
        probe = system.probe("strategy")
        system.request("events", wants(symbols=("INFY",)))
        self.play(system, at(0), at(60, "TCS"), at(61, "TCS"))

        assert heard(probe) == [0, (0, 1)]

    def test_has_each_candle_once_where_the_recording_has_it_and_makes_the_others(self, system):
        probe = system.probe("strategy")
        system.request("events", wants(minutes=(1, 3)))
        recorded = [
            a_candle(symbol=symbol, start_ns=OPENING_NS + minute * MINUTE_NS, interval_ns=MINUTE_NS)
            for minute in range(4)
            for symbol in ("INFY", "TCS")
        ]
        ticks = [at(60 * minute + 5, symbol) for minute in range(4) for symbol in ("INFY", "TCS")]
        by_minute = [each for n in range(0, 8, 2) for each in (*ticks[n : n + 2], *recorded[n : n + 2])]
        self.play(system, *by_minute)

        candles = [each for each in heard(probe) if isinstance(each, tuple)]
        assert candles == [(0, 1), (0, 1), (1, 1), (1, 1), (2, 1), (2, 1), (0, 3), (0, 3), (3, 1), (3, 1)]

    def test_leaves_out_recorded_candles_of_lengths_that_nobody_asked_for(self, system):
        probe = system.probe("strategy")
        system.request("events", wants(minutes=(3,), topics=("Candle",)))
        self.play(system, a_candle(start_ns=OPENING_NS, interval_ns=MINUTE_NS))

        assert probe.is_empty()
