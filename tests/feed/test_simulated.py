"""The feed actor: in step with the system, behind the database, and on with it after a restart."""

import itertools
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from natya_builders import a_candle, a_tick
from natya_processes import children_of

from natya.actors.feed import (
    CandlesWanted,
    Outlook,
    RecordingError,
    SimulatedFeedActor,
    expect_source,
    here,
    is_served_here,
    simulated,
)
from natya.actors.feed.recording import HOW_TO_GO_ON
from natya.actors.feed.simulated import EndMarket, Progress
from natya.actors.feed.source import BEHIND_CLOSE_NS, MESSAGES_A_CHUNK
from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RequestTimedOut, RuntimeActor, handles
from natya.config.errors import SettingsError
from natya.messages.accounts import RecordingPlayed
from natya.messages.broker import FindOrder
from natya.messages.journal import Append
from natya.messages.market import AwaitMarketEnd, Candle, MarketEnded, Tick, TicksRecorded
from natya.messages.supervision import DeadLetter
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("forked_starts")

HEADER = "time,ltp,symbol"
MONDAY_NS = 1_766_946_600 * 10**9
"""Midnight of 29 December 2025 in India."""


def rows(count, *, step_s=1):
    return [f"{1_766_992_622 + step_s * place},{100 + place % 7},TCS" for place in range(count)]


@pytest.fixture
def system():
    with InProcessSystem() as system:
        yield system


@pytest.fixture
def start(system, feed_settings):
    def build(**changes):
        return system.start("feed", FailingFeed, feed_settings(**changes))

    return build


class FailingFeed(SimulatedFeedActor):
    """Fails when it is asked for an order."""

    @handles(FindOrder)
    def fail(self, _message, _sender):
        raise RuntimeError


def unstamped(message):
    return msgspec.structs.replace(message, received_ns=0) if isinstance(message, Tick) else message


def received(probe, count):
    """Take so many market messages; what a provoked failure brings to events besides is left out."""
    messages = iter(lambda: probe.receive(timeout_s=5), None)
    return list(itertools.islice((each for each in messages if not isinstance(each, DeadLetter)), count))


class SlowHouse(RuntimeActor):
    """Stands for events, orders and journal: each tick sets off work elsewhere, and work that comes of it."""

    def on_start(self):
        self.story = self.settings

    @handles(Tick)
    def hear(self, tick, _):
        self.story.append(("tick", tick.sequence))
        self.offload(int, tick.sequence, then=self.decide)

    def decide(self, outcome):
        self.send(self.myAddress, FindOrder(client_order_id=str(outcome.unwrap())))

    @handles(FindOrder)
    def act(self, order, _):
        self.story.append(("done", int(order.client_order_id)))


class TestAMarketInStep:
    def test_releases_a_tick_when_all_that_the_last_one_set_off_is_done(self, system, start, write):
        story = []
        system.start("events", SlowHouse, story)
        start(recording=write(HEADER, *rows(50)))

        ended = system.request("feed", AwaitMarketEnd(), timeout_s=10)

        assert ended == MarketEnded(ticks=50, candles=0)
        assert story == [(what, sequence) for sequence in range(1, 51) for what in ("tick", "done")]

    def test_sends_all_chunks_in_order_each_stamped(self, system, start, write):
        events = system.probe("events")
        count = 2 * MESSAGES_A_CHUNK + 10
        start(recording=write(HEADER, *rows(count)))

        ticks = received(events, count)

        assert [tick.sequence for tick in ticks] == list(range(1, count + 1))
        stamps = [tick.received_ns for tick in ticks]
        assert stamps == sorted(stamps)
        assert stamps[0] > 0

    def test_sends_a_candle_behind_its_ticks(self, system, start, write):
        events = system.probe("events")
        start(recording=write("date,open,high,low,close,volume", "2025-10-29T09:15,10,11,9,10,4"))

        assert [type(message) for message in received(events, 5)] == [Tick, Tick, Tick, Tick, Candle]
        assert system.request("feed", AwaitMarketEnd(), timeout_s=5) == MarketEnded(ticks=4, candles=1)

    def test_counts_what_it_sent(self, system, start, write):
        events = system.probe("events")
        start(recording=write(HEADER, *rows(3), "broken"), bad_rows_max=1)
        system.request("feed", AwaitMarketEnd(), timeout_s=5)

        statistics = system.request("feed", Ping(), timeout_s=5).statistics

        assert (statistics.ticks, statistics.candles, statistics.bad_rows, statistics.ended) == (3, 0, 1, True)
        assert statistics.last_prices == {"TCS": 102.0}
        ticks = [events.receive() for _ in range(3)]
        assert (statistics.source, statistics.priced_ns) == (ticks[0].source, {"TCS": ticks[2].exchange_ns})


