"""The account actor: nothing is answered before it is durable, and what is durable is there again."""

import time
from types import SimpleNamespace
from typing import ClassVar

import pytest
from msgspec.structs import replace

from natya.actors.exchange import AccountActor, AccountActorSettings, serving
from natya.actors.exchange.account import Listing, Ticket
from natya.actors.exchange.calls import AddListings, Answered, Call, CallRefused
from natya.actors.runtime import RuntimeActor, handles
from natya.config.sections.exchange import ExchangeSettings
from natya.messages.exchange import AccountOrder, AccountServed
from natya.messages.instruments import InstrumentDefinition
from natya.messages.journal import (
    Append,
    Appended,
    AppendRefused,
    JournalPage,
    JournalRecord,
    ReadJournal,
    append_refused,
    appended,
)
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping

INFY = ("NSE_EQ", "1594")
LISTING = Listing.of(InstrumentDefinition(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.1, security_id="1594"))


class KeptJournal(RuntimeActor):
    """Keeps facts as its settings say: at once, when it is told to, or not at all."""

    @handles(ReadJournal)
    def read(self, request, sender):
        kept = self.settings
        if kept.forgets:
            kept.forgets -= 1
            return
        records = tuple(
            JournalRecord(sequence=sequence, recorded_ns=1, correlation_id="", fact=fact)
            for sequence, fact in enumerate(kept.facts, start=1)
            if sequence > request.after_sequence and type(fact).__name__ in request.types
        )
        self.send(sender, JournalPage(records=records[: request.records_max], last_sequence=len(kept.facts)))

    @handles(Append)
    def append(self, request, sender):
        kept = self.settings
        kept.appends += 1
        if kept.refuses:
            kept.refuses -= 1
            self.send(sender, append_refused(request, "disk full"))
        elif kept.holds:
            kept.held.append((request, sender))
        else:
            self.keep(request, sender)

    @handles(Ping)
    def let_go(self, _ping, sender):
        """Make durable what was held back."""
        kept = self.settings
        kept.holds = False
        held, kept.held = kept.held, []
        for request, asker in held:
            self.keep(request, asker)
        self.send(sender, "let go")

    def keep(self, request, sender):
        kept = self.settings
        first = len(kept.facts) + 1
        kept.facts += request.facts
        self.send(sender, appended(request, first))


class FailingAccount(AccountActor):
    starts = 0
    timers: ClassVar[list] = []

    def on_start(self):
        FailingAccount.starts += 1
        super().on_start()

    def after(self, seconds, message):
        self.timers.append(super().after(seconds, message))
        return self.timers[-1]

    @handles(str)
    def fail(self, _message, _sender):
        raise RuntimeError("asked to")


@pytest.fixture
def journal():
    return SimpleNamespace(facts=[], appends=0, refuses=0, forgets=0, holds=False, held=[])


@pytest.fixture
def serve(actor_system, journal):
    FailingAccount.starts = 0
    FailingAccount.timers.clear()

    def build(account="session", name="exchange", delay_s=0.0):
        if name == "exchange":
            actor_system.start("journal", KeptJournal, journal)
        limits = ExchangeSettings.default(always_open=True, acknowledgement_delay_s=delay_s)
        actor_system.start(name, FailingAccount, AccountActorSettings(limits=limits, account=account))
        actor_system.tell(name, AddListings(definitions=(LISTING.reference.definition(),)))
        return actor_system

    return build


@pytest.fixture
def system(serve, a_tick):
    system = serve()
    system.tell("exchange", a_tick(1500.0, symbol="INFY"))
    return system


def a_ticket(**changes):
    fields = {"side": "BUY", "product": "INTRADAY", "order_type": "LIMIT", "quantity": 10, "limit_price": 1490.0}
    return Ticket(instrument=INFY, **(fields | changes))


def call(system, verb, *arguments, name="exchange"):
    answer = system.request(name, Call(verb, arguments), timeout_s=5)
    assert isinstance(answer, Answered | CallRefused), answer
    return answer


