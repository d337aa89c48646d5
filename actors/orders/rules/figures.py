"""How much of each limit is used, and how each number was formed (pure): for people, not for the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ....domain.time import SECOND_NS
from ....messages.risk import RiskFigure
from ..book.day import UNITS
from .margin import needed_rupees
from .situation import NO_PRICES
from .trips import REJECTS_S, order_to_trade

if TYPE_CHECKING:
    from .situation import Situation

NOT_HEARD: Final = "the market's prices are not heard, since no limit needs them"
LISTED_MAX: Final = 5
"""Symbols whose shares and prices are told one by one."""

PERIODS_S: Final = {"orders_a_second_max": 1, "orders_a_minute_max": 60, "orders_an_hour_max": 3_600}


def figures_of(situation: Situation) -> tuple[RiskFigure, ...]:
    """Return a figure of every limit of sums and counts: of the account, then of symbols, then of strategies."""
    return (*_of_account(situation), *_of_symbols(situation), *_of_strategies(situation))


def _of_account(situation: Situation) -> Iterator[RiskFigure]:
    book, limits, waiting = situation.book, situation.limits, len(situation.intents)
    units, shares = situation.open_shares()
    at_own = f"{units / UNITS:,.2f} at their own limits and triggers"
    yield _value(situation, "open_value_max_rupees", units, shares, at_own)
    yield _value(situation, "gross_value_max_rupees", 0, situation.worst_shares(), "if all open orders fill")
    yield _day_loss(situation)
    unknown = sorted(book.unknown_symbols())
    yield RiskFigure(
        limit_name="unknown_orders_max",
        limit=limits.unknown_orders_max,
        found=len(unknown),
        formed=f"orders in doubt in {', '.join(unknown)}" if unknown else "no order is in doubt",
    )
    yield RiskFigure(
        limit_name="orders_in_flight_max",
        limit=limits.orders_in_flight_max,
        found=book.unanswered + waiting,
        formed=f"{book.unanswered} orders without the broker's answer, {waiting} on their way to the journal",
    )
    for name, period_s in PERIODS_S.items():
        sent = situation.today.sent_since(situation.now_ns - period_s * SECOND_NS)
        yield RiskFigure(
            limit_name=name,
            limit=getattr(limits, name),
            found=sent + waiting,
            formed=f"{sent} orders passed in the last {period_s} s, {waiting} on their way to the journal",
        )
    yield RiskFigure(
        limit_name="orders_a_day_max",
        limit=limits.orders_a_day_max,
        found=situation.today.orders + waiting,
        formed=f"{situation.today.orders} orders passed since midnight in India, {waiting} on their way",
    )
    yield _margin(situation)
    yield _bands(situation)
    today = situation.today
    yield RiskFigure(
        limit_name="order_to_trade_max",
        limit=limits.order_to_trade_max,
        found=order_to_trade(book, situation.now_ns),
        formed=f"{today.orders} orders, {today.changes} modifications and cancellations, {today.trades} trades today",
    )
    rejects = situation.today.rejected_since(situation.now_ns - REJECTS_S * SECOND_NS)
    yield RiskFigure(
        limit_name="rejects_max",
        limit=limits.rejects_max,
        found=rejects,
        formed=f"{rejects} orders rejected by the broker in the last {REJECTS_S} s",
    )


def _value(situation: Situation, name: str, units: int, shares: dict[str, int], formed: str) -> RiskFigure:
    """Return what shares are worth at the market's prices, besides what is worth so many units."""
    held = {symbol: quantity for symbol, quantity in sorted(shares.items()) if quantity}
    prices = NO_PRICES if situation.market is None else situation.market
    if situation.market is None and held:
        formed = f"{formed}; {NOT_HEARD}"
    elif missing := [symbol for symbol in held if symbol not in prices]:
        formed = f"{formed}; no price of the market yet of {', '.join(missing)}"
    found = None if any(symbol not in prices for symbol in held) else units / UNITS
    if found is not None and held:
        found += sum(prices[symbol][0] * quantity for symbol, quantity in held.items())
        listed = [f"{symbol} {quantity} x {prices[symbol][0]:,.2f}" for symbol, quantity in held.items()]
        more = f" and {len(listed) - LISTED_MAX} more" if len(listed) > LISTED_MAX else ""
        formed = f"{formed}; {', '.join(listed[:LISTED_MAX])}{more} at the market's last prices"
    return RiskFigure(limit_name=name, limit=getattr(situation.limits, name), found=found, formed=formed)


