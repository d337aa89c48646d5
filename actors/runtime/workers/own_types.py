"""Message types of an actor's author, on their way to its worker process and from it.

Natya's own messages are told apart by their tags, which a user's have not. So each travels as its class's path and its
bytes, and both ends read it with a class that their copy of the actor names in `wire_types`: nothing is imported, nor
made, by what a frame says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....messages.codec import MESSAGE_TYPES
from .errors import NotHostableError

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN_TAG: Final = "own"


class Own(msgspec.Struct, frozen=True, array_like=True, tag=OWN_TAG):
    """One message of such a type."""

    kind: str
    """`module:Class`."""

    written: bytes
    """Its fields, as msgpack."""


class OwnTypes:
    """Writes and reads the messages of an actor's `wire_types`."""

    def __init__(self, types: Iterable[Any] = ()) -> None:
        """Make the readers.

        Raises:
            NotHostableError: one of them is no msgspec Struct, or has fields that msgspec cannot read.
        """
        self._kinds: dict[type, str] = {}
        self._readers: dict[str, msgspec.msgpack.Decoder[Any]] = {}
        for each in types:
            if not (isinstance(each, type) and issubclass(each, msgspec.Struct)):
                raise NotHostableError(f"wire_types names msgspec Structs, found {each!r:.200}")
            if each in MESSAGE_TYPES:
                continue
            kind = self._kinds[each] = f"{each.__module__}:{each.__qualname__}"
            try:
                self._readers[kind] = msgspec.msgpack.Decoder(each)
            except (TypeError, NameError) as fault:
                raise NotHostableError(f"{kind} of wire_types cannot be read from a wire: {fault}") from fault

    def __contains__(self, message_type: type) -> bool:
        return message_type in self._kinds

    def are_in(self, messages: list[Any]) -> bool:
        """Tell whether one of the messages is of these types."""
        return bool(self._kinds) and not self._kinds.keys().isdisjoint(map(type, messages))

    def packed(self, message: Any, encoder: msgspec.msgpack.Encoder) -> Any:
        """Return a message as it travels; one of natya's as it is."""
        kind = self._kinds.get(type(message))
        return message if kind is None else Own(kind, encoder.encode(message))

    def read(self, own: Own) -> Any:
        """Read a message, with the types and ranges of its class.

        Raises:
            ValueError: it is not as its class declares, or of none of these types.
        """
        reader = self._readers.get(own.kind)
        if reader is None:
            raise ValueError(f"one of the actor's wire_types is wanted ({', '.join(self._readers)}), found {own.kind}")
        try:
            return reader.decode(own.written)
        except RecursionError as fault:
            raise ValueError(str(fault)) from fault


NONE: Final = OwnTypes()
