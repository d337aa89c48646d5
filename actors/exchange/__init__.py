"""The paper exchange: fills orders at the prices of the recorded or synthetic market.

actor        `ExchangeActor`: the exchange of paper trading, asked by message; settings; recovery: its resting orders
serving      `AccountActor`: an account as a broker keeps it, for whoever speaks the broker's protocol
calls        what is asked of it
remembering  which facts of the journal are those of the account
matching     our orders against the market (pure)
faults       which request meets which fault, on demand (pure); stream_faults: which opening or frame of a socket does
drawing      whether a fault falls, by a seed (pure)
account      orders, positions, holdings and money of one client (pure)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .actor import ExchangeActor
    from .serving import AccountActor, AccountActorSettings
    from .settings import ExchangeActorSettings

__all__ = ["AccountActor", "AccountActorSettings", "ExchangeActor", "ExchangeActorSettings"]

_HOMES = {
    ".actor": ("ExchangeActor",),
    ".serving": ("AccountActor", "AccountActorSettings"),
    ".settings": ("ExchangeActorSettings",),
}

__getattr__ = lazily(__name__, _HOMES)
