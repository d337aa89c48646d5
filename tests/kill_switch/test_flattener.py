"""The flattener between a person and orders, which is played by the test."""

from itertools import pairwise
from types import SimpleNamespace

import msgspec
import pytest
from natya_builders import a_tick
from natya_processes import await_that

from natya.actors.kill_switch import FlattenActor, flattener
from natya.actors.runtime import RuntimeActor, handles
from natya.domain.client_order_ids import OrderIds, is_formed_as_ours, life_of
from natya.domain.flattening import Limits, next_moves
from natya.domain.time import SECOND_NS
from natya.messages.events import Subscribe, Unsubscribe
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import Append, Appended, AppendRefused, JournalPage, JournalRecord, ReadJournal
from natya.messages.kill_switch import Flatten, FlatteningBegun, FlatteningEnded, FlatteningWanted
from natya.messages.order_listing import (
    LISTED_MAX,
    LastPrice,
    OrderListed,
    OrdersRead,
    PositionsRead,
    ReadOrders,
    ReadPositions,
    StrategyHolding,
)
from natya.messages.orders import CancelOrder, OrderAccepted, OrderRefused, SubmitOrder
from natya.messages.reconciliation import PositionMismatch
from natya.messages.supervision import Failed
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("threads")  # a virtual clock runs through thousands of steps while one waits

LIMITS = Limits(quantity_max=100, value_max_rupees=50_000.0, price_age_max_s=0.0)


def listed(client_order_id):
    return OrderListed(
        client_order_id=client_order_id,
        strategy="crossover",
        symbol="INFY",
        side="SELL",
        quantity=10,
        order_type="LIMIT",
        state="ACCEPTED",
        is_open=True,
        limit_price=99.5,
    )


class Account:
    """What orders holds, and how it answers."""

    def __init__(self):
        self.shares = {("crossover", "INFY"): 10}
        self.price = 100.0
        self.submitted = []
        self.priced_ns = 0
        """0: now."""

        self.fills = True
        self.subscribed = []
        self.opened = []
        self.cancelled = []
        self.fails = set()
        """Types of the questions that are answered by a failure."""

        self.journal = []
        self.appends = self.looked = 0
        self.writes = True
        self.lives = 0
        self.between = lambda: None
        """What happens once, between the two questions of a step."""

    def happen(self):
        happens, self.between = self.between, lambda: None
        happens()

    def wants(self, strategy="", symbol="", person=""):
        """Journal that an earlier process was to close something."""
        self.journal.append(FlatteningWanted(strategy=strategy, symbol=symbol, person=person, occurred_ns=1))

    def written(self):
        return [(type(fact), fact.strategy, fact.symbol) for fact in self.journal]


class Orders(RuntimeActor):
    """Fills each order at once, or refuses it; events and the journal, too."""

    def fails(self, message, sender):
        kind = type(message)
        if kind in self.settings.fails:
            self.send(sender, Failed(actor="orders", message_type=kind.__name__, error="E", reason="bug"))
        return kind in self.settings.fails

    @handles(ReadHoldings)
    def holdings(self, message, sender):
        if not self.fails(message, sender):
            self.settings.lives += 1
            life = life_of(self.settings.lives, draw=0)
            self.send(sender, HoldingsRead(strategy=message.strategy, shares={}, filled={}, life=life))

    @handles(ReadPositions)
    def positions(self, message, sender):
        account = self.settings
        if self.fails(message, sender):
            return
        held = tuple(
            StrategyHolding(strategy=strategy, symbol=symbol, quantity=quantity)
            for (strategy, symbol), quantity in account.shares.items()
            if quantity
        )
        priced_ns = account.priced_ns or self.clock.now_ns()
        price = LastPrice(symbol="INFY", price=account.price, priced_ns=priced_ns)
        self.send(sender, PositionsRead(positions=(), held=held, prices=(price,) if account.price else ()))
        account.looked += 1
        account.happen()

    @handles(ReadOrders)
    def orders(self, message, sender):
        if not self.fails(message, sender):
            assert (message.open_only, message.orders_max) == (True, LISTED_MAX)
            self.send(sender, OrdersRead(orders=tuple(self.settings.opened), is_complete=True))
            self.settings.happen()

    @handles(SubmitOrder)
    def submit(self, order, sender):
        account = self.settings
        account.submitted.append(order)
        if account.fills:
            account.shares[order.strategy, order.symbol] += order.quantity if order.side == "BUY" else -order.quantity
            return
        refused = OrderRefused(
            client_order_id=order.client_order_id,
            strategy=order.strategy,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            rule="a_rule",
            reason="no",
            occurred_ns=1,
        )
        self.send(sender, refused)

    @handles(CancelOrder)
    def cancel(self, request, _sender):
        account = self.settings
        account.cancelled.append(request.client_order_id)
        account.opened = [each for each in account.opened if each.client_order_id != request.client_order_id]

    @handles(Append)
    def append(self, append, sender):
        self.settings.appends += 1
        if self.settings.writes is None:  # it is stuck
            return
        if self.settings.writes:
            self.settings.journal.extend(append.facts)
            self.send(sender, Appended(first_sequence=1, last_sequence=1))
        else:
            self.send(sender, AppendRefused(reason="disk full"))

    @handles(ReadJournal)
    def read(self, request, sender):
        if self.fails(request, sender):
            return
        assert set(request.types) == {"FlatteningWanted", "FlatteningEnded"}
        records = [
            JournalRecord(sequence=number, recorded_ns=1, correlation_id="", fact=fact)
            for number, fact in enumerate(self.settings.journal, 1)
        ][request.after_sequence :][: request.records_max]
        self.send(sender, JournalPage(records=tuple(records), last_sequence=len(self.settings.journal)))

    @handles(Subscribe, Unsubscribe)
    def note(self, message, _sender):
        self.settings.subscribed.append(message)


