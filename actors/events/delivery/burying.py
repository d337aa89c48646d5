"""Events that a durable subscription gives up: they become dead letters, and are settled once these are durable."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from ....messages.delivery import DeadLettersChanged, EventDeadLettered
from ....messages.journal import Appended
from .own_facts import CallDue, append

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....domain.events.dead_letters import DeadLetterBook
    from ....domain.events.delivery import Item
    from ....messages.delivery import EventsNotHandled
    from ...runtime import Outcome, RuntimeActor
    from .settings import DeliverySettings
    from .subscription import Subscription


class Burials:
    """The given-up events of all durable subscriptions. Called on the actor's thread alone.

    Args:
        actor: asks the journal, and has the clocks.
        settings: of delivery.
        letters: the book of dead letters.
        pump: goes on with a subscription.
    """

    def __init__(
        self,
        actor: RuntimeActor,
        settings: DeliverySettings,
        letters: DeadLetterBook,
        pump: Callable[[Subscription], None],
    ) -> None:
        self._actor: Final = actor
        self._settings: Final = settings
        self._letters: Final = letters
        self._pump: Final = pump

    def bury(self, subscription: Subscription, item: Item, failure: EventsNotHandled) -> None:
        """Make the event a durable dead letter, trying until the journal has it; then its aggregate goes on."""
        letter = self._letter(subscription, item, failure)
        subscription.burying[letter.letter_id] = item
        self._try(subscription, letter)

    def take(self, subscription: Subscription | None, letter: EventDeadLettered) -> None:
        """Take in a dead letter that is durable, whichever append it was.

        Args:
            subscription: whose it is; None: nobody is subscribed.
            letter: it.
        """
        if subscription is None:
            return
        if letter.letter_id in subscription.burying:
            self._buried(subscription, letter)
        elif subscription.delivery.died(letter.sequence, letter.event.event_id):
            self.handled(subscription, (letter.letter_id,))

    def letters_of(self, subscription: Subscription, items: tuple[Item, ...]) -> tuple[str, ...]:
        """Return which events of the journal are dead letters already: an earlier subscriber gave them up."""
        name = subscription.request.subscription
        if not self._letters.count_of(name):
            return ()
        ids = (_id_of(name, item) for item in items if not item.letter_id)
        return tuple(each for each in ids if each in self._letters)

    def handled(self, subscription: Subscription, letter_ids: tuple[str, ...]) -> None:
        """Remove requeued dead letters that were handled."""
        if not letter_ids:
            return
        fact = DeadLettersChanged(letter_ids=letter_ids, change="handled", occurred_ns=self._actor.fact_clock.now_ns())

        def then(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                self._later(functools.partial(self.handled, subscription, letter_ids))

        append(self._actor, self._settings, fact, then)

    def _letter(self, subscription: Subscription, item: Item, failure: EventsNotHandled) -> EventDeadLettered:
        name = subscription.request.subscription
        now_ns = self._actor.fact_clock.now_ns()
        before = self._letters.get(item.letter_id)
        since_ns = now_ns - (self._actor.clock.monotonic_ns() - item.first_failed_ns)
        return EventDeadLettered(
            letter_id=_id_of(name, item),
            subscription=name,
            sequence=item.sequence,
            event=item.event,
            error=failure.error,
            reason=failure.reason,
            traceback=failure.traceback,
            attempts=item.attempts + (0 if before is None else before.attempts),
            first_failed_ns=max(0, since_ns) if before is None else before.first_failed_ns,
            last_failed_ns=now_ns,
        )

    def _try(self, subscription: Subscription, letter: EventDeadLettered) -> None:
        def then(outcome: Outcome) -> None:
            if isinstance(outcome.value, Appended):
                self._buried(subscription, letter)
            else:
                self._later(functools.partial(self._try, subscription, letter))

        if letter.letter_id in subscription.burying and not subscription.is_ended:
            append(self._actor, self._settings, letter, then)

    def _buried(self, subscription: Subscription, letter: EventDeadLettered) -> None:
        item = subscription.burying.pop(letter.letter_id, None)
        if item is None:  # heard twice: by the answer to the append, and by the record
            return
        self._actor.log_bounded(
            "event.dead_lettered",
            level="warning",
            letter_id=letter.letter_id,
            event_type=letter.event.event_type,
            error=letter.error,
            reason=letter.reason,
        )
        subscription.has_moved = True
        subscription.delivery.buried(item)
        self._pump(subscription)

    def _later(self, call: Callable[[], None]) -> None:
        self._actor.after(self._settings.retry_s, CallDue(call))


def _id_of(subscription: str, item: Item) -> str:
    """Return the id of the dead letter that it is, or would be."""
    return f"{subscription}-{item.sequence}"