class TestACall:
    def test_that_changes_something_is_answered_with_what_it_did(self, system):
        answer = call(system, "place", a_ticket())

        assert isinstance(answer, Answered)
        assert answer.value.status == "TRANSIT"

    def test_that_the_account_refuses_is_answered_with_its_text(self, system, journal):
        call(system, "funds")
        before = len(journal.facts)

        answer = call(system, "place", a_ticket(quantity=0))

        assert answer == CallRefused("input", "quantity: at least 1, at most 2147483647 wanted, found 0")
        assert len(journal.facts) == before

    def test_is_not_answered_before_it_is_durable(self, system, journal):
        call(system, "funds")
        journal.holds = True
        client = system.probe("client")
        system.tell("exchange", Call("place", (a_ticket(),)), sender=client)
        system.tell("exchange", Call("orders"), sender=client)
        system.request("exchange", Ping(), timeout_s=5)
        assert client.is_empty()

        system.request("journal", Ping(), timeout_s=5)

        placed, shown = client.receive(timeout_s=5), client.receive(timeout_s=5)
        assert [order.order_id for order in shown.value] == list(placed.value.ids)
        assert any(isinstance(fact, AccountOrder) for fact in journal.facts)

    def test_that_the_journal_refuses_has_not_happened(self, system, journal, monkeypatch):
        monkeypatch.setattr("natya.actors.exchange.serving.RETRY_S", 0.01)
        call(system, "funds")
        journal.refuses = 1

        answer = call(system, "place", a_ticket())

        assert answer == CallRefused("unavailable", "not durable: disk full")
        assert call(system, "orders").value == ()
        assert call(system, "place", a_ticket(limit_price=1500.0)).value.status == "TRANSIT"
        assert FailingAccount.starts == 1


class TestTime:
    def test_has_one_timer_however_many_orders_have_come(self, system):
        for _ in range(20):
            order_id = call(system, "place", a_ticket()).value.ids[0]
            while call(system, "order", order_id).value.status == "TRANSIT":
                pass

        while not (waiting := [timer for timer in FailingAccount.timers if timer.waiting]):
            pass  # it is set behind the answers of a burst
        assert len(waiting) == 1

    def test_alone_brings_each_order_to_the_exchange_however_far_the_next_turn_of_the_day_is(
        self, serve, a_tick, journal
    ):
        system = serve(delay_s=0.03)
        system.tell("exchange", a_tick(1500.0, symbol="INFY"))
        for number in range(1, 4):
            call(system, "place", a_ticket())
            by = time.monotonic() + 5
            while [fact.status for fact in journal.facts if isinstance(fact, AccountOrder)].count("PENDING") < number:
                system.request("exchange", Ping(), timeout_s=5)  # which lets no time of the account pass
                assert time.monotonic() < by

        assert len([timer for timer in FailingAccount.timers if timer.waiting]) <= 1
        assert len(FailingAccount.timers) <= 3 * 3

    def test_lets_what_it_brings_wait_a_moment_for_the_next_call(self, system, journal, monkeypatch):
        monkeypatch.setattr(serving, "QUIET_NS", 3600 * 10**9)
        call(system, "orders")
        for number in range(1, 4):
            before = journal.appends
            call(system, "place", a_ticket())
            assert journal.appends == before + 1
            statuses = [fact.status for fact in journal.facts if isinstance(fact, AccountOrder)]
            assert statuses == ["TRANSIT", *["PENDING", "TRANSIT"] * (number - 1)]

    def test_that_comes_while_facts_are_written_is_met_by_their_confirmation(self, system, journal, monkeypatch):
        monkeypatch.setattr(serving, "QUIET_NS", 3600 * 10**9)
        order_ids = call(system, "place", a_ticket()).value.ids
        while call(system, "order", order_ids[0]).value.status == "TRANSIT":
            pass
        journal.holds, before = True, journal.appends
        FailingAccount.timers.clear()
        client = system.probe("client")
        system.tell("exchange", Call("place", (a_ticket(),)), sender=client)
        system.request("exchange", Ping(), timeout_s=5)
        assert not FailingAccount.timers

        system.request("journal", Ping(), timeout_s=5)

        (order_id,) = client.receive(timeout_s=5).value.ids
        assert call(system, "order", order_id).value.status == "PENDING"
        assert journal.appends == before + 2


