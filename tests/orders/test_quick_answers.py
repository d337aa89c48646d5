"""What the gate goes by where a limit is far: kept sums are those of counting anew, and no quick answer too small."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_risk_worlds import SYMBOLS, World

from natya.actors.orders.rules import Funds, Situation
from natya.actors.orders.rules.margin import _at_most, needed_rupees
from natya.domain.instruments import is_option

FAR, NEAR = 1e12, 1e-4
"""Limits in rupees: nothing comes near to the one, and anything is beyond the other and counted exactly."""

SEEDS = st.integers(0, 2**32)


def a_situation(world, limit=FAR):
    rupees, when_ns, covered = world.money() or (0.0, 0, {})
    limits = replace(world.limits(), open_value_max_rupees=limit, gross_value_max_rupees=limit)
    return Situation(
        risk_state="NORMAL",
        limits=limits,
        book=world.book,
        intents={each.client_order_id: each for each in world.waiting},
        now_ns=world.now_ns,
        market=dict(world.market),
        funds=Funds(available_rupees=rupees, as_of_ns=when_ns, covered=covered),
        product=world.random.choice(["INTRADAY", "CNC", "MARGIN"]),
    )


@given(seed=SEEDS)
def test_the_weight_of_each_symbol_is_what_counting_anew_would_give(seed):
    world = World(seed)
    covered = {}
    for _ in range(25):
        world.step()
        order = world.order()
        if world.random.random() < 0.5 and order.client_order_id not in world.book:
            world.intend(order)
        if world.random.random() < 0.2:
            covered = {symbol: (world.random.randint(-3, 9), world.random.randint(-3, 9)) for symbol in SYMBOLS}
        if world.random.random() < 0.5:  # it is brought up to date only when it is asked for
            continue
        weights, options, (_, unpriced) = {}, {}, world.book.open_values()
        for symbol in SYMBOLS:
            held, of = world.book.position(symbol), covered.get(symbol, (0, 0))
            buys, sells = world.book.leaves(symbol, "BUY"), world.book.leaves(symbol, "SELL")
            long, short = max(held + buys, 0), max(sells - held, 0)
            beyond = max(long - of[0], 0), max(short - of[1], 0)
            weight = held, unpriced.get(symbol, 0), max(long, short), 0 if is_option(symbol) else max(beyond)
            if any(weight):
                weights[symbol] = weight
            if is_option(symbol) and any(beyond):
                options[symbol] = beyond

        assert world.book.weights(covered) == weights
        assert world.book.uncovered_options == options


@given(seed=SEEDS)
def test_a_quick_answer_is_never_below_the_exact_one(seed):
    world = World(seed)
    for number in range(16):
        world.step()
        order = world.order()
        if number % 4 and order.client_order_id == f"A-{world.count}":
            (world.waiting.append if number % 4 > 1 else world.intend)(order)
            continue
        far = a_situation(world)
        near = replace(far, limits=replace(far.limits, open_value_max_rupees=NEAR, gross_value_max_rupees=NEAR))
        if not far.opens(order):
            continue
        needed, at_most = needed_rupees(far, order), _at_most(order, far, far.funds)

        assert at_most == float("inf") if needed is None else at_most >= float(needed) * (1 - 1e-12)
        for quick, exact in (
            (far.open_value_with(order), near.open_value_with(order)),
            (far.gross_value_with(order), near.gross_value_with(order)),
        ):
            assert (quick is None and exact is None) or quick >= exact * (1 - 1e-12)
