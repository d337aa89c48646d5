"""[kill_switch]: the file that halts everything, and what follows."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Section


class KillSwitchSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that halts everything, and what follows."""

    TABLE: ClassVar[str] = "kill_switch"

    path: str
    """While this file exists no order leaves, as with `HALT` in the data directory; empty: that one alone."""

    look_interval_s: Annotated[float, Meta(gt=0, le=86_400)]
    """How often it is looked for. Right before an order leaves it is looked for besides."""

    heartbeat_interval_s: Annotated[float, Meta(ge=0, le=3_600)]
    """How often the system proves by the file `heartbeat` that orders and the journal work; 0: never."""

    keeps_stops: bool
    """Whether stops that only make smaller what is held stay where all orders are cancelled: by a halt, or by the
    dead-man's switch."""

    at_broker: bool
    """Whether the broker's own switch follows, once nothing is held or open: it ends the day of the whole account."""

    loss_exit_times: Annotated[float, Meta(ge=0, le=100)]
    """Times `orders.day_loss_max_rupees`, above 2 since ours halts there: at such a loss of the day the broker itself
    closes all of the account, whoever holds it; 0: it is not asked to."""


def loss_exit_rupees(day_loss_max_rupees: float, times: float) -> float:
    """Return at which loss of the day the broker itself is to close all, on the paisa; 0: at none."""
    return round(day_loss_max_rupees * times, 2)