class TestARestart:
    def test_after_a_failure_shows_the_same_account(self, system):
        placed = call(system, "place", a_ticket()).value.ids
        system.tell("exchange", "fail")

        assert [order.order_id for order in call(system, "orders").value] == list(placed)

    def test_takes_no_answer_to_the_life_before_it_for_one_of_its_own(self, system, journal):
        call(system, "funds")
        journal.holds = True
        client = system.probe("client")
        system.tell("exchange", Call("place", (a_ticket(),)), sender=client)
        system.request("exchange", Ping(), timeout_s=5)
        system.request("journal", ReadJournal(types=()), timeout_s=5)
        ((request, _),) = journal.held
        earlier = {"correlation_id": request.correlation_id, "writer": "the life before", "number": request.number}
        system.tell("exchange", AppendRefused(reason="disk full", **earlier))
        system.request("exchange", Ping(), timeout_s=5)
        still_waits = client.is_empty()
        last = len(journal.facts) + len(request.facts)
        system.tell("exchange", Appended(first_sequence=last, last_sequence=last, **earlier))
        system.request("journal", Ping(), timeout_s=5)

        assert still_waits
        assert FailingAccount.starts == 2, "it reads again what it had not read"

    def test_knows_the_prices_that_were_shown(self, system):
        system.tell("exchange", "fail")
        order_id = call(system, "place", a_ticket(limit_price=1500.0)).value.ids[0]

        assert call(system, "order", order_id).value.status == "TRADED"

    def test_in_a_new_process_trades_the_orders_that_rest(self, system, serve, a_tick):
        order_id = call(system, "place", a_ticket()).value.ids[0]
        order = call(system, "order", order_id).value
        assert order.status == "PENDING"
        other = serve(name="other")
        call(other, "orders", name="other")

        for price in (1480.0, 1470.0):
            tick = replace(a_tick(price, symbol="INFY"), exchange_ns=order.updated_ns)
            other.tell("other", tick)

        order = call(other, "order", order_id, name="other").value
        assert (order.status, order.average_price) == ("TRADED", 1490.0)

    def test_asks_a_journal_again_that_has_forgotten_who_asked(self, serve, journal, monkeypatch):
        monkeypatch.setattr(serving, "PAGE_S", 0.01)
        monkeypatch.setattr(serving, "RETRY_S", 0.01)
        journal.forgets = 2

        assert call(serve(), "orders").value == ()
        assert FailingAccount.starts == 1

    def test_reads_on_page_by_page_each_fact_once(self, system, serve, monkeypatch):
        placed = [call(system, "place", a_ticket(limit_price=1490.0 - number)).value.ids[0] for number in range(3)]
        known = call(system, "orders").value  # told when all of it is durable
        monkeypatch.setattr(serving, "PAGE_RECORDS", 2)
        other = serve(name="other")
        found = call(other, "orders", name="other").value

        assert [order.order_id for order in found] == placed
        assert call(other, "orders", name="other").value == found == known


class TestAnAccountOfItsOwn:
    def test_begins_with_nothing_and_leaves_that_of_the_sessions_alone(self, system, serve, journal):
        call(system, "place", a_ticket())
        system.stop("exchange")  # two at once would write each other's facts into their accounts
        serve(account="new", name="replay")
        assert call(system, "orders", name="replay").value == ()
        assert AccountServed in map(type, journal.facts)

        system.stop("replay")
        serve(name="session")
        found = call(system, "orders", name="session").value
        system.stop("session")
        serve(account="newest", name="newest")

        assert len(found) == 1
        assert call(system, "orders", name="newest").value == ()


class TestAJournalThatFails:
    """While facts are on their way to it."""

    @pytest.fixture
    def writing(self, system, journal):
        call(system, "funds")
        journal.holds = True
        system.tell("exchange", Call("place", (a_ticket(),)), sender=system.probe("client"))
        system.request("exchange", Ping(), timeout_s=5)
        system.request("journal", ReadJournal(types=()), timeout_s=5)
        assert journal.held
        return system

    @pytest.mark.parametrize(
        ("failure", "starts"),
        [
            (Unavailable(actor="journal", reason="breaker open", retry_after_s=1.0), 2),
            (Failed(actor="journal", message_type="Append", error="OSError", reason="disk"), 2),
            (Unavailable(actor="database", reason="breaker open", retry_after_s=1.0), 1),
        ],
        ids=["is down", "failed", "is another"],
    )
    def test_may_have_lost_them_so_the_account_is_read_again(self, writing, failure, starts):
        writing.tell("exchange", failure, sender=writing.probe("journal of before"))
        writing.request("exchange", Ping(), timeout_s=5)

        assert FailingAccount.starts == starts

    def test_has_lost_nothing_where_nothing_was_on_its_way(self, system):
        call(system, "place", a_ticket())
        unavailable = Unavailable(actor="journal", reason="breaker open", retry_after_s=1.0)
        for _ in range(3):
            call(system, "funds")
        system.tell("exchange", unavailable, sender=system.probe("journal of before"))

        assert len(call(system, "orders").value) == 1
        assert FailingAccount.starts == 1

    def test_and_answers_another_append_is_behind(self, writing, journal):
        ((request, _),) = journal.held
        wrong = {"correlation_id": request.correlation_id, "writer": request.writer, "number": request.number + 1}
        answer = Appended(first_sequence=1, last_sequence=1, **wrong)
        writing.tell("exchange", answer, sender=writing.probe("journal of before"))
        writing.request("exchange", Ping(), timeout_s=5)

        assert FailingAccount.starts == 2


