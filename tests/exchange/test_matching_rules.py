"""What holds at the exchange whatever comes: quantities, prices, priority."""

from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.exchange.matching import Matching
from natya.messages.broker import CancelRequest, NewOrder
from natya.messages.market import Depth, Tick

SYMBOL = "TCS"
prices = st.integers(1_990, 2_010).map(lambda ticks: round(ticks * 0.05, 2))
levels = st.lists(st.tuples(prices, st.integers(0, 30)), max_size=5, unique_by=lambda level: level[0])


@st.composite
def ticks(draw):
    bids, asks = sorted(draw(levels), reverse=True), sorted(draw(levels))
    depth = Depth(
        bid_prices=tuple(price for price, _ in bids),
        bid_quantities=tuple(quantity for _, quantity in bids),
        ask_prices=tuple(price for price, _ in asks),
        ask_quantities=tuple(quantity for _, quantity in asks),
    )
    return Tick(
        symbol=SYMBOL,
        price=draw(prices),
        quantity=1,
        exchange_ns=1,
        source="test",
        sequence=1,
        volume=draw(st.integers(0, 40)),
        depth=draw(st.sampled_from([depth, depth, None])),
    )


@st.composite
def orders(draw):
    limit_price = draw(st.none() | prices)
    return NewOrder(
        client_order_id=str(draw(st.integers(0, 10**6))),
        symbol=SYMBOL,
        side=draw(st.sampled_from(["BUY", "SELL"])),
        quantity=draw(st.integers(1, 60)),
        order_type="MARKET" if limit_price is None else "LIMIT",
        limit_price=limit_price,
    )


cancels = st.integers(0, 10**6).map(lambda number: CancelRequest(client_order_id=str(number)))
days = st.lists(ticks() | orders() | orders() | cancels, max_size=40)


def play(day):
    """Play a day; yield each step's message, the tick it met, and the reports it brought."""
    matching = Matching(tick_size_rupees=0.05, run=1, now_ns=1)
    tick = None
    for message in day:
        if isinstance(message, Tick):
            tick = message
            yield matching, message, tick, matching.move(message)
        elif isinstance(message, NewOrder):
            yield matching, message, tick, matching.place(message)
        else:
            yield matching, message, tick, [matching.cancel(message)]


@settings(deadline=None)
@given(days)
def test_every_order_fills_at_most_its_quantity_and_its_reports_add_up(day):
    asked, filled = {}, {}
    for matching, message, _, reports in play(day):
        if isinstance(message, NewOrder) and reports[0].execution_type == "NEW":
            asked[message.client_order_id] = message.quantity
        for report in reports:
            name = report.client_order_id
            if report.execution_type == "TRADE":
                filled[name] = filled.get(name, 0) + report.quantity
                assert report.quantity >= 1
                assert report.cumulative_quantity == filled[name] <= asked[name]
                assert report.leaves_quantity == asked[name] - filled[name]
        assert matching.trades == sum(len(matching.find(name).reports) for name in asked)
        assert matching.resting == sum(matching.find(name).state in {"OPEN", "PART_FILLED"} for name in asked)


@settings(deadline=None)
@given(days)
def test_an_order_that_arrives_trades_at_a_price_the_tick_shows_and_one_that_rests_at_its_limit(day):
    requests, paid = {}, {}
    for _, message, tick, reports in play(day):
        arrives = isinstance(message, NewOrder)
        if arrives and reports[0].execution_type == "NEW":
            requests[message.client_order_id] = message
        for report in reports:
            if report.execution_type != "TRADE":
                continue
            request = requests[report.client_order_id]
            shown = _shown(tick, request.side)
            if arrives or (request.limit_price is None and request not in paid):
                assert report.price in shown
                if request.limit_price is not None:
                    assert _no_better(request.limit_price, report.price, request.side)
            elif request.limit_price is None:
                assert report.price in (*shown, paid[request])
                assert _no_better(report.price, paid[request], request.side)
            else:
                assert report.price == request.limit_price
            paid[request] = report.price


@settings(deadline=None)
@given(days)
def test_nothing_that_a_tick_offers_is_used_twice(day):
    bought, requests = {}, {}
    traded, before = 0, None
    for _, message, tick, reports in play(day):
        if isinstance(message, Tick):
            traded = 0 if before is None else max(0, message.volume - before)
            before, bought = message.volume, {"BUY": 0, "SELL": 0}
        elif isinstance(message, NewOrder) and reports[0].execution_type == "NEW":
            requests[message.client_order_id] = message
        for report in reports:
            if report.execution_type == "TRADE":
                bought[requests[report.client_order_id].side] += report.quantity
        if tick is not None and tick.depth is not None:
            assert bought["BUY"] <= sum(tick.depth.ask_quantities) + traded
            assert bought["SELL"] <= sum(tick.depth.bid_quantities) + traded


@settings(deadline=None)
@given(days)
def test_an_order_that_arrives_takes_of_each_level_what_is_there_and_not_more(day):
    requests = {}
    for _, message, tick, reports in play(day):
        if isinstance(message, NewOrder) and reports[0].execution_type == "NEW" and tick.depth is not None:
            requests[message.client_order_id] = message
            for report in reports[1:]:
                assert report.quantity <= _offered(tick.depth, message.side, report.price)


@settings(deadline=None)
@given(days)
def test_a_better_price_goes_first_and_then_the_earlier_order(day):
    arrivals = {}
    for _, message, _, reports in play(day):
        if isinstance(message, NewOrder) and reports[0].execution_type == "NEW":
            arrivals[message.client_order_id] = _priority(message, len(arrivals))
        if isinstance(message, Tick):
            for side in ("BUY", "SELL"):
                priorities = [
                    arrivals[report.client_order_id][1]
                    for report in reports
                    if arrivals[report.client_order_id][0] == side
                ]
                assert priorities == sorted(priorities)


@settings(deadline=None)
@given(days)
def test_the_same_day_brings_the_same_reports(day):
    assert [reports for *_, reports in play(day)] == [reports for *_, reports in play(day)]


def _shown(tick, side):
    """Prices at which somebody would trade with this side."""
    depth = tick.depth
    return (tick.price,) if depth is None else depth.ask_prices if side == "BUY" else depth.bid_prices


def _no_better(price, than, side):
    return price >= than if side == "BUY" else price <= than


def _offered(depth, side, price):
    pairs = (
        zip(depth.ask_prices, depth.ask_quantities, strict=True)
        if side == "BUY"
        else zip(depth.bid_prices, depth.bid_quantities, strict=True)
    )
    return dict(pairs).get(price, 0)


def _priority(request, arrival):
    if request.limit_price is None:
        return request.side, (float("-inf"), arrival)
    return request.side, (-request.limit_price if request.side == "BUY" else request.limit_price, arrival)
