"""Actors in the time of a simulated market: it goes on from event to event, and waits for whoever is down."""

import threading

import msgspec
import pytest
from natya_processes import await_that

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, handles
from natya.actors.runtime.market_clock import GUESTS, OURS, MarketClock
from natya.actors.runtime.simulation.clock import VirtualClock
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.system import Ping

OPENING_NS = 1_700_000_000_000_000_000
S_NS = 1_000_000_000
POLICY = SupervisionSettings.default(
    restarts_max=100, window_s=60.0, backoff_first_s=30.0, backoff_max_s=30.0, backoff_reset_s=0.5,
    fail_max=2, reset_timeout_s=600.0, escalate_after=100,
)  # fmt: skip


class Play(msgspec.Struct, frozen=True):
    """Let the market say these moments, in seconds after its opening."""

    moments: tuple[float, ...]


class Moment(msgspec.Struct, frozen=True):
    """What the market says."""

    second: float


class Next(msgspec.Struct, frozen=True):
    """To the market itself: it is time."""


class Alarm(msgspec.Struct, frozen=True):
    name: str


class Market(RuntimeActor):
    """Sends each moment to its hearers at its time, then answers."""

    @handles(Play)
    def play(self, play, sender):
        self.left, self.asker = list(play.moments), sender
        self.go_on()

    @handles(Next)
    def release(self, _next, _sender):
        if not self.left:
            self.send(self.asker, "over")
            return
        moment = self.left.pop(0)
        for hearer in self.settings:
            self.send(hearer, Moment(moment))
        self.go_on()

    def go_on(self):
        at_ns = OPENING_NS + round(self.left[0] * S_NS) if self.left else None
        self.when_quiet(Next(), at_ns)


class Diarist(RuntimeActor):
    """Writes down what it hears and when; sets timers and fails as its settings say."""

    def on_start(self):
        self.diary, self.alarms, self.fails_at = self.settings

    def note(self, what):
        self.diary.append((what, (self.clock.now_ns() - OPENING_NS) / S_NS))

    @handles(Moment)
    def hear(self, moment, _sender):
        self.note(moment.second)
        if moment.second in self.fails_at:
            self.fails_at.remove(moment.second)
            raise RuntimeError(f"at {moment.second}")
        for seconds in self.alarms.pop(moment.second, ()):
            self.after(seconds, Alarm(f"{seconds}"))

    @handles(Alarm)
    def ring(self, alarm, _sender):
        self.note(f"alarm {alarm.name}")
        for seconds in self.alarms.pop(alarm.name, ()):
            self.after(seconds, Alarm(f"{alarm.name}+{seconds}"))

    @handles(str)
    def ask_in_vain(self, target, _sender):
        self.ask(target, Alarm("?"), timeout_s=7.0, then=lambda outcome: self.note(type(outcome.error).__name__))


class OwnThread(Diarist):
    blocking = True


class Machinist(RuntimeActor):
    """Lives on the machine's time."""

    system_time = True

    @handles(str)
    def tell(self, _, sender):
        self.asker = sender
        self.after(0.01, Alarm("now"))

    @handles(Alarm)
    def ring(self, _alarm, _sender):
        self.send(self.asker, self.clock.monotonic_ns())


class Reader(RuntimeActor):
    """Says on which threads it handles a message, does the job that it offloads for that, and hears of its end."""

    blocking = True

    @handles(str)
    def read(self, _, sender):
        threads = [threading.get_ident()]

        def answer(outcome):
            self.send(sender, (*threads, outcome.unwrap(), threading.get_ident()))

        self.offload(threading.get_ident, then=answer)


class ReaderOnLoop(Reader):
    on_loop_in_market = True


class Silent(RuntimeActor):
    @handles(Alarm)
    def keep(self, _alarm, _sender):
        """Answer nothing."""


@pytest.fixture
def system():
    with InProcessSystem(InProcessSystemBase(market_opening_ns=OPENING_NS)) as system:
        yield system


def play(system, *moments):
    assert system.request("market", Play(moments), timeout_s=20) == "over"


