"""In what the broker's books differ from ours: each difference is found, and none where there is none."""

import random
from datetime import datetime

import msgspec
import pytest
from natya_messages import changed_on_the_way, distinct

from natya.domain.differences import (
    PRICE_SLACK_RUPEES,
    Books,
    Differences,
    differences,
    orders_of_others,
    position_mismatches,
    why_unexplained,
)
from natya.domain.time import IST, SECOND_NS
from natya.messages.order_listing import OrderListed
from natya.messages.reconciliation import (
    DifferenceEnded,
    OrderAdopted,
    OrderAtBroker,
    OrderLost,
    OrderMismatch,
    PositionAtBroker,
    PositionMismatch,
)

SYMBOLS = ("ABC", "INFY", "NIFTY 25000 CE")


def an_order(number=1, **fields):
    fields = {
        "client_order_id": f"crossover-1-{number}",
        "strategy": "crossover",
        "symbol": "INFY",
        "side": "BUY",
        "quantity": 10,
        "order_type": "LIMIT",
        "limit_price": 100.0,
        "state": "ACCEPTED",
        "is_open": True,
        "broker_order_id": str(number),
    } | fields
    return OrderListed(**fields)


def there(order, **fields):
    """The same order as the broker has it."""
    fields = {
        "broker_order_id": order.broker_order_id or f"n{order.client_order_id}",
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "instrument": "a share",
        "side": order.side,
        "quantity": order.quantity,
        "filled": order.filled,
        "is_open": order.is_open,
        "status": "PENDING" if order.is_open else "TRADED",
        "limit_price": order.limit_price or 0.0,
    } | fields
    return OrderAtBroker(**fields)


def held(symbol, quantity, **fields):
    return PositionAtBroker(symbol=symbol, instrument=symbol or "another", quantity=quantity, **fields)


def books(ours=(), theirs=(), positions=None, held_there=(), now_ns=1, **fields):
    return Books(
        orders=tuple(ours),
        positions=positions or {},
        orders_at_broker=tuple(theirs),
        positions_at_broker=tuple(held_there),
        now_ns=now_ns,
        **fields,
    )


def a_mismatch(**fields):
    return distinct(PositionMismatch, symbol="INFY", ours=7, theirs=9, **fields)


def a_clean_world(chance):
    """Books of a random day that agree."""
    ours = []
    for number in range(1, chance.randrange(1, 12)):
        is_open, quantity = chance.random() < 0.5, chance.randrange(1, 100)
        ours.append(
            an_order(
                number,
                symbol=chance.choice(SYMBOLS),
                side=chance.choice(("BUY", "SELL")),
                quantity=quantity,
                filled=chance.randrange(quantity) if is_open else chance.choice((0, quantity)),
                is_open=is_open,
                order_type=chance.choice(("LIMIT", "MARKET")),
                broker_order_id=str(number) if chance.random() < 0.9 else "",
            )
        )
    theirs = [there(each) for each in ours]
    theirs = [
        msgspec.structs.replace(each, client_order_id="") if mine.broker_order_id and chance.random() < 0.2 else each
        for each, mine in zip(theirs, ours, strict=True)
    ]
    chance.shuffle(theirs)
    positions = {symbol: chance.randrange(-50, 50) for symbol in SYMBOLS if chance.random() < 0.8}
    held_there = [held(symbol, quantity) for symbol, quantity in positions.items() if quantity or chance.random() < 0.5]
    return books(ours, theirs, positions, held_there)


def _foreign(world, chance):
    stranger = there(an_order(99), client_order_id=chance.choice(("", "by hand")), broker_order_id="foreign")
    return msgspec.structs.replace(world, orders_at_broker=(*world.orders_at_broker, stranger)), (
        OrderAdopted,
        "foreign",
    )


def _called_alike(**fields):
    """An order of another natya whose strategy is called as ours."""

    def inject(world, _chance):
        mine = an_order(96, **fields)
        alike = there(mine, broker_order_id="another")
        known = (there(mine),) if mine.broker_order_id else ()
        return msgspec.structs.replace(
            world, orders=(*world.orders, mine), orders_at_broker=(*world.orders_at_broker, alike, *known)
        ), (OrderAdopted, "another")

    return inject


