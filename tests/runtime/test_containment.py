"""What an actor raises is its own affair, whatever it is and wherever: the others, and the system, go on."""

import asyncio
import os

import pytest
from thespian.actors import Actor, ActorExitRequest, ActorSystemMessage, ChildActorExited, ThespianWatch, WatchMessage

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.runtime.lifecycle import Restart
from natya.messages.supervision import Failed
from natya.messages.system import Ping


class SpeechlessError(Exception):
    """One that has no text to give."""

    def __str__(self):
        raise RuntimeError("no text")


ERRORS = {"exit": SystemExit(3), "interrupt": KeyboardInterrupt(), "cancelled": asyncio.CancelledError(),
          "generator": GeneratorExit(), "speechless": SpeechlessError()}  # fmt: skip


class Faulty(RuntimeActor):
    """Raises `error` in the method named by `where`."""

    where = ""
    error = SpeechlessError()

    def _come_to(self, where):
        if where == self.where:
            raise self.error

    def on_start(self):
        self.total = 0

    @handles(int)
    def add(self, amount, sender):
        self._come_to("handler")
        self.total += amount
        self.send(sender, self.total)

    def on_stop(self):
        self._come_to("on_stop")

    def snapshot(self):
        self._come_to("snapshot")
        return self.total

    def restore(self, total):
        self.total = total

    def statistics(self):
        self._come_to("statistics")
        return super().statistics()


class Sound(RuntimeActor):
    @handles(int)
    def answer(self, number, sender):
        self.send(sender, number)


@pytest.fixture(params=ERRORS.values(), ids=ERRORS.keys())
def faulty_class(request):
    return type("Faulty", (Faulty,), {"error": request.param})


class TestWhatIsNoOrdinaryError:
    @pytest.fixture(autouse=True)
    def sound(self, system):
        system.start("sound", Sound)
        yield
        assert system.request("sound", 7) == 7

    def test_in_a_handler_fails_that_message_and_no_other(self, system, faulty_class):
        system.start("faulty", faulty_class)
        faulty_class.where = "handler"

        answer = system.request("faulty", 1)
        faulty_class.where = ""

        assert isinstance(answer, Failed)
        assert answer.error == type(faulty_class.error).__name__
        if not isinstance(faulty_class.error, SystemExit):  # which ends it
            assert system.request("faulty", 2) == 2

    @pytest.mark.parametrize(("where", "total"), [("snapshot", 2), ("on_stop", 3)])
    def test_at_a_restart_does_not_keep_it_from_coming_back(self, system, faulty_class, where, total):
        faulty = system.start("faulty", faulty_class)
        assert system.request("faulty", 1) == 1

        faulty_class.where = where
        faulty.control(Restart(), system.base.outside)

        assert system.request("faulty", 2) == total

    def test_in_the_statistics_does_not_keep_it_from_stopping(self, system, faulty_class):
        system.start("faulty", faulty_class)
        faulty_class.where = "statistics"

        assert system.stop("faulty") is None
        assert "faulty" not in system.base.names

    def test_in_the_answer_to_a_ping_is_told(self, system, faulty_class):
        system.start("faulty", faulty_class)
        faulty_class.where = "statistics"

        assert system.request("faulty", Ping()).error == type(faulty_class.error).__name__


class Plain(Actor):
    """A plain actor that raises what it is sent, watches what it is told to, or has a child do so."""

    def receiveMessage(self, message, sender):  # noqa: N802
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, ThespianWatch):
            self.asker = sender
            return message
        if isinstance(message, WatchMessage):
            self.send(self.asker, message.ready)
        elif isinstance(message, ChildActorExited):
            self.send(self.asker, "child gone")
        elif isinstance(message, list):
            self.asker = sender
            self.send(self.createActor(Plain), message[0])
        elif not isinstance(message, (ActorSystemMessage, ActorExitRequest)):
            self.send(sender, message)
        return None


class Reopening(Actor):
    """Watches one pipe after another; each gets the descriptors of the one before."""

    def receiveMessage(self, message, sender):  # noqa: N802
        if message == "begin":
            self.asker, self.left = sender, 3
        elif isinstance(message, WatchMessage):
            self.send(self.asker, os.read(self.pipe[0], 10))
            for descriptor in self.pipe:
                os.close(descriptor)
            self.left -= 1
        else:
            return None
        if not self.left:
            return ThespianWatch([])
        self.pipe = os.pipe()
        os.write(self.pipe[1], b"%d" % self.left)
        return ThespianWatch([self.pipe[0]])


class TestAPlainActor:
    @pytest.fixture
    def plain(self, system):
        return system.actor_system.createActor(Plain)

    @pytest.mark.parametrize("name", ["exit", "interrupt", "cancelled", "generator"])
    def test_that_raises_what_would_end_its_process_is_gone_alone(self, system, plain, name):
        ask = system.actor_system.ask

        assert ask(plain, [ERRORS[name]], 5) == "child gone"
        assert ask(plain, "still here", 5) == "still here"

    def test_that_watches_what_is_no_descriptor_hears_nothing_and_goes_on(self, system, plain, caplog):
        ask = system.actor_system.ask

        system.actor_system.tell(plain, ThespianWatch([999_999]))

        assert ask(plain, "still here", 5) == "still here"
        assert [record.fields["fileno"] for record in caplog.records if record.msg == "watch.refused"] == [999_999]

    def test_that_watches_a_regular_file_hears_at_once(self, system, plain, tmp_path):
        with (tmp_path / "file").open("w+") as file:
            assert system.actor_system.ask(plain, ThespianWatch([file.fileno()]), 5) == [file.fileno()]

    def test_may_watch_a_descriptor_that_was_closed_and_opened_again(self, system):
        reopening = system.actor_system.createActor(Reopening)

        first = system.actor_system.ask(reopening, "begin", 5)

        assert [first, system.actor_system.listen(5), system.actor_system.listen(5)] == [b"3", b"2", b"1"]


class TestATurnThatFails:
    def test_is_its_actors_failure_and_leaves_it_able_to_work(self, system, monkeypatch, caplog):
        system.start("sound", Sound)
        cell = system.base.find("sound")
        rest = type(cell).rest

        def fail_once(cell):
            monkeypatch.setattr(type(cell), "rest", rest)
            raise AssertionError("a fault of ours")

        monkeypatch.setattr(type(cell), "rest", fail_once)

        assert system.request("sound", 1) == 1
        assert system.request("sound", 2) == 2
        assert cell.failures == 1
        assert [record for record in caplog.records if record.msg == "runtime.turn_failed"]
