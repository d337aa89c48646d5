"""Several messages, sent to several at once: as if each were sent by itself."""

import threading

import pytest

from natya.actors.runtime import Bounded, RuntimeActor, handles
from natya.actors.runtime.lifecycle import Reject
from natya.messages.supervision import DeadLetter


class Crier(RuntimeActor):
    """Sends the numbers from 1 up to the one it hears to all in `settings`."""

    @handles(int)
    def cry(self, count, sender):
        self.send_each(self.settings, tuple(range(1, count + 1)))
        self.send(sender, count)


class Listener(RuntimeActor):
    """Tells what it has heard when it hears a text."""

    def on_start(self):
        self.heard = []

    @handles(int)
    def hear(self, number, sender):
        self.heard.append((number, sender.name))

    @handles(str)
    def tell(self, _text, sender):
        self.send(sender, tuple(self.heard))


class OnItsThread(Listener):
    """The same, on a thread of its own."""

    blocking = True


class OfTwo(OnItsThread):
    """One whose mailbox has two places, and whose first message is held."""

    mailbox = Bounded(2, "drop_oldest")

    @handles(int)
    def hear(self, number, sender):
        if number == 1:
            self.settings.wait(30)
        super().hear(number, sender)


THREE = tuple((number, "crier") for number in (1, 2, 3))


class TestMessagesSentToSeveral:
    @pytest.mark.parametrize("kind", [Listener, OnItsThread])
    def test_come_to_each_in_their_order(self, system, kind):
        for name in ("left", "right"):
            system.start(name, kind)
        system.start("crier", Crier, ("left", "right"))

        system.request("crier", 3)

        assert [system.request(name, "heard?") for name in ("left", "right")] == [THREE, THREE]

    def test_come_by_address_and_to_a_probe_too(self, system):
        address, probe = system.start("left", Listener), system.probe("right")
        system.start("crier", Crier, (address, "right"))

        system.request("crier", 3)

        assert [probe.receive() for _ in range(3)] == [1, 2, 3]
        assert system.request("left", "heard?") == THREE

    def test_to_nobody_are_dead_letters_and_the_others_have_theirs(self, system):
        letters = system.probe("events")
        system.start("left", Listener)
        system.start("crier", Crier, ("nobody", "left"))

        system.request("crier", 3)

        assert system.request("left", "heard?") == THREE
        told = [letters.receive() for _ in range(3)]
        assert [(type(each), each.actor, each.reason) for each in told] == [
            (DeadLetter, "nobody", "no actor of that name runs")
        ] * 3

    def test_meet_the_mailbox_of_each(self, system):
        release = threading.Event()
        system.start("left", OfTwo, release)
        system.start("right", Listener)
        system.start("crier", Crier, ("left", "right"))
        system.tell("left", 1)
        while system.base.find("left").counters().depth:
            pass

        system.request("crier", 5)
        assert len(system.request("right", "heard?")) == 5
        release.set()
        while system.base.find("left").counters().depth:
            pass

        heard = [number for number, sender in system.request("left", "heard?") if sender == "crier"]
        assert heard == [4, 5]
        assert system.base.find("left").counters().dropped == 3

    def test_to_one_that_refuses_are_refused_one_by_one(self, system):
        system.start("right", Listener)
        crier = system.start("crier", Crier, ("left", "right"))
        left = system.start("left", Listener)
        left.refuse_messages(Reject(retry_after_s=1.0))

        system.request(crier, 3)

        assert system.request("right", "heard?") == THREE
        assert left.counters().dropped == 3

    def test_none_reach_nobody(self, system):
        system.start("left", Listener)
        system.start("crier", Crier, ("left",))

        system.request("crier", 0)

        assert system.request("left", "heard?") == ()
