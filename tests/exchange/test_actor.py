"""The exchange actor: whose report goes where, and what a restart leaves."""

import time
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from natya.actors.exchange import ExchangeActor, ExchangeActorSettings
from natya.actors.exchange import actor as exchange_actor
from natya.actors.exchange.matching import Matching
from natya.actors.runtime import RuntimeActor, handles
from natya.config.sections.exchange import ExchangeSettings
from natya.domain.venues import day_order_ends_ns_of
from natya.messages.accounts import AccountEntered
from natya.messages.broker import (
    CancelRequest,
    FindOrder,
    OrderFound,
    OrderNotFound,
    OrderStatusRequest,
    ReplaceRequest,
)
from natya.messages.journal import JournalPage, JournalRecord, ReadJournal
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping


class PlayedJournal(RuntimeActor):
    """Gives out the facts of its settings, and refuses the first question, or forgets it, if they say so."""

    @handles(ReadJournal)
    def read(self, request, sender):
        if self.settings.refusals:
            refusal = self.settings.refusals.pop()
            if refusal is not None:
                self.send(sender, refusal)
            return
        records = [
            JournalRecord(sequence=sequence, recorded_ns=self.settings.recorded_ns, correlation_id="", fact=fact)
            for sequence, fact in enumerate(self.settings.facts, start=1)
            if sequence > request.after_sequence and type(fact).__name__ in request.types
        ]
        page = tuple(records[: request.records_max])
        self.send(sender, JournalPage(records=page, last_sequence=len(self.settings.facts)))


@pytest.fixture
def journal():
    return SimpleNamespace(facts=[], refusals=[], recorded_ns=1)


@pytest.fixture
def open_exchange(actor_system, journal):
    def build(account="session"):
        actor_system.start("journal", PlayedJournal, journal)
        settings = ExchangeActorSettings(limits=ExchangeSettings.default(tick_size_rupees=0.05), account=account)
        actor_system.start("exchange", FailingExchange, settings)
        return actor_system

    return build


@pytest.fixture
def system(open_exchange):
    return open_exchange()


class TestPlacingAnOrder:
    def test_is_answered_to_who_placed_it(self, system, a_tick, an_order):
        system.tell("exchange", a_tick(100.0))

        answer = system.request("exchange", an_order(limit_price=99.0), timeout_s=5)

        assert answer.execution_type == "NEW"
        assert answer.broker_order_id.startswith("X-")

    def test_that_is_refused_is_answered_by_rejected(self, system, an_order):
        answer = system.request("exchange", an_order(), timeout_s=5)

        assert answer.execution_type == "REJECTED"

    def test_brings_later_trades_to_who_placed_it(self, system, a_tick, an_order):
        broker = system.probe("broker")
        system.tell("exchange", a_tick(100.0))
        system.tell("exchange", an_order(limit_price=99.0), sender=broker)
        assert broker.receive(timeout_s=5).execution_type == "NEW"

        system.tell("exchange", a_tick(98.5))

        report = broker.receive(timeout_s=5)
        assert (report.execution_type, report.quantity, report.price) == ("TRADE", 10, 99.0)


class TestChangingAnOrder:
    def test_is_answered_to_who_asked_and_its_trades_go_to_who_placed_it(self, system, a_tick, an_order):
        broker = system.probe("broker")
        system.tell("exchange", a_tick(100.0))
        system.tell("exchange", an_order(limit_price=99.0), sender=broker)
        broker.receive(timeout_s=5)

        change = ReplaceRequest(client_order_id="a", quantity=12, order_type="LIMIT", limit_price=101.0, number=3)
        answer = system.request("exchange", change, timeout_s=5)

        assert (answer.execution_type, answer.number) == ("REPLACED", 3)
        report = broker.receive(timeout_s=5)
        assert (report.execution_type, report.quantity, report.price, report.number) == ("TRADE", 12, 100.0, 0)

    def test_that_is_not_there_is_refused_by_its_number(self, system):
        change = ReplaceRequest(client_order_id="none", quantity=12, order_type="MARKET", number=3)
        answer = system.request("exchange", change, timeout_s=5)

        assert (answer.execution_type, answer.number) == ("CANCEL_REJECTED", 3)


