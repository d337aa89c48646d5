"""The reconciliation actor between the broker session, orders and the journal, which the test plays."""

from datetime import datetime
from decimal import Decimal

import pytest
from msgspec.structs import asdict, replace
from natya_processes import await_that

from natya.actors.reconciliation import ReconciliationActor, ReconciliationSettings
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase, VirtualClock
from natya.domain.time import IST, SECOND_NS
from natya.messages.holdings import Position
from natya.messages.journal import Append, Appended, AppendRefused
from natya.messages.kill_switch import HaltTrading, TradingHalted
from natya.messages.order_listing import OrderListed, OrdersRead, PositionsRead, ReadOrders, ReadPositions
from natya.messages.reconciliation import (
    AccountBookNotRead,
    AccountBookRead,
    DifferenceEnded,
    OrderAdopted,
    OrderAtBroker,
    OrderLost,
    PositionAtBroker,
    PositionMismatch,
    PositionsDiffer,
    ReadAccountBook,
    SquaredOff,
)
from natya.messages.risk import BandsTold, FreezeQuantitiesTold, FundsTold, PriceBand, ReadRisk, RiskFigure, RiskRead
from natya.messages.risk_state import ReduceOnly
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("threads")  # a virtual clock runs through thousands of rounds while one waits

MINE = OrderListed(
    client_order_id="crossover-1-1",
    strategy="crossover",
    symbol="INFY",
    side="BUY",
    quantity=10,
    order_type="LIMIT",
    limit_price=100.0,
    state="ACCEPTED",
    is_open=True,
    broker_order_id="7",
)
THERE = OrderAtBroker(
    broker_order_id="7",
    client_order_id="crossover-1-1",
    symbol="INFY",
    instrument="INFY",
    side="BUY",
    quantity=10,
    filled=0,
    is_open=True,
    status="PENDING",
    limit_price=100.0,
)
STRANGER = OrderAtBroker(
    broker_order_id="8",
    client_order_id="other-1-1",
    symbol="INFY",
    instrument="INFY",
    side="BUY",
    quantity=10,
    filled=0,
    is_open=True,
    status="PENDING",
)


AGREED = AccountBookRead(orders=(THERE,), positions=())


class World:
    """What the three say, and what they were told."""

    def __init__(self, answer=AGREED):
        self.answer = answer
        self.asked, self.written, self.limits, self.halts, self.funds = [], [], [], [], []
        self.differing = []
        self.bands, self.bands_of, self.band_limit = [], [], 90.0
        self.freeze_quantities = []
        self.journals = True
        self.held = self.trades_at_each_look = 0
        self.products = [{}]
        """What is held by product: at the first question, and at each further one in turn."""

        self.persons, self.besides = [], set()
        self.down = ()
        """Questions that orders does not answer."""

        self.is_silent = False
        """Whether it says nothing at all then."""

        self.state, self.cause = "NORMAL", ""
        self.confirms = True
        self.further = ()
        """Orders of ours that are on a second page."""
        self.earlier = ()
        """Orders of ours of earlier days: told where they are asked for by id."""

        self.symbols = ()
        """Of orders beside ours, which the broker does not list."""
        self.told = lambda: ""
        self.told_before = []  # each failed look, by what reconciliation was in trouble then


class Restless(World):
    """The broker tells another position at each look."""

    @property
    def answer(self):
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=5 + len(self.asked))
        return AccountBookRead(orders=(THERE,), positions=(there,))

    @answer.setter
    def answer(self, _):
        """Whatever is wanted of it."""


