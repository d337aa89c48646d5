"""Which members of a pool a message goes to. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

Routing: TypeAlias = Literal["round_robin", "least_loaded", "broadcast", "first_answer"]
"""`round_robin`: one after another. `least_loaded`: the one with the fewest unanswered requests, the first of several.
`broadcast`: all. `first_answer`: all; the sender gets the first answer that is neither `Failed` nor `Unavailable`, or
the last of those where there is no other."""


class ByKey(msgspec.Struct, frozen=True):
    """Consistent hashing: messages of one key go to one member, in order.

    When the pool is resized, or a member is down, only the keys of the members concerned move. `key` is called in the
    pool's turn, for each message; the `repr` of what it returns is hashed, so that must not depend on the process.
    """

    key: Callable[[Any], Hashable]

    def choose(self, names: Sequence[str], message: Any) -> str:
        """Choose one of the names (rendezvous hashing)."""
        written = repr(self.key(message)).encode()
        return max(names, key=lambda name: hashlib.blake2b(written, key=name.encode()[:64], digest_size=8).digest())


class Router:
    """Chooses members, and remembers the last one chosen."""

    def __init__(self, routing: Routing | ByKey) -> None:
        self._routing = routing
        self._last = ""

    def choose(self, loads: Sequence[tuple[str, int]], message: Any) -> Sequence[str]:
        """Return the names of the members that get a message.

        Args:
            loads: name and number of unanswered requests of each running member, in order; not empty.
            message: to be routed.
        """
        names = [name for name, _ in loads]
        match self._routing:
            case "round_robin":
                following = names.index(self._last) + 1 if self._last in names else 0
                self._last = names[following % len(names)]
                return (self._last,)
            case "least_loaded":
                return (min(loads, key=lambda each: each[1])[0],)
            case ByKey() as by_key:
                return (by_key.choose(names, message),)
            case _:
                return names
