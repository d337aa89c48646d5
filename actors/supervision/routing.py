"""Which members of a pool a message goes to. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

Routing: TypeAlias = Literal["round_robin", "least_loaded", "broadcast", "first_answer"]
"""`round_robin`: each in its turn. `least_loaded`: the one with the fewest requests unanswered, wherever it runs; of
several the first. `broadcast`: all. `first_answer`: all; the sender gets the first answer that is neither `Failed` nor
`Unavailable`, and the last of those where no member has another."""


class ByKey(msgspec.Struct, frozen=True):
    """Consistent hash: messages of one key go to one member, in their order.

    When the pool is resized, or a member is down, only the keys of the members concerned move. `key` is called in the
    pool, for each message; a key is hashed by what it is written as (`repr`).
    """

    key: Callable[[Any], Hashable]

    def choose(self, names: Sequence[str], message: Any) -> str:
        """Choose one of the names (rendezvous hashing)."""
        written = repr(self.key(message)).encode()
        return max(names, key=lambda name: hashlib.blake2b(written, key=name.encode()[:64], digest_size=8).digest())


class Router:
    """Chooses, and remembers whose turn it is."""

    def __init__(self, routing: Routing | ByKey) -> None:
        self._routing = routing
        self._last = ""

    def choose(self, loads: Sequence[tuple[str, int]], message: Any) -> Sequence[str]:
        """Choose among the members that are up, by name and load, in their order; one at least."""
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