class TestTheEndOfAMarket:
    def test_is_told_to_everyone_who_waits_and_to_who_asks_later(self, system, start, write):
        system.probe("events")
        start(recording=write(HEADER, *rows(3)), unrecorded_ticks_max=1)
        waiting = [system.request_future("feed", AwaitMarketEnd()) for _ in range(2)]
        source = system.request("feed", Ping(), timeout_s=5).statistics.source
        while not source:
            source = system.request("feed", Ping(), timeout_s=5).statistics.source
        system.tell("feed", TicksRecorded(source=source, sequence=3))

        assert [future.result(timeout=5).ticks for future in waiting] == [3, 3]
        assert system.request("feed", AwaitMarketEnd(), timeout_s=5).ticks == 3

    def test_by_a_broken_row_comes_after_all_before_it_and_says_why(self, system, start, write, caplog):
        events = system.probe("events")
        path = write(HEADER, *rows(3), "broken")
        start(recording=path)

        ended = system.request("feed", AwaitMarketEnd(), timeout_s=5)

        assert ended.ticks == len(received(events, 3)) == 3
        assert ended.error == f"{path}, line 5: 3 columns are wanted, found 1; {HOW_TO_GO_ON}"
        system.request("feed", Ping(), timeout_s=5)  # it has told of it behind the answer
        (told,) = [each for each in caplog.records if each.getMessage() == "market.ended"]
        assert (told.levelname, told.fields) == ("ERROR", {"ticks": 3, "candles": 0, "error": ended.error})

    def test_comes_at_once_where_there_is_no_recording(self, system, start, tmp_path):
        start(recording=tmp_path / "absent.csv")

        assert "No such file" in system.request("feed", AwaitMarketEnd(), timeout_s=30).error

    def test_comes_when_it_has_lasted_long_enough(self, system, start):
        events, begun_s = system.probe("events"), time.monotonic()
        start(source="synthetic", duration_s=0.2)

        ended = system.request("feed", AwaitMarketEnd(), timeout_s=30)

        assert time.monotonic() - begun_s >= 0.2
        assert [tick.sequence for tick in received(events, ended.ticks)] == [*range(1, ended.ticks + 1)]
        assert ended.error == ""
        assert system.request("feed", Ping(), timeout_s=5).statistics.ticks == ended.ticks

    def test_is_for_good_when_what_it_waited_for_comes_later(self, system, start):
        """It waited for the database, or for the source, at the moment at which it ended."""
        events = system.probe("events")
        start(source="synthetic", unrecorded_ticks_max=10)
        sent = received(events, 11)
        system.tell("feed", EndMarket())
        ended = system.request("feed", AwaitMarketEnd(), timeout_s=5)
        system.tell("feed", TicksRecorded(source=sent[-1].source, sequence=ended.ticks))
        for _ in range(20):
            told = system.request("feed", Ping(), timeout_s=5).statistics

        assert told.ticks == ended.ticks == 11


class TestAMarketAtASpeed:
    def test_follows_the_recorded_times(self, system, start, write):
        events = system.probe("events")
        start(recording=write(HEADER, *rows(5)), speed=20.0)

        stamps = [tick.received_ns for tick in received(events, 5)]

        assert stamps[-1] - stamps[0] >= 0.19e9