def _lost(world, _chance):
    lost = an_order(98)
    return msgspec.structs.replace(world, orders=(*world.orders, lost)), (OrderLost, lost.client_order_id)


def _otherwise(**fields):
    def inject(world, _chance):
        mine = an_order(97)
        return msgspec.structs.replace(
            world,
            orders=(*world.orders, mine),
            orders_at_broker=(*world.orders_at_broker, there(mine, **fields)),
        ), (OrderMismatch, mine.client_order_id)

    return inject


def _position(world, chance):
    change = chance.choice((-3, 1, 7))
    return msgspec.structs.replace(world, positions=world.positions | {"XYZ": change}), (PositionMismatch, "XYZ")


def _foreign_position(world, _chance):
    return msgspec.structs.replace(world, positions_at_broker=(*world.positions_at_broker, held("", 5))), (
        PositionMismatch,
        "another",
    )


KINDS = {
    "called alike": _called_alike(),
    "called as one that was refused": _called_alike(state="REFUSED", is_open=False, broker_order_id=""),
    "foreign": _foreign,
    "lost": _lost,
    "quantity": _otherwise(quantity=11),
    "price": _otherwise(limit_price=100.05),
    "filled": _otherwise(filled=4),
    "ended": _otherwise(is_open=False),
    "side": _otherwise(side="SELL"),
    "symbol": _otherwise(symbol="ABC"),
    "position": _position,
    "foreign position": _foreign_position,
}
AT_ONCE = {"called alike", "called as one that was refused"}
"""Of another natya."""


class TestDifferences:
    @pytest.mark.parametrize("kind", KINDS)
    def test_of_each_kind_are_told_at_the_second_look_or_where_they_are_sure_at_the_first_and_alone(self, kind):
        for seed in range(25):
            chance = random.Random(seed)
            world, (wanted, subject) = KINDS[kind](a_clean_world(chance), chance)
            watch = Differences()
            first, second = watch.look(world), watch.look(world)
            assert len(first) == (kind in AT_ONCE)
            (told,) = (*first, *second)
            assert type(told) is wanted
            assert subject in msgspec.structs.astuple(told)

    def test_are_none_in_books_that_agree(self):
        for seed in range(3_000):
            world = a_clean_world(random.Random(seed))
            assert differences(world)[0] == {}, seed

    def test_are_told_once_and_once_more_when_they_are_gone(self):
        watch, mine = Differences(), an_order()
        wrong, right = books([mine]), books([mine], [there(mine)])
        told = [watch.look(each) for each in (wrong, wrong, wrong, right, right)]

        assert [len(each) for each in told] == [0, 1, 0, 1, 0]
        assert told[3] == (DifferenceEnded(kind="OrderLost", subject=mine.client_order_id, occurred_ns=1),)

    @pytest.mark.parametrize(
        ("state", "number", "told"), [("UNKNOWN", "", 0), ("INTENDED", "", 0), ("UNKNOWN", "7", 1)]
    )
    def test_are_none_where_it_is_in_doubt_whether_the_order_ever_was_there(self, state, number, told):
        watch, wrong = Differences(), books([an_order(state=state, broker_order_id=number)])

        assert [len(watch.look(wrong)) for _ in range(3)] == [0, told, 0]

    def test_that_are_gone_are_told_so_whatever_lasts_before_them(self):
        watch, mine = Differences(), [an_order(number) for number in (1, 2, 3)]
        for _ in range(2):
            watch.look(books(mine))
        told = watch.look(books(mine, [there(mine[1])]))

        assert [(type(each), each.subject) for each in told] == [(DifferenceEnded, mine[1].client_order_id)]

    def test_are_none_where_an_order_of_ours_has_ended_and_is_not_listed_any_more(self):
        assert differences(books([an_order(is_open=False)]))[0] == {}

    def test_of_a_position_are_new_where_one_of_them_is_otherwise_than_before(self):
        watch, mine = Differences(), an_order()
        new = []
        for world in (
            books([mine], [there(mine, quantity=3)]),
            books(positions={"INFY": 1}),
            books(positions={"INFY": 1}),
            books(positions={"INFY": 1, "TCS": 1}),
            books(positions={"INFY": 1, "TCS": 2}),
            books(positions={"INFY": 1}),
            books(),
        ):
            watch.look(world)
            new.append(watch.has_new_positions)

        assert new == [False, True, False, True, True, False, False]

    def test_are_none_where_two_looks_show_different_ones(self):
        watch, mine = Differences(), an_order()
        told = [watch.look(books([mine], [there(mine, filled=filled)])) for filled in (1, 2, 3)]

        assert told == [(), (), ()]

    def test_that_become_others_are_told_anew_with_the_time_since_when(self):
        watch = Differences()
        for now_ns, quantity in ((1, 5), (2, 5), (3, 6)):
            watch.look(books(positions={"INFY": 10}, held_there=[held("INFY", quantity)], now_ns=now_ns))
        (told,) = watch.look(books(positions={"INFY": 10}, held_there=[held("INFY", 6)], now_ns=4))

        assert (told.theirs, told.since_ns, told.occurred_ns) == (6, 3, 4)


