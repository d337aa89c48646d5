"""Which method handles which message: declared with `@handles`, looked up in one table for each class.

`Actor.receiveMessage` of Thespian's own dispatcher walks the inheritance of both sides for every message, about 900 ns;
a dict keyed by the message's exact type takes 80.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

Handler: TypeAlias = Callable[[Any, Any, Any], object]
"""Called with the actor's instance, the message, and the sender's address."""

_Method = TypeVar("_Method", bound=Callable[..., Any])

_MARK = "_handles_types"
CHECKS_ITSELF = "_checks_itself"
FROM_OUTSIDE = "_from_outside"


def handles(
    *message_types: type, checks_itself: bool = False, from_outside: bool = False
) -> Callable[[_Method], _Method]:
    """Declare a method of a `RuntimeActor` as the handler of exactly these message types (not of their subclasses).

    A subclass that declares another handler for a type replaces the inherited one. Of an actor of ours (see `door`):
    `checks_itself`: the handler takes anything of these types from anyone; nobody looks at it before. `from_outside`:
    whoever runs the system may send these types, although no wire brings them.
    """
    if not message_types or not all(isinstance(each, type) for each in message_types):
        raise TypeError(f"@handles wants at least one message type, found {message_types!r}")

    def mark(method: _Method) -> _Method:
        setattr(method, _MARK, message_types)
        setattr(method, CHECKS_ITSELF, checks_itself)
        setattr(method, FROM_OUTSIDE, from_outside)
        return method

    return mark


class HandlerTable(dict[type, Handler]):
    """Message type to handler, for one actor class. A type nobody handles maps to `unhandled`.

    Raises:
        TypeError: two methods of one class declare the same message type.
    """

    def __init__(self, actor_class: type, unhandled: Handler) -> None:
        super().__init__()
        self._unhandled = unhandled
        for ancestor in reversed(actor_class.__mro__):
            self.update(_declared(ancestor))

    def has(self, message_type: type) -> bool:
        """Tell whether a handler is declared for it."""
        return self.get(message_type, self._unhandled) is not self._unhandled

    def behind(self, door: Callable[[Handler], Handler]) -> HandlerTable:
        """Return a copy in which every handler stands behind a door."""
        table = HandlerTable(object, self._unhandled)
        table.update({message_type: door(handler) for message_type, handler in self.items()})
        return table

    def __missing__(self, message_type: type) -> Handler:
        # Kept, so that the second such message costs no more than any other.
        self[message_type] = self._unhandled
        return self._unhandled


def _declared(actor_class: type) -> dict[type, Handler]:
    table: dict[type, Handler] = {}
    for method in vars(actor_class).values():
        for message_type in getattr(method, _MARK, ()):
            if message_type in table:
                first, second = table[message_type].__name__, method.__name__
                raise TypeError(f"{actor_class.__name__}.{first} and .{second} both handle {message_type.__name__}")
            table[message_type] = method
    return table