class TestAMarketAheadOfTheDatabase:
    def test_waits_until_enough_is_recorded(self, system, start, write):
        events = system.probe("events")
        start(recording=write(HEADER, *rows(10)), unrecorded_ticks_max=3)
        source = received(events, 4)[-1].source
        system.request("feed", Ping(), timeout_s=5)
        assert events.is_empty()

        system.tell("feed", TicksRecorded(source="another", sequence=10))
        system.request("feed", Ping(), timeout_s=5)
        assert events.is_empty()

        system.tell("feed", TicksRecorded(source=source, sequence=2))
        assert [tick.sequence for tick in received(events, 2)] == [5, 6]

    def test_says_what_it_waits_for_as_long_as_it_waits(self, system, start, write):
        events = system.probe("events")
        feed = start(recording=write(HEADER, *rows(5)), unrecorded_ticks_max=3)
        source = received(events, 4)[-1].source
        system.request("feed", Ping(), timeout_s=5)
        waiting = feed.trouble_of(feed)
        system.tell("feed", TicksRecorded(source=source, sequence=4))
        system.request("feed", AwaitMarketEnd(), timeout_s=5)

        assert waiting == "waits for the database: 4 ticks are not durable"
        assert feed.trouble_of(feed) == ""

    def test_runs_free_where_all_was_recorded_before(self, system, start, write):
        events = system.probe("events")
        start(recording=write(HEADER, *rows(10)), unrecorded_ticks_max=1)

        system.tell("feed", TicksRecorded(source=received(events, 2)[-1].source, sequence=10))

        assert system.request("feed", AwaitMarketEnd(), timeout_s=5).ticks == 10

    @pytest.mark.parametrize(
        ("is_held", "source", "sequence", "goes_on"),
        [
            (True, "ours", 1, False),
            (True, "ours", 2, True),
            (True, "another", 5, False),
            (False, "ours", 2, False),
            (False, "ours", 1, False),
        ],
    )
    def test_goes_on_once_so_much_is_recorded_that_there_is_room(self, is_held, source, sequence, goes_on):
        went_on = []
        feed = SimpleNamespace(
            _progress=Progress(start_ns=0, began_ns=0, ticks=5, source="ours"),
            _held=is_held,
            settings=SimpleNamespace(unrecorded_ticks_max=3),
            trouble="waits",
            _go_on=lambda: went_on.append(True),
        )
        SimulatedFeedActor.note_recorded(feed, TicksRecorded(source=source, sequence=sequence), None)

        assert (went_on, feed._held) == ([True] * goes_on, is_held and not goes_on)
        assert feed.trouble == ("" if goes_on else "waits")


class TestAFeedThatFails:
    @pytest.mark.parametrize("sent", [2, MESSAGES_A_CHUNK + 3])
    def test_goes_on_behind_the_last_tick_it_sent(self, system, start, write, sent):
        events = system.probe("events")
        count = sent + 20
        start(recording=write(HEADER, *rows(count)), unrecorded_ticks_max=sent - 1)
        waiting = system.request_future("feed", AwaitMarketEnd())
        source = received(events, sent)[-1].source

        system.tell("feed", FindOrder(client_order_id="none"))
        system.tell("feed", TicksRecorded(source=source, sequence=count))

        ticks = received(events, 20)
        assert [tick.sequence for tick in ticks] == list(range(sent + 1, count + 1))
        assert waiting.result(timeout=5).ticks == count

    @pytest.mark.parametrize("sent", [4, 6, 9, 11])
    def test_goes_on_behind_the_last_candle_it_sent(self, system, start, write, messages, sent):
        events = system.probe("events")
        minutes = [f"2025-12-29T09:{minute},10,11,9,10,4" for minute in range(15, 25)]
        path = write("date,open,high,low,close,volume", *minutes)
        everything = messages(path)
        ticks = sum(isinstance(message, Tick) for message in everything[:sent])
        start(recording=path, unrecorded_ticks_max=ticks - 1)
        first = received(events, sent)

        system.tell("feed", FindOrder(client_order_id="none"))
        system.tell("feed", TicksRecorded(source=first[0].source, sequence=1_000))

        said = [*first, *received(events, 50 - sent)]
        assert [unstamped(message) for message in said] == everything
        ended = system.request("feed", AwaitMarketEnd(), timeout_s=5)
        assert (ended.ticks, ended.candles, ended.error) == (40, 10, "")

    def test_ends_the_market_where_the_recording_is_another_by_then(self, system, start, write):
        events = system.probe("events")
        path = write(HEADER, *rows(20))
        start(recording=path, unrecorded_ticks_max=3)
        source = received(events, 4)[0].source
        write(HEADER, *rows(21))

        system.tell("feed", FindOrder(client_order_id="none"))
        system.tell("feed", TicksRecorded(source=source, sequence=20))

        ended = system.request("feed", AwaitMarketEnd(), timeout_s=5)
        assert ended.ticks == 4
        assert "the recording that was begun is wanted" in ended.error

    def test_makes_the_same_synthetic_market_again(self, system, start):
        events = system.probe("events")
        start(source="synthetic", unrecorded_ticks_max=9)
        first = received(events, 10)

        system.tell("feed", FindOrder(client_order_id="none"))
        system.tell("feed", TicksRecorded(source=first[0].source, sequence=10))

        ticks = [*first, *received(events, 10)]
        assert [tick.sequence for tick in ticks] == list(range(1, 21))
        assert {tick.source for tick in ticks} == {first[0].source}
        assert [tick.volume for tick in ticks[::2]] == sorted(tick.volume for tick in ticks[::2])

    def test_says_nothing_more_where_the_market_had_ended(self, system, start, write):
        events = system.probe("events")
        start(recording=write(HEADER, *rows(3)))
        ended = system.request("feed", AwaitMarketEnd(), timeout_s=5)
        received(events, 3)

        system.tell("feed", FindOrder(client_order_id="none"))

        assert system.request("feed", AwaitMarketEnd(), timeout_s=5) == ended