CHANGE = ReplaceRequest(client_order_id="a", quantity=12, order_type="LIMIT", limit_price=98.0, number=1)


@pytest.mark.parametrize("request_", [None, CHANGE, CancelRequest(client_order_id="a")], ids=["order", "change", "end"])
@pytest.mark.usefixtures("threads")
def test_what_is_asked_between_two_ticks_is_done_at_its_own_time(system, a_tick, an_order, request_):
    system.tell("exchange", a_tick(100.0))
    order = an_order(limit_price=99.0)
    if request_ is not None:
        system.request("exchange", order, timeout_s=5)
    before_ns = system.base.clock.now_ns()
    answer = system.request("exchange", request_ or order, timeout_s=5)

    assert answer.execution_type in {"NEW", "REPLACED", "CANCELLED"}
    assert before_ns <= answer.occurred_ns <= system.base.clock.now_ns()


class TestAskingForAnOrder:
    def test_finds_it_with_its_trades(self, system, a_tick, an_order):
        system.tell("exchange", a_tick(100.0))
        system.request("exchange", an_order(), timeout_s=5)

        found = system.request("exchange", OrderStatusRequest(client_order_id="a"), timeout_s=5)

        assert isinstance(found, OrderFound)
        assert found.state == "FILLED"
        assert len(found.reports) == 1

    def test_that_rests_may_end_in_its_cancellation(self, system, a_tick, an_order):
        system.tell("exchange", a_tick(100.0))
        system.request("exchange", an_order(limit_price=99.0), timeout_s=5)

        first = system.request("exchange", CancelRequest(client_order_id="a"), timeout_s=5)
        again = system.request("exchange", CancelRequest(client_order_id="a"), timeout_s=5)

        assert first.execution_type == "CANCELLED"
        assert again.execution_type == "CANCEL_REJECTED"


class TestARestart:
    def test_keeps_the_book_and_whose_it_is(self, system, a_tick, an_order):
        broker = system.probe("broker")
        system.tell("exchange", a_tick(100.0))
        system.tell("exchange", an_order(limit_price=99.0), sender=broker)
        assert broker.receive(timeout_s=5).execution_type == "NEW"

        system.tell("exchange", FindOrder(client_order_id="none"))

        statistics = system.request("exchange", Ping(), timeout_s=5).statistics
        assert (statistics.orders, statistics.resting_orders) == (1, 1)
        system.tell("exchange", a_tick(98.0))
        assert broker.receive(timeout_s=5).execution_type == "TRADE"
        assert system.request("exchange", Ping(), timeout_s=5).statistics.resting_orders == 0