class Others(RuntimeActor):
    """Orders, the broker session, and the journal."""

    def is_down(self, message, sender):
        is_so = isinstance(message, self.settings.down)
        if is_so and not self.settings.is_silent:
            self.send(sender, Unavailable(actor="orders", reason="it restarts", retry_after_s=1.0))
        return is_so

    @handles(ReadPositions)
    def positions(self, message, sender):
        world = self.settings
        if self.is_down(message, sender):
            return
        assert not message.needs_prices, "the feed may not be there yet"
        world.held += world.trades_at_each_look
        position = Position(symbol="INFY", quantity=world.held, average_price=Decimal(0), realized_pnl=Decimal(0))
        world.products.append(world.products.pop(0))
        self.send(sender, PositionsRead(positions=(position,), held=(), products=world.products[-1]))

    @handles(ReadOrders)
    def orders(self, message, sender):
        if self.is_down(message, sender):
            return
        self.settings.besides.update(message.besides)
        others = tuple(replace(MINE, client_order_id=f"x-{each}", symbol=each) for each in self.settings.symbols)
        earlier = tuple(each for each in self.settings.earlier if each.client_order_id in message.besides)
        page = self.settings.further if message.beyond == MINE.client_order_id else (*others, MINE)
        is_complete = bool(message.beyond) or not self.settings.further
        self.send(sender, OrdersRead(orders=(*page, *earlier) if is_complete else page, is_complete=is_complete))

    @handles(ReadRisk)
    def risk(self, message, sender):
        world = self.settings
        if self.is_down(message, sender):
            return
        cause = world.limits[-1] if world.limits and world.limits[-1] else world.cause
        limits = {"day_loss_max_rupees": 5_000.0, "price_band_age_max_s": world.band_limit}
        figures = tuple(
            RiskFigure(limit_name=name, limit=limit, found=None, formed="") for name, limit in limits.items()
        )
        state = "REDUCING" if world.state == "NORMAL" and cause else world.state
        self.send(sender, RiskRead(risk_state=state, risk_cause=cause, figures=figures, as_of_ns=1))

    @handles(ReadAccountBook)
    def account(self, request, sender):
        self.settings.asked.append(request.symbols)
        self.settings.bands_of.append(request.bands_of)
        if isinstance(self.settings.answer, AccountBookNotRead):
            self.settings.told_before.append(self.settings.told())
        self.send(sender, self.settings.answer)

    @handles(BandsTold)
    def bands(self, told, _sender):
        self.settings.bands.append(told)

    @handles(FreezeQuantitiesTold)
    def freeze_quantities(self, told, _sender):
        self.settings.freeze_quantities.append(told.of)

    @handles(FundsTold)
    def funds(self, told, _sender):
        self.settings.funds.append(told)

    @handles(ReduceOnly)
    def limit(self, request, _sender):
        self.settings.limits.append(request.reason)

    @handles(PositionsDiffer)
    def differ(self, told, _sender):
        self.settings.differing.append(told)

    @handles(HaltTrading)
    def halt(self, request, sender):
        self.settings.halts.append(request.cause)
        self.settings.persons.append(request.person)
        if self.settings.confirms:
            self.send(sender, TradingHalted(cancelling=0))

    @handles(Append)
    def append(self, append, sender):
        if self.settings.journals:
            self.settings.written.extend(append.facts)
            self.send(sender, Appended(first_sequence=1, last_sequence=1))
        else:
            self.send(sender, AppendRefused(reason="disk full"))


class Played:
    def __init__(self, system, world=None, interval_s=0.002, symbols=()):
        self.world, self.system = world or World(), system
        for name in ("orders", "broker", "journal"):
            system.start(name, Others, self.world)
        system.start(
            "reconciliation", ReconciliationActor, ReconciliationSettings(interval_s=interval_s, symbols=symbols)
        )

    def trouble(self):
        return self.system.base.find("reconciliation").instance.trouble

    def statistics(self):
        return self.system.request("reconciliation", Ping()).statistics

    def look(self, times=4):
        """Until so many looks more are over, of which the first may have begun before."""
        wanted = self.statistics().rounds + times
        await_that(lambda: self.statistics().rounds >= wanted)


@pytest.fixture
def played(actor_system):
    return Played(actor_system)