class TestAFeedThatIsStopped:
    def test_in_the_middle_leaves_no_file_open(self, system, start, write):
        events = system.probe("events")
        start(recording=write(HEADER, *rows(5 * MESSAGES_A_CHUNK)), unrecorded_ticks_max=10)
        received(events, 11)

        assert system.stop("feed").ticks == 11


class TestAReaderThatIsKilled:
    def test_costs_a_restart_and_not_a_tick(self, system, start, write, monkeypatch):
        monkeypatch.setattr(here, "HERE_BYTES_MAX", 0)
        events, supervised = system.probe("events"), 20 * MESSAGES_A_CHUNK
        others = {*children_of(os.getpid())}  # another test's may still be leaving
        start(recording=write(HEADER, *rows(supervised)))
        first = received(events, 1)
        (reader,) = {*children_of(os.getpid())} - others

        os.kill(reader, signal.SIGKILL)

        ticks = first + received(events, supervised - 1)
        assert [tick.sequence for tick in ticks] == list(range(1, supervised + 1))


class TestAStop:
    def test_waits_so_long_for_what_is_not_recorded_and_no_longer(self, feed_settings, monkeypatch, caplog):
        """In real time: the market's stands still, since the feed releases nothing more."""
        monkeypatch.setattr(simulated, "RECORDING_S", 0.2)
        with InProcessSystem(InProcessSystemBase(market_opening_ns=1_766_992_622 * 10**9)) as system:
            events = system.probe("events")
            system.start("feed", SimulatedFeedActor, feed_settings(source="synthetic", speed=1.0))
            received(events, 2)
            statistics = system.stop("feed", timeout_s=10)

        assert statistics.ticks > statistics.recorded_sequence == 0
        assert [each.getMessage() for each in caplog.records] == ["market.not_recorded"]

    @pytest.mark.parametrize(
        ("recorded", "waits", "is_over"), [(5, True, True), (6, True, True), (4, True, False), (4, False, True)]
    )
    def test_is_over_as_soon_as_all_is_recorded(self, recorded, waits, is_over):
        timers = []
        feed = SimpleNamespace(
            _progress=Progress(start_ns=0, began_ns=0, ticks=5, recorded=recorded),
            _last_wait=None,
            _waits=waits,
            after_on_machine=lambda seconds, _message: timers.append(seconds) or "a timer",
        )

        assert [SimulatedFeedActor.is_drained(feed) for _ in range(2)] == [is_over] * 2
        assert timers == [simulated.RECORDING_S]


class TestAtASpeedOfItsOwn:
    FRIDAY, MONDAY = 1_766_742_299, 1_766_979_901
    """15:14:59 on 26 December 2025, and 09:15:01 on the 29th, in India: 66 hours apart, a quarter of one in session."""

    @pytest.fixture
    def released(self, feed_settings, tmp_path):
        """Return how many of the two ticks come within a second, at 3,000 times the recorded speed."""

        def play(**changes):
            path = tmp_path / "ticks.csv"
            lines = [f"{second},{price},TCS" for second, price in ((self.FRIDAY, 100), (self.MONDAY, 101))]
            path.write_text("\n".join([HEADER, *lines, ""]))
            base = InProcessSystemBase(market_opening_ns=self.FRIDAY * 10**9)
            with InProcessSystem(base) as system:
                events = system.probe("events")
                system.start("feed", SimulatedFeedActor, feed_settings(recording=path, speed=3_000.0, **changes))
                assert isinstance(events.receive(timeout_s=10), Tick)
                try:
                    return 1 + isinstance(events.receive(timeout_s=1), Tick)
                except RequestTimedOut:
                    return 1

        return play

    def test_waits_for_no_night_and_no_weekend(self, released):
        assert released() == 2

    def test_waits_for_all_of_it_where_the_market_never_closes(self, released):
        assert released(exchange="none") == 1