class TestAnOrderThatIsOtherwise:
    @pytest.mark.parametrize(
        ("ours", "theirs", "wanted", "has"),
        [
            ({}, {"symbol": "ABC"}, "open, filled 0, INFY", "open, filled 0, ABC"),
            ({}, {"side": "SELL"}, "open, filled 0, BUY", "open, filled 0, SELL"),
            ({}, {"quantity": 11}, "open, filled 0, quantity 10", "open, filled 0, quantity 11"),
            ({}, {"limit_price": 100.05}, "open, filled 0, limit 100.0", "open, filled 0, limit 100.05"),
            ({}, {"filled": 4, "is_open": False}, "open, filled 0", "ended, filled 4"),
            ({"filled": 10, "is_open": False}, {"is_open": True}, "ended, filled 10", "open, filled 10"),
            ({"is_open": False}, {"is_open": True, "quantity": 9}, "ended, filled 0", "open, filled 0"),
            ({}, {"trigger_price": 98.0}, "open, filled 0, trigger None", "open, filled 0, trigger 98.0"),
            (
                {"order_type": "STOP_LIMIT", "trigger_price": 99.0},
                {"limit_price": 101.0, "trigger_price": 98.0, "quantity": 9},
                "open, filled 0, quantity 10, limit 100.0, trigger 99.0",
                "open, filled 0, quantity 9, limit 101.0, trigger 98.0",
            ),
            (
                {"order_type": "STOP", "limit_price": None, "trigger_price": 99.0},
                {"limit_price": 98.0, "trigger_price": 98.5},
                "open, filled 0, trigger 99.0",
                "open, filled 0, trigger 98.5",
            ),
        ],
    )
    def test_is_told_with_each_thing_in_which_it_differs(self, ours, theirs, wanted, has):
        mine = an_order(**ours)
        found, _ = differences(books([mine], [there(mine, **theirs)]))
        (told,) = found.values()

        assert (told.ours, told.theirs) == (wanted, has)

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ({}, {"symbol": ""}),
            ({"order_type": "STOP", "limit_price": None, "trigger_price": 99.0}, {"limit_price": 98.0}),
            ({"order_type": "MARKET", "limit_price": None}, {"limit_price": 98.0}),
            ({"is_open": False}, {"quantity": 4, "limit_price": 98.0, "trigger_price": 97.0}),
            ({}, {"limit_price": 100.0 + 1e-9}),
            ({}, {"trigger_price": PRICE_SLACK_RUPEES}),
        ],
        ids=["no symbol told", "a trigger that was met", "at the market", "ended", "noise", "as much as may be"],
    )
    def test_is_none_where_the_broker_may_tell_it_so(self, ours, theirs):
        mine = an_order(**ours)

        assert differences(books([mine], [there(mine, **theirs)]))[0] == {}