def diary_of(system, *moments, alarms=None, fails_at=(), actor=Diarist):
    """Play these moments to one diarist, and return what it wrote."""
    diary = []
    system.start("diarist", actor, (diary, dict(alarms or {}), list(fails_at)))
    system.start("market", Market, ("diarist",))
    play(system, *moments)
    return diary


class TestTime:
    def test_is_that_of_the_message_in_hand(self, system):
        assert diary_of(system, 0, 1, 3_600) == [(0, 0), (1, 1), (3_600, 3_600)]

    def test_never_goes_back(self, system):
        assert diary_of(system, 5, 3, 6) == [(5, 5), (3, 5), (6, 6)]

    @pytest.mark.parametrize("actor", [Diarist, OwnThread], ids=["loop", "thread"])
    def test_lets_each_timer_come_in_order_at_its_own_moment(self, system, actor):
        diary = diary_of(system, 0, 100, alarms={0: (60, 30), "30": (15,)}, actor=actor)

        assert diary == [(0, 0), ("alarm 30", 30), ("alarm 30+15", 45), ("alarm 60", 60), (100, 100)]

    def test_brings_what_begins_at_a_moment_behind_the_timers_of_that_moment(self, system):
        assert diary_of(system, 0, 60, 61, alarms={0: (60,)}) == [(0, 0), ("alarm 60", 60), (60, 60), (61, 61)]

    @pytest.mark.parametrize(
        ("phase", "at_s", "ends", "timer_goes_first"),
        [
            (GUESTS, 61, True, True), (GUESTS, 60, False, True), (GUESTS, 60, True, False), (GUESTS, 59, False, False),
            (OURS, 61, False, True), (OURS, 60, False, False), (OURS, 60, True, False), (OURS, 59, True, False),
        ],
    )  # fmt: skip
    def test_brings_what_ends_then_timers_of_guests_then_what_begins_then_our_own(
        self, phase, at_s, ends, timer_goes_first
    ):
        market = MarketClock(VirtualClock(), OPENING_NS)
        market.after(60 * S_NS, int, phase)

        assert market.has_timer_before(OPENING_NS + at_s * S_NS, ends=ends) is timer_goes_first

    @pytest.mark.parametrize(("phase", "ends"), [(GUESTS, False), (GUESTS, True), (OURS, False), (OURS, True)])
    def test_has_the_timers_of_its_present_moment_wait_for_what_ends_alone(self, phase, ends):
        market = MarketClock(VirtualClock(), OPENING_NS)
        market.after(0, int, phase)

        assert market.has_timer_before(OPENING_NS, ends=ends) is not (phase == GUESTS and ends)

    @pytest.mark.parametrize("late_s", [1, 60])
    @pytest.mark.parametrize(("phase", "ends"), [(GUESTS, False), (GUESTS, True), (OURS, False), (OURS, True)])
    def test_has_a_message_of_before_come_as_one_of_its_present_moment(self, phase, ends, late_s):
        market = MarketClock(VirtualClock(), OPENING_NS)
        market.after(0, int, phase)
        at_ns = OPENING_NS - late_s * S_NS
        goes_first = not (phase == GUESTS and ends)

        assert market.has_timer_before(at_ns, ends=ends) is goes_first
        assert market.goes_to(at_ns, ends=ends) is not goes_first
        assert market.now_ns() == OPENING_NS

    def test_fires_the_timers_of_guests_before_our_own_of_that_moment(self):
        market, fired = MarketClock(VirtualClock(), OPENING_NS), []
        for name, phase in (("ours", OURS), ("first", GUESTS), ("second", GUESTS)):
            market.after(60, lambda name=name: fired.append(name), phase)
        for _ in range(3):
            market.fire_next()

        assert fired == ["first", "second", "ours"]

    def test_stands_still_behind_the_last_message(self, system):
        assert diary_of(system, 0, alarms={0: (0.001,)}) == [(0, 0)]

    def test_counts_for_a_question_that_nobody_answers(self, system):
        diary = []
        system.start("silent", Silent)
        system.start("diarist", Diarist, (diary, {}, []))
        system.start("market", Market, ("diarist",))
        system.tell("diarist", "silent")
        play(system, 5, 10)

        assert diary == [(5, 5), ("RequestTimedOut", 7), (10, 10)]

    def test_is_the_machines_for_who_owns_something_outside(self, system):
        system.start("machinist", Machinist)

        assert system.request("machinist", "tell") < OPENING_NS