@pytest.mark.parametrize(
    ("settings", "clock", "error", "is_waited_for"),
    [
        ({}, "15:29:30", "", True),
        ({}, "15:28:30", "", False),  # it does not reach the close
        ({"exchange": "none"}, "15:29:30", "", False),
        ({"source": "synthetic"}, "15:29:30", "", False),
        ({}, "15:29:30", "line 7 is broken", False),
    ],
)
def test_a_recording_lasts_to_the_close_of_the_session_that_it_has_reached(
    feed_settings, settings, clock, error, is_waited_for
):
    hours, minutes, seconds = map(int, clock.split(":"))
    now_ns = MONDAY_NS + (hours * 3_600 + minutes * 60 + seconds) * 10**9
    done = []
    stage = SimpleNamespace(
        settings=feed_settings(**settings),
        clock=SimpleNamespace(now_ns=lambda: now_ns),
        when_quiet=lambda message, due_ns: done.append((type(message), due_ns)),
        _progress=SimpleNamespace(error=error),
        _end=lambda: done.append("ended"),
    )
    SimulatedFeedActor._end_with_session(stage)

    close_ns = MONDAY_NS + (15 * 3_600 + 30 * 60) * 10**9
    assert done == ([(simulated.ReachClose, close_ns + BEHIND_CLOSE_NS)] if is_waited_for else ["ended"])


@pytest.mark.parametrize("is_ended", [False, True])
@pytest.mark.parametrize(
    ("message", "due_ns", "is_candle"),
    [(a_tick(exchange_ns=7), 7, False), (a_candle(start_ns=1, interval_ns=6), 7, True), (None, None, False)],
    ids=["a tick", "a candle", "not read yet"],
)
def test_the_next_message_is_asked_for_at_its_time_and_as_what_it_is(message, due_ns, is_candle, is_ended):
    asked = []
    stage = SimpleNamespace(
        _progress=SimpleNamespace(ended=is_ended),
        _chunk=[message] if message is not None else [],
        _place=0,
        _skips=False,
        _release="release",
        when_quiet=lambda release, at_ns, *, ends: asked.append((release, at_ns, ends)),
    )
    SimulatedFeedActor._go_on(stage)

    assert asked == ([] if is_ended else [("release", due_ns, is_candle)])


def test_closed_hours_are_passed_once():
    friday, monday = (at * 10**9 for at in (TestAtASpeedOfItsOwn.FRIDAY, TestAtASpeedOfItsOwn.MONDAY))
    skipped = []
    stage = SimpleNamespace(_skipped_ns=friday, settings=SimpleNamespace(exchange="NSE"), skip_market=skipped.append)
    for until_ns in (friday + 1, monday, friday + 2, monday + 1, monday + 10**9):
        SimulatedFeedActor._skip_closed_hours(stage, until_ns)

    assert [round(each / 3_600e9) for each in skipped] == [66]


@pytest.mark.parametrize(
    ("source", "is_over", "error", "is_played"),
    [
        ("replay", True, "", True),
        ("replay", False, "", False),
        ("replay", True, "line 7 is broken", False),
        ("synthetic", True, "", False),
    ],
)
def test_a_recording_is_written_down_as_played_that_was_released_to_its_end_without_a_fault(
    source, is_over, error, is_played
):
    sent, logged = [], []
    stage = SimpleNamespace(
        _progress=Progress(start_ns=0, began_ns=0, ticks=5, candles=2, source="ours", error=error),
        _bad_rows=lambda: 3,
        _source=None,
        _exhausted=True,  # a short recording is read as a whole before anything of it is released
        _is_played=is_over,
        settings=SimpleNamespace(source=source),
        clock=SimpleNamespace(now_ns=lambda: 9),
        send=lambda name, message: sent.append((name, message)),
        log=lambda event, **fields: logged.append((event, fields)),
    )
    stage._market_ended = lambda: SimulatedFeedActor._market_ended(stage)
    for _ in range(2):
        SimulatedFeedActor._end(stage)

    fact = RecordingPlayed(source="ours", ticks=5, candles=2, occurred_ns=9)
    assert sent == ([("journal", Append(facts=(fact,)))] if is_played else [])
    level = "error" if error else "info"
    assert logged == [("market.ended", {"level": level, "ticks": 5, "candles": 2, "error": error})]
    assert stage._market_ended() == MarketEnded(ticks=5, candles=2, bad_rows=3, error=error)


