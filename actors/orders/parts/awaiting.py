"""Who waits until the facts that he asked for are durable (plain), and what he is answered then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ....messages.order_listing import SettleRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...runtime import ActorAddress
    from .context import OrdersContext


class _Asked:
    """What one has asked for, as far as it is not durable."""

    def __init__(
        self, subject: str, asker: ActorAddress, facts: Mapping[str, tuple[Any, ...]], answer: Callable[[], Any]
    ) -> None:
        self.subject: Final = subject
        self.asker: Final = asker
        self.unwritten: Final = dict(facts)
        self.answer: Final = answer


class Awaiting:
    """Answers each once: when all of it is durable, or when the journal has refused some of it."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with nobody who waits."""
        self._context: Final = context
        self._asked: list[_Asked] = []

    def wait(
        self, subject: str, asker: ActorAddress, facts: Mapping[str, tuple[Any, ...]], answer: Callable[[], Any]
    ) -> None:
        """Let one wait.

        Args:
            subject: what he has asked for: an order's id, or a symbol.
            asker: is answered.
            facts: that are on their way, by the client order id under which they are written together.
            answer: makes the answer, when they are durable.
        """
        self._asked.append(_Asked(subject, asker, facts, answer))

    def is_awaited(self, subject: str) -> bool:
        """Say whether facts of this are on their way."""
        return any(each.subject == subject for each in self._asked)

    def written(self, client_order_id: str, facts: tuple[Any, ...]) -> None:
        """Answer who has waited for these facts last."""
        for each in self._awaiting(client_order_id, facts):
            del each.unwritten[client_order_id]
            if not each.unwritten:
                self._asked.remove(each)
                self._context.send(each.asker, each.answer())

    def not_written(self, client_order_id: str, facts: tuple[Any, ...], reason: str) -> None:
        """Answer that it is not settled, or not wholly, since the journal refused it."""
        for each in self._awaiting(client_order_id, facts):
            self._asked.remove(each)
            self._context.send(each.asker, SettleRefused(reason=f"the journal did not take it: {reason}"))

    def _awaiting(self, client_order_id: str, facts: tuple[Any, ...]) -> tuple[_Asked, ...]:
        return tuple(each for each in self._asked if each.unwritten.get(client_order_id) == facts)