class TestAStart:
    """What is so when it is over: strategies run from then on."""

    def test_is_over_when_the_books_agree(self, actor_system):
        played = Played(actor_system)

        assert played.world.asked
        assert played.world.limits == []

    def test_is_the_first_look_of_all(self, actor_system):
        counts = Played(actor_system, interval_s=3_600.0).statistics()

        assert (counts.rounds, counts.failures) == (1, 0)

    @pytest.mark.parametrize(
        ("theirs", "limits", "halts"),
        [
            (
                AccountBookRead(orders=(), positions=()),
                ["the broker's books differ: crossover-1-1 is open here, and not listed there"],
                [],
            ),
            (
                AccountBookRead(orders=(THERE, STRANGER), positions=()),
                [],
                ["another natya trades on this account: order other-1-1"],
            ),
        ],
    )
    def test_is_over_when_a_difference_is_sure_and_what_follows_is_said(self, actor_system, theirs, limits, halts):
        played = Played(actor_system, World(theirs))
        actor_system.request("orders", Ping())

        assert (played.world.limits[:1], played.world.halts[:1]) == (limits, halts)

    def test_is_over_with_the_second_look_that_shows_a_difference_and_these_follow_soon(self):
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            begun_ns = system.base.clock.now_ns()
            played = Played(system, World(AccountBookRead(orders=(), positions=())), interval_s=100.0)
            begun_s = (system.base.clock.now_ns() - begun_ns) / SECOND_NS
            system.base.run_for(99.0)

        assert 0.5 <= begun_s < 1.0
        assert len(played.world.asked) == 2
        assert played.world.limits == ["the broker's books differ: crossover-1-1 is open here, and not listed there"]

    def test_without_an_answer_is_over_after_a_while_and_nothing_opens_until_there_is_one(
        self, actor_system, monkeypatch
    ):
        monkeypatch.setattr("natya.actors.reconciliation.actor.START_S", 0.1)
        played = Played(actor_system, World(AccountBookNotRead(reason="breaker open")))
        actor_system.request("orders", Ping())
        world = played.world
        assert world.limits == [
            "the broker's books differ: not compared since the start: broker: breaker open",
        ]
        world.answer = AccountBookRead(orders=(THERE,), positions=())
        played.look()

        assert world.limits[1:] == [""]

    def test_without_a_sure_answer_lets_nothing_open_either(self, actor_system, monkeypatch):
        monkeypatch.setattr("natya.actors.reconciliation.actor.START_S", 0.1)
        played = Played(actor_system, Restless())
        actor_system.request("orders", Ping())

        (limit,) = played.world.limits[:1]
        assert limit.startswith("the broker's books differ: not sure since the start: 0 INFY are held here, and ")


class TestBooksThatAgree:
    def test_are_asked_for_by_our_symbols_and_change_nothing(self, played):
        played.look(6)

        world = played.world
        assert set(world.asked) == {("INFY",)}
        assert (world.written, world.limits, world.halts) == ([], [], [])

    def test_are_as_old_as_the_seconds_since_they_were_compared(self, played, actor_system):
        played.look(2)
        found, now_ns = played.statistics(), actor_system.base.clock.now_ns()

        assert found.age_s == pytest.approx((now_ns - found.compared_ns) / SECOND_NS, abs=30)
        assert 0 <= found.age_s < 30


class TestSymbols:
    def test_of_open_orders_alone_are_asked_for_too(self, actor_system):
        world = World()
        world.symbols = ("TCS",)
        Played(actor_system, world)

        assert set(world.asked) == {("INFY", "TCS")}


class TestFunds:
    def test_are_told_to_orders_at_each_look_as_of_when_they_were_asked_for(self, actor_system):
        before_ns = actor_system.base.clock.now_ns()
        played = Played(actor_system, World(AccountBookRead(orders=(THERE,), positions=(), available_rupees=98_440.5)))
        played.look()
        told = played.world.funds

        assert {each.available_rupees for each in told} == {98_440.5}
        times = [before_ns, *(each.as_of_ns for each in told), actor_system.base.clock.now_ns()]
        assert times == sorted(times)

    def test_that_could_not_be_read_are_not_told(self, played):
        played.look()

        assert played.world.funds == []


def test_how_great_an_order_may_be_at_the_exchange_is_told_to_orders(actor_system):
    played = Played(actor_system, World(replace(AGREED, freeze_quantities={"INFY": 1_800})))
    played.look()

    assert played.world.freeze_quantities[0] == {"INFY": 1_800}