class TestWhatAnActorOnTheLoopOffloads:
    """When a thread is done is a matter of chance, and would decide which of two facts comes first."""

    def test_is_done_on_the_loop_in_a_simulated_market(self, system):
        system.start("reader", ReaderOnLoop)

        assert len(set(system.request("reader", "read"))) == 1

    def test_is_done_on_another_thread_where_the_actor_has_one_of_its_own(self, system):
        system.start("reader", Reader)

        handled, done, heard = system.request("reader", "read")
        assert done != handled == heard

    def test_is_done_on_another_thread_without_a_simulated_market(self):
        with InProcessSystem(InProcessSystemBase()) as system:
            system.start("reader", ReaderOnLoop)

            handled, done, heard = system.request("reader", "read")
        assert done != handled == heard


class Thinker(RuntimeActor):
    """Has a thread think at each moment, and notes when it is done; settings: diary, name, what the thought does."""

    @handles(Moment)
    def think(self, moment, _sender):
        diary, name, thought = self.settings
        if moment.second:
            diary.append((name, moment.second))
        else:
            self.offload(thought, then=lambda outcome: diary.append((name, outcome.unwrap())))


class Forgetful(RuntimeActor):
    """Raises behind the job that it has offloaded."""

    @handles(Moment)
    def hear(self, moment, _sender):
        diary, alarms, _ = self.settings
        if moment.second:
            diary.append(moment.second)
        else:
            self.offload(alarms["wait"], then=lambda _outcome: diary.append("it was not forgotten"))
            raise ValueError("forgotten")


class TestWhatAGuestOffloads:
    @pytest.fixture
    def moments(self, system):
        """Play two moments to some thinkers, who offload at the first."""

        def moments(thoughts, diary=None):
            diary, names = [] if diary is None else diary, [f"thinker-{number}" for number in range(len(thoughts))]
            for name, thought in zip(names, thoughts, strict=True):
                system.start(name, Thinker, (diary, name, thought))
            system.start("market", Market, tuple(names))
            play(system, 0, 1)
            return diary

        return moments

    def test_comes_back_in_the_order_of_the_jobs_whichever_thread_is_done_first(self, moments):
        done = [threading.Event() for _ in range(9)]

        def thought(number):
            def think():
                assert number == len(done) - 1 or done[number + 1].wait(20)
                done[number].set()
                return number

            return think

        diary = moments([thought(number) for number in range(len(done))])

        names = [f"thinker-{number}" for number in range(len(done))]
        assert diary == [*((name, number) for number, name in enumerate(names)), *((name, 1) for name in names)]

    def test_may_wait_for_what_an_earlier_one_leads_to(self, moments):
        """A thread that is waited for holds up none whose turn is before its own."""
        noted = threading.Event()

        class Diary(list):
            def append(self, line):
                super().append(line)
                noted.set()

        diary = moments([lambda: "first", lambda: noted.wait(20)], Diary())

        assert diary[:2] == [("thinker-0", "first"), ("thinker-1", True)]

    def test_holds_up_nothing_where_it_is_refused(self, moments, monkeypatch):
        monkeypatch.setattr(Thinker, "offloads_max", 0)

        assert moments([lambda: "never begun"]) == [("thinker-0", 1)]

    def test_holds_up_nothing_where_its_actor_was_restarted(self, system):
        """Nobody is there for the outcome, and the thread may take its time."""
        over = threading.Event()
        diary = diary_of(system, 0, 1, actor=Forgetful, alarms={"wait": over.wait})
        over.set()

        assert diary == [1]


class Recorder(RuntimeActor):
    """Answers what it is asked when it is told to, the newest question first; the market does not wait for its work."""

    background = True
    system_time = True

    def on_start(self):
        self.askers = []

    @handles(Alarm)
    def keep(self, _alarm, sender):
        self.askers.append(sender)

    @handles(str)
    def answer(self, _, sender):
        while self.askers:
            self.send(self.askers.pop(), Alarm("answer"))
        self.send(sender, "done")


