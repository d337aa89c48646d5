"""The gate and a second opinion agree on every rule, in random accounts (`make risk-reference`: a million orders)."""

import os
from collections import Counter

from msgspec.structs import replace
from natya_risk_reference import broken_rules
from natya_risk_worlds import ORDERS_IN_A_WORLD, World

from natya.actors.orders.rules import RULES, Band, Bands, Funds, Situation, judge, rules_of
from natya.domain.closing import AGREED, TheirBook
from natya.messages.broker import ClockCompared
from natya.messages.reconciliation import PositionMismatch

ORDERS = int(os.environ.get("RISK_ORDERS", "800"))
SEED = int(os.environ.get("RISK_SEED", "12"))


def compare(world, found):
    """Draw an order, and hold what the gate says of it against the second opinion."""
    random = world.random
    order, limits = world.order(), world.limits()
    state = random.choice(["NORMAL"] * 4 + ["REDUCING", "HALTED"])
    own = [random.choice([None, None, 1, 5]), random.choice([None, None, 1, 3])]
    limits = replace(
        limits,
        strategy_position_max={} if own[0] is None else {order.strategy: own[0]},
        strategy_orders_in_flight_max={} if own[1] is None else {order.strategy: own[1]},
    )
    money, product = world.money(), random.choice(["INTRADAY", "INTRADAY", "CNC", "MARGIN"])
    at_moment = random.randint(1, 3)
    skew_s = random.choice([None, 0.0, 0.0, 2.0, -2.0, 2.5, -60.0])
    market = dict(world.market) if limits.need_prices else None
    theirs, differing = {}, []
    if random.random() < 0.2:
        parts = Counter({name: random.choice([0, -3, 4]) for name in ("INTRADAY", "CNC", "MARGIN")})
        theirs = {order.symbol: [(sum(parts.values()), parts)]} if any(parts.values()) else {}
        by_name = {"": sum(parts.values()), **parts}
        differing = [
            PositionMismatch(
                symbol=order.symbol, ours=0, theirs=more, is_ours=True, since_ns=0, occurred_ns=0, product=name
            )
            for name, more in by_name.items()
            if more
        ]
    bands, freeze = world.bands(), {order.symbol: 1 + world.count % 5} if world.count % 3 == 0 else {}
    situation = Situation(
        risk_state=state,
        limits=limits,
        book=world.book,
        intents={each.client_order_id: each for each in world.waiting},
        now_ns=world.now_ns,
        strategy_position_max=own[0],
        strategy_orders_in_flight_max=own[1],
        at_this_moment=at_moment,
        market=market,
        funds=None if money is None else Funds(available_rupees=money[0], as_of_ns=money[1], covered=money[2]),
        product=product,
        theirs=TheirBook(differing) if differing else AGREED,
        bands=Bands(of={name: Band(low=low, high=high, as_of_ns=at) for name, (low, high, at) in bands.items()}),
        freeze_quantities=freeze,
        clock=None if skew_s is None else ClockCompared(skew_s=skew_s, as_of_ns=world.now_ns),
    )
    expected = broken_rules(
        order,
        world.facts,
        world.waiting,
        limits,
        state,
        market,
        world.now_ns,
        at_moment,
        *own,
        money,
        product,
        skew_s,
        theirs,
        bands,
        freeze,
    )
    broken = {rule.__name__ for rule in RULES if rule(order, situation)}
    assert broken == expected, (order, limits, situation)
    first = next((rule.__name__ for rule in RULES if rule.__name__ in expected), None)
    refusal = judge(order, situation, rules_of(limits))
    assert (refusal.rule if refusal else None) == first
    found.update(expected or {"none"})
    if order.client_order_id == f"A-{world.count}" and random.random() < 0.7:
        world.waiting.append(order)


def test_the_gate_agrees_with_a_second_opinion_on_every_rule():
    found = set()
    for number in range(ORDERS // ORDERS_IN_A_WORLD):
        world = World(SEED * 1_000_000 + number)
        for _ in range(ORDERS_IN_A_WORLD):
            world.step()
            world.step()
            compare(world, found)

    assert found == {rule.__name__ for rule in RULES} | {"none"}