class TestPriceBands:
    BAND = PriceBand(symbol="INFY", low=90.0, high=110.0)

    def test_are_asked_of_all_that_may_be_ordered_and_told_to_orders(self, actor_system):
        answer = replace(AGREED, bands=(self.BAND,), bands_problem="DH-902")
        played = Played(actor_system, World(answer), symbols=("TCS",))
        played.look()
        world = played.world

        assert set(world.bands_of) == {("INFY", "TCS")}  # again at each look, since not all were told
        assert {(each.bands, each.problem) for each in world.bands} == {((self.BAND,), "DH-902")}
        assert [each.as_of_ns for each in world.bands] == sorted(each.as_of_ns for each in world.bands)

    def test_that_are_told_are_asked_for_again_after_a_while_or_with_a_symbol_more(self, played):
        world = played.world
        played.look()
        assert [each for each in world.bands_of if each] == [("INFY",)]
        world.symbols = ("TCS",)
        played.look()

        assert [each for each in world.bands_of if each] == [("INFY",), ("INFY", "TCS")]

    def test_that_are_old_are_asked_for_again(self, played, monkeypatch):
        played.look()
        monkeypatch.setattr("natya.actors.reconciliation.actor.BANDS_S", 0.0)
        before = len(played.world.bands)
        played.look()

        assert len(played.world.bands) > before + 1

    def test_are_asked_no_more_where_orders_does_not_go_by_them(self, played):
        played.world.band_limit = 0.0
        played.look()
        played.world.symbols = ("TCS",)
        played.look()

        assert [each for each in played.world.bands_of if each] == [("INFY",)]
        assert len(played.world.bands) == 1


class TestAListOfOrdersOfSeveralPages:
    """A paper exchange takes more in a day than a page has, and the gate may refuse as many as a loop asks for."""

    def test_is_read_to_its_end(self, actor_system):
        there = replace(THERE, client_order_id="crossover-1-0", broker_order_id="6")
        world = World(AccountBookRead(orders=(THERE, there), positions=()))
        world.further = (replace(MINE, client_order_id="crossover-1-0", broker_order_id="6"),)
        played = Played(actor_system, world)
        played.look()

        assert (world.halts, world.written, world.limits) == ([], [], [])
        assert (played.statistics().failures, played.trouble()) == (0, "")

    def test_loses_no_order_of_any_page(self, actor_system):
        world = World(AccountBookRead(orders=(THERE,), positions=()))
        world.further = (replace(MINE, client_order_id="crossover-1-0", broker_order_id="6"),)
        Played(actor_system, world).look(6)

        assert [(type(each), each.client_order_id) for each in world.written] == [(OrderLost, "crossover-1-0")]


class TestALostOrder:
    def test_lets_only_orders_pass_that_close_until_it_is_back_and_is_told_once(self, played):
        world = played.world
        world.answer = AccountBookRead(orders=(), positions=())
        played.look(6)
        assert [type(each) for each in world.written] == [OrderLost]
        assert world.limits == ["the broker's books differ: crossover-1-1 is open here, and not listed there"]
        world.answer = AccountBookRead(orders=(THERE,), positions=())
        played.look(6)

        assert [type(each) for each in world.written] == [OrderLost, DifferenceEnded]
        assert world.limits[1:] == [""]

    def test_is_none_in_an_order_of_ours_of_yesterday_that_the_broker_lists_after_midnight(self, actor_system):
        yesterdays = {"client_order_id": "crossover-1-9", "broker_order_id": "B-9", "is_open": False}
        world = World(AccountBookRead(orders=(THERE, replace(THERE, status="EXPIRED", **yesterdays)), positions=()))
        world.earlier = (replace(MINE, state="EXPIRED", **yesterdays),)
        played = Played(actor_system, world)
        played.look()

        assert (world.halts, world.written, world.limits) == ([], [], [])

    def test_limits_beside_what_another_has_limited_and_takes_back_its_own_alone(self, played):
        world = played.world
        world.cause = "no new access token in 3 attempts"
        world.answer = AccountBookRead(orders=(), positions=())
        played.look(6)
        world.answer = AccountBookRead(orders=(THERE,), positions=())
        played.look(6)

        assert world.limits == ["the broker's books differ: crossover-1-1 is open here, and not listed there", ""]

    def test_limits_again_where_another_has_taken_its_own_back(self, played):
        world = played.world
        world.answer = AccountBookRead(orders=(), positions=())
        played.look(6)
        world.limits.append("")
        played.look(6)

        assert len(world.limits) == 3
        assert world.limits[0] == world.limits[2]

    def test_is_written_when_the_journal_can_again(self, played):
        world = played.world
        world.journals = False
        world.answer = AccountBookRead(orders=(), positions=())
        played.look(6)
        assert world.written == []
        world.journals = True
        played.look()

        assert [type(each) for each in world.written] == [OrderLost]