class TestTheEndOfADay:
    """Ends each order for the day, whether or not a tick follows; an order after the close is for the next session."""

    TEN_ON_MONDAY_NS = 1_766_982_600_000_000_000  # 2025-12-29 10:00 in India
    HOUR_NS = 3_600_000_000_000

    @pytest.fixture
    def matching(self):
        return Matching(tick_size_rupees=0.05, run=1, now_ns=self.TEN_ON_MONDAY_NS, day_ends_ns=day_order_ends_ns_of)

    def at(self, a_tick, price, hours):
        return replace(a_tick(price), exchange_ns=self.TEN_ON_MONDAY_NS + hours * self.HOUR_NS)

    def test_comes_before_a_tick_of_the_next_and_is_told_of_each_in_turn(self, matching, a_tick, an_order):
        matching.move(self.at(a_tick, 100.0, 0))
        matching.place(an_order("stop", side="SELL", order_type="STOP_LOSS_MARKET", trigger_price=95.0))
        matching.place(an_order("limit", limit_price=99.0))
        assert matching.end_day(self.TEN_ON_MONDAY_NS + 13 * self.HOUR_NS) == []
        reports = matching.end_day(self.TEN_ON_MONDAY_NS + 14 * self.HOUR_NS)

        told = [(each.client_order_id, each.execution_type, each.leaves_quantity, each.reason) for each in reports]
        assert told == [("stop", "EXPIRED", 0, "its day is over"), ("limit", "EXPIRED", 0, "its day is over")]
        assert matching.move(self.at(a_tick, 90.0, 24)) == []
        assert (matching.find("limit").state, matching.resting, matching.next_end_ns) == ("EXPIRED", 0, 0)

    def test_leaves_what_came_after_the_close_to_the_next_session(self, matching, a_tick, an_order):
        matching.move(self.at(a_tick, 100.0, 0))
        matching.place(an_order("of the day", limit_price=99.0))
        matching.pass_time(self.TEN_ON_MONDAY_NS + 6 * self.HOUR_NS)
        matching.place(an_order("of the next", limit_price=98.0))
        ended = matching.end_day(self.TEN_ON_MONDAY_NS + 14 * self.HOUR_NS)

        assert [each.client_order_id for each in ended] == ["of the day"]
        assert [each.price for each in matching.move(self.at(a_tick, 97.0, 24))] == [97.0], "as the auction"

    def test_is_somebody_elses_where_no_one_says_when_it_is(self, a_tick, an_order):
        matching = Matching(tick_size_rupees=0.05, run=1, now_ns=self.TEN_ON_MONDAY_NS)
        matching.move(self.at(a_tick, 100.0, 0))
        matching.place(an_order("a", limit_price=99.0))

        assert matching.end_day(self.TEN_ON_MONDAY_NS + 100 * self.HOUR_NS) == []
        assert matching.resting == 1

    def test_comes_by_itself_and_to_a_process_that_was_not_there(self, actor_system, open_exchange, journal, make):
        journal.facts = [
            make.intent("A-1", order_type="LIMIT", limit_price=99.0, occurred_ns=self.TEN_ON_MONDAY_NS - 10**18),
            make.accepted("A-1", "B-1"),
        ]
        broker = actor_system.probe("broker")
        open_exchange()

        report = broker.receive(timeout_s=5)
        assert (report.client_order_id, report.execution_type) == ("A-1", "EXPIRED")


class FailingExchange(ExchangeActor):
    """Fails when it is asked for an order."""

    @handles(FindOrder)
    def fail(self, _message, _sender):
        raise RuntimeError


