"""A second opinion on every order: the risk rules once more, from plain facts, sharing no code with the gate.

It counts everything anew for each order, exactly, and knows neither books nor days nor sums that are kept.
"""

import math
from collections import Counter
from fnmatch import fnmatchcase
from fractions import Fraction

S_NS, DAY_S, INDIA_S = 10**9, 86_400, 19_800
PERIODS_S = {"orders_a_second_max": 1, "orders_a_minute_max": 60, "orders_an_hour_max": 3_600}


def day(time_ns):
    return (time_ns // S_NS + INDIA_S) // DAY_S


class Shares:
    """What is held of one symbol at average cost."""

    def __init__(self):
        self.quantity, self.cost, self.gain = 0, Fraction(0), Fraction(0)

    def trade(self, signed, price):
        closing = min(abs(signed), abs(self.quantity)) if signed * self.quantity < 0 else 0
        if closing:
            mean, sign = self.cost / self.quantity, (1 if signed > 0 else -1)
            self.gain += closing * (mean - price) * sign
            self.quantity, self.cost = self.quantity + closing * sign, self.cost + closing * sign * mean
            signed -= closing * sign
        self.quantity, self.cost = self.quantity + signed, self.cost + signed * price


def lost(facts, market, today):
    """Return the loss of the day in rupees, told in 1/10,000 and never too small; None where a price is missing."""
    held, carried, before = {}, set(), Fraction(0)
    for fact in (fact for fact in facts if type(fact).__name__ == "OrderFilled"):
        shares = held.setdefault(fact.symbol, Shares())
        was = shares.quantity
        shares.trade(fact.quantity if fact.side == "BUY" else -fact.quantity, Fraction(str(fact.price)))
        if day(fact.occurred_ns) < today:
            before = sum(each.gain for each in held.values())
            carried = {symbol for symbol, each in held.items() if each.quantity}
        elif was * shares.quantity <= 0:
            carried.discard(fact.symbol)
    profit = math.floor((sum(each.gain for each in held.values()) - before) * 10_000)
    for symbol, each in held.items():
        if each.quantity and symbol not in market:
            return None
        if each.quantity:
            value = Fraction(str(market[symbol][0])) * each.quantity * 10_000 - math.ceil(each.cost * 10_000)
            profit += min(value, 0) if symbol in carried else value
    return -profit / 10_000


def need(order, sides, held, market, share, money, delivered):  # noqa: PLR0913, PLR0917
    """Return the margin of what was not covered when the broker told its money, in the worst way; None: not known."""
    if money is None:
        return None
    total = 0
    for symbol in {*held, *(s for s, _ in sides)}:
        covered = money[2].get(symbol, (0, 0))
        long, short = max(0, held[symbol] + sides[symbol, "BUY"]), max(0, sides[symbol, "SELL"] - held[symbol])
        if not long and not short:
            continue  # neither held nor ordered: whatever was covered of it, nothing is needed
        long, short = max(0, long - covered[0]), max(0, short - covered[1])
        price = (market or {}).get(symbol, (0, 0))[0]
        if symbol == order.symbol:
            price = max(price, order.limit_price or 0, order.trigger_price or 0)
        if (long or short) and not price:
            return None
        price = Fraction(str(price))
        is_option = symbol[-2:] in {"CE", "PE"}
        buy, sell = (price, 26_000 * share) if is_option else (price * (symbol in delivered or share), price * share)
        total += max(long * buy, short * sell)
    return total


def out_of_band(order, bands, price, opens, limits, now_ns):  # noqa: PLR0913, PLR0917
    """Say whether it breaks the rule on the band of the day: `bands` are told as low, high and when, by symbol."""
    low, high, when_ns = bands.get(order.symbol, (0, 0, -math.inf))
    if now_ns - when_ns > Fraction(str(limits.price_band_age_max_s)) * S_NS:
        return opens
    prices = [order.limit_price, order.trigger_price, order.target_price, order.stop_loss_price]
    outside = [each for each in prices if each is not None and (each < low or each > high)]
    return bool(outside) and (opens or not price or low <= price <= high)


def closes_at_once(order, price):
    """Say whether its entry trades now, by that price of the market, and one of its exits as soon as it has."""
    long = order.side == "BUY"
    limit, trigger = order.limit_price, order.trigger_price
    waits = limit and (limit < price if long else limit > price)
    waits = waits or (trigger and (trigger > price if long else trigger < price))
    target, stop = order.target_price, order.stop_loss_price
    gains = target is not None and (target <= price if long else target >= price)
    stops = stop is not None and (stop >= price if long else stop <= price)
    return price > 0 and not waits and (gains or stops)


def is_meant_otherwise(order, price):
    """Say whether it has a limit beside its type MARKET, or a trigger passed beside a target alone."""
    passed = order.trigger_price and (order.trigger_price - price) * (1 if order.side == "BUY" else -1) < 0
    alone = order.target_price is not None and order.stop_loss_price is None
    return (order.limit_price is not None and order.order_type == "MARKET") or bool(alone and passed and price > 0)


def hours(order, local_s, price_ns, now_ns, *, keeps_hours):
    """Return the weekday, whether such an order is taken, the end of continuous trading, and when a price ages."""
    is_share = order.symbol[-2:] not in {"CE", "PE"}
    close_s = 54_900 if is_share else 56_400
    second, weekday = local_s % DAY_S, (local_s // DAY_S + 3) % 7
    in_auction = is_share and weekday <= 4 and 54_900 <= second < 56_100
    entered = in_auction and 55_200 <= second < 55_680 and not order.trigger_price
    entered = entered and (second < 55_500 or order.order_type != "MARKET")
    aged_ns = now_ns
    if in_auction and price_ns <= now_ns and keeps_hours:
        aged_ns = max(price_ns, now_ns - now_ns % S_NS + (54_900 - second) * S_NS)
    return weekday, 33_300 <= second < close_s or entered, close_s, aged_ns


def broken_rules(  # noqa: PLR0913, PLR0915, PLR0917
    order,
    facts,
    waiting,
    limits,
    state,
    market,
    now_ns,
    at_moment,
    own_position,
    own_flight,
    money,
    product,
    skew_s,
    theirs,
    bands,
    freeze,
):
    """Return the names of all rules that the order breaks."""
    intents = {fact.client_order_id: fact for fact in facts if type(fact).__name__ == "OrderIntended"}
    newest = {fact.client_order_id: type(fact).__name__ for fact in facts}
    fills = [fact for fact in facts if type(fact).__name__ == "OrderFilled"]
    done, held, its = Counter(), Counter(), Counter()
    for fact in fills:
        done[fact.client_order_id] += fact.quantity
        held[fact.symbol] += fact.quantity if fact.side == "BUY" else -fact.quantity
        its[fact.strategy, fact.symbol] += fact.quantity if fact.side == "BUY" else -fact.quantity
    is_open = {
        n: newest[n] not in {"OrderCancelled", "OrderRejected"} and done[n] < intents[n].quantity for n in intents
    }
    rows = [(each, each.quantity - done[name]) for name, each in intents.items() if is_open[name]]
    rows += [(each, each.quantity) for each in waiting]
    alike = [(each, left) for each, left in rows if (each.symbol, each.side) == (order.symbol, order.side)]
    sign, quantity, limit_price = (1 if order.side == "BUY" else -1), order.quantity, order.limit_price
    reach = sign * held[order.symbol] + sum(left for _, left in alike)
    own = sign * its[order.strategy, order.symbol] + sum(n for each, n in alike if each.strategy == order.strategy)
    opens = quantity > max(0, -reach)
    its_product = order.product or product
    in_product = sum(
        fact.quantity if fact.side == "BUY" else -fact.quantity
        for fact in fills
        if fact.symbol == order.symbol and (intents[fact.client_order_id].product or product) == its_product
    )
    in_it = [(each, left) for each, left in alike if (each.product or product) == its_product]
    closes_none = quantity > max(0, -sign * in_product - sum(left for _, left in in_it))
    for by in theirs.get(order.symbol, ()):  # what the broker has more, in all and by product
        opens = opens or closes_none or quantity > max(0, -reach - sign * by[0])
        opens = opens or quantity > max(0, -sign * in_product - sum(n for _, n in in_it) - sign * by[1][its_product])
    prices = {order.symbol: (order.reference_price, order.reference_ns)} if market is None else market
    price, price_ns = prices.get(order.symbol, (0.0, 0))
    worth = (limit_price if sign > 0 else max(limit_price, price)) if limit_price else price
    worth = max(worth, order.trigger_price or 0)
    known = price > 0 or (limit_price and sign > 0)
    unanswered = [i for n, i in intents.items() if is_open[n] and newest[n] in {"OrderIntended", "OrderUncertain"}]
    unanswered += waiting
    unknown = [i.symbol for n, i in intents.items() if newest[n] == "OrderUncertain"]
    everything = [*rows, (order, quantity)]
    values = [
        left
        * Fraction(
            str(each.limit_price or (each.side == "BUY" and each.trigger_price) or prices.get(each.symbol, (0,))[0])
        )
        for each, left in everything
    ]
    sides = Counter()
    for each, left in everything:
        sides[each.symbol, each.side] += left
    worst = {s: max(held[s] + sides[s, "BUY"], sides[s, "SELL"] - held[s]) for s in {*held, *(s for s, _ in sides)}}
    gross = [shares * Fraction(str(prices.get(symbol, (0,))[0])) for symbol, shares in worst.items() if shares]
    local_s, today = now_ns // S_NS + INDIA_S, day(now_ns)
    weekday, is_open, close_s, aged_ns = hours(order, local_s, price_ns, now_ns, keeps_hours=limits.session != "none")
    second = local_s % DAY_S
    ordered = [each for each in intents.values() if day(each.occurred_ns) == today] + waiting + [order]
    delivered = {each.symbol for each in ordered if (each.product or product) == "CNC"}
    margin = need(order, sides, held, market, Fraction(str(limits.margin_percent)) / 100, money, delivered)
    collar = limits.option_collar_percent if order.symbol[-2:] in {"CE", "PE"} else limits.price_collar_percent
    around = order.trigger_price or price
    through = sign * (Fraction(str(limit_price)) - Fraction(str(around))) if limit_price else 0
    sent = [*intents.values()]
    alike_sent = [i for i in sent if i.occurred_ns > now_ns - 10 * S_NS] + waiting
    what = (order.symbol, order.side, quantity, limit_price, order.trigger_price)
    repeats = sum((i.symbol, i.side, i.quantity, i.limit_price, i.trigger_price) == what for i in alike_sent) + 1
    of_today = [i for i in sent if day(i.occurred_ns) == today] + waiting
    mine = sum(i.strategy == order.strategy for i in of_today) + 1
    trades = sum(f.strategy == order.strategy and day(f.occurred_ns) == today for f in fills)
    loss = lost(facts, market or {}, today) if limits.day_loss_max_rupees else 0
    on = lambda name, found: 0 < getattr(limits, name) < found  # noqa: E731
    broken = {
        "risk_state": state == "HALTED" or (state == "REDUCING" and (opens or closes_none)),
        "terms": is_meant_otherwise(order, price),
        "exits": closes_at_once(order, price),
        "clock_skew_max_s": opens and skew_s is not None and 0 < limits.clock_skew_max_s < max(skew_s, -skew_s),
        "client_order_id": not order.client_order_id.replace("-", "").replace("_", "").isalnum()
        or len(order.client_order_id) > 25,
        "duplicate": order.client_order_id in newest or order.client_order_id in {i.client_order_id for i in waiting},
        "order_age_max_s": on("order_age_max_s", Fraction(now_ns - order.submitted_ns, S_NS))
        or (limits.order_age_max_s > 0 and order.submitted_ns - now_ns > 3 * S_NS),
        "symbol": opens and not any(fnmatchcase(order.symbol, each) for each in limits.symbols),
        "session": limits.session != "none"
        and (weekday > 4 or not is_open or (opens and 0 < limits.no_opens_last_s >= close_s - second)),
        "quantity_max": quantity > limits.quantity_max,
        "freeze_quantity": quantity > freeze.get(order.symbol, math.inf),
        "price_age_max_s": limits.price_age_max_s > 0
        and not (price_ns and -3 <= Fraction(aged_ns - price_ns, S_NS) <= limits.price_age_max_s),
        "price_band_age_max_s": limits.price_band_age_max_s > 0
        and out_of_band(order, bands, price, opens, limits, now_ns),
        "price_collar_percent": collar > 0
        and (price <= 0 or through > max(Fraction(str(around)) * Fraction(str(collar)) / 100, Fraction("0.25"))),
        "value_max_rupees": not known or Fraction(str(worth)) * quantity > Fraction(str(limits.value_max_rupees)),
        "open_value_max_rupees": opens
        and limits.open_value_max_rupees > 0
        and (0 in values or sum(values) > Fraction(str(limits.open_value_max_rupees))),
        "gross_value_max_rupees": opens
        and limits.gross_value_max_rupees > 0
        and (0 in gross or sum(gross) > Fraction(str(limits.gross_value_max_rupees))),
        "position_max": reach + quantity > limits.position_max,
        "strategy_position_max": own_position is not None and own + quantity > own_position,
        "unknown_orders_max": limits.unknown_orders_max > 0
        and opens
        and (order.symbol in unknown or len(unknown) >= limits.unknown_orders_max),
        "day_loss_max_rupees": limits.day_loss_max_rupees > 0
        and opens
        and (loss is None or loss >= Fraction(str(limits.day_loss_max_rupees))),
        "margin_use_max_percent": opens
        and limits.margin_use_max_percent > 0
        and (
            margin is None
            or now_ns - money[1] > 60 * S_NS
            or margin * 100 > Fraction(str(money[0])) * Fraction(str(limits.margin_use_max_percent))
        ),
        "orders_in_flight_max": len(unanswered) + 1 > limits.orders_in_flight_max,
        "strategy_orders_in_flight_max": own_flight is not None
        and sum(i.strategy == order.strategy for i in unanswered) + 1 > own_flight,
        "orders_a_moment_max": at_moment > limits.orders_a_moment_max,
        "orders_a_day_max": opens and on("orders_a_day_max", len(of_today) + 1),
        "strategy_orders_a_day_max": opens and on("strategy_orders_a_day_max", mine),
        "strategy_trades_a_day_max": opens and on("strategy_trades_a_day_max", trades + 1),
        "repeats_max": on("repeats_max", repeats),
    }
    for name, period_s in PERIODS_S.items():
        recent = [i for i in sent if i.occurred_ns > now_ns - period_s * S_NS]
        broken[name] = opens and on(name, len(recent) + len(waiting) + 1)
    return {name for name, is_broken in broken.items() if is_broken}