@pytest.fixture
def account():
    return Account()


@pytest.fixture
def flatten(actor_system, account, monkeypatch):
    monkeypatch.setattr(flattener, "STEP_S", 0.005)
    for name in ("orders", "events", "journal"):
        actor_system.start(name, Orders, account)
    actor_system.start("flattener", FlattenActor, LIMITS)

    def begin(not_written="", **fields):
        assert actor_system.request("flattener", Flatten(**fields)) == FlatteningBegun(not_written=not_written)

    begin.system = actor_system
    begin.actor = lambda: actor_system.request("flattener", Ping()) and actor_system.base.find("flattener").instance
    return begin


def test_it_closes_by_limit_orders_until_nothing_is_held_and_then_rests(flatten, account):
    account.shares["other", "INFY"] = 200
    flatten(person="asha")
    await_that(lambda: not any(account.shares.values()))
    await_that(lambda: not flatten.actor()._is_stepping)

    assert {order.order_type for order in account.submitted} == {"LIMIT"}
    assert sorted(order.quantity for order in account.submitted) == [10, 100, 100]
    assert len({order.client_order_id for order in account.submitted}) == 3
    assert all(len(order.client_order_id) <= 25 for order in account.submitted)
    left, heard = Unsubscribe(subscriber="flattener"), Subscribe(subscriber="flattener", topics=flattener.HEARD)
    await_that(lambda: account.subscribed[2:] == [left])
    assert account.subscribed[:2] == [left, msgspec.structs.replace(heard, symbols=("INFY",))]


def test_it_closes_what_is_asked_for_alone(flatten, account):
    account.shares["other", "INFY"] = 7
    flatten(strategy="other")
    await_that(lambda: not flatten.actor()._is_stepping)

    assert account.shares == {("crossover", "INFY"): 10, ("other", "INFY"): 0}


def test_it_does_not_go_by_a_price_of_a_time_that_has_not_come(flatten, account):
    later_ns = flatten.system.base.clock.now_ns() + 3_600 * SECOND_NS
    flatten.system.tell("flattener", a_tick(price=1.0, exchange_ns=later_ns))
    flatten()
    await_that(lambda: not flatten.actor()._is_stepping)

    assert account.submitted[0].limit_price == 99.5