class TestANewProcess:
    """Its book is what the journal says of the account."""

    def a_rest(self, make, name="A-1", filled=4):
        fields = {"order_type": "LIMIT", "limit_price": 99.0, "occurred_ns": time.time_ns()}
        return [
            make.intent(name, **fields),
            make.accepted(name, f"B-{name}"),
            *([make.filled(name, quantity=filled)] if filled else []),
        ]

    def resting(self, system):
        return system.request("exchange", Ping(), timeout_s=5).statistics.resting_orders

    def test_has_what_is_left_of_open_orders_resting_again(self, open_exchange, journal, make, a_tick):
        journal.facts = self.a_rest(make)
        system = open_exchange()
        broker = system.probe("broker")

        system.tell("exchange", a_tick(100.0, symbol="INFY"))
        system.tell("exchange", a_tick(98.5, symbol="INFY", after_s=1))

        report = broker.receive(timeout_s=5)
        assert (report.client_order_id, report.broker_order_id) == ("A-1", "B-A-1")
        assert (report.quantity, report.cumulative_quantity, report.leaves_quantity) == (6, 10, 0)
        assert report.execution_id != "T-1"

    @pytest.mark.parametrize(
        ("before_s", "price"),
        [(60, 99.0), (86_400, 98.5)],
        ids=["of this session, at their limit", "of a day before, at the opening's price"],
    )
    def test_has_orders_trading_as_those_that_rested_meanwhile(  # noqa: PLR0913, PLR0917  builders
        self, open_exchange, journal, make, a_tick, before_s, price
    ):
        tick = a_tick(98.5, symbol="INFY")
        journal.recorded_ns = tick.exchange_ns - before_s * 10**9
        journal.facts = self.a_rest(make)
        system = open_exchange()
        broker = system.probe("broker")
        system.tell("exchange", tick)

        report = broker.receive(timeout_s=5)
        assert (report.execution_type, report.quantity, report.price) == ("TRADE", 6, price)

    def test_tells_of_the_trades_of_before(self, open_exchange, journal, make):
        journal.facts = self.a_rest(make)

        found = open_exchange().request("exchange", OrderStatusRequest(client_order_id="A-1"), timeout_s=5)

        assert (found.state, found.broker_order_id) == ("PART_FILLED", "B-A-1")
        assert [(each.execution_id, each.quantity) for each in found.reports] == [("T-1", 4)]

    def test_cancels_what_rests_before_any_tick(self, open_exchange, journal, make):
        journal.facts = self.a_rest(make)

        report = open_exchange().request("exchange", CancelRequest(client_order_id="A-1"), timeout_s=5)

        assert (report.execution_type, report.cumulative_quantity) == ("CANCELLED", 4)

    @pytest.mark.parametrize("ending", ["filled", "cancelled", "expired", "rejected"])
    def test_has_none_that_ended(self, open_exchange, journal, make, ending):
        end = make.filled("A-1", "T-2", quantity=6, cumulative_quantity=10) if ending == "filled" else None
        journal.facts = [*self.a_rest(make), end or getattr(make, ending)("A-1")]
        system = open_exchange()

        assert self.resting(system) == 0
        answer = system.request("exchange", OrderStatusRequest(client_order_id="A-1"), timeout_s=5)
        assert answer == OrderNotFound(client_order_id="A-1")

    def test_has_none_whose_arrival_nobody_wrote_down(self, open_exchange, journal, make):
        journal.facts = [make.intent("A-1")]

        assert self.resting(open_exchange()) == 0

    def test_has_those_of_its_own_account(self, open_exchange, journal, make):
        entered = AccountEntered(account=1, choice="new", occurred_ns=1)
        journal.facts = [*self.a_rest(make, "A-1"), entered, *self.a_rest(make, "A-2"), *self.a_rest(make, "A-3")]

        assert self.resting(open_exchange("session")) == 1

    @pytest.mark.parametrize(("account", "count"), [("newest", 2), ("new", 0)])
    def test_has_those_of_the_account_that_is_asked_for(self, open_exchange, journal, make, account, count):
        entered = AccountEntered(account=1, choice="new", occurred_ns=1)
        journal.facts = [*self.a_rest(make, "A-1"), entered, *self.a_rest(make, "A-2"), *self.a_rest(make, "A-3")]

        assert self.resting(open_exchange(account)) == count

    @pytest.mark.parametrize("account", ["session", "newest"])
    def test_has_those_of_an_account_from_before_it_was_entered_again(self, open_exchange, journal, make, account):
        entered = [
            AccountEntered(account=number, choice=choice, occurred_ns=1)
            for number, choice in ((1, "new"), (0, "session"), (1, "newest"))
        ]
        journal.facts = self.a_rest(make, "A-1")
        for number, fact in enumerate(entered, start=2):
            journal.facts += [fact, *self.a_rest(make, f"A-{number}")]

        assert self.resting(open_exchange(account)) == 2

    def test_reads_on_page_by_page_and_asks_again_when_the_journal_is_away(
        self, open_exchange, journal, make, monkeypatch
    ):
        monkeypatch.setattr(exchange_actor, "PAGE_RECORDS", 2)
        monkeypatch.setattr(exchange_actor, "RETRY_S", 0.01)
        journal.refusals = [Unavailable(actor="journal", reason="breaker open", retry_after_s=1.0)]
        journal.facts = [fact for number in range(5) for fact in self.a_rest(make, f"A-{number}")]

        assert self.resting(open_exchange()) == 5

    def test_asks_again_where_the_journal_has_forgotten_who_asked(self, open_exchange, journal, make, monkeypatch):
        monkeypatch.setattr(exchange_actor, "RETRY_S", 0.01)
        monkeypatch.setattr(exchange_actor, "PAGE_S", 0.01)
        journal.refusals = [None]
        journal.facts = self.a_rest(make)

        assert self.resting(open_exchange()) == 1

    def test_numbers_its_executions_apart_from_those_of_another_run(
        self, open_exchange, journal, make, a_tick, an_order
    ):
        journal.facts = [make.intent("A-1"), make.accepted("A-1", "X-0-1"), make.filled("A-1", "T-0-2")]
        system = open_exchange()
        system.tell("exchange", a_tick(100.0))

        answer = system.request("exchange", an_order(), timeout_s=5)

        assert answer.broker_order_id not in {"X-0-1", ""}
        assert answer.execution_id not in {"T-0-2", "E-0-1"}


