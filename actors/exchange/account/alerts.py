"""Conditional orders: an alert waits for a price or a technical indicator, and then sends its orders.

An indicator is looked at when a candle of its length is over, and is not known before the exchange itself has shown as
many candles as it needs: until then the alert waits. A crossing is one between the last two candles. In a process that
goes on with an account, averages that never forget are known when what they lack weighs nothing (`settles_in`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Final, get_args

from msgspec.structs import replace

from ....domain.dhan.trading.alerts import Indicator
from ....domain.time import DAY_NS, day_start_ns, number_of_day
from ....messages.exchange import Alert, AlertCondition, AlertOrder
from .candles import FRAMES, Candles
from .checks import check_prices
from .refusals import Refused, expect_quantity, unknown, wrong
from .requests import Ticket

if TYPE_CHECKING:
    from ....messages.exchange import Instrument
    from .core import Core
    from .orders import Orders
    from .requests import AlertModification, AlertTicket

ALERT_PREFIX: Final = "7"
ORDERS_MAX: Final = 15
LIFE_NS: Final = 365 * DAY_NS

OPERATORS: Final[dict[str, Callable[[float, float, float], bool]]] = {
    "CROSSING_UP": lambda before, last, value: before < value <= last,
    "CROSSING_DOWN": lambda before, last, value: before > value >= last,
    "CROSSING_ANY_SIDE": lambda before, last, value: before < value <= last or before > value >= last,
    "GREATER_THAN": lambda _, last, value: last > value,
    "LESS_THAN": lambda _, last, value: last < value,
    "GREATER_THAN_EQUAL": lambda _, last, value: last >= value,
    "LESS_THAN_EQUAL": lambda _, last, value: last <= value,
    "EQUAL": lambda _, last, value: last == value,
    "NOT_EQUAL": lambda _, last, value: last != value,
}
"""Whether the condition holds, given the previous price, the last price and the value."""

PRICE: Final = "PRICE_WITH_VALUE"
INDICATORS: Final[tuple[str, ...]] = get_args(Indicator)
TECHNICAL: Final = ("TECHNICAL_WITH_VALUE", "TECHNICAL_WITH_INDICATOR", "TECHNICAL_WITH_CLOSE")
SEGMENTS: Final = frozenset({"NSE_EQ", "BSE_EQ", "IDX_I"})
"""Segments of instruments that a condition may be on."""


class Alerts:
    """The alerts of an account."""

    def __init__(self, core: Core, orders: Orders) -> None:
        self._core = core
        self._orders = orders
        self._active: dict[Instrument, set[str]] = {}
        """Ids of waiting alerts, by their instrument, which may not be listed yet."""

        self._candles: dict[Instrument, Candles] = {}
        self._goes_on = False

    def resume(self) -> None:
        """Watch the alerts of an earlier run."""
        self._goes_on = bool(self._core.state.day)
        for row in self._core.state.alerts.values():
            self._watch(row)

    def place(self, ticket: AlertTicket) -> Alert:
        """Place an alert.

        Raises:
            Refused: nothing was placed.
        """
        core = self._core
        self._check(ticket.condition)
        self._check_orders(ticket.orders)
        row = Alert(
            alert_id=core.new_id(ALERT_PREFIX),
            condition=ticket.condition,
            orders=ticket.orders,
            created_ns=core.now_ns,
            last_price=self._last_price(ticket.condition),
            expires_ns=self._expires_ns(ticket.condition),
        )
        self._do(row)
        return row

    def modify(self, change: AlertModification) -> Alert:
        """Restate a waiting alert.

        Raises:
            Refused: nothing has changed.
        """
        row = self._found(change.alert_id)
        self._check(change.condition)
        orders = row.orders if change.orders is None else change.orders
        self._check_orders(orders)
        known = row.last_price if change.condition.instrument == row.condition.instrument else 0.0
        changed = replace(
            row,
            condition=change.condition,
            orders=orders,
            last_price=self._last_price(change.condition) or known,
            expires_ns=self._expires_ns(change.condition),
        )
        self._watch(replace(row, status="CANCELLED"))
        self._do(changed)
        return changed

    def cancel(self, alert_id: str) -> Alert:
        """End a waiting alert.

        Raises:
            Refused: nothing has changed.
        """
        cancelled = replace(self._found(alert_id), status="CANCELLED")
        self._do(cancelled)
        return cancelled

    def move(self, instrument: Instrument, last_price: float, time_ns: int) -> None:
        """Send the orders whose condition holds.

        Args:
            instrument: whose price has moved.
            last_price: rupees.
            time_ns: of the tick: nanoseconds since 1970-01-01 UTC.
        """
        if instrument[0] not in SEGMENTS:
            return
        candles = self._candles.get(instrument)
        if candles is None:
            candles = self._candles[instrument] = Candles(goes_on=self._goes_on)
        ended = candles.move(time_ns, last_price)
        for alert_id in sorted(self._active.get(instrument, ())):
            row = self._core.state.alerts[alert_id]
            condition = row.condition
            if self._core.now_ns >= row.expires_ns:
                self._do(replace(row, status="EXPIRED"))
            elif condition.comparison == PRICE:
                if OPERATORS[condition.operator](row.last_price or last_price, last_price, condition.value):
                    self._send(row, last_price)
                elif condition.operator.startswith("CROSSING") and (
                    _side(row.last_price, condition) != _side(last_price, condition) or not row.last_price
                ):  # a new process goes on from there, too
                    self._do(replace(row, last_price=last_price))
            elif condition.time_frame in ended and holds(condition, candles):
                self._send(row, last_price)

    def pass_day(self) -> None:
        """End the alerts that expire on this day."""
        for row in list(self._core.state.alerts.values()):
            if row.status == "ACTIVE" and self._core.now_ns >= row.expires_ns:
                self._do(replace(row, status="EXPIRED"))

    def _send(self, row: Alert, last_price: float) -> None:
        sent = []
        for order in row.orders:
            try:
                placed = self._orders.place(_ticket(order), parent_id=row.alert_id)
            except Refused:  # the market of that instrument is closed: the alert has no order to show for it
                continue
            sent.append(placed.order_id)
        self._do(
            replace(
                row,
                status="TRIGGERED",
                order_ids=tuple(sent),
                triggered_ns=self._core.now_ns,
                last_price=last_price,
            )
        )

    def _check(self, condition: AlertCondition) -> None:
        self._listed(condition)
        if condition.comparison != PRICE:
            self._check_technical(condition)
        if condition.operator not in OPERATORS:
            raise wrong("operator", f"one of {', '.join(OPERATORS)}", condition.operator[:40])
        if condition.frequency != "ONCE":
            raise wrong("frequency", "ONCE", condition.frequency[:40])

    def _check_technical(self, condition: AlertCondition) -> None:
        if condition.comparison not in TECHNICAL:
            raise wrong("comparisonType", f"one of {', '.join((PRICE, *TECHNICAL))}", condition.comparison[:40])
        if condition.indicator not in INDICATORS:
            raise wrong("indicatorName", f"one of {', '.join(INDICATORS)}", condition.indicator[:40])
        if condition.comparison == "TECHNICAL_WITH_INDICATOR" and condition.other_indicator not in INDICATORS:
            raise wrong("comparingIndicatorName", f"one of {', '.join(INDICATORS)}", condition.other_indicator[:40])
        if condition.time_frame not in FRAMES:
            raise wrong("timeFrame", f"one of {', '.join(FRAMES)}", condition.time_frame[:40])

    def _check_orders(self, orders: tuple[AlertOrder, ...]) -> None:
        if not 1 <= len(orders) <= ORDERS_MAX:
            raise wrong("orders", f"1 to {ORDERS_MAX}", len(orders))
        for order in orders:
            self._core.listing(order.instrument)
            expect_quantity(order.quantity)
            check_prices(order.order_type, order.limit_price, order.trigger_price)

    def _listed(self, condition: AlertCondition) -> str:
        segment = condition.instrument[0]
        if segment not in SEGMENTS:
            raise wrong("exchangeSegment", "NSE_EQ, BSE_EQ or IDX_I", segment)
        return self._core.listing(condition.instrument).symbol

    def _last_price(self, condition: AlertCondition) -> float:
        return self._core.last_price(self._listed(condition))

    def _expires_ns(self, condition: AlertCondition) -> int:
        if not condition.expires_on:
            return self._core.now_ns + LIFE_NS
        try:
            day = date.fromisoformat(condition.expires_on)
        except ValueError as fault:
            raise wrong("expDate", "a day such as 2027-10-07", repr(condition.expires_on[:20])) from fault
        expires_ns = day_start_ns(number_of_day(day) + 1)
        if not self._core.now_ns < expires_ns <= self._core.now_ns + LIFE_NS + DAY_NS:
            raise wrong("expDate", "a day from today to a year on", condition.expires_on)
        return expires_ns

    def _found(self, alert_id: str) -> Alert:
        row = self._core.state.alerts.get(alert_id)
        if row is None:
            raise unknown("alertId", "an alert", alert_id)
        if row.status != "ACTIVE":
            raise Refused("order", f"Alert is already {row.status}")
        return row

    def _do(self, row: Alert) -> None:
        self._core.do(row)
        self._watch(row)

    def _watch(self, row: Alert) -> None:
        active = self._active.setdefault(row.condition.instrument, set())
        if row.status == "ACTIVE":
            active.add(row.alert_id)
        else:
            active.discard(row.alert_id)


def _side(price: float, condition: AlertCondition) -> int:
    """Return whether a price is below (-1), at (0) or above (1) the value of a condition."""
    return (price > condition.value) - (price < condition.value)


def holds(condition: AlertCondition, candles: Candles) -> bool:
    """Tell whether a condition on an indicator holds at the newest candle; not while one of its values is not known."""
    # numpy is loaded where an indicator is waited for
    from ....domain.dhan.technical import settles_in, values_of  # noqa: PLC0415

    series = candles.series[condition.time_frame]
    if candles.goes_on:  # both of the last two candles have to be known
        settles = max(map(settles_in, (condition.indicator, condition.other_indicator)))
        if len(series.closes) <= settles:
            return False
    columns = series.highs, series.lows, series.closes
    values = values_of(condition.indicator, *columns)[-2:].tolist()
    if condition.comparison == "TECHNICAL_WITH_VALUE":
        others = [condition.value] * len(values)
    elif condition.comparison == "TECHNICAL_WITH_CLOSE":
        others = series.closes[-2:].tolist()
    else:
        others = values_of(condition.other_indicator, *columns)[-2:].tolist()
    gaps = [value - other for value, other in zip(values, others, strict=True)]
    before, last = gaps if len(gaps) > 1 else (math.nan, *gaps)
    return not math.isnan(last) and OPERATORS[condition.operator](before, last, 0.0)


def _ticket(order: AlertOrder) -> Ticket:
    return Ticket(
        instrument=order.instrument,
        side=order.side,
        product=order.product,
        order_type=order.order_type,
        quantity=order.quantity,
        validity=order.validity,
        limit_price=order.limit_price,
        trigger_price=order.trigger_price,
        disclosed_quantity=order.disclosed_quantity,
    )