class Curious(Diarist):
    """Asks the recorder at the first moment; it notes what it hears, as a diarist does."""

    limit_s = 20.0

    @handles(Moment)
    def hear(self, moment, sender):
        super().hear(moment, sender)
        if moment.second == 0:
            self.after(7, Alarm("7"))
            self.ask(
                "recorder",
                Alarm("?"),
                timeout_s=self.limit_s,
                then=lambda outcome: self.note(f"{self.name}: {type(outcome.error or outcome.value).__name__}"),
            )


class Impatient(Curious):
    limit_s = 0.01


class TestAQuestionToWhomTheMarketDoesNotWaitFor:
    @staticmethod
    def begin(system, *curious, fails_at=()):
        diary = []
        system.start("recorder", Recorder)
        for number, kind in enumerate(curious):
            system.start(f"curious{number}", kind, (diary, {}, list(fails_at)))
        system.start("market", Market, tuple(f"curious{number}" for number in range(len(curious))))
        return diary, system.request_future("market", Play((0, 10)))

    def test_stops_time_until_it_is_answered(self, system):
        diary, over = self.begin(system, Curious)
        await_that(lambda: diary)
        system.request("curious0", Ping())
        while_it_waits = (list(diary), system.base.market.now_ns())
        system.request("recorder", "answer")

        assert over.result(20) == "over"
        assert while_it_waits == ([(0, 0)], OPENING_NS)
        assert diary == [(0, 0), ("curious0: Alarm", 0), ("alarm 7", 7), (10, 10)]

    @pytest.mark.parametrize("of", ["background", "system_time"])
    def test_stops_no_time_where_the_asker_has_another_or_nobody_waits_for_him_either(self, system, of):
        _, over = self.begin(system, type("Other", (Curious,), {of: True}))

        assert over.result(10) == "over", "the recorder has answered nobody"

    def test_has_a_timeout_by_the_machine(self, system):
        diary, over = self.begin(system, Impatient)

        assert over.result(20) == "over"
        assert diary == [(0, 0), ("curious0: RequestTimedOut", 0), ("alarm 7", 7), (10, 10)]

    def test_is_answered_in_the_order_of_asking_whichever_answer_comes_first(self, system):
        diary, over = self.begin(system, Curious, Curious)
        await_that(lambda: len(diary) == 2)
        system.request("recorder", "answer")

        assert over.result(20) == "over"
        assert diary[:4] == [(0, 0), (0, 0), ("curious0: Alarm", 0), ("curious1: Alarm", 0)]

    def test_is_forgotten_with_the_life_that_asked(self, system):
        class Failing(Curious):
            @handles(Alarm)
            def ring(self, alarm, sender):
                raise RuntimeError(alarm.name)

        diary, over = self.begin(system, Failing)
        await_that(lambda: diary)
        system.tell("curious0", Alarm("now"))

        assert over.result(20) == "over", "the recorder has answered nobody"
        assert diary == [(0, 0), (10, 10)]


class TestASpeed:
    @pytest.mark.parametrize("speed", [0.0, 1_000.0, 100_000.0])
    def test_changes_nothing_but_how_long_it_takes(self, system, speed):
        system.base.market.pace.speed = speed

        assert diary_of(system, 0, 100, alarms={0: (50,)}) == [(0, 0), ("alarm 50", 50), (100, 100)]

    def test_is_kept_by_timers_too(self, system):
        system.base.market.pace.speed = 1_000.0
        clock, written_ns = system.base.clock, []

        class Watched(Diarist):
            def note(self, what):
                written_ns.append(clock.monotonic_ns())

        diary_of(system, 0, 300, alarms={0: (200,)}, actor=Watched)

        begin_ns, alarm_ns, end_ns = written_ns
        assert alarm_ns - begin_ns >= 0.19 * S_NS
        assert end_ns - begin_ns >= 0.29 * S_NS


