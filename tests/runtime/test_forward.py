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

    @pytest.mark.parametrize("kind", [Probe, Owner])
    def test_of_one_that_may_not_say_everything_is_its_own(self, system, kind):
        system.start("witness", Witness)
        limited, other = system.start("limited", Limited, "witness"), kind("other")

        limited.deliver(Ping(), other)

        assert other.receive() == ("limited", True, frozenset({Ping}))

    def test_that_reaches_nobody_is_answered_too(self, system, usher):
        asker = Expectant("asker")
        system.stop("host")
        system.base.names["host"] = system.base.dead_letters.outside

        usher.deliver(Ping(), asker)

        assert isinstance(asker.receive(), Unavailable)
