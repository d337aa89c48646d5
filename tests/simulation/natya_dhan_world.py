"""The whole system with the body that speaks to Dhan, and a Dhan that fails in every way behind the HTTP session.

Its journal, database, actors and their faults are those of the world; Dhan is another machine's: no power cut of ours
reaches it.
"""

from collections import Counter
from random import Random

import msgspec
from natya_blocking import BlockingOffloader, sleep
from natya_dhan_model import URL, DhanFaults, DhanModel, DhanSession, ListOfInstruments
from natya_seeds import a_scenario, lost_in_states
from natya_updates_model import ModelUpdates

from natya.actors.broker import UpdatesActor, UpdatesSettings
from natya.actors.external import ExternalSettings
from natya.actors.supervision import ChildSpec
from natya.config.secrets import Secret
from natya.messages.addresses import BROKER_GROUP, BROKER_SERVICE, BROKER_TOKENS, BROKER_UPDATES, INSTRUMENTS
from natya.testing.order_path import DHAN_PATH, KillableSystemBase
from natya.testing.scenario import Scenario
from natya.testing.world import World

SLOWER = 20
"""The market has as many ticks as in the world, but so much more time: answers over a network take theirs."""

NEW_TOKEN_S = 20.0
"""How long until a person has logged in again."""


class BlockingBase(KillableSystemBase):
    """Jobs of the owner of the calls block in virtual time."""

    def __init__(self, *arguments, **options):
        self.offloaders = []
        super().__init__(*arguments, **options)

    def new_offloader(self, name, *, threads_max, jobs_max):
        if name not in {BROKER_SERVICE, BROKER_UPDATES}:
            return super().new_offloader(name, threads_max=threads_max, jobs_max=jobs_max)
        offloader = BlockingOffloader(
            name=name, threads_max=threads_max, jobs_max=jobs_max, loop=self._stepped, random=self.random
        )
        self.offloaders.append(offloader)
        return offloader

    def abandon(self):
        for offloader in self.offloaders:
            offloader.kill()
        super().abandon()


class DhanWorld(World):
    """One seed's run."""

    def base_class(self, *arguments, **options):
        self.base = BlockingBase(*arguments, **options)
        return self.base

    def __init__(self, seed: int, scenario: Scenario | None = None, faults: DhanFaults | None = None):
        super().__init__(seed, _with_dhan(scenario or a_scenario(seed, DHAN_PATH)))
        chance = Random(f"{seed}/dhan")
        self.matching = DhanModel(self.clock, Random(f"{seed}/far end"), faults or _faults(chance))
        self.arrivals, self.changes = self.matching.arrivals, self.matching.changes

    def run(self):
        super().run()
        self.injected += Counter({f"dhan {kind}": number for kind, number in self.matching.injected.items()})
        return self

    def violations(self):
        found = [*super().violations(), *lost_in_states(self.records())]
        for client_order_id, attempts in self.matching.attempts.items():
            if attempts > 1:
                found.append(f"{client_order_id} was sent {attempts} times")
        if self.matching.dead_calls:
            found.append(f"{self.matching.dead_calls} requests were made with a token that was known to be dead")
        placed = [order.correlation_id for order in self.matching.orders.values()]
        found += [f"{each} is at the broker twice" for each, number in Counter(placed).items() if number > 1]
        return found

    def calm(self):
        self.matching.active = False

    def children_of(self, settings):
        specs = []
        for spec in super().children_of(settings):
            if spec.name == INSTRUMENTS:
                continue
            if spec.name == BROKER_GROUP:
                specs += [ChildSpec(INSTRUMENTS, ListOfInstruments), self._with_model(spec)]
            else:
                specs.append(spec)
        return specs

    def _with_model(self, group):
        replace = msgspec.structs.replace
        # A person logs in here; what the keeper of the token does is played by itself.
        (service, *others) = (each for each in group.settings.children if each.name != BROKER_TOKENS)
        assert service.name == BROKER_SERVICE
        settings: ExternalSettings = service.settings
        self.token = settings.headers.args[1]
        self.token.replace(Secret(self.matching.token))
        self.token.when_dead(self._log_in_again)
        settings = replace(settings, new_session=lambda _: DhanSession(self.matching, sleep))
        updates = UpdatesSettings(url=URL, new_socket=lambda _: ModelUpdates(self.matching, self.token, sleep))
        children = (replace(service, settings=settings), *others, ChildSpec(BROKER_UPDATES, UpdatesActor, updates))
        return replace(group, settings=replace(group.settings, children=children))

    def _log_in_again(self):
        """Have a person notice it, and log in."""
        token = self.token
        self.base.loop.call_after(int(NEW_TOKEN_S * 1e9), lambda: token.replace(Secret(self.matching.token)))


def _with_dhan(scenario: Scenario) -> Scenario:
    replace = msgspec.structs.replace
    settings = scenario.settings
    broker = replace(
        settings.broker,
        name="dhan",
        client_id="1100012345",
        access_token=Secret("T-1"),
        base_url=URL,
        live=True,
        answer_timeout_s=12.0,
    )
    feed = replace(
        settings.feed, ticks_per_s=settings.feed.ticks_per_s / SLOWER, duration_s=settings.feed.duration_s * SLOWER
    )
    strategies = tuple(
        replace(each, parameters={**each.parameters, "trades": each.parameters["trades"] * 2})
        for each in settings.strategies
    )
    return replace(
        scenario,
        settings=replace(settings, broker=broker, feed=feed, strategies=strategies),
        halts=tuple((after_s * SLOWER, lasting_s * SLOWER) for after_s, lasting_s in scenario.halts),
        power_cuts=tuple(cut_s * SLOWER for cut_s in scenario.power_cuts),
        exchange_lasts=True,
    )


def _faults(chance: Random) -> DhanFaults:
    def rate(*rates: float) -> float:
        return chance.choice((0.0, *rates))

    return DhanFaults(
        refused=rate(0.02, 0.1),
        lost=rate(0.02, 0.1),
        reset_before=rate(0.02, 0.1),
        reset_after=rate(0.02, 0.1),
        error_before=rate(0.02, 0.1),
        error_after=rate(0.02, 0.1),
        late=rate(0.02, 0.1),
        garbled=rate(0.02, 0.1),
        throttled=rate(0.02),
        token_dies=rate(0.01),
        rejects=rate(0.1, 0.3),
        updates_lost=rate(0.1, 0.5),
        updates_twice=rate(0.1, 0.5),
        updates_late=rate(0.1, 0.5),
        updates_dropped=rate(0.002, 0.05),
    )
