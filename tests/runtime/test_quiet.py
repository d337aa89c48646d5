"""Quiet is exact: nobody is told while anyone else has anything to do, and nobody waits for ever."""

import threading
from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.runtime.clock import SystemClock
from natya.actors.runtime.market_clock import MarketClock
from natya.actors.runtime.quiet import Quiescence
from natya.messages.system import Ping


class Step(msgspec.Struct, frozen=True):
    """One step of a simulated market: work for so many hops, handed on at random."""

    hops: int


class Release(msgspec.Struct, frozen=True):
    """Quiet: the next step."""


class Run(msgspec.Struct, frozen=True):
    """Do so many steps, then answer."""

    steps: int


class Worker(RuntimeActor):
    """Hands work on to a random peer, sometimes by way of its own threads; keeps the count of work going on."""

    def on_start(self):
        self.work = self.settings

    @handles(Step)
    def step(self, message, sender):
        if message.hops == 0:
            self.work.end()
        elif self.random.random() < 0.2:
            self.offload(lambda: message, then=lambda outcome: self.hand_on(outcome.unwrap()))
        else:
            self.hand_on(message)

    def hand_on(self, message):
        self.send(self.random.choice(self.work.peers), Step(hops=message.hops - 1))


class BlockingWorker(Worker):
    blocking = True


class Work:
    """How much is going on; the witness that quiet was quiet."""

    def __init__(self, peers):
        self.peers = peers
        self._lock = threading.Lock()
        self.going_on = 0
        self.noises = 0

    def begin(self):
        with self._lock:
            self.going_on += 1

    def end(self):
        with self._lock:
            self.going_on -= 1


class Market(RuntimeActor):
    """Releases a step, waits for quiet, releases the next."""

    def on_start(self):
        self.work = self.settings
        self.left = 0

    @handles(Run)
    def run(self, message, sender):
        self.asker, self.left = sender, message.steps
        self.release(Release(), self.myAddress)

    @handles(Release)
    def release(self, _, __):
        if self.work.going_on:
            self.work.noises += 1
        if self.left == 0:
            self.send(self.asker, "done")
            return
        self.left -= 1
        for _ in range(self.random.randrange(3)):
            self.work.begin()
            self.send(self.random.choice(self.work.peers), Step(hops=self.random.randrange(8)))
        self.when_quiet(Release())


class BlockingMarket(Market):
    blocking = True


@pytest.mark.parametrize("market_class", [Market, BlockingMarket], ids=["loop", "thread"])
@pytest.mark.parametrize("blocking", [0, 1, 4])
def test_a_market_in_lock_step_never_meets_work_going_on(system, market_class, blocking):
    work = Work([f"worker{number}" for number in range(5)])
    for number, name in enumerate(work.peers):
        system.start(name, BlockingWorker if number < blocking else Worker, work)
    system.start("market", market_class, work)

    assert system.request("market", Run(steps=1500), timeout_s=50) == "done"
    assert (work.noises, work.going_on) == (0, 0)


class Busy(RuntimeActor):
    """At work on its own thread until it may end."""

    blocking = True

    @handles(Work)
    def work(self, work, sender):
        work.begin()
        work.begun.set()
        work.may_end.wait(20)
        work.end()


class BusyElsewhere(RuntimeActor):
    """Has a job done by a thread that is nobody's."""

    @handles(Work)
    def work(self, work, sender):
        self.offload(lambda: Busy.work(self, work, sender), then=lambda _: None)


class Listening(RuntimeActor):
    """Tells how much is going on as soon as it is told that nothing is."""

    @handles(Run)
    def run(self, _, sender):
        self.asker = sender
        self.when_quiet(Release())

    @handles(Release)
    def release(self, _, __):
        self.send(self.asker, self.settings.going_on)


@pytest.mark.parametrize("busy_class", [Busy, BusyElsewhere], ids=["thread", "job"])
def test_nobody_is_told_while_one_is_in_the_midst_of_something_and_nothing_else_is_to_be_done(system, busy_class):
    work = Work([])
    work.begun, work.may_end = threading.Event(), threading.Event()
    system.start("busy", busy_class)
    system.start("listening", Listening, work)
    system.tell("busy", work)
    assert work.begun.wait(5)

    answer = system.request_future("listening", Run(steps=0))
    for _ in range(5):
        system.request("listening", Ping())  # and the loop looks again before it sleeps
    work.may_end.set()

    assert answer.result(5) == 0