class TestWhoIsDown:
    def supervised(self, system, *, speed, fails_at, hearers=("diarist",)):
        diary = []
        child = ChildSpec("diarist", Diarist, (diary, {}, list(fails_at)))
        settings = SupervisorSettings(children=(child,), policy=POLICY, market_speed=speed, journal="")
        system.start("supervisor", Supervisor, settings)
        system.start("market", Market, hearers)
        return diary

    @pytest.mark.parametrize("speed", [0.0, 1_000_000.0])
    def test_misses_nothing_while_its_back_off_and_its_breaker_last(self, system, speed):
        moments = tuple(number / 4 for number in range(40))
        diary = self.supervised(system, speed=speed, fails_at=moments[3:12])

        play(system, *moments)

        assert diary == [(moment, moment) for moment in moments]

    @pytest.mark.parametrize("how", ["fails", "never starts"])
    def test_is_waited_for_no_longer_when_it_is_parked(self, system, how):
        class NeverReady(Diarist):
            ready_when_told = True

        heard = []
        kind = Diarist if how == "fails" else NeverReady
        child = ChildSpec("diarist", kind, ([], {}, [1]), when_exhausted="park")
        policy = msgspec.structs.replace(POLICY, fail_max=1, escalate_after=1)
        settings = SupervisorSettings(children=(child,), policy=policy, market_speed=0.0, journal="", start_s=0.01)
        system.begin("supervisor", Supervisor, settings)
        system.start("other", Diarist, (heard, {}, []))
        system.start("market", Market, ("diarist", "other"))
        play(system, 0, 1, 2)

        assert heard == [(0, 0), (1, 1), (2, 2)]

    def test_holds_back_the_timers_of_others_too(self, system):
        diary, others = self.supervised(system, speed=1.0, fails_at=(1, 1.25), hearers=("diarist", "other")), []
        system.start("other", Diarist, (others, {1: (0.5,)}, []))
        system.start("machinist", Machinist)
        system.tell("market", Play((0, 1, 1.25, 2)))
        await_that(system.base.quiet.awaited)  # its breaker is open for ten minutes of the machine's time
        system.request("machinist", "tell")

        assert system.base.quiet.awaited() == ("diarist",)
        assert diary == others == [(0, 0), (1, 1), (1.25, 1.25)]


class TestAQuestionFromOutside:
    def test_is_answered_while_the_market_waits(self, system):
        system.start("machinist", Machinist)
        system.start("diarist", Diarist, ([], {}, []))
        system.start("market", Market, ("diarist",))
        system.tell("market", Play((0,)))

        assert system.request("machinist", "tell") > 0

    def test_finds_the_system_at_rest_between_two_steps(self, system):
        heard = []

        class Second(RuntimeActor):
            @handles(Moment)
            def hear(self, moment, _sender):
                heard.append("second")

            @handles(str)
            def ask(self, _, sender):
                heard.append("question")
                self.send(sender, "answer")

        class First(RuntimeActor):
            @handles(Moment)
            def hear(self, moment, _sender):
                outside = threading.Thread(target=system.tell, args=("second", "?"))
                outside.start()
                outside.join()
                heard.append("first")
                self.send("second", moment)

        system.start("second", Second)
        system.start("first", First)
        system.start("market", Market, ("first",))
        play(system, 0)
        system.request("second", "?")

        assert heard[:3] == ["first", "second", "question"]


class TestHowLongAgoTheNewestMessageWasReleased:
    @staticmethod
    def a_clock(opening_ns):
        machine = VirtualClock()
        return machine, MarketClock(machine, opening_ns)

    @pytest.mark.parametrize("opening_ns", [OPENING_NS, None], ids=["a market rules", "none does"])
    def test_is_unknown_before_the_first(self, opening_ns):
        machine, clock = self.a_clock(opening_ns)
        machine.pass_by(S_NS)

        assert clock.since_release_ns() is None

    def test_is_told_by_the_machine_whatever_the_market_says(self):
        machine, clock = self.a_clock(OPENING_NS)
        for at_ns in (OPENING_NS + 60 * S_NS, OPENING_NS + 30 * S_NS):
            clock.release(at_ns)
            assert clock.since_release_ns() == 0
            machine.pass_by(2500)
            assert clock.since_release_ns() == 2500
            assert clock.now_ns() == OPENING_NS + 60 * S_NS
