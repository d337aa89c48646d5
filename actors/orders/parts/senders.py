"""For whom a sender may speak (pure)."""

from __future__ import annotations

from typing import Any

from ....messages.addresses import FLATTENER


def only_strategy(sender: Any) -> str:
    """Return for which strategy alone the sender may speak; empty: for any.

    A strategy's name is that of its address, whatever its messages say. On a foreign base an address has no name.
    """
    return sender.name if getattr(sender, "says", None) is not None else ""


def is_flattener(sender: Any) -> bool:
    """Tell whether the sender is the flattener, which closes positions; no actor of a user can have its name."""
    return getattr(sender, "name", "") == FLATTENER and not getattr(sender, "guest", True)