class TestWhatDoesNotDisturb:
    def test_a_background_actor_at_work(self, system):
        class Recorder(RuntimeActor):
            blocking = True
            background = True

            @handles(threading.Event)
            def record(self, event, sender):
                event.wait(20)

        work, release = Work(["worker"]), threading.Event()
        system.start("worker", Worker, work)
        system.start("recorder", Recorder)
        system.start("market", Market, work)
        system.tell("recorder", release)

        assert system.request("market", Run(steps=10)) == "done"
        release.set()

    def test_an_offload_of_the_one_who_waits(self, system):
        class ReadingAhead(Market):
            @handles(Run)
            def run(self, message, sender):
                self.offload(self.settings.peers[0].wait, 20, then=lambda _: None)
                super().run(message, sender)

        release = threading.Event()
        work = Work([release])
        system.start("market", ReadingAhead, work)

        answer = system.request_future("market", Run(steps=0))
        release.set()

        assert answer.result(5) == "done"


class TestQuietAmongSeveral:
    def test_each_is_told_once_first_come_first_served(self, system):
        told = []

        class Patient(RuntimeActor):
            @handles(str)
            def wait(self, name, sender):
                self.when_quiet((name,))

            @handles(tuple)
            def quiet(self, names, sender):
                told.extend(names)

        system.start("patient", Patient)
        names = [str(number) for number in range(50)]
        for name in names:
            system.tell("patient", name)
        system.stop("patient")

        assert set(told) <= set(names)
        assert told == [name for name in names if name in told]


class TestWhenSomethingEnded:
    """The loop looks again, if there is one, if it sleeps, and if anyone waits for what it may find."""

    @staticmethod
    def wakes(*, waits, asleep, opening_ns=None):
        loop = SimpleNamespace(asleep=False, woken=0)
        loop.wake = lambda: setattr(loop, "woken", loop.woken + 1)
        quiet = Quiescence(MarketClock(SystemClock(), opening_ns))
        quiet.attach(loop)
        if waits:
            quiet.wait(SimpleNamespace(life=0), "quiet", None)
        loop.asleep = asleep
        assert quiet.something_ended() is False
        return loop.woken

    @pytest.mark.parametrize("opening_ns", [None, 1_700_000_000_000_000_000], ids=["no market", "a market"])
    @pytest.mark.parametrize("waits", [False, True])
    @pytest.mark.parametrize("asleep", [False, True])
    def test_the_loop_is_woken(self, waits, asleep, opening_ns):
        wanted = asleep and (waits or opening_ns is not None)

        assert self.wakes(waits=waits, asleep=asleep, opening_ns=opening_ns) == wanted

    @pytest.mark.parametrize("opening_ns", [None, 1_700_000_000_000_000_000], ids=["no market", "a market"])
    def test_nothing_is_where_the_loop_did_not_begin_yet(self, opening_ns):
        quiet = Quiescence(MarketClock(SystemClock(), opening_ns))
        quiet.wait(SimpleNamespace(life=0), "quiet", None)

        assert quiet.something_ended() is False


class TestTheTimeOfTheMarketWhereNobodyAsksForItsNextStep:
    """It goes on to the next timer for one that comes up and may need it, and for none if another would miss it."""

    OPENING_NS = 1_700_000_000_000_000_000

    @pytest.mark.parametrize(
        ("coming", "down", "goes_on"),
        [
            ((), False, False),
            ((False,), False, False),
            ((True,), False, True),
            ((False, True), False, True),
            ((True,), True, False),
            ((), True, False),
        ],
    )
    @pytest.mark.parametrize("speed", [0.0, 1.0])
    def test_goes_on_for_one_that_lives_in_it_while_none_is_down(self, coming, down, goes_on, speed):
        market = MarketClock(SystemClock(), self.OPENING_NS)
        market.pace.speed = speed
        assert market.wait_ns(self.OPENING_NS) == 0  # what is due later is due so much later, in real time too
        quiet = Quiescence(market)
        quiet.attach(SimpleNamespace(ready=(), asleep=False))
        fired = []
        market.after(60 * 10**9, lambda: fired.append(market.now_ns() - self.OPENING_NS))
        hurt = Cell()
        if down:
            quiet.goes_down(hurt)
        for in_market_time in coming:
            quiet.comes_up(Cell(), in_market_time=in_market_time)

        quiet.test()
        assert fired == [60 * 10**9] * goes_on

        quiet.is_back(hurt)
        quiet.test()
        assert fired == [60 * 10**9] * any(coming)


@pytest.mark.parametrize("asleep", [False, True])
def test_who_begins_to_wait_wakes_the_loop_that_sleeps(asleep):
    woken = []
    quiet = Quiescence(MarketClock(SystemClock(), None))
    quiet.attach(SimpleNamespace(asleep=asleep, wake=lambda: woken.append("loop")))

    quiet.wait(Cell(), "quiet", None)

    assert woken == ["loop"] * asleep