@pytest.mark.parametrize(("shares", "side", "limit"), [(10, "SELL", 99.5), (-10, "BUY", 100.5)])
def test_what_it_places_is_one_order_of_the_strategy_at_the_price_it_has(flatten, account, shares, side, limit):
    account.shares["crossover", "INFY"], account.priced_ns = shares, 7
    before_ns = flatten.system.base.clock.now_ns()
    for fields in ({}, {"strategy": "crossover"}, {"symbol": "INFY"}):
        flatten(**fields)
    await_that(lambda: not flatten.actor()._is_stepping)

    (order,) = account.submitted
    assert order.submitted_ns >= before_ns
    assert order == SubmitOrder(
        client_order_id=order.client_order_id,
        strategy="crossover",
        symbol="INFY",
        side=side,
        quantity=10,
        order_type="LIMIT",
        limit_price=limit,
        submitted_ns=order.submitted_ns,
        reference_price=100.0,
        reference_ns=7,
    )
    assert order.client_order_id.startswith("flat-")
    assert is_formed_as_ours(order.client_order_id)


def test_no_two_lives_of_it_use_an_id_twice_however_their_random_numbers_fall(flatten, account):
    for shares in (10, 20):
        account.shares["crossover", "INFY"] = shares
        flatten()
        await_that(lambda: not flatten.actor()._is_stepping)
        flatten.actor().on_start()  # as in a new process

    assert len({order.client_order_id for order in account.submitted}) == 2


def test_it_cancels_what_else_is_open_once_and_waits_for_its_own(flatten, account):
    own, other = (listed(each) for each in ("flat-1", "A-1"))
    account.opened = [other, own]
    for fields in ({}, {"strategy": "crossover"}):
        flatten(**fields)
    await_that(lambda: account.cancelled)
    flatten.actor()
    assert (account.cancelled, account.submitted) == (["A-1"], [])
    account.price = 90.0  # which leaves its own behind
    await_that(lambda: not any(account.shares.values()))

    assert account.cancelled == ["A-1", "flat-1"]


def test_it_cancels_its_own_order_where_others_have_closed_what_that_was_for_and_is_done(flatten, account):
    account.shares = {("crossover", "INFY"): 0}
    account.opened = [listed("flat-1")]
    flatten()
    await_that(lambda: (FlatteningEnded, "", "") in account.written())

    assert (account.cancelled, account.submitted) == (["flat-1"], [])


@pytest.mark.parametrize("question", [ReadHoldings, ReadPositions, ReadOrders])
def test_it_says_that_orders_does_not_answer_and_goes_on_when_it_does(flatten, account, question):
    account.fails = {question}
    flatten()
    await_that(lambda: flatten.actor().trouble.startswith("an answer of orders wanted, found Failed(actor='orders'"))
    assert account.submitted == []
    account.fails = set()
    await_that(lambda: not any(account.shares.values()))
    await_that(lambda: not flatten.actor().trouble)


def test_it_goes_on_in_a_new_life_with_what_was_to_be_closed(flatten, account):
    account.price = 0.0
    account.shares["other", "INFY"] = 7
    flatten(strategy="other")
    await_that(lambda: flatten.actor().trouble)
    kept = flatten.actor().snapshot()
    again = flatten.actor()
    again.on_start()
    account.price = 100.0
    again.restore(kept)
    await_that(lambda: not again._is_stepping)

    assert kept[0] == {("other", "")}
    assert account.shares == {("crossover", "INFY"): 10, ("other", "INFY"): 0}


def test_it_hears_the_prices_of_all_that_is_held_and_keeps_the_newest(flatten, account):
    account.priced_ns, account.fills = 5, False
    account.shares["crossover", "TCS"] = 1
    flatten()
    await_that(lambda: account.submitted)
    assert account.subscribed[-1].symbols == ("INFY", "TCS")
    flatten.system.tell("flattener", a_tick(price=90.0, exchange_ns=7))
    flatten.system.tell("flattener", a_tick(price=80.0, exchange_ns=6))  # it is late
    await_that(lambda: len(account.submitted) >= 2)

    assert {order.symbol for order in account.submitted} == {"INFY"}
    await_that(lambda: account.submitted[-1].reference_price == 90.0)
    assert account.submitted[-1].reference_ns == 7
    assert len([each for each in account.subscribed if isinstance(each, Subscribe)]) == 1


def test_it_is_asked_twice_and_goes_on_as_often_as_for_one(actor_system):
    orders = actor_system.probe("orders")
    actor_system.start("flattener", FlattenActor, LIMITS)
    actor_system.base.find("flattener").instance.restore((frozenset(), (), True))
    for strategy in ("crossover", "other", ""):
        actor_system.request("flattener", Flatten(strategy=strategy))

    assert isinstance(orders.receive(), ReadHoldings)
    assert orders.is_empty()


