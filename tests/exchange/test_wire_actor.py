"""The wire's actor by itself, in virtual time: what a restart leaves."""

import time

from natya.actors.exchange.calls import Answered, Call
from natya.actors.exchange.served_token import ServedToken
from natya.actors.exchange.wire.actor import WireActor
from natya.actors.exchange.wire.settings import WireActorSettings
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.actors.web import Mount, Mounted
from natya.config.secrets import Secret
from natya.config.sections.exchange import ExchangeSettings
from natya.messages.addresses import EXCHANGE, WEB
from natya.messages.exchange import FindWire


class Others(RuntimeActor):
    """The exchange, with nothing listed, and the web server, which keeps what it is given."""

    @handles(Call)
    def tell(self, _call, sender):
        self.send(sender, Answered(()))

    @handles(Mount)
    def serve(self, mount, sender):
        self.settings.append(mount.application)
        self.send(sender, Mounted(url="http://127.0.0.1:1"))


Others.__module__ = "natya.actors.web.actor"


def test_after_a_restart_the_same_application_is_served_with_its_token_and_its_counts():
    script = (ScriptedFault(kind="crash", actor="wire", message_type=FindWire),)
    settings = WireActorSettings(
        limits=ExchangeSettings.default(), token=ServedToken(Secret("token"), monotonic_ns=time.monotonic_ns)
    )
    with InProcessSystem(SimulatedSystemBase(seed=1, faults=Faults(script=script))) as system:
        served = []
        for name in (EXCHANGE, WEB):
            system.start(name, Others, served)
        system.start("wire", WireActor, settings)
        system.tell("wire", FindWire())
        system.base.run_for(60)

    first, second = served
    assert first is second
