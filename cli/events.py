"""What the commands about domain events share: asking the delivery of the running system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exit_codes import FAILED
from .session import give_up

if TYPE_CHECKING:
    from ..client import Connection
    from ..messages.delivery import DeliveryStatistics


def ask_delivery(system: Connection) -> DeliveryStatistics:
    """Ask for the counts of delivery, and for the state of each durable subscription and each replay."""
    from ..messages.addresses import DELIVERY  # noqa: PLC0415
    from ..messages.delivery import DeliveryStatistics  # noqa: PLC0415
    from ..messages.system import Ping, Pong  # noqa: PLC0415

    answer = system.request(DELIVERY, Ping())
    found = answer.statistics if isinstance(answer, Pong) else None
    if not isinstance(found, DeliveryStatistics):
        give_up(f"delivery did not say what it counts: {answer}", FAILED)
    return found
