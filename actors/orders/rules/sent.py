"""Requests that left, compared with durable intents (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ....domain.orders import Order
from ....domain.wording import printable
from .trips import Trip

IDS_TOLD_MAX: Final = 3


def sent(counts: Iterable[tuple[str, int]], is_intended: Callable[[str], bool]) -> Trip | None:
    """Halt where a request has left that no durable intent is of, or a second one of an intent.

    Args:
        counts: the id of each request, and how many of that id have left.
        is_intended: whether the book has a durable intent of this id.
    """
    counts = tuple(counts)
    without = [client_order_id for client_order_id, _ in counts if not is_intended(client_order_id)]
    again = [f"{_told(each)} {times} times" for each, times in counts if times > 1]
    found = []
    if without:
        found.append(f"{len(without)} without an intent: {_some([_told(each) for each in without])}")
    if again:
        found.append(f"{len(again)} more than once: {_some(again)}")
    if not found:
        return None
    return Trip(state="HALTED", cause=f"sent: one order out for each intent in wanted, found {'; '.join(found)}")


def changed(changes: Iterable[tuple[str, str, int]], order: Callable[[str], Order | None]) -> Trip | None:
    """Halt where a change has left that no durable intent is of, or that is of another order at the broker.

    Args:
        changes: the order's id, the broker's in the requests, and how many of those have left.
        order: the order of an id, by durable facts.
    """
    found = []
    for client_order_id, broker_order_id, times in changes:
        known = order(client_order_id)
        if known is None or known.broker_order_id != broker_order_id:
            found.append(f"one of {_told(client_order_id)} sent to {_told(broker_order_id)}")
        elif times > known.modifications:
            found.append(f"{times} of {_told(client_order_id)}, of which {known.modifications} were to leave")
    if not found:
        return None
    return Trip(state="HALTED", cause=f"sent: one change out for each intent in wanted, found {_some(found)}")


def _told(client_order_id: str) -> str:
    return printable(client_order_id, 30)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - IDS_TOLD_MAX} more" if len(names) > IDS_TOLD_MAX else ""
    return f"{', '.join(names[:IDS_TOLD_MAX])}{more}"