class TestAPosition:
    def test_of_nothing_that_was_never_traded_here_is_no_difference(self):
        assert differences(books(held_there=[held("TCS", 0), held("", 0)]))[0] == {}
        there_alone = PositionAtBroker(symbol="TCS", instrument="a share", quantity=-1)
        found, _ = differences(books(held_there=[there_alone, held("", 1)]))
        assert [(each.symbol, each.theirs) for each in found.values()] == [("TCS", -1), ("another", 1)]

    @pytest.mark.parametrize(("ours", "theirs"), [(0, 5), (5, 0)])
    def test_is_not_judged_while_fills_of_ours_are_on_their_way_nor_without_its_number(self, ours, theirs):
        """Its listing may be behind our book, whom its socket has told, as well."""
        watch, mine = Differences(), an_order(filled=ours)
        world = books([mine], [there(mine, filled=theirs)], {"INFY": ours}, [held("INFY", theirs)])
        kinds = [type(each) for _ in range(3) for each in watch.look(world)]

        assert kinds == [OrderMismatch]
        assert differences(books(positions={"INFY": 3}, unresolved=("INFY",)))[0] == {}

    def test_that_was_told_stays_told_while_it_cannot_be_judged(self):
        watch, mine = Differences(), an_order()
        wrong = books(positions={"INFY": 3})
        moving = books([mine], [there(mine, filled=5)], {"INFY": 3})
        told = [watch.look(each) for each in (wrong, wrong, moving, wrong)]

        assert [len(each) for each in told] == [0, 1, 0, 0]

    def test_that_was_seen_once_is_told_when_it_is_seen_again_after_a_look_that_could_not_judge_it(self):
        watch = Differences()
        looks = [books(positions={"INFY": 3}, now_ns=now_ns) for now_ns in (1, 2, 3)]
        looks[1] = msgspec.structs.replace(looks[1], unresolved=("INFY",))
        first, between, (told,) = map(watch.look, looks)

        assert (first, between) == ((), ())
        assert (told.symbol, told.since_ns, told.occurred_ns) == ("INFY", 1, 3)

    @pytest.mark.parametrize(
        ("ours", "theirs", "since_s", "is_wrong"),
        [
            *((75, 0, -1, True), (75, 0, 0, False), (75, 0, 599, False), (75, 0, 600, True)),
            *((0, 75, -1, True), (0, 75, 0, False), (0, 75, 86_400, False)),
            *((None, 75, -1, True), (None, 75, 0, False)),
        ],
    )
    def test_of_a_contract_that_has_expired_is_none_where_our_book_has_closed_it(self, ours, theirs, since_s, is_wrong):
        symbol, end_ns = "NIFTY-01Dec2026-26000-CE", 1_796_119_800 * 10**9
        positions = {} if ours is None else {symbol: ours}
        told = held(symbol, theirs, products=(("MARGIN", theirs),))
        found, _ = differences(books(positions=positions, held_there=[told], now_ns=end_ns + since_s * 10**9))

        assert bool(found) is is_wrong

    @pytest.mark.parametrize(("ours", "is_wrong"), [(10, False), (0, False), (4, False), (11, True), (-1, True)])
    def test_may_have_been_delivered(self, ours, is_wrong):
        found, _ = differences(books(positions={"INFY": ours}, held_there=[held("INFY", 0, delivered=10)]))

        assert bool(found) is is_wrong

    def test_that_may_have_been_delivered_is_told_with_as_many_as_make_it_like_ours(self):
        for ours, theirs in ((11, 10), (-1, 0)):
            ((_, told),) = differences(books(positions={"INFY": ours}, held_there=[held("INFY", 0, delivered=10)]))[
                0
            ].items()
            assert (told.ours, told.theirs) == (ours, theirs)

    @pytest.mark.parametrize(
        ("ours", "theirs", "found"),
        [
            ({"CNC": 10}, {"CNC": 10}, []),
            ({"CNC": 10}, {"CNC": 4}, []),  # the rest was delivered
            ({"CNC": 10}, {"INTRADAY": 10}, [("CNC", 10, 6), ("INTRADAY", 0, 10)]),
            ({"CNC": 10}, {"MTF": 10}, [("CNC", 10, 6), ("MTF", 0, 10)]),
            ({"INTRADAY": 10}, {"INTRADAY": -10}, [("", 10, -4), ("INTRADAY", 10, -10)]),
            ({"INTRADAY": 10}, {}, []),  # no products are told
        ],
    )
    def test_is_compared_in_each_product_that_is_told(self, ours, theirs, found):
        world = books(
            positions={"INFY": sum(ours.values())},
            held_there=[held("INFY", sum(theirs.values()) or 10, products=tuple(theirs.items()), delivered=6)],
            products={"INFY": ours},
        )

        assert [(each.product, each.ours, each.theirs) for each in position_mismatches(world)] == found
        assert all(
            (each.since_ns, each.occurred_ns, each.is_ours) == (1, 1, True) for each in position_mismatches(world)
        )

    def test_that_differs_in_products_alone_is_one_difference_and_told_with_the_first(self):
        watch = Differences()
        world = books(
            positions={"INFY": 10},
            held_there=[held("INFY", 10, products=(("INTRADAY", 10),))],
            products={"INFY": {"CNC": 10}},
        )
        told = [each for _ in range(3) for each in watch.look(world)]

        assert [(each.product, each.ours, each.theirs) for each in told] == [("CNC", 10, 0)]
        assert watch.unexplained() == "10 INFY are held as CNC here, and 0 there"
        assert [each.product for each in watch.positions()] == ["CNC", "INTRADAY"]

    def test_that_lasts_is_what_it_was_compared_to_be_last(self):
        watch, mine = Differences(), an_order()
        looks = [books(positions={"INFY": 3}, now_ns=now_ns) for now_ns in (1, 2, 3)]
        moving = books([mine], [there(mine, filled=5)], {"INFY": 3}, now_ns=4)
        told = []
        for look in (*looks, moving, books(positions={"INFY": 3}, held_there=[held("INFY", 1)], now_ns=5), books()):
            watch.look(look)
            told.append([(each.ours, each.theirs, each.occurred_ns) for each in watch.positions()])

        assert told == [[], [(3, 0, 2)], [(3, 0, 3)], [(3, 0, 3)], [(3, 1, 5)], []]


