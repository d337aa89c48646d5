"""Rules on the number of orders: unanswered, in a second, minute or hour, and in a day (pure)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ....domain.time import SECOND_NS
from ....domain.wording import printable
from ....messages.orders import SubmitOrder
from ..book.day import alike
from .situation import Situation


def orders_in_flight_max(_order: SubmitOrder, situation: Situation) -> str:
    """Limit the orders without an answer of the broker, this one included."""
    limit = situation.limits.orders_in_flight_max
    in_flight = situation.book.unanswered + len(situation.intents) + 1
    if in_flight <= limit:
        return ""
    return f"at most {limit} unanswered orders wanted, found {in_flight}{_whose_most_are(situation)}"


def _whose_most_are(situation: Situation) -> str:
    """Name the strategy that has most of the account's unanswered orders: the others wait for it."""
    counts = Counter(situation.book.unanswered_by_strategy())
    counts.update(intent.strategy for intent in situation.intents.values())
    # Among equals the first by name, so that each replay of a recording says the same.
    name, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return f", {count} of them of {printable(name)}" if count else ""


def strategy_orders_in_flight_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit those of this strategy alone in the same way, if it has a limit of its own."""
    limit = situation.strategy_orders_in_flight_max
    if limit is None:
        return ""
    in_flight = situation.book.strategy_unanswered(order.strategy) + situation.intents_of(order.strategy) + 1
    return "" if in_flight <= limit else f"at most {limit} unanswered orders of this strategy wanted, found {in_flight}"


def orders_a_moment_max(_order: SubmitOrder, situation: Situation) -> str:
    """Limit the orders of a strategy at one market time: one that orders again at each fill would never let it pass."""
    limit, found = situation.limits.orders_a_moment_max, situation.at_this_moment
    return "" if found <= limit else f"at most {limit} orders while the market stands still wanted, found {found}"


def orders_a_second_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the orders of any second; exits pass, for which the rest of the broker's allowance is kept."""
    return _too_many(order, situation, situation.limits.orders_a_second_max, "second", SECOND_NS)


def orders_a_minute_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit those of any minute in the same way."""
    return _too_many(order, situation, situation.limits.orders_a_minute_max, "minute", 60 * SECOND_NS)


def orders_an_hour_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit those of any hour in the same way."""
    return _too_many(order, situation, situation.limits.orders_an_hour_max, "hour", 3_600 * SECOND_NS)


def _too_many(order: SubmitOrder, situation: Situation, limit: int, period: str, period_ns: int) -> str:
    since_ns, day = situation.now_ns - period_ns, situation.day or situation.today
    if limit == 0 or not day.has_sent_since(since_ns, limit - len(situation.intents)) or not situation.opens(order):
        return ""
    found = situation.today.sent_since(since_ns) + len(situation.intents) + 1
    return f"at most {limit} orders a {period} wanted, found {found} with this"


def orders_a_day_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the orders of a day in India; exits pass."""
    limit = situation.limits.orders_a_day_max
    if limit == 0:
        return ""
    found = (situation.day or situation.today).orders + len(situation.intents) + 1
    if found <= limit or not situation.opens(order):
        return ""
    return f"at most {limit} orders a day wanted, found {found} with this"


def strategy_orders_a_day_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the orders of one strategy in a day; exits pass."""
    limit = situation.limits.strategy_orders_a_day_max
    if limit == 0:
        return ""
    found = (situation.day or situation.today).orders_by_strategy.get(order.strategy, 0) + 1
    if situation.intents:
        found += situation.intents_of(order.strategy)
    if found <= limit or not situation.opens(order):
        return ""
    return f"at most {limit} orders of this strategy a day wanted, found {found} with this"


def strategy_trades_a_day_max(order: SubmitOrder, situation: Situation) -> str:
    """Let a strategy open nothing more in a day in which it had so many trades."""
    limit = situation.limits.strategy_trades_a_day_max
    if limit == 0:
        return ""
    found = (situation.day or situation.today).trades_by_strategy.get(order.strategy, 0)
    if found < limit or not situation.opens(order):
        return ""
    return f"fewer than {limit} trades of this strategy today wanted, found {found}"


REPEATS_S: Final = 10
"""Seconds in which orders that are alike count as repeats."""


def repeats_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit orders alike in symbol, side, quantity and limit price: more of them is a loop, not a plan."""
    limit = situation.limits.repeats_max
    if limit == 0:
        return ""
    what = alike(order)
    since_ns = situation.now_ns - REPEATS_S * SECOND_NS
    found = (situation.day or situation.today).alike_since(since_ns, what) + 1
    if situation.intents:
        found += sum(what == alike(each) for each in situation.intents.values())
    return "" if found <= limit else f"at most {limit} orders alike in {REPEATS_S} s wanted, found {found} with this"
