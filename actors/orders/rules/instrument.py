"""Rules on what may be traded, and when (pure)."""

from __future__ import annotations

from ....domain.instruments import is_symbol
from ....domain.time import SECOND_NS
from ....domain.venues import session_of_symbol, venue_of_symbol
from ....domain.wording import printable
from ....messages.orders import SubmitOrder
from .situation import Situation


def symbol(order: SubmitOrder, situation: Situation) -> str:
    """Open only what the settings name: a symbol, the beginning of symbols and a `*`, or `*` for all.

    If they name nothing, nothing may be opened. What is held may be closed, whatever they name.
    """
    if not is_symbol(order.symbol):
        return f"a symbol wanted, found {printable(order.symbol)!r}"
    allowed = situation.limits.symbols
    if "*" in allowed or order.symbol in allowed or _is_named(order.symbol, allowed) or not situation.opens(order):
        return ""
    if not allowed:
        found = printable(order.symbol)
        return f'a symbol named in orders.symbols ("*" for all) wanted, found {found!r}, and none is named there'
    return f"one of {len(allowed)} named in orders.symbols wanted, found {printable(order.symbol)!r}"


def _is_named(symbol: str, allowed: tuple[str, ...]) -> bool:
    return any(each.endswith("*") and symbol.startswith(each[:-1]) for each in allowed)


def session(order: SubmitOrder, situation: Situation) -> str:
    """Let orders pass in the sessions of the exchange only, and in the last minutes of one only those that close.

    What is named with another exchange (`MCX:…`), or is of currencies, has the sessions of that. Shares that
    derivatives are of have a closing auction, in whose entry orders pass that have a place in it.
    """
    exchange, last_s = situation.limits.session, situation.limits.no_opens_last_s
    if exchange == "none":
        return ""
    now_ns = situation.now_ns
    found = session_of_symbol(order.symbol, now_ns, exchange)
    if found is not None:
        begins_ns, ends_ns = found.spans[-1]
        if begins_ns <= now_ns < ends_ns - last_s * SECOND_NS:
            return ""
    if found is not None and found.closing is not None and found.closing.is_on(now_ns):
        if fault := found.closing.fault(order.order_type, time_ns=now_ns, validity=order.validity):
            return fault
    elif found is None or not found.has(now_ns):
        return f"a session of {venue_of_symbol(order.symbol, exchange).exchange} wanted, found it closed"
    if not last_s or now_ns < found.close_ns - last_s * SECOND_NS or not situation.opens(order):
        return ""
    return f"an order that closes wanted in the last {last_s:g} s of a session, found one that opens"
