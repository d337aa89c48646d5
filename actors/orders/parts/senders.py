"""For whom a sender may speak (pure)."""

from __future__ import annotations

from typing import Any

from ....messages.addresses import FLATTENER


def only_strategy(sender: Any) -> str:
    """Return for which strategy alone the sender may speak; empty: for any.

    The name of a strategy is that of its address, whatever it says of itself. On a foreign base addresses name nobody.
    """
    return sender.name if getattr(sender, "says", None) is not None else ""


def is_flattener(sender: Any) -> bool:
    """Tell whether it is the system's own closer of positions; no strategy or actor of a user has its name."""
    return getattr(sender, "name", "") == FLATTENER and not getattr(sender, "guest", True)