def _day_loss(situation: Situation) -> RiskFigure:
    prices = situation.market if situation.market is not None else NO_PRICES
    realized, unrealized, missing = situation.book.profit_today(situation.now_ns, prices)
    parts = f"{realized / UNITS:,.2f} realised"
    limit = situation.limits.day_loss_max_rupees
    if missing:
        why = (
            NOT_HEARD if situation.market is None else f"no price of the market of {', '.join(missing)}, which is held"
        )
        formed = f"{parts}; {why}"
        return RiskFigure(limit_name="day_loss_max_rupees", limit=limit, found=None, formed=formed)
    formed = f"{parts}, {unrealized / UNITS:,.2f} open at the market's last prices, before charges"
    if carried := sorted(situation.today.carried):
        formed += f"; an open gain of {', '.join(carried)}, held over the night, counts as 0"
    found = -(realized + unrealized) / UNITS
    return RiskFigure(limit_name="day_loss_max_rupees", limit=limit, found=found, formed=formed)


def _margin(situation: Situation) -> RiskFigure:
    name, limit, funds = "margin_use_max_percent", situation.limits.margin_use_max_percent, situation.funds
    if funds is None:
        return RiskFigure(limit_name=name, limit=limit, found=None, formed="the broker has told no funds")
    age_s = max(0, situation.now_ns - funds.as_of_ns) / SECOND_NS
    needed = needed_rupees(situation)
    there = f"{funds.available_rupees:,.2f} at the broker {age_s:.0f} s ago"
    if needed is None or funds.available_rupees <= 0:
        formed = f"no price of what was ordered since; {there}" if needed is None else there
        return RiskFigure(limit_name=name, limit=limit, found=None, formed=formed)
    formed = f"{float(needed):,.2f} of {there} are needed by what was ordered since"
    return RiskFigure(limit_name=name, limit=limit, found=float(needed) / funds.available_rupees * 100, formed=formed)


def _bands(situation: Situation) -> RiskFigure:
    """Return how old the oldest band is of what orders hears the prices of."""
    name, bands, problem = "price_band_age_max_s", situation.bands.of, situation.bands.problem
    limit = situation.limits.price_band_age_max_s
    why = f": {problem}" if problem else ""
    if not bands:
        return RiskFigure(limit_name=name, limit=limit, found=None, formed=f"the broker has told no price band{why}")
    oldest, band = min(bands.items(), key=lambda each: (each[1].as_of_ns, each[0]))
    formed = f"seconds since the broker told that of {oldest}, the oldest of {len(bands)}"
    if missing := sorted({*(situation.market or ())} - {*bands}):
        more = f" and {len(missing) - LISTED_MAX} more" if len(missing) > LISTED_MAX else ""
        formed += f"; it told none of {', '.join(missing[:LISTED_MAX])}{more}{why}"
    age_s = max(0, situation.now_ns - band.as_of_ns) / SECOND_NS
    return RiskFigure(limit_name=name, limit=limit, found=age_s, formed=formed)


def _of_symbols(situation: Situation) -> Iterator[RiskFigure]:
    for symbol, worst in sorted(situation.book.worst_shares().items()):
        held, book = situation.book.position(symbol), situation.book
        buys, sells = book.leaves(symbol, "BUY"), book.leaves(symbol, "SELL")
        yield RiskFigure(
            limit_name="position_max",
            limit=situation.limits.of_symbol(symbol).position_max,
            found=worst,
            formed=f"{held} held, {buys} open to buy, {sells} open to sell",
            of=symbol,
        )


def _of_strategies(situation: Situation) -> Iterator[RiskFigure]:
    limits, today = situation.limits, situation.today
    for strategy in sorted({*today.orders_by_strategy, *today.trades_by_strategy}):
        orders, trades = today.orders_by_strategy.get(strategy, 0), today.trades_by_strategy.get(strategy, 0)
        yield RiskFigure(
            limit_name="strategy_orders_a_day_max",
            limit=limits.strategy_orders_a_day_max,
            found=orders,
            formed=f"{orders} of its orders passed since midnight in India",
            of=strategy,
        )
        yield RiskFigure(
            limit_name="strategy_trades_a_day_max",
            limit=limits.strategy_trades_a_day_max,
            found=trades,
            formed=f"{trades} of its trades since midnight in India",
            of=strategy,
        )