@pytest.mark.parametrize(
    ("is_open", "is_ended", "found"), [(False, False, 1), (True, False, 2), (True, True, 1), (False, True, 1)]
)
def test_broken_rows_are_those_of_the_source_until_the_market_has_ended(is_open, is_ended, found):
    stage = SimpleNamespace(
        _source=SimpleNamespace(bad_rows=2) if is_open else None,
        _progress=SimpleNamespace(bad_rows=1, ended=is_ended),
    )

    assert SimulatedFeedActor._bad_rows(stage) == found


@pytest.mark.parametrize(("source", "wrong"), [("dhan", "mode"), ("synthetic", "levels")])
def test_an_option_that_is_wrong_is_told_with_where_it_came_from(feed_settings, source, wrong):
    settings = feed_settings(source=source, options={wrong: "x"})

    with pytest.raises(SettingsError) as found:
        expect_source(settings, {"feed.options": "natya.toml"})
    assert "natya.toml" in str(found.value)
    with pytest.raises(SettingsError, match=rf"feed\.options\.{wrong}"):
        expect_source(settings)


@pytest.mark.parametrize(
    ("changes", "is_here"),
    [
        ({"source": "synthetic"}, False),
        ({"source": "dhan"}, False),
        ({"source": "dhan", "options": {"url": "ws://127.0.0.1:1"}}, True),
    ],
)
def test_a_market_is_served_here_where_its_feed_is_an_exchange_of_this_machine(feed_settings, changes, is_here):
    assert is_served_here(feed_settings(**changes)) is is_here


@pytest.mark.parametrize(
    ("wanted", "played", "is_made"),
    [
        ((180, ()), (), True),
        ((60, ()), (), False),
        ((60, ("TCS",)), (), False),
        ((60, ("INFY",)), (), True),
        ((60, ()), ("INFY",), True),
        ((60, ()), ("TCS", "INFY"), False),
        ((60, ("TCS",)), ("INFY",), True),
        ((180, ("TCS",)), ("TCS",), True),
    ],
)
def test_candles_that_a_strategy_wants_are_made_of_those_that_are_not_longer(wanted, played, is_made):
    """Of a recording with candles of 3 minutes of TCS."""
    outlook = Outlook(candle_lengths=((Path("a.csv"), {"TCS": 180 * 10**9}),))
    interval_s, symbols = wanted
    expected = [CandlesWanted(interval_s * 10**9, symbols)]
    if is_made:
        outlook.expect_candles(expected, played=played)
        return
    with pytest.raises(RecordingError) as refused:
        outlook.expect_candles(expected, played=played)
    assert str(refused.value) == (
        "a.csv: candles of 1m are wanted by a strategy, found those of 3m of TCS; a strategy that is given its symbols "
        "may leave it out"
    )


@pytest.mark.parametrize(("last", "is_waited_for"), [("15:29:30", True), ("15:28:30", False)])
def test_a_market_ends_when_all_is_done_that_its_close_brings_and_is_written_down_as_played(
    feed_settings, write, last, is_waited_for
):
    path = write(HEADER, *(f"2025-12-29 {clock},100,TCS" for clock in ("15:20:00", last)))
    with InProcessSystem(InProcessSystemBase(market_opening_ns=MONDAY_NS + 15 * 3_600 * 10**9)) as played:
        played.probe("events")
        journal = played.probe("journal")
        played.start("feed", SimulatedFeedActor, feed_settings(recording=path))
        ended = played.request("feed", AwaitMarketEnd(), timeout_s=20)
        (fact,) = journal.receive(timeout_s=5).facts

    close_ns = MONDAY_NS + (15 * 3_600 + 30 * 60) * 10**9
    assert (ended.ticks, ended.error) == (2, "")
    assert (fact.ticks, fact.candles, fact.source != "") == (2, 0, True)
    assert (fact.occurred_ns >= close_ns) is is_waited_for
