"""Addresses of this process by number, so that the other process can reply to them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from ..endpoint import Endpoint
from .wire import ACTOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..endpoint import Envelope

NUMBERED_MAX: Final = 100_000
"""Senders that are remembered; beyond it the oldest is forgotten, and replies to it are dropped."""


class Addresses:
    """Numbers for senders. Written by one thread, read by another: each step is one atomic operation of a dict."""

    def __init__(self) -> None:
        self._actor: Any = None
        self._next = itertools.count(ACTOR + 1)
        self._by_number: dict[int, Any] = {}
        self._numbers: dict[Any, int] = {}

    def be(self, actor: Any) -> None:
        """Set the address that stands for the worker's actor here, number `ACTOR`."""
        self._actor = actor

    def number(self, address: Any) -> int:
        """Return the number of an address, a new one if need be."""
        if address is self._actor:
            return ACTOR
        number = self._numbers.get(address)
        if number is None:
            number = next(self._next)
            self._numbers[address] = number
            self._by_number[number] = address
            if len(self._by_number) > NUMBERED_MAX:
                self._forget(next(iter(self._by_number)))
        return number

    def find(self, number: int) -> Any:
        """Return the address; None if the number is unknown. One that takes a single answer is returned once."""
        if number == ACTOR:
            return self._actor
        address = self._by_number.get(number)
        if getattr(address, "wants_answer", False):
            self._forget(number)
        return address

    def _forget(self, number: int) -> None:
        address = self._by_number.pop(number, None)
        self._numbers.pop(address, None)


class Far(Endpoint):
    """An address of the other process. `send` is called with each message for it."""

    __slots__ = ("_send", "background", "guest", "name", "says", "target", "wants_answer")

    idle = False

    def __init__(
        self,
        target: int | str,
        send: Callable[[Far, Envelope], object],
        *,
        wants_answer: bool,
        of: Endpoint | None = None,
        background: bool = False,
    ) -> None:
        """Create one, of that actor there, whose name it has; None: the other process has validated its messages.

        A request of the actor's comes in its name, as `ActorReply` does here: for whom it may speak goes by that.
        """
        super().__init__(f"far {target}")
        self.guest = of is not None and of.guest
        self.says = None if of is None else of.says
        self.name = str(target) if of is None else getattr(of, "name", str(target))
        self.target: Final = target
        self.wants_answer = wants_answer
        self.background = background
        self._send = send

    def put(self, envelope: Envelope) -> None:
        """Send the message there."""
        self._send(self, envelope)
