"""Which method handles which message: declared with `@handles`, looked up in one table for each class.

`Actor.receiveMessage` of Thespian's own dispatcher walks the inheritance of both sides for every message, about 900 ns;
a dict keyed by the message's exact type takes 80.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_VARARGS
from typing import Any, Final, TypeAlias, TypeVar

Handler: TypeAlias = Callable[[Any, Any, Any], object]
"""Called with the actor's instance, the message, and the sender's address."""

_Method = TypeVar("_Method", bound=Callable[..., Any])

_MARK = "_handles_types"
_WHEN = "_handles_when"
CHECKS_ITSELF = "_checks_itself"
FROM_OUTSIDE = "_from_outside"
READS_BACK = "_reads_back"

_NEVER_RUN: Final = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR
"""A call of such a function runs nothing of its body."""

_ARGUMENTS: Final = 3
"""Of a handler: the actor, the message, its sender."""


def handles(
    *message_types: type,
    when: str | None = None,
    checks_itself: bool = False,
    from_outside: bool = False,
    reads_back: bool = False,
) -> Callable[[_Method], _Method]:
    """Declare a method of a `RuntimeActor` as the handler of exactly these message types (not of their subclasses).

    With `when` it is the handler only while the actor has that behavior (`RuntimeActor.become`); one without is the
    handler in every other. A subclass that declares another handler for a type replaces the inherited one: without
    `when` all that are inherited, else the one for that behavior. Of an actor of ours (see `door`):
    `checks_itself`: the handler validates these messages itself, from any sender. `from_outside`: the program that runs
    the system may send these types, although they have no wire form. `reads_back`: the handler serialises the whole
    message, and acts only on what it decodes from that; so before it, only the sender's permission is checked.

    Raises:
        TypeError: no message type is named, the method cannot be called as a handler, or it is declared as one already.
    """
    if not message_types or not all(isinstance(each, type) for each in message_types):
        raise TypeError(f"@handles wants at least one message type, as in @handles(Ping), found {message_types!r}")

    def mark(method: _Method) -> _Method:
        _expect_handler(method)
        setattr(method, _MARK, message_types)
        setattr(method, _WHEN, when)
        setattr(method, CHECKS_ITSELF, checks_itself)
        setattr(method, FROM_OUTSIDE, from_outside)
        setattr(method, READS_BACK, reads_back)
        return method

    return mark


def _expect_handler(method: Any) -> None:
    """Refuse, where it is written, what would fail with each message, or do nothing and leave senders waiting."""
    code, name = getattr(method, "__code__", None), getattr(method, "__qualname__", repr(method))
    if hasattr(method, _MARK):
        raise TypeError(f"{name}: all its types in one @handles(…, …) are wanted, found a second one")
    if code is None:  # whatever else can be called
        return
    if code.co_flags & _NEVER_RUN:
        why = "an actor never waits: it offloads what blocks, and asks with `then`"
        raise TypeError(f"{name}: a handler is a plain function, found a coroutine or a generator ({why})")
    needed = code.co_argcount - len(method.__defaults__ or ())
    named = code.co_argcount + code.co_kwonlyargcount
    by_name = set(code.co_varnames[code.co_argcount : named]).difference(method.__kwdefaults__ or ())
    if by_name or not needed <= _ARGUMENTS <= (_ARGUMENTS if code.co_flags & CO_VARARGS else code.co_argcount):
        raise TypeError(f"{name}: a handler takes (self, message, sender), found {code.co_varnames[:named]}")


class HandlerTable(dict[type, Handler]):
    """Message type to handler, for one actor class. A type without a handler maps to `unhandled`.

    Raises:
        TypeError: two methods of one class declare the same message type.
    """

    def __init__(self, actor_class: type, unhandled: Handler) -> None:
        super().__init__()
        self._unhandled = unhandled
        declared: dict[type, dict[str | None, Handler]] = {}
        for ancestor in reversed(actor_class.__mro__):
            for message_type, handlers in _declared(ancestor).items():
                inherited = {} if None in handlers else declared.get(message_type, {})
                declared[message_type] = inherited | handlers
        self.behaviors: frozenset[str] = frozenset(
            when for each in declared.values() for when in each if when is not None
        )
        """The behaviors that a handler names (`when`)."""

        for message_type, handlers in declared.items():
            self[message_type] = _by_behavior(message_type, handlers, unhandled)

    def has(self, message_type: type) -> bool:
        """Return whether a handler is declared for the type."""
        return self.get(message_type, self._unhandled) is not self._unhandled

    def behind(self, door: Callable[[Handler], Handler]) -> HandlerTable:
        """Return a copy in which every handler stands behind a door."""
        table = HandlerTable(object, self._unhandled)
        table.behaviors = self.behaviors
        table.update({message_type: door(handler) for message_type, handler in self.items()})
        return table

    def __missing__(self, message_type: type) -> Handler:
        # Kept, so that the second such message costs no more than any other.
        self[message_type] = self._unhandled
        return self._unhandled


def _by_behavior(message_type: type, handlers: dict[str | None, Handler], unhandled: Handler) -> Handler:
    """Combine the handlers of one type, by behavior, to one; a single one without `when` is returned as it is."""
    if handlers.keys() == {None}:
        return handlers[None]
    otherwise = handlers.get(None, unhandled)
    for flag in (CHECKS_ITSELF, FROM_OUTSIDE, READS_BACK):  # which senders are admitted must not depend on it
        if len({getattr(handler, flag) for handler in handlers.values()}) > 1:
            raise TypeError(f"all handlers of {message_type.__name__} by behavior declare {flag[1:]}, or none")

    @functools.wraps(next(iter(handlers.values())))
    def choose(actor: Any, message: Any, sender: Any) -> object:
        return handlers.get(actor.behavior, otherwise)(actor, message, sender)

    return choose


def _declared(actor_class: type) -> dict[type, dict[str | None, Handler]]:
    table: dict[type, dict[str | None, Handler]] = {}
    for method in vars(actor_class).values():
        for message_type in getattr(method, _MARK, ()):
            handlers, when = table.setdefault(message_type, {}), getattr(method, _WHEN)
            if when in handlers:
                first, second = handlers[when].__name__, method.__name__
                at = "" if when is None else f" when it is {when!r}"
                raise TypeError(f"{actor_class.__name__}.{first} and .{second} both handle {message_type.__name__}{at}")
            handlers[when] = method
    return table
