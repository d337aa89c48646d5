"""The positions of durable subscriptions, journaled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
        delivery = subscription.delivery
        place = delivery.position, delivery.done

        def then(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                subscription.kept, subscription.has_moved = (-1, ()), True
            if not subscription.is_ended:
                self._pump(subscription)

        subscription.kept, subscription.has_moved, subscription.has_passed = place, False, False
        append(self._actor, self._settings, self._moved(subscription.request.subscription, *place), then)

    def keep_old(self, places: Mapping[str, Place], active: Mapping[str, Subscription], before_ns: int) -> None:
        """Journal the positions that moved only over unwanted records.

        And those that were journaled before this time, since old segments may be removed.

        Args:
            places: of all, by name.
            active: those with a subscriber.
            before_ns: nanoseconds since 1970-01-01 UTC.
        """
        old = [
            (name, place)
            for name, place in places.items()
            if place.kept_ns is not None and (place.kept_ns < before_ns or _has_passed(active.get(name)))
        ]
        old.sort(key=lambda each: each[1].kept_ns or 0)
        for name, place in old[:KEPT_AT_ONCE_MAX]:
            subscription = active.get(name)
            if subscription is not None:
                self.keep(subscription)
            else:
                append(self._actor, self._settings, self._moved(name, place.position, place.done), _do_nothing)

    def _moved(self, name: str, position: int, done: tuple[int, ...]) -> SubscriptionMoved:
        now_ns = self._actor.fact_clock.now_ns()
        return SubscriptionMoved(subscription=name, position=position, done=done, occurred_ns=now_ns)


def is_to_be_kept(subscription: Subscription) -> bool:
    """Whether a position differs from the journaled one."""
    delivery = subscription.delivery
    has_moved = subscription.has_moved or subscription.has_passed
    return has_moved and (delivery.position, delivery.done) != subscription.kept


def _has_passed(subscription: Subscription | None) -> bool:
    return subscription is not None and subscription.has_passed and is_to_be_kept(subscription)


def _do_nothing(_outcome: Outcome) -> None:
    """Do nothing: it is tried again a minute later."""
