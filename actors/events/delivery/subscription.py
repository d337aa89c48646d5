"""One durable subscription with its subscriber, and the meaning of the subscriber's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....domain.events.interests import Interest, Interests
from ....domain.shown import shortened, text_of
from ....messages.delivery import EventsHandled, EventsNotHandled

if TYPE_CHECKING:
    from ....domain.events.delivery import Delivery, Item
    from ....domain.events.places import Settled
    from ....messages.delivery import SubscribeDurably
    from ...runtime import Outcome, Timer


TEXT_MAX: Final = 8_192
"""Characters of each text of a failure that are kept."""


class PumpDue(msgspec.Struct, frozen=True, gc=False):
    """To delivery itself: a subscription may have events due, or a position to journal."""

    subscription: str
    is_keeping: bool = False


def interests_of(request: SubscribeDurably) -> Interests:
    """Return what a subscription wants, for itself."""
    interests = Interests()
    interests.set(request.subscription, Interest.of(request))
    return interests


class Subscription:
    """A durable subscription and its subscriber."""

    def __init__(self, request: SubscribeDurably, delivery: Delivery) -> None:
        self.request: Final = request
        self.delivery: Final = delivery
        self.is_reading = False
        """Whether a page of the journal is being read for it."""

        self.has_passed = False
        """Whether its position moved only over unwanted records: that is journaled now and then, not at once."""

        self.is_begun = False
        """Whether it knows again what was handled before, so that dead letters may be requeued."""

        self.burying: dict[str, Item] = {}
        """Events whose aggregates wait until they are durable as dead letters, by the ids of these."""

        self.is_ended = False
        """Whether another subscriber has taken its place: pending answers change nothing any more."""

        self.kept: Settled | None = None
        """What is settled, as the journal has it; None: it has nothing, or not for certain."""

        self.has_moved = False
        """Whether it moved by facts other than delivery's own: journaling a position for a journaled position would
        never end."""

        self.timer: Timer | None = None
        self.keeping: Timer | None = None


def handled_of(answer: Any, size: int) -> int | None:
    """Return how many of so many events an answer to `DeliverEvents` says to be handled; None: it is a failure."""
    if not isinstance(answer, EventsHandled):
        return None
    if type(answer.handled) is not int or not 0 <= answer.handled <= size:
        return None
    return answer.handled or size


def failure_of(answer: Any, outcome: Outcome, size: int) -> EventsNotHandled:
    """Return the failure that an answer to `DeliverEvents` of so many events is, whatever it is.

    Its texts are such as the journal takes: a dead letter that cannot be written would hold its aggregate for ever.
    """
    if isinstance(answer, EventsNotHandled) and type(answer.handled) is int and 0 <= answer.handled < size:
        return EventsNotHandled(
            handled=answer.handled,
            error=_text(answer.error),
            reason=_text(answer.reason),
            traceback=_text(answer.traceback),
            is_permanent=answer.is_permanent is True,
        )
    return EventsNotHandled(
        handled=0,
        error=_text(getattr(answer, "error", "") or type(outcome.error or answer).__name__),
        reason=_text(getattr(answer, "reason", "") or outcome.error or answer),
    )


def _text(value: object) -> str:
    return shortened(text_of(value), TEXT_MAX)
