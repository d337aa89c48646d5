"""The broker session: places each order at most once, and reports an order in doubt as such.

actor           the session; body: what one must do; intake: what is believed of a body (pure); left: what it sent
bodies/         one file or folder a broker
adapters/       what users construct
access_token    the token in use; token_keeper: the actor that has it replaced; stored_secrets: what a person stores
running         what a program in the process of a system may ask of it
updates         the owner of the socket of order updates
errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily
from .access_token import AccessToken, TokenDeadError, TokenSource
from .actor import BrokerActor
from .bodies import BROKERS, broker_of
from .body import BrokerBody, BrokerEvent, BrokerSession
from .errors import BrokerError, TokenRefusedError
from .token_keeper import TokenKeeper, TokenKeeperSettings
from .updates import UpdatesActor, UpdatesSettings

if TYPE_CHECKING:
    from .bodies.dhan.charts import chart_answer, chart_call
    from .bodies.dhan.service import service_of
    from .bodies.dhan.tokens import DhanTokens
    from .running import RunningBroker

__all__ = [
    "BROKERS",
    "AccessToken",
    "BrokerActor",
    "BrokerBody",
    "BrokerError",
    "BrokerEvent",
    "BrokerSession",
    "DhanTokens",
    "RunningBroker",
    "TokenDeadError",
    "TokenKeeper",
    "TokenKeeperSettings",
    "TokenRefusedError",
    "TokenSource",
    "UpdatesActor",
    "UpdatesSettings",
    "broker_of",
    "chart_answer",
    "chart_call",
    "service_of",
]

__getattr__ = lazily(
    __name__,
    {
        ".bodies.dhan.charts": ("chart_answer", "chart_call"),
        ".bodies.dhan.service": ("service_of",),
        ".bodies.dhan.tokens": ("DhanTokens",),
        ".running": ("RunningBroker",),
    },
)