def test_it_says_why_it_waits_and_goes_on_when_there_is_a_price(flatten, account):
    account.price = 0.0
    flatten()
    await_that(lambda: flatten.actor().trouble == "INFY: a price wanted, found none")
    assert account.submitted == []
    account.price = 100.0
    await_that(lambda: not any(account.shares.values()))
    await_that(lambda: not flatten.actor().trouble)


def test_it_says_why_its_orders_are_refused_until_one_is_not(flatten, account):
    account.fills = False
    flatten()
    await_that(lambda: flatten.actor().trouble == "INFY: an order that closes it was refused: no")
    account.fills = True
    await_that(lambda: not any(account.shares.values()))
    await_that(lambda: not flatten.actor().trouble)


def test_an_order_that_is_taken_takes_the_reason_back(flatten, account):
    account.fills = False
    flatten()
    await_that(lambda: flatten.actor()._refused)
    flatten.system.stop("orders")  # no other order is refused meanwhile
    actor, of = flatten.actor(), ("crossover", "INFY")
    actor._refused[of] = "no"
    for name, is_left in (("another", True), (actor._newest[of], False)):
        actor.hear_fact(OrderAccepted(client_order_id=name, broker_order_id="B-1", occurred_ns=1), None)
        assert (of in actor._refused) == is_left


def test_an_order_that_changes_nothing_is_followed_by_growing_pauses(flatten, account):
    account.fills = False
    flatten()
    await_that(lambda: len(account.submitted) >= 3)

    assert flatten.actor()._tries["crossover", "INFY"][1] >= 3
    times_ns = [order.submitted_ns for order in account.submitted[:3]]
    pauses_s = [(later - earlier) / SECOND_NS for earlier, later in pairwise(times_ns)]
    assert all(found >= wanted for found, wanted in zip(pauses_s, (0.005, 0.01), strict=True))
    assert len({order.client_order_id for order in account.submitted}) == len(account.submitted)


def test_it_hears_prices_of_its_own(flatten, account):
    account.price = 0.0
    flatten()
    await_that(lambda: flatten.actor().trouble)
    flatten.system.tell("flattener", a_tick(price=100.0, exchange_ns=flatten.system.base.clock.now_ns()))
    await_that(lambda: not any(account.shares.values()))

    assert {order.reference_price for order in account.submitted} == {100.0}


def test_it_tries_at_once_again_where_something_has_changed_and_else_after_a_pause(flatten, monkeypatch):
    monkeypatch.setattr(flattener, "STEP_S", 60)
    may_try, of = flatten.actor()._may_try, ("crossover", "INFY")

    assert [may_try(of, quantity) for quantity in (10, 10, 7, 7, 10)] == [True, False, True, False, True]
    assert may_try(("other", "INFY"), 10)


def test_it_tries_at_once_again_where_somebody_asks_once_more(flatten, account, monkeypatch):
    monkeypatch.setattr(flattener, "STEP_S", 60)
    account.shares, of = {}, ("crossover", "INFY")
    assert [flatten.actor()._may_try(of, 10) for _ in range(2)] == [True, False]
    flatten()
    await_that(lambda: not flatten.actor()._is_stepping)

    assert flatten.actor()._may_try(of, 10)


class TestAStepThatIsOvertaken:
    def test_by_a_fill_between_its_questions_does_not_take_what_it_brings_for_nothing(self, flatten, account):
        account.shares = {("crossover", "INFY"): 0}
        account.opened = [listed("A-1")]
        account.between = lambda: (account.opened.clear(), account.shares.update({("crossover", "INFY"): 10}))
        flatten()
        await_that(lambda: account.written()[1:] == [(FlatteningEnded, "", "")])

        assert account.shares == {("crossover", "INFY"): 0}

    def test_by_a_request_does_not_say_that_this_one_is_done(self, flatten, account):
        actor, nothing = flatten.actor(), PositionsRead(positions=(), held=())
        actor._targets = {("one", ""), ("two", "")}
        actor._act(nothing, OrdersRead(orders=(), is_complete=True), frozenset({("one", "")}))

        assert actor._targets == {("two", "")}