class TestTheTwoLooks:
    """All were asleep at one moment only if nothing began and nobody woke between them."""

    @pytest.mark.parametrize("job", [False, True])
    @pytest.mark.parametrize("thread", [None, "woke", "retired", "woke and another retired"])
    def test_agree_unless_a_job_began_a_thread_woke_or_one_retired_between_them(self, job, thread):
        quiet, retiring, cell = Quiescence(MarketClock(SystemClock(), None)), Thread(), Cell()

        def between():
            if job:
                quiet.offload_begun(cell)
                quiet.offload_ended(cell)
            if "retired" in str(thread):
                quiet.unwatch(retiring)
            return "woke" in str(thread)

        told = []
        quiet.attach(SimpleNamespace(ready=(), asleep=False, wake=lambda: None))
        quiet.watch(retiring)
        quiet.watch(Thread(between))
        quiet.wait(
            SimpleNamespace(life=0, dead=False, background=True, worker=None, deliver=lambda *_: told.append(1)),
            "",
            None,
        )

        quiet.test()

        assert told == [1] * (not job and thread is None)


@pytest.mark.parametrize(
    ("asleep", "ready", "is_quiet"), [(True, (), True), (True, ("a cell",), False), (False, (), False)]
)
def test_a_thread_is_quiet_while_it_sleeps_and_nothing_is_ready_on_it(asleep, ready, is_quiet):
    """Whoever gives it work does so first, and wakes it then."""
    told, asker = [], Cell()
    asker.worker, asker.deliver = None, lambda message, _sender: told.append(message)
    quiet = Quiescence(MarketClock(SystemClock(), None))
    quiet.attach(SimpleNamespace(ready=(), asleep=False, wake=lambda: None))
    quiet.watch(SimpleNamespace(asleep=asleep, ready=ready, wakes=0))
    quiet.wait(asker, "quiet", None)

    quiet.test()

    assert told == ["quiet"] * is_quiet


class Thread:
    """One that sleeps at each look; between two, what the test wants happens, and it may have been awake."""

    asleep, ready = True, ()

    def __init__(self, between=lambda: False):
        self._between, self._woke = between, 0

    @property
    def wakes(self):
        seen, between, self._between = self._woke, self._between, lambda: False
        self._woke += between()
        return seen


class TestAnAnswerThatTheMarketWaitsFor:
    """Of a background actor; its time stands still until the answer is there, and for nobody who is gone."""

    OPENING_NS = 1_700_000_000_000_000_000

    @pytest.mark.parametrize("gone", [None, "dead", "restarted"])
    def test_holds_its_time_as_long_as_somebody_waits_for_it(self, gone):
        market, fired, asker = MarketClock(SystemClock(), self.OPENING_NS), [], Cell()
        quiet = Quiescence(market)
        quiet.attach(SimpleNamespace(ready=(), asleep=False))
        quiet.comes_up(Cell(), in_market_time=True)
        market.after(1_000, lambda: fired.append("timer"))
        question = quiet.question_begun(asker)
        if gone == "dead":
            asker.dead = True
        elif gone:
            asker.life += 1

        quiet.test()
        assert fired == ["timer"] * (gone is not None)

        quiet.question_ended(question, lambda: fired.append("answer"))
        quiet.test()
        assert fired == (["answer", "timer"] if gone is None else ["timer"])


class TestWhoWaitsForTheNextMoment:
    @pytest.mark.parametrize("other", ["down", "coming"])
    def test_waits_for_another_that_is_down_or_coming_up(self, other):
        market, told, late = MarketClock(SystemClock(), 1_000), [], Cell()
        quiet, asker = Quiescence(market), Cell()
        asker.worker, asker.deliver = None, lambda message, _sender: told.append(message)
        quiet.attach(SimpleNamespace(ready=(), asleep=False))
        quiet.wait(asker, "the next", 2_000)
        if other == "down":
            quiet.goes_down(late)
        else:
            quiet.comes_up(late, in_market_time=False)

        quiet.test()
        assert (told, market.now_ns()) == ([], 1_000)

        quiet.is_back(late)
        quiet.is_up(late)
        quiet.test()
        assert (told, market.now_ns()) == (["the next"], 2_000)

    @pytest.mark.parametrize("gone", [None, "dead", "restarted"])
    def test_has_the_market_go_on_to_it_as_long_as_he_is_there(self, gone):
        market, told = MarketClock(SystemClock(), 1_000), []
        quiet, asker = Quiescence(market), Cell()
        asker.worker, asker.deliver = None, lambda message, _sender: told.append(message)
        quiet.attach(SimpleNamespace(ready=(), asleep=False))
        quiet.wait(asker, "the next", 2_000)
        if gone == "dead":
            asker.dead = True
        elif gone:
            asker.life += 1

        quiet.test()

        assert (told, market.now_ns()) == (([], 1_000) if gone else (["the next"], 2_000))


