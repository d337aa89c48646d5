"""The one codec: every message to bytes and back.

A frame is one version byte and a msgpack array: the message's tag, then its fields in order. A message type evolves by
appending fields with defaults; old bytes then still read. Anything else asks for a new version byte.
"""

import functools
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any, Final, Union, get_args

import msgspec

from . import journal

VERSION = 1
"""Of the frame; the first byte."""

MESSAGE_SIZE_MAX_BYTES = 16 * 1024 * 1024
"""A larger frame is refused unread."""


class UndecodableMessageError(ValueError):
    """The bytes are no message of ours: wrong version, broken msgpack, unknown tag, or a field out of type or range."""


CONVERSATIONS: Final = (
    "accounts",
    "broker",
    "control",
    "database",
    "delivery",
    "events",
    "exchange",
    "health",
    "history",
    "holdings",
    "instruments",
    "journal",
    "kill_switch",
    "log",
    "market",
    "nodes",
    "order_listing",
    "orders",
    "presence",
    "profit",
    "reconciliation",
    "replays",
    "risk",
    "risk_state",
    "settings",
    "strategies",
    "strategy_state",
    "supervision",
    "system",
    "tokens",
    "trace",
    "web",
)
"""The files whose structs are messages."""


def _message_types() -> tuple[type[msgspec.Struct], ...]:
    modules = [import_module(f"{__package__}.{name}") for name in CONVERSATIONS]
    types = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    }
    return tuple(sorted(types, key=lambda message_type: message_type.__name__))


MESSAGE_TYPES: tuple[type[msgspec.Struct], ...] = _message_types()
"""Every message there is, by name."""

FACT_TYPES: tuple[type[msgspec.Struct], ...] = get_args(journal.Fact)
"""The messages that may be journaled."""

_ATOMS = frozenset({bool, bytes, Decimal, float, int, str, type(None)})
"""Types of values that have no others in them."""

_HEADER = bytes([VERSION])
_encoder = msgspec.msgpack.Encoder(decimal_format="string")


class _Decoding:
    """Reads frames' contents; made by the first use, since that takes as long as half of our modules take to load."""

    @functools.cached_property
    def decode(self) -> Callable[[memoryview], Any]:
        """Read any message."""
        return msgspec.msgpack.Decoder(Union[MESSAGE_TYPES]).decode  # noqa: UP007  no operator takes so many


_decoding = _Decoding()


def encode(message: msgspec.Struct) -> bytes:
    """Write a message as a frame.

    Raises:
        TypeError: it is not one of `MESSAGE_TYPES`, or holds a value of a type no message has.
    """
    if type(message) not in _KNOWN:
        wanted = f"a message of natya.messages, found {type(message).__module__}.{type(message).__qualname__}"
        raise TypeError(wanted)
    return _HEADER + _encoder.encode(message)


def decode(frame: bytes | bytearray | memoryview) -> Any:
    """Read one frame.

    Raises:
        UndecodableMessageError: for every kind of hostile or damaged input; the reason says what was found.
    """
    view = memoryview(frame)
    if not 1 < len(view) <= MESSAGE_SIZE_MAX_BYTES:
        reason = f"a frame has 2 to {MESSAGE_SIZE_MAX_BYTES} bytes, found {len(view)}"
        raise UndecodableMessageError(reason)
    if view[0] != VERSION:
        reason = f"frame version {VERSION} wanted, found {view[0]}"
        raise UndecodableMessageError(reason)
    try:
        return _decoding.decode(view[1:])
    # msgspec lets three kinds out: its own (ValidationError is one), invalid UTF-8, and nesting beyond the stack. Our
    # own checks in __post_init__ arrive as ValidationError.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise UndecodableMessageError(str(fault) or type(fault).__name__) from fault


def as_received(message: msgspec.Struct) -> Any:
    """Return a copy of a message as a receiver reads it: each field of the type and in the range its class declares.

    Raises:
        TypeError, ValueError, OverflowError, RecursionError: nobody could read it.
    """
    return decode(encode(message))


def checked(message: msgspec.Struct) -> Any:
    """Return a message as it would be received; the very object if each of its values is of the declared type already.

    Raises:
        TypeError, ValueError, OverflowError, RecursionError: nobody could read it.
    """
    received = as_received(message)
    return message if _is_alike(message, received) else received


def _is_alike(found: Any, arrived: Any) -> bool:
    """Tell whether two that are written alike are of the same types all through."""
    if type(found) is not type(arrived):
        return type(found) is int and type(arrived) is float  # a whole number of rupees
    match arrived:
        case msgspec.Struct():
            left, right = msgspec.structs.astuple(found), msgspec.structs.astuple(arrived)
            kinds = [*map(type, right)]
            if _ATOMS.issuperset(kinds) and [*map(type, left)] == kinds:  # as a rule: a quarter of the time of the next
                return True
            return all(map(_is_alike, left, right))
        case tuple():
            return all(map(_is_alike, found, arrived))
        case dict():
            return all(map(_is_alike, found.items(), arrived.items()))
    return True


_KNOWN = frozenset(MESSAGE_TYPES)