class TestWhatIsToBeClosed:
    def test_is_durable_when_it_is_answered_and_so_is_its_end(self, flatten, account):
        account.shares["other", "INFY"] = 7
        account.price = 0.0
        flatten(strategy="other", person="asha")
        (wanted,) = account.journal
        assert (type(wanted), wanted.strategy, wanted.symbol, wanted.person) == (FlatteningWanted, "other", "", "asha")
        assert wanted.occurred_ns > 1
        account.price = 100.0
        await_that(lambda: account.written()[1:] == [(FlatteningEnded, "other", "")])

    def test_is_written_also_where_the_journal_has_not_answered_of_another(self, flatten, account):
        account.price = 0.0
        strategies = ("one", "two", "three")
        answers = [flatten.system.request_future("flattener", Flatten(strategy=each)) for each in strategies]

        assert [answer.result(timeout=5) for answer in answers] == [FlatteningBegun()] * 3
        wanted = [strategy for kind, strategy, _ in account.written() if kind is FlatteningWanted]
        assert wanted == list(strategies)

    def test_is_gone_on_with_by_the_next_process(self, flatten, account, monkeypatch):
        monkeypatch.setattr(flattener, "PAGE_RECORDS", 2)
        flatten.system.stop("flattener")
        account.shares = {("one", "INFY"): 1, ("two", "INFY"): 2, ("three", "INFY"): 3}
        for strategy in ("one", "two", "three"):
            account.wants(strategy)
        account.journal.insert(2, FlatteningEnded(strategy="one", symbol="", occurred_ns=1))
        account.journal.append(FlatteningEnded(strategy="two", symbol="TCS", occurred_ns=1))
        flatten.system.start("flattener", FlattenActor, LIMITS)
        await_that(lambda: account.written()[5:] == [(FlatteningEnded, "three", ""), (FlatteningEnded, "two", "")])

        assert account.shares == {("one", "INFY"): 1, ("two", "INFY"): 0, ("three", "INFY"): 0}

    def test_is_read_as_soon_as_the_journal_answers(self, flatten, account):
        flatten.system.stop("flattener")
        account.fails = {ReadJournal}
        account.wants("crossover")
        flatten.system.start("flattener", FlattenActor, LIMITS)
        flatten.actor()
        assert account.submitted == []
        account.fails = set()

        await_that(lambda: account.shares == {("crossover", "INFY"): 0})

    def test_is_closed_at_once_where_it_cannot_be_written_and_written_when_it_can(self, flatten, account):
        account.writes = False
        flatten(not_written="disk full")
        await_that(lambda: not any(account.shares.values()))
        assert account.journal == []
        account.writes = True

        await_that(lambda: account.written() == [(FlatteningWanted, "", ""), (FlatteningEnded, "", "")])

    def test_is_closed_though_the_journal_does_not_answer_and_who_asked_is_told(self, flatten, account, monkeypatch):
        monkeypatch.setattr(flattener, "ANSWER_S", 0.05)
        account.writes = None
        flatten(not_written="no answer in 0.05 s from journal to Append")

        await_that(lambda: not any(account.shares.values()))

    def test_that_is_not_written_is_handed_over_to_the_next_life(self, flatten, account):
        account.writes = False
        account.price = 0.0
        flatten(not_written="disk full", strategy="crossover")
        actor = flatten.actor()
        kept = actor.snapshot()
        actor.on_start()
        account.writes = True
        actor.restore(kept)

        await_that(lambda: account.written() == [(FlatteningWanted, "crossover", "")])


def test_what_was_done_before_a_restart_is_not_begun_again_though_its_end_is_not_written_yet(flatten, account):
    flatten(strategy="crossover")
    await_that(lambda: account.written()[-1:] == [(FlatteningEnded, "crossover", "")])
    actor = flatten.actor()
    ended = account.journal.pop()  # the journal is behind
    actor.on_start()
    actor.restore((frozenset(), (ended,), True))
    account.shares["crossover", "INFY"] = 7  # of an order since

    await_that(lambda: account.written()[-1:] == [(FlatteningEnded, "crossover", "")])
    assert (actor._targets, account.shares["crossover", "INFY"]) == (set(), 7)


