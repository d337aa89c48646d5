"""Children of an actor that is no supervisor: they look after themselves, and belong to one life of their parent."""

import pytest
from natya_processes import await_that
from thespian.actors import Actor, ChildActorExited

from natya.actors.runtime import RuntimeActor, handles, lifecycle
from natya.actors.supervision import Pool, PoolSettings
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.orders import CancelOrder
from natya.messages.supervision import Failed
from natya.messages.system import Ping

POLICY = SupervisionSettings.default()


class Child(RuntimeActor):
    """Counts; fails when told to."""

    def on_start(self):
        self.count = 0

    @handles(int)
    def add(self, number, sender):
        self.count += number
        self.send(sender, self.count)

    @handles(str)
    def fail(self, reason, sender):
        raise ValueError(reason)


class BlockingChild(Child):
    blocking = True


class Parent(RuntimeActor):
    """Starts one child in each of its lives."""

    def on_start(self):
        self.child = self.start_child("child", self.settings)

    @handles(str)
    def fail(self, reason, sender):
        raise ValueError(reason)

    @handles(int)
    def add(self, number, sender):
        self.ask(self.child, number, timeout_s=5, then=lambda outcome: self.send(sender, outcome.unwrap()))


class Overseer(Parent):
    """Hears what becomes of its child, and has it as it is until it says otherwise."""

    @handles(lifecycle.Started, lifecycle.ChildHandlerFailed)
    def hear(self, report, sender):
        self.send("reports", type(report).__name__)


class Adopting(Parent):
    """A supervisor that keeps its child when it is restarted."""

    def on_start(self):
        self.child = self.inherited or self.start_child("child", self.settings)

    def snapshot(self):
        return self.child

    def restore(self, child):
        self.child = child

    @handles(lifecycle.Started, lifecycle.ChildHandlerFailed)
    def hear(self, _report, _sender):
        """Do nothing."""


class TestAChildOfASupervisor:
    @pytest.mark.parametrize("child", [Child, BlockingChild])
    def test_lives_on_when_that_one_is_restarted(self, system, child):
        system.start("parent", Adopting, child)
        first = system.base.find("child")
        assert system.request("parent", 5) == 5

        assert isinstance(system.request("parent", "told to"), Failed)

        assert system.request("parent", 2) == 7
        assert system.base.find("child") is first


class Plain(Actor):
    """As any other Thespian system has it."""

    def receiveMessage(self, message, sender):  # noqa: N802  Thespian's name
        if isinstance(message, int):
            self.send(sender, message + 1)


class OfAPlainOne(RuntimeActor):
    def on_start(self):
        self.child = self.createActor(Plain)

    @handles(str)
    def fail(self, reason, sender):
        raise ValueError(reason)

    @handles(type(None))
    def tell(self, _, sender):
        self.send(sender, self.child)


NARROW, WIDE = frozenset({Ping}), frozenset({Ping, CancelOrder})


class TestWhatAChildMaySayToOwners:
    """No more than its parent, whatever its class says: a strategy would have its orders placed by a child."""

    @pytest.mark.parametrize(
        ("own", "parents", "may_say"),
        [
            (None, None, None),
            (WIDE, None, WIDE),
            (None, NARROW, NARROW),
            (WIDE, NARROW, NARROW),
            (NARROW, WIDE, NARROW),
            (frozenset({CancelOrder}), NARROW, frozenset()),
        ],
    )
    def test_is_what_its_class_and_its_parent_may(self, system, own, parents, may_say):
        class Inner(RuntimeActor):
            says = own

        class Outer(RuntimeActor):
            says = parents

            def on_start(self):
                self.start_child("child", Inner)
                self.plain = self.createActor(Plain)

            @handles(type(None))
            def tell(self, _, sender):
                self.send(sender, self.plain)

        parent = system.start("parent", Outer)
        child, plain = system.base.find("child"), system.request("parent", None)

        assert [each.says for each in (parent, child, plain)] == [parents, may_say, parents]
        assert all(each.guest for each in (parent, child, plain))

    def test_of_one_of_ours_is_looked_at_where_its_parent_may_not_say_all(self, system):
        class Outer(RuntimeActor):
            says = NARROW

            def on_start(self):
                self.start_child("child", Pool, PoolSettings(actor=Child, size=1, member="m", policy=POLICY))

        system.start("parent", Outer)
        system.start("pool", Pool, PoolSettings(actor=Child, size=1, member="n", policy=POLICY, journal=""))
        limited, free = system.base.find("child"), system.base.find("pool")

        assert (limited.guest, limited.says) == (True, NARROW)
        assert (free.guest, free.says) == (False, None)


class TestAPlainChild:
    def test_lives_on_when_its_parent_is_restarted(self, system):
        system.start("parent", OfAPlainOne)
        child = system.request("parent", None)

        assert isinstance(system.request("parent", "told to"), Failed)

        assert system.request("parent", None) is not child
        assert system.request(child, 5) == 6


class TestAChildOfAnActorThatIsNoSupervisor:
    @pytest.mark.parametrize("child", [Child, BlockingChild])
    def test_is_there_again_at_once_when_it_has_failed(self, system, child):
        system.start("parent", Parent, child)
        system.request("parent", 5)

        assert isinstance(system.request("child", "told to"), Failed)

        assert system.request("parent", 2) == 2

    @pytest.mark.parametrize("child", [Child, BlockingChild])
    def test_ends_with_the_life_that_started_it(self, system, child):
        system.start("parent", Parent, child)
        first = system.base.find("child")
        system.request("parent", 5)

        assert isinstance(system.request("parent", "told to"), Failed)

        assert system.request("parent", 2) == 2
        assert system.base.find("child") is not first
        await_that(lambda: first.dead, timeout_s=10)

    @pytest.mark.parametrize(("parent", "is_told"), [(Parent, True), (Overseer, False)])
    def test_that_ends_is_told_as_thespian_tells_it_to_a_parent_that_hears_no_reports(self, system, parent, is_told):
        exits = system.probe("exits")

        class Told(parent):
            def on_unhandled(self, message, _sender):
                if isinstance(message, ChildActorExited):
                    self.send("exits", message)

        system.start("parent", Told, Child)
        assert system.request("parent", 5) == 5
        system.stop("child")
        assert system.request("parent", 7, timeout_s=10) is not None
        if is_told:
            assert isinstance(exits.receive(), ChildActorExited)
        assert exits.is_empty()

    def test_of_one_who_hears_of_failures_waits_for_what_he_says(self, system):
        reports = system.probe("reports")
        system.start("parent", Overseer, Child)
        assert reports.receive() == "Started"

        system.tell("child", "told to")

        assert reports.receive() == "ChildHandlerFailed"