class TestBounds:
    def test_of_calls_that_wait_refuse_one_more_at_once(self, system, journal, monkeypatch):
        call(system, "funds")
        monkeypatch.setattr(serving, "CALLS_WAITING_MAX", 2)
        journal.holds = True
        client, other = system.probe("client"), system.probe("other")
        for asker in (client, client, other):
            system.tell("exchange", Call("place", (a_ticket(),)), sender=asker)

        assert other.receive(timeout_s=5) == CallRefused("order", "at most 2 calls at once wanted, found one more")
        assert client.is_empty()
        system.request("journal", Ping(), timeout_s=5)
        assert [len(client.receive(timeout_s=5).value.ids) for _ in range(2)] == [1, 1]
        assert len(call(system, "orders").value) == 2

    def test_of_an_append_divide_what_happened_and_all_of_it_is_durable_before_the_answer(
        self, system, journal, monkeypatch
    ):
        call(system, "funds")
        monkeypatch.setattr(serving, "FACTS_AT_ONCE_MAX", 1)
        before = len(journal.facts), journal.appends
        order_id = call(system, "place", a_ticket(limit_price=1500.0)).value.ids[0]
        while call(system, "order", order_id).value.status != "TRADED":
            pass

        assert len(journal.facts) - before[0] == journal.appends - before[1] > 2

    def test_of_what_may_be_asked_are_those_of_an_account(self, system):
        told = system.request("exchange", Call("resume"), timeout_s=5)

        assert (type(told), told.reason) == (Failed, "a verb of an account wanted, found 'resume'")


class TestAMarketThatWasShownBefore:
    def test_is_that_of_the_newest_tick_and_not_of_a_late_one(self, system, a_tick):
        tick = a_tick(1500.0, symbol="INFY", after_s=10, received_s=10)
        system.tell("exchange", tick)
        system.tell("exchange", replace(tick, price=1400.0, exchange_ns=tick.exchange_ns - 5 * 10**9))
        system.tell("exchange", "fail")
        order_id = call(system, "place", a_ticket(limit_price=1500.0)).value.ids[0]
        order = call(system, "order", order_id).value

        assert (order.status, order.average_price) == ("TRADED", 1500.0)

    def test_meets_no_order_again_when_its_instrument_is_listed_again(self, system, a_tick):
        system.tell("exchange", a_tick(1500.0, symbol="INFY", bids=[], asks=[(1500.0, 4)], after_s=1))
        order_id = call(system, "place", a_ticket(limit_price=1500.0)).value.ids[0]
        system.tell("exchange", AddListings(definitions=(LISTING.reference.definition(),)))

        assert call(system, "order", order_id).value.filled_quantity == 4

    def test_is_known_of_an_instrument_that_is_listed_after_it(self, system, a_tick):
        system.tell("exchange", a_tick(49.0, symbol="NEW", after_s=1, received_s=1))
        system.tell("exchange", a_tick(50.0, symbol="NEW", after_s=10, received_s=10))
        system.tell("exchange", a_tick(60.0, symbol="NEW", after_s=5, received_s=11))  # it is late
        listed = InstrumentDefinition(symbol="NEW", segment="NSE_EQ", tick_size_rupees=0.1, security_id="77")
        for _ in range(2):
            system.tell("exchange", AddListings(definitions=(listed,)))
        placed = call(system, "place", replace(a_ticket(limit_price=50.0), instrument=("NSE_EQ", "77")))
        order = call(system, "order", placed.value.ids[0]).value

        assert (order.status, order.average_price, order.symbol) == ("TRADED", 50.0, "NEW")


def test_counts_nothing_before_the_account_is_served():
    found = AccountActor.statistics(SimpleNamespace(_account=None))

    assert (found.ticks, found.orders, found.trades, found.resting_orders) == (0, 0, 0, 0)