@pytest.mark.parametrize("set_back_s", [0, 7_200])
def test_the_pauses_after_tries_that_change_nothing_double_up_to_a_minute_wherever_the_clock_is_set(set_back_s):
    now = SimpleNamespace(ns=0, wall_ns=0)
    clock = SimpleNamespace(now_ns=lambda: now.wall_ns + now.ns, monotonic_ns=lambda: now.ns)
    played, of = SimpleNamespace(clock=clock, _tries={}), ("crossover", "INFY")
    for pause_s in (1, 2, 4, 8, 16, 32, 60, 60, 60):
        assert FlattenActor._may_try(played, of, 10)
        now.wall_ns -= set_back_s * SECOND_NS
        now.ns += pause_s * SECOND_NS - 1
        assert not FlattenActor._may_try(played, of, 10)
        now.ns += 1


def test_it_hears_the_prices_again_when_it_is_asked_again(flatten, account):
    for _ in range(2):
        account.shares["crossover", "INFY"] = 10
        account.subscribed.clear()
        flatten()
        await_that(lambda: account.subscribed[2:])

        assert [type(each) for each in account.subscribed] == [Unsubscribe, Subscribe, Unsubscribe]


def test_it_logs_each_reason_to_wait_once(flatten, account, logged):
    account.price = 0.0
    flatten()
    await_that(lambda: flatten.actor() and account.looked > 5)
    account.price = 100.0
    await_that(lambda: not flatten.actor()._is_stepping)

    assert [each for each in logged() if each[1] == "flatten.waiting"] == [
        ("WARNING", "flatten.waiting", {"reason": "INFY: a price wanted, found none"})
    ]


class TestWhatIsLogged:
    """Of a flattening, from its beginning to its end."""

    def test_is_who_wanted_what_and_its_end(self, flatten, account, logged):
        logged()
        flatten(strategy="crossover", symbol="INFY", person="asha")
        await_that(lambda: not flatten.actor()._is_stepping)
        of = {"strategy": "crossover", "symbol": "INFY"}

        assert [each for each in logged() if each[1].startswith("flatten")] == [
            ("WARNING", "flatten.begun", of | {"by": "asha"}),
            ("WARNING", "flatten.done", of),
        ]

    def test_is_what_becomes_of_its_orders_and_of_no_others(self, flatten, account, logged):
        account.fills = False
        flatten()
        await_that(lambda: flatten.actor()._refused)
        flatten.system.stop("orders")
        actor = flatten.actor()
        logged()
        name = actor._newest["crossover", "INFY"]
        for client_order_id in ("another", name):
            actor.hear_fact(OrderAccepted(client_order_id=client_order_id, broker_order_id="B", occurred_ns=1), None)

        assert [each for each in logged() if each[1] == "flatten.heard"] == [
            ("INFO", "flatten.heard", {"fact": "OrderAccepted", "client_order_id": name})
        ]

    def test_is_what_an_earlier_process_was_to_close(self, flatten, account, logged):
        flatten.system.stop("flattener")
        account.shares = {("crossover", "INFY"): 1, ("other", "INFY"): 1}
        account.wants("other")
        account.wants("crossover", "INFY")
        logged()
        flatten.system.start("flattener", FlattenActor, LIMITS)
        await_that(lambda: not any(account.shares.values()))

        assert [each for each in logged() if each[1] == "flatten.resumed"] == [
            ("WARNING", "flatten.resumed", {"strategy": strategy, "symbol": symbol})
            for strategy, symbol in (("crossover", "INFY"), ("other", ""))
        ]

    def test_is_what_the_journal_does_not_take(self, flatten, account, logged):
        account.writes = False
        account.price = 0.0
        logged()
        flatten(not_written="disk full", strategy="crossover")
        flatten.actor()
        told = [each for each in logged() if each[1] == "flatten.not_written"]

        assert told
        assert all(each == ("ERROR", "flatten.not_written", {"facts": 1, "reason": "disk full"}) for each in told)