def _fields(message):
    return {name: getattr(message, name) for name in message.__struct_fields__}


@pytest.mark.parametrize(("latency_ns", "timers_ns"), [(0, []), (1, [1]), (250_000_000, [250_000_000])])
def test_an_order_is_let_in_when_its_way_to_the_exchange_is_over(make, an_order, latency_ns, timers_ns):
    timers, sent = [], []
    stage = SimpleNamespace(
        _pass_time=lambda: None,
        _book=SimpleNamespace(place=lambda _: [make.report("NEW", client_order_id="a")]),
        _owners={},
        _latency_ns=latency_ns,
        _deliver=sent.append,
        _await_end_of_day=lambda: None,
        after=lambda seconds, message: timers.append((int(seconds * 1_000_000_000), type(message))),
    )
    ExchangeActor.place(stage, an_order(), "who")

    assert timers == [(each, exchange_actor.LetIn) for each in timers_ns]
    assert (len(sent), stage._owners) == (1, {"a": "who"})


def test_counts_nothing_before_it_is_open():
    found = ExchangeActor.statistics(SimpleNamespace(_matching=None))

    assert (found.ticks, found.orders, found.trades, found.resting_orders) == (0, 0, 0, 0)


class TestTheTimerOfTheEndOfADay:
    """At 100 s, where one is set for 200 s."""

    @pytest.fixture
    def stage(self):
        stage = SimpleNamespace(
            ends=[], cancelled=[], _timer=None, _timer_ns=0, clock=SimpleNamespace(now_ns=lambda: 100 * 10**9)
        )

        def after(seconds, message):
            assert type(message) is exchange_actor.DayOver
            stage.ends.append(seconds)
            return SimpleNamespace(cancel=lambda: stage.cancelled.append(seconds))

        def await_end(next_end_ns):
            stage._book = SimpleNamespace(next_end_ns=next_end_ns)
            ExchangeActor._await_end_of_day(stage)
            return stage.ends, stage.cancelled

        stage.after, stage.await_end = after, await_end
        return stage

    @pytest.mark.parametrize(("end_s", "timers_s"), [(0, []), (200, [100.0]), (100, [0.0]), (50, [0])])
    def test_is_set_where_an_order_ends_and_at_once_where_it_should_have(self, stage, end_s, timers_s):
        assert stage.await_end(end_s * 10**9) == (timers_s, [])

    @pytest.mark.parametrize(
        ("end_s", "found"),
        [
            (200, ([100.0], [])),
            (300, ([100.0], [])),  # the first that ends has it set again
            (0, ([100.0], [])),
            (150, ([100.0, 50.0], [100.0])),
        ],
    )
    def test_is_another_only_where_an_order_ends_sooner(self, stage, end_s, found):
        stage.await_end(200 * 10**9)
        assert stage.await_end(end_s * 10**9) == found

    def test_is_set_again_for_the_book_of_a_life_before(self, stage):
        stage._await_end_of_day = lambda: stage.await_end(200 * 10**9)
        ExchangeActor.restore(stage, (None, {"a": "who"}))
        assert (stage._matching, stage._owners, stage.ends) == (None, {"a": "who"}, [])
        ExchangeActor.restore(stage, ("a book", {"a": "who"}))

        assert (stage._matching, stage.ends) == ("a book", [100.0])


@pytest.mark.parametrize(
    ("book", "newest_is_enough", "defers"),
    [
        (None, False, False),
        (SimpleNamespace(only_remembers=lambda _tick: True, resting=0), True, True),
        (SimpleNamespace(only_remembers=lambda _tick: False, resting=1), False, False),
    ],
)
def test_a_tick_may_wait_only_where_there_is_a_book_and_no_order_rests_in_it(book, newest_is_enough, defers, a_tick):
    stage = SimpleNamespace(_matching=book)

    assert ExchangeActor.newest_is_enough(stage, a_tick()) is newest_is_enough
    assert ExchangeActor.defers(stage, a_tick()) is defers