class TestAnOrderOfOthers:
    @pytest.mark.parametrize(
        ("ours", "theirs", "is_ours"),
        [
            ({}, {}, True),
            ({}, {"client_order_id": ""}, True),
            ({"broker_order_id": ""}, {}, True),
            ({}, {"broker_order_id": "another"}, False),
            ({}, {"broker_order_id": "another", "client_order_id": "by hand"}, False),
            ({"broker_order_id": "", "state": "REFUSED", "is_open": False}, {}, False),
        ],
        ids=[
            "alike",
            "its number alone",
            "its id alone",
            "called alike",
            "a stranger",
            "called as one that never left",
        ],
    )
    def test_has_neither_the_number_of_one_of_ours_nor_the_id_of_one_without_a_number(self, ours, theirs, is_ours):
        mine = an_order(**ours)
        world = books([mine], [there(mine, **theirs)])

        assert list(orders_of_others(world)) == ([] if is_ours else list(world.orders_at_broker))
        assert (OrderAdopted in map(type, differences(world)[0].values())) is not is_ours


class TestAnOrderThatHasEndedThere:
    def test_is_compared_by_what_it_traded_and_not_by_what_it_was_for(self):
        mine = an_order()
        watch = Differences()
        world = books([mine], [there(mine, is_open=False, quantity=7, limit_price=1.0)])
        watch.look(world)
        (told,) = watch.look(world)

        assert (told.ours, told.theirs) == ("open, filled 0", "ended, filled 0")


