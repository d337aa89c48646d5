"""The door of our own actors: validates the messages of guests before a handler sees them.

A guest is an untrusted sender: one whose code is not of this package (a strategy, any other actor of a user, a caller
from outside). A guest's message that is ill-typed, out of range, or of a type that this guest may not send, is a dead
letter and is answered `Failed`; no handler is called. Messages between our own actors are trusted: they cost one check
of the sender.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...messages.codec import MESSAGE_TYPES, as_received
from .dispatch import CHECKS_ITSELF, FROM_OUTSIDE, READS_BACK, Handler, HandlerTable
from .errors import MessageRefusedError, reason_of

if TYPE_CHECKING:
    from .context import ActorContext, HostedActor

_ACTORS = __package__.rpartition(".")[0]
OURS = f"{_ACTORS}.", f"{_ACTORS.rpartition('.')[0]}.backtest."
"""Prefixes of the names of the modules whose actors are trusted."""

_VOCABULARY = frozenset(MESSAGE_TYPES)


def is_ours(described: Any) -> bool:
    """Return whether a class or a function belongs to this package."""
    return str(described.__module__).startswith(OURS)


def front_of(actor_class: type[HostedActor], base: type) -> HandlerTable:
    """Return the handler table of a class: of owners and strategies, with a door before our own handlers.

    A user's actor that inherits nothing of ours but `base` has no door: its author decides what it accepts.
    """
    table = actor_class.handler_table
    rooms = (each for each in actor_class.__mro__ if each is not base and issubclass(each, base))
    return table.behind(door) if any(map(is_ours, rooms)) else table


def door(handler: Handler) -> Handler:
    """Return a handler that validates guests' messages and then calls this one."""
    if getattr(handler, CHECKS_ITSELF, False) or not is_ours(handler):
        return handler

    from_outside, reads_back = getattr(handler, FROM_OUTSIDE, False), getattr(handler, READS_BACK, False)

    def enter(actor: HostedActor, message: Any, sender: Any) -> None:
        if sender.guest and sender is not actor.host:
            message = admitted(actor.host, message, sender, from_outside=from_outside, reads_back=reads_back)
            if message is None:
                return
        handler(actor, message, sender)

    return enter


def admitted(
    context: ActorContext, message: Any, sender: Any, *, from_outside: bool = False, reads_back: bool = False
) -> Any:
    """Return a guest's message as if decoded from the wire; None if it was refused."""
    if type(message) not in _VOCABULARY and (sender is context.parent or (from_outside and sender.says is None)):
        return message
    try:
        expect_sayable(message, sender)
        return message if reads_back else as_declared(message)
    except MessageRefusedError as refusal:
        context.turn_away(message, sender, refusal)
        return None


def expect_sayable(message: Any, sender: Any) -> None:
    """Check that this sender may send this message.

    Raises:
        MessageRefusedError: it may not, or the message is not one of `natya.messages`.
    """
    kind = type(message)
    if kind not in _VOCABULARY:
        raise MessageRefusedError(f"{kind.__name__} is not for others to say")
    if sender.says is not None and kind not in sender.says:
        raise MessageRefusedError(f"{kind.__name__} is not for a strategy to say")


def as_declared(message: Any) -> Any:
    """Return a copy of a message, its fields validated against the types and ranges that its class declares.

    Raises:
        MessageRefusedError: a field has another type or is out of range.
    """
    try:
        return as_received(message)
    except Exception as fault:
        raise refusal_of(type(message).__name__, reason_of(fault)) from fault


def refusal_of(kind: str, reason: str) -> MessageRefusedError:
    """Return the error for a message that is not as its class declares."""
    return MessageRefusedError(f"{kind or 'A message'} with fields as declared wanted: {reason}")
