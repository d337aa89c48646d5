"""The judge of every simulation says nothing of a run that kept its promises, and names each that was broken."""

import functools
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from natya_builders import BUILDERS as MAKE

from natya.actors.exchange import ExchangeActor
from natya.actors.journal import Journal, SimulatedDisk
from natya.actors.journal.tools import tail
from natya.actors.orders.book.checkpoint import made
from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.book.reading import ReadBack
from natya.domain.brackets.legs import leg_id
from natya.messages.broker import OrderFound, OrderNotFound
from natya.messages.journal import CheckpointRead, JournalRecord
from natya.messages.orders import CancellationIntended, ModificationIntended
from natya.testing.checkpoints import unlike_the_journal
from natya.testing.database import ReadModel
from natya.testing.invariants import violations
from natya.testing.world import WatchedExchange

JOURNAL = Path("/journal")
CHANGE = ModificationIntended(
    client_order_id="A-2", number=1, quantity=5, limit_price=None, trigger_price=None, occurred_ns=4
)
CANCELLATION = CancellationIntended(client_order_id="A-2", number=1, asked_by="me", occurred_ns=4)
PLAYED = (MAKE.intent("A-1"), MAKE.accepted("A-1"), MAKE.filled("A-1"), MAKE.intent("A-2"), MAKE.accepted("A-2"))
OPEN = OrderFound(client_order_id="A-2", broker_order_id="B-1", state="OPEN", quantity=10)
FILLED = OrderFound(
    client_order_id="A-1", broker_order_id="B-1", state="FILLED", quantity=10, reports=(MAKE.report(quantity=10),)
)


@functools.cache
def written(facts):
    """Write a journal once, which is only read from then on; return its disk and its records."""
    disk, clock = SimulatedDisk(), iter(range(1, 1_000))
    journal = Journal(JOURNAL, now_ns=lambda: next(clock), segment_bytes=65_536, disk=disk)
    journal.open()
    for fact in facts:
        journal.append((fact,), "C-1")
        journal.commit()
    journal.close()
    return disk, tail(JOURNAL, records_max=100, disk=disk)


class Run:
    """A run whose parts agree, until a test changes one of them."""

    def __init__(self, *facts):
        disk, records = written((*PLAYED, *facts))
        self.records = [*records]
        self.found = {"A-1": FILLED, "A-2": OPEN}
        self.world = SimpleNamespace(
            disk=disk,
            journal_path=JOURNAL,
            witnessed=[[*self.records]],
            injected=Counter(),
            arrivals=Counter({"A-1": 1, "A-2": 1}),
            changes=Counter(),
            matching=SimpleNamespace(find=lambda name: self.found.get(name, OrderNotFound(client_order_id=name))),
            statistics={"orders": SimpleNamespace(illegal_transitions=0)},
        )
        self.said = ReadModel(
            sequence=len(self.records),
            facts=tuple(
                (each.sequence, each.recorded_ns, each.correlation_id, type(each.fact).__name__)
                for each in self.records
            ),
            orders={"A-1": ("FILLED", 10), "A-2": ("ACCEPTED", 0)},
            fills=(("A-1", "T-1", 10, 100.0, 3),),
            ticks=(("s", 1), ("s", 2)),
            recorded={"s": 2},
        )

    def say(self, **fields):
        self.said = replace(self.said, **fields)

    def find(self, **fields):
        self.found["A-2"] = replace(OPEN, **fields)

    @property
    def heard(self):
        return self.world.witnessed[0]

    def judged(self):
        self.world.files = SimpleNamespace(read_model=self.said)
        return violations(self.world, self.records)


def test_of_a_run_that_kept_its_promises_nothing_is_said():
    assert Run().judged() == []