class TestAPosition:
    def test_that_changes_while_it_is_looked_at_is_not_judged(self, played):
        world = played.world
        world.trades_at_each_look = 1
        played.look(6)

        assert (world.written, world.limits) == ([], [])

    def test_that_is_another_there_lets_only_orders_pass_that_close(self, played):
        world = played.world
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=7)
        world.answer = AccountBookRead(orders=(THERE,), positions=(there,))
        played.look(6)

        assert [type(each) for each in world.written] == [PositionMismatch]
        assert world.limits == ["the broker's books differ: 0 INFY are held here, and 7 there"]
        told = [[(each.symbol, each.ours, each.theirs) for each in looked.positions] for looked in world.differing]
        assert (told[0], told[-1]) == ([], [("INFY", 0, 7)])

    def test_that_is_another_by_product_is_told_with_each_that_differs(self, played):
        world = played.world
        world.held, world.products = 5, [{"INFY": {"CNC": 5}}]
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=5, products=(("INTRADAY", 5),))
        world.answer = AccountBookRead(orders=(THERE,), positions=(there,))
        played.look(6)

        (told,) = world.written
        assert (type(told), told.product, told.ours, told.theirs) == (PositionMismatch, "CNC", 5, 0)
        differing = [(each.product, each.ours, each.theirs) for each in world.differing[-1].positions]
        assert differing == [("CNC", 5, 0), ("INTRADAY", 0, 5)]
        assert world.limits == ["the broker's books differ: 5 INFY are held as CNC here, and 0 there"]

    def test_whose_products_change_while_it_is_looked_at_is_not_judged(self, played):
        world = played.world
        world.held, world.products = 5, [{"INFY": {"CNC": 5}}, {"INFY": {"INTRADAY": 5}}]
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=7)
        world.answer = AccountBookRead(orders=(THERE,), positions=(there,))
        played.look(6)

        assert (world.written, world.limits) == ([], [])

    def test_whose_instrument_there_is_not_known_is_not_judged(self, played):
        world = played.world
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=7)
        world.answer = AccountBookRead(orders=(THERE,), positions=(there,), unresolved=("INFY",))
        played.look(6)

        assert (world.written, world.limits) == ([], [])

    def test_that_was_changed_by_others_is_looked_at_soon_again(self):
        by_hand = replace(STRANGER, client_order_id="", filled=10, is_open=False)
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=10)
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            played = Played(system, interval_s=100.0)
            played.world.answer = AccountBookRead(orders=(THERE, by_hand), positions=(there,))
            looks = [len(played.world.asked)]
            for seconds in (99.0, 2.0, 5.0, 93.0, 10.0):
                system.base.run_for(seconds)
                looks.append(len(played.world.asked))

        assert looks == [1, 1, 2, 3, 3, 4]

    def test_is_in_doubt_until_a_second_look_shows_the_same(self, played):
        world = played.world
        played.look()
        world.differing.clear()
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=7)
        world.answer = AccountBookRead(orders=(THERE,), positions=(there,))
        played.look(6)
        doubts = [each.is_in_doubt for each in world.differing]

        assert doubts.count(True) == 1
        assert doubts.index(True) <= 1

    def test_that_the_broker_has_squared_off_is_told_from_the_second_look_on(self):
        after_it = datetime(2026, 11, 25, 15, 25, tzinfo=IST)
        its_order = replace(
            STRANGER, client_order_id="", side="SELL", filled=10, is_open=False, average_price=99.5, status="TRADED"
        )
        there = PositionAtBroker(symbol="INFY", instrument="INFY", quantity=0, products=(("INTRADAY", 0),))
        with InProcessSystem(SimulatedSystemBase(1, clock=VirtualClock(int(after_it.timestamp()) * 10**9))) as system:
            world = World(AccountBookRead(orders=(THERE, its_order), positions=(there,)))
            world.held, world.products = 10, [{"INFY": {"INTRADAY": 10}}]
            played = Played(system, world, interval_s=10.0)
            system.base.run_for(30.0)
            told = [each.squared_off for each in played.world.differing]
            trouble = played.trouble()

        assert told[0] == ()
        assert set(told[1:]) == {(SquaredOff(symbol="INFY", shares=10, price=99.5),)}
        assert [each.theirs for each in world.differing[-1].positions] == [0, 0], "exits of brackets go by both books"
        assert (world.written, trouble) == ([], ""), "our book is about to take it over"


