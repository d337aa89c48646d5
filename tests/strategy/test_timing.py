"""What a strategy does by the clock."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime import handles
from natya.actors.strategy import StrategyActor
from natya.actors.strategy.alarms import ALARMS_MAX, Alarm, AlarmDue, Alarms
from natya.actors.strategy.errors import TooManyTimersError
from natya.actors.strategy.exchange_clock import ExchangeClock
from natya.actors.strategy.schedule import next_due_ns, schedule_of
from natya.actors.strategy.timing import _Repeating
from natya.domain.time import IST, SECOND_NS
from natya.messages.system import Ping


class PlayedTime:
    """A clock, and a timer that waits for a test."""

    def __init__(self, text):
        self.ns = int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS
        self.armed = []

    def now_ns(self):
        return self.ns

    monotonic_ns = elapsed_ns = now_ns

    def arm(self, seconds, message):
        self.armed.append((seconds, message))
        return self

    def cancel(self):
        self.armed.pop()


@pytest.fixture
def time():
    return PlayedTime("2026-01-02 15:19:00")


class TestAnInterval:
    @given(start_ns=st.integers(0, 100), interval_ns=st.integers(1, 20), after_ns=st.integers(0, 300))
    def test_is_due_at_its_next_multiple_after_a_time_whatever_was_missed(self, start_ns, interval_ns, after_ns):
        after_ns += start_ns
        due = range(start_ns, after_ns + 2 * interval_ns, interval_ns)

        assert _Repeating(start_ns, interval_ns)(after_ns) == min(each for each in due if each > after_ns)


class TestAnAlarm:
    def test_is_waited_for_in_steps_on_a_clock_that_may_be_set_meanwhile(self, time):
        rang = []
        alarms = Alarms(time.now_ns, time.arm, wait_s_max=60)
        alarms.set(Alarm("a", time.ns + 90 * SECOND_NS, None, lambda: rang.append(time.ns)))
        time.ns += 60 * SECOND_NS
        alarms.hear(time.armed[-1][1])
        early = list(rang)
        time.ns += 30 * SECOND_NS
        alarms.hear(time.armed[-1][1])
        alarms.hear(time.armed[-1][1])

        assert [seconds for seconds, _ in time.armed] == [60, 30]
        assert (early, rang) == ([], [time.ns])

    def test_whose_times_were_missed_is_called_once_and_goes_on(self, time):
        rang = []
        start = time.ns
        alarms = Alarms(time.now_ns, time.arm, wait_s_max=0)
        every_minute = lambda after: start + ((after - start) // (60 * SECOND_NS) + 1) * 60 * SECOND_NS  # noqa: E731
        alarms.set(Alarm("a", every_minute(start), every_minute, lambda: rang.append(time.ns)))
        time.ns += 330 * SECOND_NS
        alarms.hear(AlarmDue(1))

        assert len(rang) == 1
        assert time.armed[-1][0] == 30

    def test_that_is_cancelled_is_never_called(self, time):
        alarms = Alarms(time.now_ns, time.arm, wait_s_max=0)
        alarm = alarms.set(Alarm("a", time.ns + 1, None, lambda: pytest.fail("called")))
        assert repr(alarm) == f"<timer 'a' due_ns={time.ns + 1}>"
        alarm.cancel()
        assert time.armed == [], "nobody wakes up for it"
        time.ns += 5
        alarms.hear(AlarmDue(1))

        assert repr(alarm) == "<timer 'a' over>"

    def test_beyond_the_limit_is_refused_unless_earlier_ones_are_over(self, time):
        alarms = Alarms(time.now_ns, time.arm, wait_s_max=0)
        pending = [alarms.set(Alarm("a", time.ns + 1, None, print)) for _ in range(ALARMS_MAX)]

        with pytest.raises(TooManyTimersError, match="1000 pending timers wanted"):
            alarms.set(Alarm("one more", time.ns + 1, None, print))
        pending[7].cancel()
        alarms.set(Alarm("one more", time.ns + 1, None, print))


class TestTheExchangesClock:
    def test_tells_the_time_in_india_and_where_in_the_session_it_is(self, time):
        clock = ExchangeClock(time)

        assert f"{clock.now:%Y-%m-%d %H:%M:%S %Z}" == "2026-01-02 15:19:00 IST"
        assert (clock.is_open, clock.minutes_to_close, f"{clock.session.day}") == (True, 11.0, "2026-01-02")

    def test_tells_of_each_symbol_when_its_own_trading_ends(self):
        clock = ExchangeClock(PlayedTime("2026-08-03 15:10:00"))
        symbols = ("TCS", "IDBI", "NIFTY-25Aug2026-FUT")

        assert [clock.minutes_to_close_of(symbol) for symbol in symbols] == [5.0, 20.0, 30.0]
        assert [clock.session_of(symbol).closing is not None for symbol in symbols] == [True, False, False]
        assert clock.minutes_to_close == 20.0

    def test_knows_no_session_on_a_sunday(self):
        clock = ExchangeClock(PlayedTime("2026-01-04 12:00:00"))

        assert (clock.is_open, clock.minutes_to_close, clock.session) == (False, 0.0, None)


class Punctual(StrategyActor):
    """Does nothing but wait."""

    def on_begin(self):
        self.after(0, self.ring)
        self.after(0.001, "named")
        self.after(0.002)
        self.every(0.003).cancel()

    def ring(self):
        self.send("rang", "method")

    def on_timer(self, name):
        self.send("rang", name)


class Reminded(StrategyActor):
    """Sends itself a message."""

    def on_begin(self):
        self.after(0.001, 7)

    @handles(int)
    def hear(self, number, _sender):
        self.send("rang", number)


class Ticking(StrategyActor):
    """Rings at an interval."""

    def on_begin(self):
        self.every(0.003, lambda: self.send("rang", self.clock.now_ns()))


class Sessional(StrategyActor):
    """Hears of sessions."""

    def on_session(self, event):
        self.send("rang", (event, f"{self.clock.now:%H:%M}"))

    def on_tick(self, tick):
        self.send("rang", tick.price)


class Scheduled(StrategyActor):
    """Has a timer of each kind, and tells when each is due, and then."""

    def on_begin(self):
        found = [
            self.every("23:59", self.on_session), self.every("open+5m"), self.every("30m", "half an hour"),
            self.every(7, "seconds"), self.after(2.5, "once"), self.after(0),
        ]  # fmt: skip
        now_ns = self.clock.now_ns()
        due = [(each.name, each.due_ns - now_ns, each.following and each.following(each.due_ns)) for each in found]
        self.send("rang", (now_ns, due))

    def on_timer(self, name):
        """Nothing: it is looked at before."""


class Wrong(StrategyActor):
    def on_tick(self, tick):
        for call in self.calls:
            try:
                call(self)
            except (TypeError, ValueError) as refusal:
                self.send("refused", str(refusal))

    calls = (
        lambda self: self.every("noon", print),
        lambda self: self.every(0, print),
        lambda self: self.every("500ms", print),
        lambda self: self.every(True, print),
        lambda self: self.every(None, print),
        lambda self: self.after(-1, print),
        lambda self: self.after(float("nan"), print),
        lambda self: self.after(5),
        lambda self: self.every("15:20", "square off"),
    )


def all_of(probe):
    found = []
    while not probe.is_empty():
        found.append(probe.receive())
    return found


class TestAStrategysTimers:
    def test_may_ring_once_a_second_and_not_more_often(self, simulated_stage):
        set_up = []

        class Hasty(StrategyActor):
            def on_begin(self):
                set_up.append(self.every("1s", print).name)
                for wrong in ("999ms", "0s"):
                    with pytest.raises(ValueError, match="wanted, found"):
                        self.every(wrong, print)

        simulated_stage.open(Hasty)

        assert set_up == ["1s"]

    def test_call_a_method_or_on_timer_by_the_name_that_was_given_or_their_own(self, stage):
        rang = stage.system.probe("rang")
        stage.open(Punctual)

        assert [rang.receive() for _ in range(3)] == ["method", "named", "0.002"]

    def test_ring_at_each_multiple_of_their_interval(self, simulated_stage):
        rang = simulated_stage.system.probe("rang")
        simulated_stage.open(Ticking)
        simulated_stage.system.base.run_for(0.010)
        rang_ns = [rang.receive() for _ in range(3)]

        assert rang.is_empty()
        assert [later - earlier for earlier, later in pairwise(rang_ns)] == [3_000_000, 3_000_000]

    def test_tell_of_a_session_that_is_open_already_and_of_its_close_once_each(self, simulated_stage):
        rang = simulated_stage.system.probe("rang")
        simulated_stage.open(Sessional)
        base = simulated_stage.system.base
        base.run_for(1)
        (event, _clock), started = rang.receive(), ExchangeClock(base.clock)

        assert (event, started.is_open, rang.is_empty()) == ("open", True, True)
        base.run_for(started.minutes_to_close * 60 + 61)
        assert rang.receive() == ("close", "15:30")
        assert rang.is_empty()

    @pytest.mark.parametrize(
        ("start", "heard"),
        [
            ("2026-01-01 09:15:00", [("open", "09:15")]),
            ("2026-01-01 15:29:58", [("open", "15:29")]),
            ("2026-01-01 15:30:00", []),
            ("2026-01-02 09:14:58", []),
            ("2026-01-04 12:00:00", []),
        ],
    )
    def test_tell_of_an_opening_as_they_begin_only_while_it_is_open(self, simulated_stage, start, heard):
        base = simulated_stage.system.base
        base.run_for((PlayedTime(start).ns - base.clock.now_ns()) / SECOND_NS)
        rang = simulated_stage.system.probe("rang")
        simulated_stage.open(Sessional)
        base.run_for(0.5)

        assert all_of(rang) == heard

    @pytest.mark.parametrize(
        ("asleep", "until", "heard"),
        [
            ("2026-01-01 09:00:00", "2026-01-01 10:00:00", ["open"]),
            ("2026-01-01 09:00:00", "2026-01-01 17:00:00", []),
            ("2026-01-01 09:00:00", "2026-01-02 10:00:00", ["open"]),
            ("2026-01-01 12:00:00", "2026-01-01 17:00:00", ["open", "close"]),
            ("2026-01-01 12:00:00", "2026-01-02 10:00:00", ["open", "close", "open"]),
            ("2026-01-01 12:00:00", "2026-01-05 17:00:00", ["open", "close"]),
        ],
    )
    def test_tell_late_of_what_the_machine_slept_over_and_of_no_session_that_is_over(
        self, simulated_stage, asleep, until, heard
    ):
        base = simulated_stage.system.base
        base.run_for((PlayedTime(asleep).ns - base.clock.now_ns()) / SECOND_NS)
        rang = simulated_stage.system.probe("rang")
        simulated_stage.open(Sessional)
        base.run_for(1)
        base.loop.step_wall(PlayedTime(until).ns - base.clock.now_ns())
        base.run_for(300)

        assert [event for event, _ in all_of(rang)] == heard

    def test_tell_of_an_opening_once_though_the_strategy_breaks_behind_it(self, simulated_stage):
        class Unlucky(Sessional):
            def on_tick(self, tick):
                super().on_tick(tick)
                raise RuntimeError("unlucky")

        rang = simulated_stage.system.probe("rang")
        simulated_stage.open(Unlucky)
        simulated_stage.tell(simulated_stage.tick(7.0))
        simulated_stage.system.base.run_for(5)
        simulated_stage.tell(simulated_stage.tick(8.0))
        simulated_stage.system.base.run_for(5)

        assert [each if isinstance(each, float) else each[0] for each in all_of(rang)] == ["open", 7.0, 8.0]

    @pytest.mark.parametrize(("before_ns", "heard"), [(1, [7.0, "close"]), (0, ["close", 7.0]), (-1, ["close", 7.0])])
    def test_tell_of_a_close_once_before_the_first_tick_of_its_moment(self, simulated_stage, before_ns, heard):
        """The market's time may be ahead of the machine's."""
        rang = simulated_stage.system.probe("rang")
        simulated_stage.open(Sessional)
        base = simulated_stage.system.base
        base.run_for(1)
        rang.receive()
        clock = ExchangeClock(base.clock)
        simulated_stage.tell(simulated_stage.tick(7.0, exchange_ns=clock.session.close_ns - before_ns))
        base.run_for(clock.minutes_to_close * 60 + 61)

        assert [each[0] if isinstance(each, tuple) else each for each in all_of(rang)] == heard

    def test_are_due_by_the_clock_the_session_an_interval_or_once(self, simulated_stage):
        rang = simulated_stage.system.probe("rang")
        simulated_stage.open(Scheduled)
        now_ns, found = rang.receive()

        def both(text):
            first_ns = next_due_ns(schedule_of(text), now_ns)
            return first_ns - now_ns, next_due_ns(schedule_of(text), first_ns)

        assert found == [
            ("23:59", *both("23:59")),
            ("open+5m", *both("open+5m")),
            ("half an hour", *both("30m")),
            ("seconds", 7 * SECOND_NS, now_ns + 14 * SECOND_NS),
            ("once", 5 * SECOND_NS // 2, None),
            ("0", 0, None),
        ]

    def test_may_be_a_message_that_comes_to_it_as_from_others(self, stage):
        rang = stage.system.probe("rang")
        stage.open(Reminded)

        assert rang.receive() == 7

    def test_that_make_no_sense_are_refused_where_they_are_set(self, stage):
        refused = stage.system.probe("refused")
        stage.open(Wrong)
        stage.tell(stage.tick())

        assert all("wanted" in refused.receive() for _ in Wrong.calls)
        assert stage.system.request("mine", Ping()).statistics.ticks == 1