class TestWhatIsWrittenOfWhatIsToBeClosed:
    def test_is_each_of_it_once_and_whole(self, flatten, account):
        before_ns = flatten.system.base.clock.now_ns()
        flatten(strategy="crossover", symbol="INFY", person="asha")
        await_that(lambda: not flatten.actor()._is_stepping)
        await_that(lambda: len(account.journal) >= 2)
        wanted, ended = account.journal

        of = {"strategy": "crossover", "symbol": "INFY"}
        assert wanted == FlatteningWanted(person="asha", occurred_ns=wanted.occurred_ns, **of)
        assert ended == FlatteningEnded(occurred_ns=ended.occurred_ns, **of)
        assert before_ns <= wanted.occurred_ns <= ended.occurred_ns
        for _ in range(5):
            flatten.actor()
        assert account.appends == 2, "nothing is no append"

    def test_is_told_done_only_where_nothing_of_it_is_left(self, flatten, account):
        account.fills = False
        account.shares["other", "INFY"] = 0
        flatten(strategy="crossover")
        flatten(strategy="other")
        await_that(lambda: (FlatteningEnded, "other", "") in account.written())
        flatten.actor()

        assert (FlatteningEnded, "crossover", "") not in account.written()
        assert flatten.actor()._refused, "why its order was refused is told on"
        account.fills = True
        await_that(lambda: (FlatteningEnded, "crossover", "") in account.written())
        actor = flatten.actor()
        assert (actor._refused, actor._newest) == ({}, {})


class TestPricesThatPositionsAreToldWith:
    @pytest.mark.parametrize(
        ("known_ns", "told_ns", "price"), [(0, 5, 100.0), (4, 5, 100.0), (5, 5, 90.0), (6, 5, 90.0), (None, 5, 100.0)]
    )
    def test_count_where_they_are_newer_or_those_before_are_of_a_time_that_has_not_come(
        self, flatten, known_ns, told_ns, price
    ):
        actor = flatten.actor()
        later_ns = flatten.system.base.clock.now_ns() + 3_600 * SECOND_NS
        if known_ns != 0:
            actor._prices["INFY"] = 90.0, later_ns if known_ns is None else known_ns
        told = LastPrice(symbol="INFY", price=100.0, priced_ns=told_ns)
        actor._take_prices(PositionsRead(positions=(), held=(), prices=(told,)))

        assert actor._prices["INFY"][0] == price

    def test_have_it_hear_of_what_is_held_more_than_before_alone(self, flatten, account):
        actor = flatten.actor()
        account.subscribed.clear()
        for symbols in (("TCS", "INFY"), ("INFY",), ("INFY", "TCS"), ("SBIN",)):
            held = tuple(StrategyHolding(strategy="crossover", symbol=each, quantity=1) for each in symbols)
            actor._take_prices(PositionsRead(positions=(), held=held))
        flatten.system.request("events", Ping())

        assert [each.symbols for each in account.subscribed if isinstance(each, Subscribe)] == [
            *(("INFY", "TCS"), ("SBIN",)),
        ]


class TestWhatTheRuleIsGiven:
    def test_are_bands_freeze_quantities_and_what_differs_there(self, flatten, account, monkeypatch):
        """As orders has told them; a band of 0 is none."""
        given = []

        def moves(*what, **fields):
            given.append((what, fields))
            return next_moves(*what, **fields)

        monkeypatch.setattr(flattener, "next_moves", moves)
        actor = flatten.actor()
        actor._targets = {("crossover", "INFY")}
        mismatch = PositionMismatch(symbol="INFY", ours=10, theirs=7, is_ours=True, since_ns=1, occurred_ns=1)
        prices = (
            LastPrice(symbol="INFY", price=100.0, priced_ns=1, low=95.0, high=105.0),
            LastPrice(symbol="TCS", price=100.0, priced_ns=1),
        )
        held = (StrategyHolding(strategy="crossover", symbol="INFY", quantity=10),)
        found = PositionsRead(
            positions=(), held=held, prices=prices, differing=(mismatch,), freeze_quantities={"INFY": 1_800}
        )
        actor._ids = OrderIds("flat", life=life_of(1, draw=0))
        actor._take_prices(found)
        actor._act(found, OrdersRead(orders=(listed("A-1"),), is_complete=True), frozenset())
        ((what, fields),) = given[:1]

        assert what == (held, (listed("A-1"),), actor._prices)
        assert (fields["strategy"], fields["symbol"], fields["limits"]) == ("crossover", "INFY", LIMITS)
        assert fields["bands"] == {"INFY": (95.0, 105.0)}
        assert (fields["differing"], fields["freeze_quantities"]) == ((mismatch,), {"INFY": 1_800})
        ids = ("flat-1", "flat-2sk3x9-1", "flat-ma-2sk3x9-1", "flatter-2sk3x9-1", "A-1", "other-flat-1")
        assert [fields["is_own"](each) for each in ids] == [True] * 2 + [False] * 4