class TestAnOrderThatIsOtherwiseThere:
    def test_is_named_to_orders_at_each_look(self, played):
        world = played.world
        world.answer = AccountBookRead(orders=(replace(THERE, quantity=7),), positions=())
        played.look(6)

        assert world.differing[-1].orders == ("crossover-1-1",)
        terms = "open, filled 0, quantity"
        assert world.limits == [
            f"the broker's books differ: crossover-1-1 is {terms} 10 here, and {terms} 7 there",
        ]


class TestOrdersThatDoesNotAnswer:
    @pytest.mark.parametrize("question", [ReadOrders, ReadPositions, ReadRisk])
    def test_proves_nothing_and_is_asked_again(self, played, question, logged):
        world = played.world
        logged()
        world.down = (question,)
        world.answer = AccountBookRead(orders=(), positions=())
        await_that(lambda: played.statistics().failures >= 4)
        assert played.trouble() == "the account was not compared: orders: it restarts"
        assert (world.written, world.limits) == ([], [])
        assert {(level, fields["actor_asked"], fields["reason"]) for level, _, fields in logged()} == {
            ("WARNING", "orders", "it restarts")
        }
        world.down, world.answer = (), AGREED
        played.look()

        assert (played.trouble(), world.written) == ("", [])

    def test_in_time_is_told_so(self, played, monkeypatch):
        monkeypatch.setattr("natya.actors.reconciliation.actor.ANSWER_S", 0.005)
        played.world.is_silent, played.world.down = True, (ReadRisk,)
        await_that(lambda: played.statistics().failures >= 3 and played.trouble())

        assert played.trouble() == "the account was not compared: orders: RequestTimedOut"


class TestWhatIsCountedLoggedAndShown:
    def test_of_a_difference_that_begins_and_ends(self, played, logged):
        world = played.world
        logged()
        world.answer = AccountBookRead(orders=(), positions=())
        played.look(6)
        assert played.trouble() == "1 differences between the broker's books and ours"
        found = played.statistics()
        assert (found.failures, found.differences, found.told) == (0, 1, {"OrderLost": 1})
        world.answer = AGREED
        played.look(6)
        found = played.statistics()
        assert (found.failures, found.differences, found.told, played.trouble()) == (0, 0, {"OrderLost": 1}, "")

        assert [each[:2] for each in logged()] == [("ERROR", "reconciliation.told")] * 2
        lost, ended = world.written
        assert lost == OrderLost(client_order_id="crossover-1-1", since_ns=lost.since_ns, occurred_ns=lost.occurred_ns)
        assert lost.since_ns < lost.occurred_ns < ended.occurred_ns

    def test_of_the_fields_of_what_is_told(self, played, logged):
        logged()
        played.world.answer = AccountBookRead(orders=(), positions=())
        played.look(6)
        (lost,) = played.world.written

        assert [each[2] for each in logged()] == [{"fact": "OrderLost", "told": asdict(lost)}]

    def test_of_an_answer_that_does_not_come(self, played, logged):
        world = played.world
        logged()
        world.answer = AccountBookNotRead(reason="breaker open")
        await_that(lambda: played.statistics().failures >= 2)
        world.answer = AGREED
        played.look()
        failed = ("WARNING", "reconciliation.failed", {"actor_asked": "broker", "reason": "breaker open"})

        assert logged() == [failed] * played.statistics().failures

    def test_of_a_journal_that_takes_nothing(self, played, logged):
        world = played.world
        world.journals = False
        logged()
        world.answer = AccountBookRead(orders=(), positions=())
        played.look(6)
        world.journals = True
        played.look()
        refused = [each for each in logged() if each[1] == "reconciliation.not_written"]

        assert refused
        assert {(level, fields["facts"]) for level, _, fields in refused} == {("ERROR", 1)}

    def test_of_failures_that_a_comparison_interrupts(self, played):
        world = played.world
        actor = played.system.base.find("reconciliation").instance
        for _ in range(3):
            before = played.statistics().failures
            world.answer = AccountBookNotRead(reason="breaker open")
            await_that(lambda: played.statistics().failures > before)  # noqa: B023  called before the next turn
            world.answer = AGREED
            played.look()
            assert (actor._failures_in_a_row, played.trouble()) == (0, "")

    def test_of_nothing_before_the_first_comparison(self, actor_system, monkeypatch):
        monkeypatch.setattr("natya.actors.reconciliation.actor.START_S", 0.02)
        found = Played(actor_system, World(AccountBookNotRead(reason="down")), interval_s=3_600.0).statistics()

        assert (found.rounds, found.differences, found.compared_ns, found.age_s, found.told) == (0, 0, 0, None, {})
        assert found.failures >= 1