class TestALane:
    """It may hand on its messages by calls while nobody but it has anything to do."""

    def test_is_held_up_by_whoever_else_has_or_will_have_work(self):
        cell, quiet = Cell(), Quiescence(MarketClock(SystemClock(), 1))
        thread = Thread()
        assert quiet.holds(0)

        for begins, ends in (
            (lambda: quiet.watch(thread), lambda: quiet.unwatch(thread)),
            (lambda: quiet.goes_down(cell), lambda: quiet.is_back(cell)),
            (lambda: quiet.comes_up(cell, in_market_time=False), lambda: quiet.is_up(cell)),
            (lambda: quiet.offload_begun(cell), lambda: quiet.offload_ended(cell)),
        ):
            begins()
            assert not quiet.holds(0)
            ends()
            assert quiet.holds(0)
        quiet.offload_begun(cell)
        assert quiet.holds(1)

    @pytest.mark.parametrize("waits", ["caller", "waiter", "question"])
    def test_is_held_up_by_what_waits_for_quiet(self, waits):
        quiet = Quiescence(MarketClock(SystemClock(), 1))
        quiet.attach(SimpleNamespace(stopping=False, asleep=False, is_here=lambda: False))
        if waits == "caller":
            quiet.admit(None, "message", None, 0)
        elif waits == "waiter":
            quiet.wait(Cell(), "quiet", None)
        else:
            quiet.question_begun(Cell())

        assert not quiet.holds(0)


class Speaking:
    """A worker process: what it has to say waits until it is heard."""

    def __init__(self, name, words, *, has_said_all, heard):
        self.name, self.words, self.said_all, self.heard = name, words, has_said_all, heard

    def has_said_all(self):
        return self.said_all

    def has_words(self):
        return bool(self.words)

    def speak(self):
        self.heard += [f"{self.name}: {word}" for word in self.words]
        self.words = []


class TestWhatProcessesSay:
    """It is heard when each has done what it was asked for, and then of all, in the order in which they began."""

    @pytest.mark.parametrize(
        ("first", "second", "heard"),
        [
            (["one", "two"], ["three"], ["first: one", "first: two", "second: three"]),
            ([], ["three"], ["second: three"]),
            (["one"], [], ["first: one"]),
            ([], [], []),
        ],
    )
    @pytest.mark.parametrize("busy", [None, 0, 1])
    def test_is_heard_when_all_have_said_all(self, first, second, heard, busy):
        quiet, told = Quiescence(MarketClock(SystemClock(), 1)), []
        quiet.attach(SimpleNamespace(ready=(), asleep=False))
        speakers = [
            Speaking(name, words, has_said_all=busy != number, heard=told)
            for number, (name, words) in enumerate((("first", first), ("second", second)))
        ]
        for each in speakers:
            quiet.will_speak(Cell(), each)

        quiet.test()
        assert told == ([] if busy is not None else heard)

        for each in speakers:
            each.said_all = True
        quiet.test()
        assert told == heard


class Cell:
    """One that the market waits for."""

    background = dead = False
    life = offloads = 0


@pytest.mark.parametrize(("is_here", "heard"), [(True, ["message"]), (False, [])], ids=["the loop's", "another"])
def test_a_message_from_outside_is_delivered_at_once_on_the_thread_of_the_loop_alone(is_here, heard):
    quiet, found = Quiescence(MarketClock(SystemClock(), 1)), []
    quiet.attach(SimpleNamespace(stopping=False, asleep=False, is_here=lambda: is_here))
    quiet.admit(SimpleNamespace(deliver=lambda message, *_: found.append(message)), "message", None, 0)

    assert found == heard


class Waiting(RuntimeActor):
    """Waits for quiet, and fails when it is told to."""

    @handles(str)
    def wait(self, word, _sender):
        self.when_quiet(Run(steps=self.host.life))
        if word == "and fail":
            raise ValueError(word)

    @handles(Run)
    def tell(self, quiet, _sender):
        self.send("listener", (quiet.steps, self.host.life))


class TestWhoWaitsForQuiet:
    @pytest.mark.parametrize("restarts", [0, 1, 3])
    def test_is_told_in_the_life_in_which_it_waits_and_in_no_later_one(self, system, restarts):
        listener = system.probe("listener")
        system.start("waiting", Waiting)
        for _ in range(restarts):
            system.tell("waiting", "and fail")
        system.tell("waiting", "now")

        assert listener.receive(5) == (restarts, restarts)
        system.request("waiting", Ping())
        assert listener.is_empty()