class TestWhatNobodyCanExplain:
    def test_is_new_by_others_once_where_their_orders_explain_all_of_a_position(self):
        mine, theirs = (
            an_order(),
            there(an_order(2), side="SELL", filled=4, client_order_id="app", broker_order_id="F-1"),
        )
        watch = Differences()
        new = []
        for shares in (6, 6, 5, 10):
            watch.look(books([mine], [there(mine), theirs], {"INFY": 10}, [held("INFY", shares)]))
            new.append(watch.has_new_by_others)

        assert new == [True, False, False, False]

    def test_of_an_order_names_it_from_the_first_look_that_shows_it_otherwise_until_it_is_not(self):
        mine = an_order()
        watch = Differences()
        found = []
        for world in (*[books([mine], [there(mine, quantity=3)])] * 2, books([mine], [there(mine)])):
            watch.look(world)
            found.append(watch.orders())

        assert found == [(mine.client_order_id,), (mine.client_order_id,), ()]

    def test_is_an_order_lost_or_otherwise_and_a_position_of_ours(self):
        mine = an_order()
        for world in (
            books([mine]),
            books([mine], [there(mine, quantity=3)]),
            books(positions={"INFY": 1}),
        ):
            watch = Differences()
            watch.look(world)
            assert watch.unexplained() == ""
            doubt = watch.in_doubt()
            watch.look(world)
            assert watch.unexplained() == doubt != ""
            watch.look(books())
            assert watch.in_doubt() == ""

    @pytest.mark.parametrize(
        ("difference", "why"),
        [
            (distinct(OrderLost, client_order_id="A-1"), "A-1 is open here, and not listed there"),
            (distinct(OrderMismatch, client_order_id="A-1", ours="x", theirs="y"), "A-1 is x here, and y there"),
            (a_mismatch(product="", is_ours=True), "7 INFY are held here, and 9 there"),
            (a_mismatch(product="CNC", is_ours=True), "7 INFY are held as CNC here, and 9 there"),
            (a_mismatch(product="", is_ours=False), ""),
            (distinct(OrderAdopted), ""),
        ],
    )
    def test_says_what_is_here_and_what_is_there(self, difference, why):
        assert why_unexplained(difference) == why

    def test_is_told_by_the_first_and_how_many_more_there_are(self):
        mine = [an_order(number) for number in (1, 2, 3)]
        told = []
        for many in (1, 2, 3):
            watch = Differences()
            for _ in range(2):
                watch.look(books(mine[:many]))
            told.append(watch.unexplained())

        assert told[1:] == [f"{told[0]}, and {more} more" for more in (1, 2)]

    def test_of_a_position_has_its_symbol_or_the_brokers_name_of_it(self):
        told, _ = differences(books(held_there=[held("TCS", 5), held("", 5)]))

        assert sorted(each.symbol for each in told.values()) == ["TCS", "another"]

    def test_is_no_order_of_another_and_no_position_that_was_never_traded_here(self):
        world = books(theirs=[there(an_order(), client_order_id="")], held_there=[held("", 5)])
        watch = Differences()
        watch.look(world)

        assert len(watch.look(world)) == 2
        assert watch.unexplained() == watch.in_doubt() == ""


class TestAnotherNatya:
    @pytest.mark.parametrize(
        ("told_id", "is_one"),
        [
            ("crossover-2s-1", True),
            ("b-0-zz", True),
            ("b-0-zzS", True),
            ("b-0-zzU", True),
            ("b-0-zzS1", True),
            ("b-0-zzB", False),
            ("bot7-000123", False),
            ("by-hand-01", False),
            ("a-1-UP", False),
            ("", False),
        ],
    )
    def test_is_known_by_the_form_of_its_ids(self, told_id, is_one):
        found, _ = differences(books(theirs=[there(an_order(), client_order_id=told_id)]))

        assert [each.is_of_another_natya for each in found.values()] == [is_one]


@pytest.mark.parametrize("symbol", ["INFY", ""])
def test_an_order_that_was_not_placed_here_is_told_of_as_the_broker_has_it(symbol):
    theirs = distinct(OrderAtBroker, side="SELL", symbol=symbol)
    found, _ = differences(books(theirs=[theirs], now_ns=7))
    adopted = found[OrderAdopted.__name__, theirs.broker_order_id]

    assert changed_on_the_way(theirs, adopted, but=("instrument",)) == {}
    assert (adopted.told_id, adopted.instrument) == (theirs.client_order_id, symbol or "instrument")
    assert (adopted.occurred_ns, adopted.is_of_another_natya) == (7, False)


