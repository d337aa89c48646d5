"""The door of our own actors: what a guest says is looked at before a handler sees it.

A guest is a sender whose code is not of this package: a strategy, any other actor of a user, a caller from outside.
A guest's message that is ill-typed, out of range, or of a type that this guest may not send, is a dead letter and is
answered `Failed`; no handler ever meets it. What our own actors tell each other is trusted: one look at the sender.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ...messages.codec import MESSAGE_TYPES, all_as_received, as_received
from .dispatch import CHECKS_ITSELF, FROM_OUTSIDE, Handler, HandlerTable
from .errors import MessageRefusedError, reason_of

if TYPE_CHECKING:
    from .context import ActorContext, HostedActor
    from .endpoint import Envelope

OURS = f"{__package__.rpartition('.')[0]}."
"""What the names of the modules begin with whose actors are no guests."""

_VOCABULARY = frozenset(MESSAGE_TYPES)


def is_ours(described: Any) -> bool:
    """Tell whether a class or a function belongs to this package."""
    return str(described.__module__).startswith(OURS)


def front_of(actor_class: type[HostedActor], base: type) -> HandlerTable:
    """Make the table that its mailbox is handled by: an owner's, and a strategy's, with a door before our handlers.

    An actor that has nothing of ours but `base` has none: it is its author's to say what it takes.
    """
    table = actor_class.handler_table
    rooms = (each for each in actor_class.__mro__ if each is not base and issubclass(each, base))
    return table.behind(door) if any(map(is_ours, rooms)) else table


def door(handler: Handler) -> Handler:
    """Put a handler of ours behind a door."""
    if getattr(handler, CHECKS_ITSELF, False) or not is_ours(handler):
        return handler

    from_outside = getattr(handler, FROM_OUTSIDE, False)

    def enter(actor: HostedActor, message: Any, sender: Any) -> None:
        if sender.guest and sender is not actor.host:
            message = admitted(actor.host, message, sender, from_outside=from_outside)
            if message is None:
                return
        handler(actor, message, sender)

    return enter


def admitted(context: ActorContext, message: Any, sender: Any, *, from_outside: bool = False) -> Any:
    """Return a guest's message as the wire would have brought it; None if it was turned away."""
    if type(message) not in _VOCABULARY and (sender is context.parent or (from_outside and sender.says is None)):
        return message
    try:
        return look_at(message, sender)
    except MessageRefusedError as refusal:
        context.turn_away(message, sender, refusal)
        return None


def all_admitted(context: ActorContext, envelopes: list[Envelope]) -> list[Envelope]:
    """Return those that may come in of many, as the wire would bring them; guests' messages are of our vocabulary."""
    senders: set[Any] = {sender for _, sender, _ in envelopes}
    kinds = {type(message) for message, _, _ in envelopes}
    if all(getattr(sender, "guest", True) and (sender.says is None or kinds <= sender.says) for sender in senders):
        with contextlib.suppress(Exception):  # one of them is no message: which, is seen one by one
            received = all_as_received([message for message, _, _ in envelopes])
            return [(message, sender, trace) for message, (_, sender, trace) in zip(received, envelopes, strict=True)]
    found: list[Envelope] = []
    for message, sender, trace in envelopes:
        seen = admitted(context, message, sender) if getattr(sender, "guest", True) else message
        if seen is not None:
            found.append((seen, sender, trace))
    return found


def look_at(message: Any, sender: Any) -> Any:
    """Return a copy of a guest's message, with fields of the types and in the ranges that its class declares.

    Raises:
        MessageRefusedError: it cannot be one of our vocabulary, or is not for this sender to say.
    """
    kind = type(message)
    if kind not in _VOCABULARY:
        raise MessageRefusedError(f"{kind.__name__} is not for others to say")
    if sender.says is not None and kind not in sender.says:
        raise MessageRefusedError(f"{kind.__name__} is not for a strategy to say")
    try:
        return as_received(message)
    except Exception as fault:
        raise MessageRefusedError(f"{kind.__name__} with fields as declared wanted: {reason_of(fault)}") from fault
