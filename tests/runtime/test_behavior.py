"""Handlers that are an actor's own only while it has a behavior."""

import msgspec
import pytest

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.dispatch import CHECKS_ITSELF, FROM_OUTSIDE, HandlerTable
from natya.messages.supervision import Unavailable


class Open(msgspec.Struct, frozen=True):
    pass


class Close(msgspec.Struct, frozen=True):
    pass


class Knock(msgspec.Struct, frozen=True):
    pass


class Door(RuntimeActor):
    behavior = "closed"

    @handles(Open, when="closed")
    def open(self, _message, sender):
        self.become("open")
        self.send(sender, "opened")

    @handles(Close, when="open")
    def close(self, _message, sender):
        self.become("closed")
        self.send(sender, "closed")

    @handles(Knock)
    def knock(self, _message, sender):
        self.send(sender, "come in")

    @handles(Knock, when="closed")
    def knock_at_a_closed_one(self, _message, sender):
        self.send(sender, "who is there?")


class Slam(msgspec.Struct, frozen=True):
    pass


class LockedDoor(Door):
    behavior = "locked"

    @handles(Knock, when="locked")
    def knock_in_vain(self, _message, sender):
        self.send(sender, "")

    @handles(Open)
    def unlock(self, _message, sender):
        self.become("closed")
        self.send(sender, "unlocked")

    @handles(Slam)
    def slam(self, _message, _sender):
        self.become("slammed")


@pytest.fixture
def ask():
    with InProcessSystem() as system:
        system.start("door", Door)
        system.start("locked", LockedDoor)
        yield lambda message, door="door": system.request(door, message)


class TestAnActorThatBecomes:
    def test_handles_a_message_by_its_behavior(self, ask):
        assert [ask(each()) for each in (Knock, Open, Knock, Close, Knock)] == [
            "who is there?",
            "opened",
            "come in",
            "closed",
            "who is there?",
        ]

    def test_does_so_from_the_very_next_message_on(self, ask):
        with InProcessSystem() as system:
            seen = system.probe("seen")
            system.start("door", Door)
            for message in (Knock(), Open(), Knock(), Close(), Knock()) * 100:
                system.tell("door", message, sender=seen)

            told = [seen.receive(timeout_s=10) for _ in range(500)]
            assert told == ["who is there?", "opened", "come in", "closed", "who is there?"] * 100

    def test_has_no_handler_for_what_only_another_behavior_takes(self, ask):
        answer = ask(Close())

        assert isinstance(answer, Unavailable)
        assert answer.reason == "Door handles no Close"

    def test_begins_a_fresh_life_with_the_behavior_of_its_class(self, ask):
        assert ask(Open(), "locked") == "unlocked"
        failed = ask(Slam(), "locked")

        assert failed.error == "ValueError"
        assert failed.reason.endswith("LockedDoor names is wanted ('closed', 'locked', 'open'), found 'slammed'")
        assert not ask(Knock(), "locked")


class TestASubclass:
    def test_keeps_what_it_inherits_for_other_behaviors(self, ask):
        assert not ask(Knock(), "locked")
        ask(Open(), "locked")
        assert ask(Knock(), "locked") == "who is there?"

    def test_replaces_all_by_a_handler_for_every_behavior(self, ask):
        assert [ask(Open(), "locked"), ask(Open(), "locked")] == ["unlocked", "unlocked"]


class TestTheTable:
    def test_calls_a_handler_without_conditions_as_it_is(self):
        assert HandlerTable(LockedDoor, print)[Open] is LockedDoor.unlock

    def test_has_one_handler_of_a_type_for_a_behavior(self):
        with pytest.raises(TypeError, match=r"Twice\.one and \.two both handle Knock when it is 'open'"):

            class Twice(RuntimeActor):
                @handles(Knock, when="open")
                def one(self, message, sender):
                    pass

                @handles(Knock, when="open")
                def two(self, message, sender):
                    pass

    @pytest.mark.parametrize(("flag", "name"), [("checks_itself", CHECKS_ITSELF), ("from_outside", FROM_OUTSIDE)])
    def test_lets_in_the_same_whatever_the_behavior(self, flag, name):
        with pytest.raises(TypeError, match=rf"all handlers of Knock by behavior declare {flag}, or none"):

            class Mixed(RuntimeActor):
                @handles(Knock, when="open", **{flag: True})
                def one(self, message, sender):
                    pass

                @handles(Knock)
                def two(self, message, sender):
                    pass