BROKEN = {
    "a gap": (lambda run: run.records.pop(1), "the journal's sequence has gaps"),
    "a record more": (lambda run: run.records.append(run.records[-1]), "the journal verifies 5 records, and gives 6"),
    "delivered twice": (lambda run: run.heard.insert(2, run.heard[1]), "life 1: 2 was delivered after 2"),
    "not delivered": (lambda run: run.heard.pop(2), "life 1: 4 was delivered after 2"),
    "delivered, and lost": (
        lambda run: run.heard.append(replace(run.heard[-1], sequence=6)),
        "life 1: 6 was delivered, and is not in the journal",
    ),
    "not delivered to the end": (lambda run: run.heard.pop(), "delivered up to 4 of 5"),
    "sent twice": (lambda run: run.world.arrivals.update({"A-2": 1}), "A-2 came to the exchange 2 times"),
    "sent without an intent": (
        lambda run: run.world.arrivals.update({"A-9": 1}),
        "A-9 came to the exchange, and no intent is in the journal",
    ),
    "changed without an intent": (
        lambda run: run.world.changes.update({"A-2": 1}),
        "1 changes of A-2 came, of 0 intended",
    ),
    "an unknown order changed": (
        lambda run: run.world.changes.update({"A-9": 1}),
        "1 changes of A-9 came, of 0 intended",
    ),
    "unknown there": (lambda run: run.found.pop("A-2"), "A-2 is ACCEPTED, and the exchange does not know it"),
    "filled there": (
        lambda run: run.find(state="PART_FILLED", reports=(MAKE.report(client_order_id="A-2", quantity=4),)),
        "A-2 is ACCEPTED (0), and PART_FILLED (4) at the exchange",
    ),
    "more filled there": (
        lambda run: run.find(reports=(MAKE.report(client_order_id="A-2", quantity=4),)),
        "A-2 is ACCEPTED (0), and OPEN (4) at the exchange",
    ),
    "ended there": (lambda run: run.find(state="CANCELLED"), "A-2 is ACCEPTED (0), and CANCELLED (0) at the exchange"),
    "smaller there": (lambda run: run.find(quantity=9), "quantity=9"),
    "at a limit there": (lambda run: run.find(limit_price=99.0), "limit_price=99.0"),
    "at a trigger there": (lambda run: run.find(trigger_price=99.0), "trigger_price=99.0"),
    "an answer taken for impossible": (
        lambda run: setattr(run.world.statistics["orders"], "illegal_transitions", 2),
        "2 things that the exchange said were taken for impossible",
    ),
    "projected less far": (lambda run: run.say(sequence=4), "the database is projected up to 4 of 5"),
    "another fact": (lambda run: run.say(facts=run.said.facts[:-1]), "the database has the fact None"),
    "another state": (
        lambda run: run.say(orders={**run.said.orders, "A-2": ("FILLED", 10)}),
        "A-2 is ('FILLED', 10) in the database, and ('ACCEPTED', 0) in the journal",
    ),
    "an order less": (lambda run: run.say(orders={"A-1": ("FILLED", 10)}), "A-2 is None in the database"),
    "an order more": (
        lambda run: run.say(orders={**run.said.orders, "A-9": ("FILLED", 10)}),
        "A-9 is ('FILLED', 10) in the database, and None in the journal",
    ),
    "a fill less": (lambda run: run.say(fills=()), "the database has 0 fills, and the journal 1"),
    "a fill twice": (lambda run: run.say(fills=run.said.fills * 2), "the database has 2 fills, and the journal 1"),
    "another fill": (
        lambda run: run.say(fills=(("A-1", "T-1", 10, 100.05, 3),)),
        "the database has 1 fills, and the journal 1, or others",
    ),
    "a tick twice": (lambda run: run.say(ticks=(*run.said.ticks, ("s", 2))), "a tick is recorded twice"),
    "a tick beyond what is told": (
        lambda run: run.say(ticks=(*run.said.ticks, ("s", 3))),
        "recorded up to {'s': 3}, and told {'s': 2}",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_promise_that_was_broken_is_named(what):
    run = Run()
    change, said = BROKEN[what]
    change(run)

    assert said in "\n".join(run.judged())


@pytest.mark.parametrize(
    ("intended", "there", "is_same"),
    [
        ({"order_type": "LIMIT", "limit_price": 99.0}, {"limit_price": 99.0}, True),
        ({"order_type": "LIMIT", "limit_price": 99.0}, {"limit_price": 98.0}, False),
        ({"order_type": "LIMIT", "limit_price": 99.0}, {"limit_price": 99.0, "trigger_price": 99.0}, False),
        ({"order_type": "STOP", "trigger_price": 95.0}, {"trigger_price": 95.0}, True),
        ({"order_type": "STOP", "trigger_price": 95.0}, {"trigger_price": 95.0, "limit_price": 90.0}, True),
        ({"order_type": "STOP", "trigger_price": 95.0}, {"trigger_price": 96.0}, False),
        ({"order_type": "MARKET"}, {"limit_price": 90.0}, False),
    ],
)
def test_an_order_is_the_same_there_by_its_prices_save_the_limit_of_a_stop(intended, there, is_same):
    run = Run(MAKE.intent("A-3", "SELL", **intended), MAKE.accepted("A-3", "B-3"))
    run.found["A-3"] = replace(OPEN, client_order_id="A-3", broker_order_id="B-3", **there)

    assert any(each.startswith("A-3 is Order") for each in run.judged()) is not is_same


def test_an_order_that_ended_and_is_forgotten_there_hides_no_other():
    run = Run()
    run.found.pop("A-1")
    run.find(state="CANCELLED")

    assert run.judged() == ["A-2 is ACCEPTED (0), and CANCELLED (0) at the exchange"]


def test_as_many_changes_may_come_as_were_intended():
    for came, said in ((1, False), (2, True)):
        run = Run(CHANGE)
        run.world.changes["A-2"] = came
        assert ("2 changes of A-2 came, of 1 intended" in run.judged()) == said


def test_a_trade_that_is_told_twice_counts_as_it_was_told_first():
    found = Run(MAKE.filled("A-1"), MAKE.filled("A-1", quantity=4)).judged()

    assert found == []


class TestACheckpoint:
    """Is compared with what the journal's records up to its own make, order by order."""

    def records(self, *facts):
        return [
            JournalRecord(sequence=number, recorded_ns=number, correlation_id="", fact=fact)
            for number, fact in enumerate(facts, 1)
        ]

    def said(self, kept, recorded):
        """Make a checkpoint of some facts, and judge it by others."""
        ledger, read_back = Ledger(), ReadBack()
        for record in self.records(*kept):
            read_back.take_in(record, ledger)
        past, state = made(ledger, read_back)
        found = CheckpointRead(name="orders", sequence=len(kept), past=past, state=state)
        return list(unlike_the_journal(found, self.records(*recorded)))

    def test_of_the_same_records_is_right_whatever_came_later(self):
        assert self.said(PLAYED, PLAYED) == []
        assert self.said(PLAYED, (*PLAYED, MAKE.cancelled("A-2"))) == []
        assert list(unlike_the_journal(CheckpointRead(name="orders"), self.records(*PLAYED))) == []

    @pytest.mark.parametrize(
        ("number", "fact", "said"),
        [
            (5, MAKE.accepted("A-2", "B-9"), "is not what the journal says"),
            (4, MAKE.intent("A-3"), "has other orders than the journal"),
            (3, MAKE.filled("A-1", quantity=4), "order A-1 is another one"),
            (3, MAKE.filled("A-1", price=99.0), "order A-1 is another one"),
        ],
    )
    def test_in_which_one_fact_is_another_is_told(self, number, fact, said):
        recorded = [*PLAYED[: number - 1], fact, *(PLAYED[number:] if number != 4 else [MAKE.accepted("A-3")])]

        assert said in "\n".join(self.said(PLAYED, recorded))


class TestWhatWasLeftOpen:
    def test_is_a_change_without_an_end(self):
        assert Run(CHANGE).judged() == ["change 1 of A-2 was never settled"]

    def test_is_a_cancellation_without_an_answer(self):
        assert Run(CANCELLATION).judged() == ["cancellation 1 of A-2 was never answered"]

    def test_is_not_what_a_router_that_crashed_while_it_delivered_says_again(self):
        run = Run()
        run.heard.insert(2, run.heard[1])
        run.world.injected["crash_inside"] = 1

        assert run.judged() == []


class TestAHalt:
    @pytest.mark.parametrize("fact", [MAKE.intent("A-3"), CHANGE])
    def test_lets_nothing_pass_until_a_person_has_resumed(self, fact):
        passed = [f"{fact.client_order_id} passed in a halt: {fact}"]

        for states, said in ((("HALTED",), passed), (("HALTED", "NORMAL"), []), (("REDUCING",), []), ((), [])):
            found = Run(*map(MAKE.change, states), fact).judged()
            assert [each for each in found if "in a halt" in each] == said


class TestABracket:
    ENTRY = (MAKE.intent("A-3", target_price=110.0, stop_loss_price=95.0), MAKE.accepted("A-3"))

    def said(self, *facts):
        found = Run(*self.ENTRY, MAKE.filled("A-3", trade_id="T-3"), *facts).judged()
        return [each for each in found if " were not done for " in each]

    @pytest.mark.parametrize(("side", "other"), [("BUY", "SELL"), ("SELL", "BUY")])
    def test_has_exits_of_no_more_than_is_held(self, side, other):
        def said(*facts):
            prices = {"BUY": (110.0, 95.0), "SELL": (95.0, 110.0)}[side]
            entry = MAKE.intent("A-3", side, symbol="TCS", target_price=prices[0], stop_loss_price=prices[1])
            filled = MAKE.filled("A-3", trade_id="T-3", side=side, symbol="TCS")
            stop = MAKE.intent(leg_id("A-3", "stop"), other, symbol="TCS", order_type="STOP", trigger_price=prices[1])
            found = Run(entry, MAKE.accepted("A-3"), filled, stop, *facts).judged()
            return [each for each in found if each.startswith("exits of ")]

        closed = {"quantity": 4, "symbol": "TCS"}
        sold = MAKE.intent("A-4", other, **closed), MAKE.filled("A-4", trade_id="T-4", side=other, **closed)
        assert len(said(*sold)) == 1
        assert said() == []

    def test_that_is_held_lacks_no_exit_save_in_a_halt(self):
        assert len(self.said()) == 1
        assert self.said(MAKE.change("HALTED")) == []
        assert len(self.said(MAKE.change("HALTED"), MAKE.change("NORMAL"))) == 1


def test_all_that_comes_to_the_exchange_is_counted(monkeypatch):
    """By what is counted it is judged whether anything came twice."""
    for name in ("place", "replace"):
        monkeypatch.setattr(ExchangeActor, name, lambda *_: None)
    monkeypatch.setattr(WatchedExchange, "world", SimpleNamespace(arrivals=Counter(), changes=Counter()), raising=False)
    exchange, request = WatchedExchange(), SimpleNamespace(client_order_id="A-1")
    exchange.place(request, None)
    for _ in range(2):
        exchange.replace(request, None)

    assert (exchange.world.arrivals, exchange.world.changes) == ({"A-1": 1}, {"A-1": 2})
