"""Messages that an actor puts aside until it can handle them."""

import threading

import msgspec
import pytest
from natya_processes import await_that

from natya.actors.runtime import Bounded, Conflating, InProcessSystem, RuntimeActor, handles
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.supervision import DescribeTree, Failed, Unavailable


class Connect(msgspec.Struct, frozen=True):
    pass


class Break(msgspec.Struct, frozen=True):
    pass


class Ask(msgspec.Struct, frozen=True):
    number: int


class Session(RuntimeActor):
    """Answers nothing before it is connected; then in the order it was asked."""

    behavior = "connecting"
    stash_max = 5

    def snapshot(self):
        return None

    def restore(self, _state):
        pass

    @handles(Ask, when="connecting")
    def wait(self, ask, sender):
        self.stash(ask, sender)

    @handles(Connect, when="connecting")
    def connected(self, _message, _sender):
        self.become("connected")
        self.unstash_all()

    @handles(Ask, when="connected")
    def answer(self, ask, sender):
        self.send(sender, ask.number)

    @handles(Break)
    def fail(self, _message, _sender):
        raise RuntimeError("broken")


class BoundedSession(Session):
    mailbox = Bounded(100)


class ConflatingSession(Session):
    mailbox = Conflating(lambda _: None)


@pytest.fixture
def system():
    with InProcessSystem() as running:
        yield running


@pytest.fixture(params=[Session, BoundedSession, ConflatingSession])
def session(request, system):
    system.start("session", request.param)
    return system


def tell(system, seen, *messages):
    for message in messages:
        system.tell("session", message, sender=seen)


class TestWhatIsPutAside:
    def test_is_handled_in_its_order_before_all_that_waits(self, session):
        seen = session.probe("seen")
        tell(session, seen, Ask(1), Ask(2), Ask(3), Connect(), Ask(4), Ask(5))

        assert [seen.receive(timeout_s=10) for _ in range(5)] == [1, 2, 3, 4, 5]

    def test_has_its_own_sender_still(self, session):
        asked = [session.request_future("session", Ask(number)) for number in range(3)]
        session.tell("session", Connect())

        assert [each.result(10) for each in asked] == [0, 1, 2]

    def test_is_bounded_and_one_more_fails(self, session):
        asked = [session.request_future("session", Ask(number)) for number in range(5)]
        one_too_many = session.request("session", Ask(5))

        assert isinstance(one_too_many, Failed)
        assert one_too_many.error == "StashFullError"
        assert one_too_many.reason == "at most 5 messages are put aside, Ask is one too many"
        session.tell("session", Connect())
        assert [each.result(10) for each in asked] == [0, 1, 2, 3, 4]

    def test_outlives_a_failure(self, system):
        policy = SupervisionSettings.default(backoff_first_s=0.001)
        children = (ChildSpec("session", Session),)
        system.start("root", Supervisor, SupervisorSettings(children=children, policy=policy, journal=""))
        asked = [system.request_future("session", Ask(number)) for number in range(3)]

        assert system.request("session", Break()).error == "RuntimeError"
        system.tell("session", Connect())
        assert [each.result(10) for each in asked] == [0, 1, 2]

    def test_fails_what_is_too_much_and_nothing_else(self, system):
        policy = SupervisionSettings.default(backoff_first_s=0.001)
        children = (ChildSpec("session", Session),)
        system.start("root", Supervisor, SupervisorSettings(children=children, policy=policy, journal=""))
        asked = [system.request_future("session", Ask(number)) for number in range(5)]

        assert {system.request("session", Ask(number)).error for number in range(5, 200)} == {"StashFullError"}
        (status,) = (each for each in system.request("root", DescribeTree()).children if each.path == "root/session")
        assert (status.state, status.restarts) == ("RUNNING", 0)
        assert system.request("session", Break()).error == "RuntimeError"  # the breaker is closed: one restart, at once
        system.tell("session", Connect())
        assert [each.result(10) for each in asked] == [0, 1, 2, 3, 4]

    def test_that_is_too_much_fails_alone_in_a_stop_too(self, system):
        """A restart would put all of it back, to overflow again."""
        lives = []

        class Noted(Session):
            def on_start(self):
                lives.append(1)

        class Late(Noted):
            blocking = True

            @handles(str)
            def hold(self, _, _sender):
                entered.set()
                assert gate.wait(10)

        entered, gate = threading.Event(), threading.Event()
        cell = system.start("session", Late)
        system.tell("session", "hold")
        entered.wait(10)
        asked = [system.request_future("session", Ask(number)) for number in range(8)]
        stopping = threading.Thread(target=system.stop, args=("session",))
        stopping.start()
        await_that(lambda: cell.control_box)
        gate.set()
        stopping.join(10)

        assert [type(each.result(10)) for each in asked] == [Unavailable] * 5 + [Failed] * 3
        assert lives == [1]

    def test_that_is_too_much_when_its_mailbox_is_empty_fails_nothing_else(self, system):
        class Eager(Session):
            stash_max = 0

            def on_drained(self):
                self.stash(Ask(0), self.myAddress)

        cell = system.start("session", Eager)
        for _ in range(3):
            system.tell("session", Connect())
        system.tell("session", Connect())

        await_that(lambda: cell.failures)
        assert system.request("session", Ask(1)) == 1
        assert cell.life == 0

    def test_goes_to_the_dead_letters_with_its_actor(self, session):
        asked = [session.request_future("session", Ask(number)) for number in range(3)]
        session.stop("session")

        assert {type(each.result(10)) for each in asked} == {Unavailable}
        assert session.base.dead_letters.count == 3

    def test_is_put_back_in_vain_where_nothing_is(self, session):
        session.tell("session", Connect())

        assert session.request("session", Ask(1)) == 1
