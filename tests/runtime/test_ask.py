"""An actor that asks another without standing still, and hears from threads that are not its own."""

import asyncio
import threading

import msgspec
import pytest

from natya.actors.runtime import RequestTimedOut, RuntimeActor, handles
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import ActorStatistics, Ping, Pong


class Question(msgspec.Struct, frozen=True):
    """Ask `target`, and answer with what came of it."""

    target: str
    timeout_s: float = 5.0


class Restart(msgspec.Struct, frozen=True):
    """Fail."""


class Bring(msgspec.Struct, frozen=True):
    """From another thread."""

    thread: int


class Asker(RuntimeActor):
    """Passes questions on; `settings`, if given, gets the way in of each life."""

    def on_start(self):
        self.brought = 0
        if isinstance(self.settings, list):
            self.settings.append(self.entrance())
            self.settings.append(self.requester())

    @handles(Question)
    def ask_for(self, question, sender):
        self.ask(
            question.target,
            Ping(),
            timeout_s=question.timeout_s,
            then=lambda outcome: self.send(sender, outcome.error or outcome.value),
        )

    @handles(Bring)
    def bring(self, message, _):
        self.brought = (message.thread, threading.get_ident())

    @handles(str)
    def tell(self, _, sender):
        self.send(sender, self.brought)

    @handles(Restart)
    def fail(self, *_):
        raise ValueError("as asked")


class Failing(RuntimeActor):
    """Fails at every question."""

    @handles(Ping)
    def fail(self, *_):
        raise ValueError("as asked")


@pytest.fixture
def asker(system):
    return system.start("asker", Asker)


class TestAskingAnotherActor:
    def test_brings_its_answer(self, system, asker):
        system.start("other", Asker)

        assert isinstance(system.request(asker, Question("other")), Pong)

    def test_brings_its_failure(self, system, asker):
        system.start("other", Failing)

        assert isinstance(system.request(asker, Question("other")), Failed)

    @pytest.mark.parametrize("blocking", [False, True])
    def test_that_does_not_run_brings_unavailable_at_once(self, system, blocking):
        asker = system.start("asker", type("Either", (Asker,), {"blocking": blocking}))

        assert system.request(asker, Question("nobody")) == Unavailable(
            actor="nobody", reason="no actor of that name or address runs", retry_after_s=0.0, is_unknown=True
        )

    def test_that_is_silent_brings_the_time_out(self, system, asker):
        system.probe("silent")

        assert isinstance(system.request(asker, Question("silent", timeout_s=0.02)), RequestTimedOut)

    def test_itself_brings_its_own_answer(self, system, asker):
        assert isinstance(system.request(asker, Question("asker")), Pong)

    def test_with_many_questions_gives_each_its_own_answer(self, system, asker):
        for number in range(20):
            system.start(f"other-{number}", Asker)
        futures = [system.request_future(asker, Question(f"other-{number}")) for number in range(20)]

        assert [future.result(5).actor for future in futures] == [f"other-{number}" for number in range(20)]

    def test_takes_the_first_answer_only(self, system, asker):
        probe = system.probe("twice")
        future = system.request_future(asker, Question("twice"))
        probe.receive()
        for word in ("first", "second"):
            system.tell(probe.sender, word)

        assert future.result(5) == "first"
        assert system.base.dead_letters.last[-1].message_type == "str"

    def test_is_no_dead_letter_where_it_tells_too_late_how_somebody_is(self, system, asker):
        """Whoever asks how all are gives up on one that is busy; nothing is lost with what that one says at last."""
        busy = system.probe("busy")
        assert isinstance(system.request(asker, Question("busy", timeout_s=0.01)), RequestTimedOut)
        busy.receive()
        system.tell(busy.sender, Pong(actor="busy", statistics=ActorStatistics(handled=1, failures=0)))

        assert isinstance(system.request(asker, Ping()), Pong)
        assert system.base.dead_letters.count == 0

    def test_is_waited_for_by_an_orderly_stop(self, system, asker):
        probe = system.probe("slow")
        future = system.request_future(asker, Question("slow"))
        probe.receive()
        stopping = threading.Thread(target=system.stop, args=(asker,))
        stopping.start()
        system.tell(probe.sender, "late, but in time")

        assert future.result(5) == "late, but in time"
        stopping.join(5)

    def test_is_forgotten_by_a_restart(self, system, asker):
        probe = system.probe("slow")
        future = system.request_future(asker, Question("slow"))
        probe.receive()
        system.request(asker, Restart())
        system.tell(probe.sender, "too late")

        assert isinstance(system.request(asker, Ping()), Pong)
        assert not future.done()


class TestAnEntrance:
    def test_lets_another_thread_send_to_the_actor_itself(self, system):
        entrances = []
        system.start("asker", Asker, entrances)
        thread = threading.Thread(target=lambda: entrances[0](Bring(threading.get_ident())))
        thread.start()
        thread.join(5)
        sender, handler = system.request("asker", "tell")

        assert sender != handler

    def test_is_closed_by_a_restart(self, system):
        entrances = []
        system.start("asker", Asker, entrances)
        system.request("asker", Restart())
        system.request("asker", Ping())
        entrances[0](Bring(0))

        assert system.request("asker", "tell") == 0

    def test_of_one_that_has_ended_leads_nowhere_and_nothing_is_lost(self, system):
        entrances = []
        system.start("asker", Asker, entrances)
        system.stop("asker")
        entrances[0](Bring(0))

        assert system.base.dead_letters.count == 0


class TestARequester:
    @pytest.fixture
    def request_of(self, system):
        ways = []
        system.start("asker", Asker, ways)
        return lambda target, message, timeout_s=5: asyncio.run(ways[1](target, message, timeout_s=timeout_s))

    def test_asks_another_actor_from_a_loop_of_another_thread(self, system, request_of):
        system.start("other", Asker)

        assert isinstance(request_of("other", Ping()), Pong)

    def test_asks_its_own_after_a_restart_too(self, system, request_of):
        system.request("asker", Restart())

        assert request_of("asker", "tell") == 0

    def test_is_answered_when_the_handler_fails_and_when_there_is_no_actor(self, system, request_of):
        assert isinstance(request_of("asker", Restart()), Failed)
        assert isinstance(request_of("nobody", Ping()), Unavailable)

    def test_waits_no_longer_than_it_was_told(self, system, request_of):
        system.probe("silent")

        with pytest.raises(RequestTimedOut):
            request_of("silent", Ping(), timeout_s=0.01)


class Endless(RuntimeActor):
    """Runs a job that ends only when it is told to."""

    def on_start(self):
        self.end = threading.Event()
        self.offload(self.end.wait, then=lambda _: None)

    def is_drained(self):
        self.end.set()
        return True


class TestAnOrderlyStop:
    def test_lets_is_drained_end_a_job_without_an_end(self, system):
        system.start("endless", Endless)

        assert system.stop("endless") is not None
