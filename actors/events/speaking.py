"""Who may subscribe, and unsubscribe, under which name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..runtime import ActorAddress, RuntimeActor


class OfSubscriber(Protocol):
    """A request that names a subscriber."""

    @property
    def subscriber(self) -> str:
        """The subscriber's name."""


def may_speak_for(actor: RuntimeActor, sender: ActorAddress, request: OfSubscriber) -> bool:
    """Tell whether the sender may subscribe for this name, and turn it away if not: a strategy may only for its own."""
    if getattr(sender, "says", None) is None or getattr(sender, "name", "") == request.subscriber:
        return True
    actor.turn_away(request, sender, f"a strategy's own name wanted, found {request.subscriber!r}")
    return False
