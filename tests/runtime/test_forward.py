"""A message that is handed on: the answer goes to whom it came from."""

import pytest

from natya.actors.runtime import Probe, RuntimeActor, handles
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping, Pong


class Usher(RuntimeActor):
    """Hands every question on to `settings`."""

    @handles(Ping)
    def show_in(self, question, sender):
        self.forward(self.directory[self.settings], question, sender)


class Limited(Usher):
    """May not say everything, as a strategy."""

    says = frozenset({Ping})


class Witness(RuntimeActor):
    """Answers with the name of who asks, as far as its address says."""

    @handles(Ping)
    def name_it(self, _, sender):
        self.send(sender, (sender.name, sender.guest, sender.says))


class Owner(Probe):
    """One of natya's own actors, as a sender: nobody looks at what it says."""

    guest = False


class Expectant(Owner):
    """One that has asked."""

    wants_answer = True


@pytest.fixture
def usher(system):
    system.start("host", RuntimeActor)
    return system.start("usher", Usher, "host")


class TestAForwardedMessage:
    @pytest.mark.parametrize("kind", [Probe, Owner, Expectant])
    def test_is_answered_to_whoever_sent_it(self, system, usher, kind):
        guest = kind("guest")

        usher.deliver(Ping(), guest)

        answer = guest.receive()
        assert (type(answer), answer.actor) == (Pong, "host")
        assert guest.sender is system.base.find("host")

    @pytest.mark.parametrize("sent_by", ["a guest", "one of ours"])
    @pytest.mark.parametrize(
        ("handed_on_by", "is_its_own"),
        [("one of ours", ()), ("a guest", ("one of ours",)), ("one that is limited", ("a guest", "one of ours"))],
    )
    def test_is_trusted_no_more_than_who_hands_it_on(self, system, sent_by, handed_on_by, is_its_own):
        """Else a strategy would have what it says taken for that of another, whose messages nobody looks at."""
        system.start("witness", Witness)
        cell = system.start("usher", Limited if handed_on_by == "one that is limited" else Usher, "witness")
        cell.guest = handed_on_by != "one of ours"
        sender = (Owner if sent_by == "one of ours" else Probe)(sent_by)

        cell.deliver(Ping(), sender)

        as_the_ushers = ("usher", True, cell.says)
        as_it_is = ("", sent_by == "a guest", None)
        assert sender.receive() == (as_the_ushers if sent_by in is_its_own else as_it_is)

    @pytest.mark.parametrize("kind", [Usher, Limited])
    def test_that_an_actor_hands_on_in_its_own_name_comes_from_itself(self, system, kind):
        system.start("witness", Witness)
        senders = []

        class Signing(kind):
            @handles(int)
            def begin(self, _, sender):
                self.forward(self.directory["usher"], b"its own", self.myAddress)

            @handles(bytes)
            def note(self, _, sender):
                senders.append(sender)

        cell = system.start("usher", Signing, "witness")
        system.tell("usher", 1)
        system.request("usher", Ping())

        assert senders == [cell]

    def test_that_reaches_nobody_is_answered_too(self, system, usher):
        asker = Expectant("asker")
        system.stop("host")
        system.base.names["host"] = system.base.dead_letters.outside

        usher.deliver(Ping(), asker)

        assert isinstance(asker.receive(), Unavailable)
