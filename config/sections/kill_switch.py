"""[kill_switch]: the file that halts everything, and what follows."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Section


class KillSwitchSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that halts everything, and what follows."""

    TABLE: ClassVar[str] = "kill_switch"

    path: str
    """A second file that, like `HALT` in the data directory, stops all orders while it exists; empty: none."""

    look_interval_s: Annotated[float, Meta(gt=0, le=86_400)]
    """Time between two looks for these files; they are also looked for right before each order."""

    heartbeat_interval_s: Annotated[float, Meta(ge=0, le=3_600)]
    """How often the system proves by the file `heartbeat` that orders and the journal work; 0: never."""

    keeps_stops: bool
    """Whether a halt, and the dead-man's switch, leave stops that protect a position when they cancel all else."""

    at_broker: bool
    """Whether the broker's own switch follows once nothing is held or open: it ends the account's day for all."""

    loss_exit_times: Annotated[float, Meta(ge=0, le=100)]
    """Multiple of `orders.day_loss_max_rupees`, above 2 since trading halts there, at which the broker itself closes
    every position of the account; 0: never."""


def loss_exit_rupees(day_loss_max_rupees: float, times: float) -> float:
    """Return the day's loss in rupees, to the paisa, at which the broker itself closes all; 0: never."""
    return round(day_loss_max_rupees * times, 2)
