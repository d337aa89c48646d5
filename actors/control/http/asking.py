"""What the application asks of the control actor, from the server's thread; and who holds the system, from its own."""

from __future__ import annotations

from typing import Any

import msgspec


class Operate(msgspec.Struct, frozen=True, kw_only=True):
    """Carry out an operation; answered by what its actor says, or by `AskRefused`."""

    operation: str
    """Its name."""

    actor: str
    message: Any
    timeout_s: float

    client: str
    """Who asks: address and port, or words, of who holds the system."""

    traceparent: str = ""
    """The place in another system's trace that this goes on from, as the W3C's header says; empty: none."""
