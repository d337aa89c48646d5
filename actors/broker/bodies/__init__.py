"""The bodies of the broker session: one file a broker, and one line in this table."""

from typing import Final

from ..adapter import BrokerAdapter
from .paper import PaperBroker

BROKERS: Final[dict[str, type[BrokerAdapter]]] = {"paper": PaperBroker}
"""By the name in the settings (`broker.name`)."""