def test_a_new_life_goes_on_with_what_was_told_and_what_is_not_durable(played):
    world = played.world
    world.journals = False
    world.answer = AccountBookRead(orders=(), positions=())
    played.look(6)
    actor = played.system.base.find("reconciliation").instance
    kept = actor.snapshot()
    played.system.stop("reconciliation")
    (lost,) = kept[1]
    again = ReconciliationActor.__new__(ReconciliationActor)
    again.restore(kept)

    assert (type(lost), again._unwritten, again._halt_cause) == (OrderLost, (lost,), "")
    assert again._differences.lasting == {("OrderLost", "crossover-1-1"): lost}


class TestAnotherNatya:
    def test_halts_once_and_its_order_is_only_told(self, played):
        world = played.world
        world.answer = AccountBookRead(orders=(THERE, STRANGER), positions=())
        played.look(6)

        assert world.halts == ["another natya trades on this account: order other-1-1"]
        assert world.persons == ["reconciliation"]
        assert [type(each) for each in world.written] == [OrderAdopted]
        assert world.limits == []

    @pytest.mark.parametrize("told_id", ["", "by-hand", "app_12"])
    def test_is_none_whose_order_was_placed_by_hand_which_is_only_told(self, played, told_id):
        world = played.world
        world.answer = AccountBookRead(orders=(THERE, replace(STRANGER, client_order_id=told_id)), positions=())
        played.look(6)

        (told,) = world.written
        assert (type(told), told.is_of_another_natya, told.told_id) == (OrderAdopted, False, told_id)
        assert world.besides == {THERE.client_order_id}, "no other is asked for at orders"
        assert (world.halts, world.limits) == ([], [])

    def test_halts_again_until_orders_has_confirmed(self, played, monkeypatch):
        monkeypatch.setattr("natya.actors.reconciliation.actor.ANSWER_S", 0.05)
        world = played.world
        world.confirms = False
        world.answer = AccountBookRead(orders=(THERE, STRANGER), positions=())
        await_that(lambda: len(world.halts) >= 2)
        world.confirms = True
        played.look(8)
        before = len(world.halts)
        played.look(6)

        assert len(world.halts) == before

    def test_halts_again_at_each_look_however_long_ago_orders_was_to_confirm_the_last_one(self):
        world = World(AccountBookRead(orders=(THERE, STRANGER), positions=()))
        world.confirms = False
        with InProcessSystem(SimulatedSystemBase(1)) as system:
            Played(system, world, interval_s=100.0)
            system.base.run_for(250.0)
            unconfirmed = len(world.halts)
            world.confirms = True
            system.base.run_for(300.0)

        assert (unconfirmed, len(world.halts)) == (3, 4)


class TestABrokerThatCannotBeAsked:
    def test_proves_nothing_and_is_told_after_three_looks(self, played):
        world = played.world
        played.look()
        actor = played.system.base.find("reconciliation").instance
        world.told = lambda: actor.trouble
        world.answer = AccountBookNotRead(reason="breaker open")
        await_that(lambda: played.statistics().failures >= 4)

        assert (world.written, world.limits) == ([], [])
        assert world.told_before[:4] == ["", "", "", "the account was not compared: broker: breaker open"]
        world.answer = AccountBookRead(orders=(THERE,), positions=())
        await_that(lambda: played.statistics() and not actor.trouble)

    @pytest.mark.parametrize("state", ["STARTING", "RECONCILING"])
    def test_nor_does_a_book_that_is_still_read_back(self, played, state):
        world = played.world
        world.state = state
        world.answer = AccountBookRead(orders=(), positions=())
        await_that(lambda: played.statistics().failures >= 4)

        assert (world.written, world.limits) == ([], [])
        assert played.trouble() == f"the account was not compared: orders: {state}"
