"""What users construct to talk to a broker themselves, without a trading system: an adapter is a facade.

interface   `BrokerAdapter`, which every broker's adapter implements
orders      what is ordered: `OrderRequest`, `SuperOrderRequest`, `ForeverOrderRequest`; and `BrokerCredentials`
results     what came of a request that does something: four types
once        each order is posted at most once (no actor, no network)
dhan/       `DhanBrokerAdapter`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....domain.lazily import lazily

if TYPE_CHECKING:
    from .dhan.adapter import DhanBrokerAdapter
    from .interface import BrokerAdapter
    from .orders import BrokerCredentials, ForeverLeg, ForeverOrderRequest, OrderRequest, SuperOrderRequest
    from .results import WriteAccepted, WriteNotSent, WriteRefused, WriteResult, WriteUnknown

__all__ = [
    "BrokerAdapter",
    "BrokerCredentials",
    "DhanBrokerAdapter",
    "ForeverLeg",
    "ForeverOrderRequest",
    "OrderRequest",
    "SuperOrderRequest",
    "WriteAccepted",
    "WriteNotSent",
    "WriteRefused",
    "WriteResult",
    "WriteUnknown",
]

_HOMES = {
    ".dhan.adapter": ("DhanBrokerAdapter",),
    ".interface": ("BrokerAdapter",),
    ".orders": ("BrokerCredentials", "ForeverLeg", "ForeverOrderRequest", "OrderRequest", "SuperOrderRequest"),
    ".results": ("WriteAccepted", "WriteNotSent", "WriteRefused", "WriteResult", "WriteUnknown"),
}

__getattr__ = lazily(__name__, _HOMES)
