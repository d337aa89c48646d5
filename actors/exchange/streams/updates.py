"""An order as the socket of order updates tells it: camel case, zeros left out, the status in title case. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....domain.dhan.moments import moment_of
from ....domain.dhan.streams.order_updates import ORDER_ALERT
from ..account import BRACKETED

if TYPE_CHECKING:
    from ....messages.exchange import AccountOrder, AccountTrade
    from ..account import Listing

_EXCHANGES: Final = {"NSE": "NSE", "BSE": "BSE", "MCX": "MCX"}
_KINDS: Final = {"EQ": "E", "FNO": "D", "CURRENCY": "C", "COMM": "M"}
_PRODUCTS: Final = {"CNC": "C", "INTRADAY": "I", "MARGIN": "M", "MTF": "F", "CO": "V", "BO": "B"}
_TYPES: Final = {"LIMIT": "LMT", "MARKET": "MKT", "STOP_LOSS": "SL", "STOP_LOSS_MARKET": "SLM"}
_LEGS: Final = {"ENTRY_LEG": 1, "STOP_LOSS_LEG": 2, "TARGET_LEG": 3}
_STATUSES: Final = {"PART_TRADED": "Pending"}
"""A partial fill is a pending order with a traded quantity; the others are their own words, in title case."""

NO_TIME: Final = "0001-01-01 00:00:00"


def update_of(
    order: AccountOrder,
    *,
    client_id: str,
    listing: Listing | None,
    trade: AccountTrade | None = None,
    is_modified: bool = False,
) -> bytes:
    """Write one message.

    Args:
        order: as it stands now.
        client_id: whose it is.
        listing: of its instrument; None: it is listed no more.
        trade: its newest.
        is_modified: whether a change of it is what is told.
    """
    segment, security_id = order.instrument
    exchange, _, kind = segment.partition("_")
    definition = None if listing is None else listing.reference
    status = "Modified" if is_modified else _STATUSES.get(order.status, order.status.title())
    data: dict[str, Any] = {
        "exchange": _EXCHANGES.get(exchange, exchange),
        "segment": _KINDS.get(kind, "E"),
        "source": "P",
        "securityId": security_id,
        "clientId": client_id,
        "exchOrderNo": order.exchange_order_id or "0",
        "orderNo": order.order_id,
        "product": _PRODUCTS.get(order.product, order.product),
        "txnType": order.side[0],
        "orderType": _TYPES[order.order_type],
        "validity": order.validity,
        "discQuantity": order.disclosed_quantity,
        "remainingQuantity": order.remaining_quantity,
        "quantity": order.quantity,
        "tradedQty": order.filled_quantity,
        "price": order.limit_price,
        "triggerPrice": order.trigger_price,
        "tradedPrice": 0.0 if trade is None else trade.price,
        "avgTradedPrice": order.average_price,
        "algoOrdNo": order.parent_id,
        "offMktFlag": "1" if order.amo_time else "0",
        "orderDateTime": _time(order.created_ns),
        "exchOrderTime": _time(order.exchange_ns),
        "lastUpdatedTime": _time(order.updated_ns or order.created_ns),
        "remarks": "Super Order" if order.leg and order.product not in BRACKETED else "NR",
        "mktType": "NL",
        "reasonDescription": order.reason or ("TRADE CONFIRMED" if order.filled_quantity else "CONFIRMED"),
        "legNo": _LEGS.get(order.leg, 1),
        "instrument": "EQUITY" if definition is None else definition.instrument_type,
        "symbol": order.symbol if definition is None else definition.trading_symbol or order.symbol,
        "productName": order.product,
        "status": status,
        "lotSize": 1 if definition is None else definition.lot_size,
        "strikePrice": 0.0 if definition is None else definition.strike_rupees,
        "expiryDate": NO_TIME if definition is None or definition.expiry is None else f"{definition.expiry} 00:00:00",
        "optType": "XX" if definition is None else definition.option_type or "XX",
        "displayName": order.symbol if definition is None else definition.display_name or order.symbol,
        "isin": "NA" if definition is None else definition.isin or "NA",
        "series": "EQ" if kind == "EQ" else "XX",
        "goodTillDaysDate": _time(order.created_ns)[:10],
        "tickSize": 0.0 if definition is None else definition.tick_size_rupees,
        "algoId": "0",
        "multiplier": 1,
        "correlationId": order.correlation_id or "NA",
    }
    told = {key: value for key, value in data.items() if value or isinstance(value, str)}
    return msgspec.json.encode({"Data": told, "Type": ORDER_ALERT})


def _time(time_ns: int) -> str:
    return moment_of(time_ns).isoformat(" ", "seconds") if time_ns else NO_TIME