def test_a_position_that_differs_tells_what_orders_of_others_have_traded_in_it():
    mine = an_order(1, filled=10, is_open=False)
    sold = there(an_order(2, client_order_id="", side="SELL", filled=4))
    elsewhere = there(an_order(3, client_order_id="", side="SELL", filled=7, symbol="ABC"))
    world = books([mine], [there(mine), sold, elsewhere], {"INFY": 10}, [held("INFY", 6, products=(("INTRADAY", 6),))])

    found = [(each.product, each.theirs, each.others) for each in position_mismatches(world)]
    assert found[0] == ("", 6, -4)


class TestWhatTheBrokerHasSquaredOff:
    """Ten of INFY, held as INTRADAY, at the hour at which the broker closes them."""

    AFTER_NS = int(datetime(2026, 11, 25, 15, 20, 30, tzinfo=IST).timestamp()) * SECOND_NS
    ENTRY = an_order(1, is_open=False, filled=10, state="FILLED")
    ITS_ORDER = there(
        an_order(2),
        side="SELL",
        filled=10,
        is_open=False,
        client_order_id="",
        broker_order_id="B-9",
        average_price=99.5,
    )
    BOOKED = an_order(3, side="SELL", is_open=False, filled=10, state="FILLED", broker_order_id="")

    def world(self, its_order, after_s, *, here=10, theirs=0, ours=(ENTRY,)):
        return books(
            ours,
            (there(self.ENTRY), its_order),
            {"INFY": here},
            (held("INFY", theirs, products=(("INTRADAY", theirs),)),),
            now_ns=self.AFTER_NS + after_s * SECOND_NS,
            products={"INFY": {"INTRADAY": here}} if here else {},
        )

    def before(self, after_s):
        """Its order is there, and has not traded."""
        return self.world(msgspec.structs.replace(self.ITS_ORDER, filled=0, is_open=True), after_s, theirs=10)

    def after(self, after_s):
        return self.world(self.ITS_ORDER, after_s)

    def taken_over(self, after_s=60):
        return self.world(self.ITS_ORDER, after_s, here=0, ours=(self.ENTRY, self.BOOKED))

    def test_is_no_difference_while_our_book_takes_it_over_nor_behind_that(self):
        watch = Differences()
        looks = (self.before(0), self.before(20), self.after(25), self.after(30), self.taken_over(55))
        told = [(watch.look(each), len(watch.squared_off), len(watch.positions())) for each in looks]

        assert told == [((), 0, 0), ((), 0, 0), ((), 0, 0), ((), 1, 2), ((), 0, 0)]
        assert Differences().look(self.taken_over()) == (), "nor in a new process"
        assert watch.lasting == {}

    def test_is_one_where_our_book_does_not_take_it_over_in_a_minute(self):
        watch = Differences()
        told = [fact for after_s in (0, 30, 59, 60) for fact in watch.look(self.after(after_s))]

        assert {type(each) for each in told} == {OrderAdopted, PositionMismatch}
        assert watch.unexplained()

    @pytest.mark.parametrize(
        "changes",
        [{"client_order_id": "by hand"}, {"side": "BUY"}, {"symbol": "TCS"}],
        ids=["of a program", "it opens", "in another symbol"],
    )
    def test_is_no_order_that_cannot_be_one_of_it(self, changes):
        watch, world = Differences(), self.after(0)
        other = msgspec.structs.replace(self.ITS_ORDER, broker_order_id="B-10", **changes)
        world = msgspec.structs.replace(world, orders_at_broker=(*world.orders_at_broker, other))
        watch.look(world)

        assert "B-10" in {fact.broker_order_id for fact in watch.look(world) if isinstance(fact, OrderAdopted)}

    @pytest.mark.parametrize(
        ("changes", "is_told"),
        [({}, False), ({"filled": 4}, True), ({"is_open": True}, True), ({"client_order_id": "by hand"}, True)],
    )
    def test_is_known_behind_that_by_as_many_shares_as_our_book_has_of_it(self, changes, is_told):
        world = self.taken_over()
        its_order = msgspec.structs.replace(self.ITS_ORDER, **changes)
        world = msgspec.structs.replace(world, orders_at_broker=(there(self.ENTRY), its_order))

        assert (("OrderAdopted", "B-9") in differences(world)[0]) is is_told
