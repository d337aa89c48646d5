"""The positions of durable subscriptions, journaled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.events.places import Settled
from ....messages.delivery import SubscriptionMoved
from ....messages.journal import Appended
from .own_facts import append

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ....domain.events.places import Place
    from ...runtime import Outcome, RuntimeActor
    from .settings import DeliverySettings
    from .subscription import Subscription

KEPT_AT_ONCE_MAX: Final = 100


class Keeping:
    """Journals positions. Called on the actor's thread alone.

    Args:
        actor: asks the journal, and has the clocks.
        settings: of delivery.
        pump: goes on with a subscription, when the journal has answered.
    """

    def __init__(self, actor: RuntimeActor, settings: DeliverySettings, pump: Callable[[Subscription], None]) -> None:
        self._actor: Final = actor
        self._settings: Final = settings
        self._pump: Final = pump

    def keep(self, subscription: Subscription) -> None:
        """Journal a subscription's position; one such fact at a time, and none while nothing has moved."""
        settled = subscription.delivery.settled

        def then(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                subscription.kept, subscription.has_moved = None, True
            if not subscription.is_ended:
                self._pump(subscription)

        subscription.kept, subscription.has_moved, subscription.has_passed = settled, False, False
        append(self._actor, self._settings, self._moved(subscription.request.subscription, settled), then)

    def keep_old(self, places: Mapping[str, Place], active: Mapping[str, Subscription], before_ns: int) -> None:
        """Journal the positions that have moved, if only over unwanted records.

        And those that were journaled before this time, since old segments may be removed.

        Args:
            places: of all, by name.
            active: those with a subscriber.
            before_ns: nanoseconds since 1970-01-01 UTC.
        """
        old = sorted(
            (place.kept_ns, name)
            for name, place in places.items()
            if place.kept_ns is not None
            and (place.kept_ns < before_ns or (name in active and is_to_be_kept(active[name])))
        )
        for _, name in old[:KEPT_AT_ONCE_MAX]:
            subscription = active.get(name)
            if subscription is not None:
                self.keep(subscription)
            else:
                append(self._actor, self._settings, self._moved(name, places[name].settled), _do_nothing)

    def _moved(self, name: str, settled: Settled) -> SubscriptionMoved:
        return SubscriptionMoved(
            subscription=name,
            position=settled.position,
            done=tuple(sorted(settled.beyond)),
            occurred_ns=self._actor.fact_clock.now_ns(),
            upto=settled.upto,
            open=tuple(sorted(settled.open)),
        )


def settled_of(fact: SubscriptionMoved) -> Settled:
    """Return what a fact says to be settled."""
    return Settled(fact.upto or fact.position, frozenset(fact.open), frozenset(fact.done))


def is_to_be_kept(subscription: Subscription) -> bool:
    """Whether a position differs from the journaled one."""
    has_moved = subscription.has_moved or subscription.has_passed
    return has_moved and subscription.delivery.settled != subscription.kept


def _do_nothing(_outcome: Outcome) -> None:
    """Do nothing: it is tried again a minute later."""
