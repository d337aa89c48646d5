"""A checkpoint of the book: whatever it is made of and wherever, what follows leads to the same book."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import BUILDERS as MAKE
from natya_events import a_published
from natya_messages import distinct

from natya.actors.journal import JournalActor, SimulatedDisk
from natya.actors.journal.tools import tail
from natya.actors.orders import CheckpointActor, CheckpointSettings, OrdersActor
from natya.actors.orders.book import checkpoint
from natya.actors.orders.book.account import Account, KeptAccount
from natya.actors.orders.book.checkpoint import CheckpointBrokenError, made, restored
from natya.actors.orders.book.day import KeptDay
from natya.actors.orders.book.ended import EndedOrder, packed
from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.book.listing import listed
from natya.actors.orders.book.presence import Sign
from natya.actors.orders.book.reading import KeptReading, ReadBack
from natya.actors.orders.checkpointing import actor as keeper
from natya.actors.orders.checkpointing.actor import LookDue, ReadOn
from natya.actors.orders.limits_in_force import Held
from natya.actors.runtime import InProcessSystem, Outcome, handles
from natya.config.sections.journal import JournalSettings
from natya.domain.orders import Order
from natya.domain.time import DAY_NS
from natya.messages.accounts import AccountEntered, RecordingPlayed
from natya.messages.broker import FindOrder, OrderFound, OrderPlaced, PlaceOrder
from natya.messages.journal import (
    Append,
    CheckpointKept,
    CheckpointRead,
    JournalPage,
    JournalRecord,
    ReadCheckpoint,
    ReadJournal,
)
from natya.messages.order_listing import ReadOrders
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    ModificationIntended,
    ModificationRefused,
    OrderModified,
    OrderTriggered,
)
from natya.messages.risk import LimitChange, LimitsChanged
from natya.messages.strategy_state import StrategyStateSaved
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping
from natya.messages.units import INTEGER_MAX
from natya.testing.checkpoints import checkpoint_on, unlike_the_journal

DIRECTORY = Path("/journal")
NOON_NS = 1_700_000_000 * 10**9
HOUR_NS = 3_600 * 10**9
NAMES = ("A", "AS", "AT", "B", "C", "D")  # of A two may be exits

SIDES, STRATEGIES, PRICES = ("BUY", "SELL"), ("crossover", "other"), (99.95, 100.0, 1 / 3, 101.05)


def intent(of, number, quantity):
    """A third of them with a stop."""
    stop = {"stop_loss_price": 90.0, "side": "BUY"} if number == 1 else {"side": SIDES[quantity % 2]}
    return MAKE.intent(
        of, quantity=quantity, order_type="LIMIT", limit_price=PRICES[number], strategy=STRATEGIES[number % 2], **stop
    )


def change(kind):
    return lambda of, number, quantity: kind(
        client_order_id=of,
        number=number + 1,
        quantity=quantity,
        limit_price=PRICES[number],
        trigger_price=None,
        occurred_ns=1,
    )


def refusal_of(kind):
    return lambda of, number, _: kind(client_order_id=of, number=number + 1, rule="broker", reason="no", occurred_ns=1)


def limits(_of, number, _quantity):
    changes = (LimitChange(name="quantity_max", before="1", after=str(number), loosened=True),)
    return LimitsChanged(changes=changes, occurred_ns=1)


FIRST = (intent, intent, lambda of, number, _: MAKE.refusal(of, ("quantity_max", "repeats_max")[number % 2]))
LATER = (
    lambda of, number, _: MAKE.accepted(of, f"B-{number}"),
    lambda of, number, quantity: MAKE.filled(of, f"T-{number}", quantity, PRICES[number], side=SIDES[number % 2]),
    lambda of, number, quantity: MAKE.filled(of, f"T-{number}", quantity, PRICES[number], side="BUY"),
    lambda of, number, _: (MAKE.rejected, MAKE.uncertain, MAKE.cancelled, MAKE.expired)[number](of),
    lambda of, _, __: OrderTriggered(client_order_id=of, occurred_ns=1),
    change(ModificationIntended),
    change(OrderModified),
    refusal_of(ModificationRefused),
    lambda of, number, _: CancellationIntended(client_order_id=of, number=number + 1, asked_by="me", occurred_ns=1),
    refusal_of(CancellationRefused),
)
BESIDE = (
    lambda _, number, __: MAKE.change(("NORMAL", "REDUCING", "HALTED", "NORMAL")[number]),
    lambda _, number, __: AccountEntered(account=number, choice="new", occurred_ns=1),
    lambda _, __, ___: RecordingPlayed(source="x", ticks=1, candles=0, occurred_ns=1),
    limits,
    lambda _, number, quantity: StrategyStateSaved(
        strategy="crossover", number=number + 1, covers=1, state=bytes(quantity), submitted=(), occurred_ns=1
    ),
)
drawn = st.tuples(
    st.integers(0, 17), st.sampled_from(NAMES), st.integers(0, 3), st.integers(1, 12), st.sampled_from([1, DAY_NS // 3])
)


@st.composite
def journals(draw):
    """Records over some days; of an order its intent comes first, others of that id may follow."""
    is_intended, found, now_ns = {}, [], NOON_NS
    for kind, of, number, quantity, later_ns in draw(st.lists(drawn, max_size=40)):
        if kind < len(BESIDE):
            make = BESIDE[kind]
        elif is_intended.get(of) and kind < len(BESIDE) + len(LATER):
            make = LATER[kind - len(BESIDE)]
        else:
            make = FIRST[kind % len(FIRST)]
            is_intended.setdefault(of, make is intent)
        now_ns += later_ns
        fact = msgspec.structs.replace(make(of, number, quantity), occurred_ns=now_ns)
        found.append(JournalRecord(sequence=len(found) + 1, recorded_ns=now_ns + 5, correlation_id="", fact=fact))
    return found


def read(records, ledger, read_back):
    for record in records:
        read_back.take_in(record, ledger)
    return ledger, read_back


def everything(ledger, read_back):
    """All that a book is asked for, and every count from which an answer is made."""
    book = ledger.book
    return {
        "orders": {each: (book.order(each), book.newest_fact(each), each in book) for each in (*NAMES, "never")},
        "sequence of all": list(book.newest_facts(0)),
        "list": listed(book, ReadOrders(all_days=True), NOON_NS),
        "today": listed(book, ReadOrders(), NOON_NS + 3 * DAY_NS),
        "open": book.open_orders(),
        "brackets": book.brackets,
        "weights": (dict(book.weights({"INFY": (1, 2)})), dict(book.uncovered_options)),
        "accounts' counts": {number: (each.kept(), each.open) for number, each in book._accounts.items()},
        "left": {each: account.kept() for each, account in book._left_open.items()},
        "statistics": book.statistics("NORMAL", now_ns=NOON_NS + 30 * DAY_NS),
        "profit": book.profit_today(NOON_NS, {"INFY": (101.0, 1)}),
        "holdings": [ledger.holdings(each, life=1, sequence=0) for each in ("crossover", "other")],
        "states": [ledger.state(each, sequence=1, life=1) for each in ("crossover", "other")],
        "accounts": ledger.accounts.kept(),
        "limits": read_back.limits,
        "sequence": (read_back.sequence, read_back.newest_sequence, read_back.next_life(draw=0)),
        "sent": read_back.take_sent_ns(NOON_NS),
    }


class TestABookThatGoesOnWithACheckpoint:
    @given(journals(), st.lists(st.integers(0, 40), max_size=3))
    def test_is_the_book_that_is_built_of_the_whole(self, records, cuts):
        """Each checkpoint goes on with the one before, as it is written and read back."""
        blocks, state, before = b"", None, 0
        for cut in sorted(cuts):
            ledger, read_back = Ledger(), ReadBack()
            if state is not None:
                restored(ledger, read_back, ended=blocks, state=state)
            read(records[before:cut], ledger, read_back)
            block, state = made(ledger, read_back)
            blocks, before = blocks + block, cut
            assert all(order.is_open for _, order, _ in ledger.book.kept().orders)
        ledger, read_back = Ledger(), ReadBack()
        if state is not None:
            restored(ledger, read_back, ended=blocks, state=state)
        read(records[before:], ledger, read_back)

        assert everything(ledger, read_back) == everything(*read(records, Ledger(), ReadBack()))

    def test_has_all_that_is_counted_of_brackets(self):
        """Of one both exits traded too much, another is bare; shares of a third came late, of a fourth were sold."""
        exits = {"target_price": 110.0, "stop_loss_price": 95.0}
        orders = (
            *(("A", "INFY", "BUY", exits), ("B", "TCS", "BUY", exits), ("C", "SBIN", "BUY", exits)),
            *(("D", "ITC", "BUY", exits), ("AS", "INFY", "SELL", {}), ("AT", "INFY", "SELL", {})),
            *(("BS", "TCS", "SELL", {}), ("BT", "TCS", "SELL", {}), ("CS", "SBIN", "SELL", {})),
            ("other", "ITC", "SELL", {}),
            ("over", "ITC", "SELL", {}),
        )
        of = {name: {"symbol": symbol, "side": side} for name, symbol, side, _ in orders}
        traded = {
            name: MAKE.filled(name, f"T-{name}", quantity, **of[name])
            for name, quantity in {"A": 10, "B": 10, "C": 6, "D": 10, "AS": 10, "AT": 4, "CS": 6, "other": 3}.items()
        }
        late = MAKE.filled("C", "T-late", 4, cumulative_quantity=10, **of["C"])
        intents = {name: MAKE.intent(name, **of[name], **more) for name, _, __, more in orders}
        facts = []
        for name, intended in intents.items():
            facts += [intended, MAKE.accepted(name, f"B-{name}")]
            facts += [traded[name]] if name in traded else []
            facts += [MAKE.cancelled("C")] if name == "C" else []
            facts += [MAKE.expired("over")] if name == "over" else []
        facts += [MAKE.cancelled("BS"), MAKE.cancelled("BT"), MAKE.cancelled("CS"), late]
        records = [
            JournalRecord(sequence=number, recorded_ns=1, correlation_id="", fact=fact)
            for number, fact in enumerate(facts, 1)
        ]
        whole = read(records, Ledger(), ReadBack())
        book = whole[0].book
        counted = (book.surplus("A"), list(book.bare_brackets), book.late("C"), book.sold("D"))
        assert counted == (4, ["B"], 4, 3)
        assert [each.client_order_id for each in book.expired] == ["over"]
        assert book.exits("crossover") == ("AS", "AT", "BS", "BT", "CS")
        ended, state = made(*read(records, Ledger(), ReadBack()))
        again = Ledger(), ReadBack()
        restored(*again, ended=ended, state=state)

        assert again[0].book.exits("crossover") == book.exits("crossover")
        assert everything(*again) == everything(*whole)

    @given(journals())
    def test_makes_the_same_bytes_from_the_same_records(self, records):
        assert made(*read(records, Ledger(), ReadBack())) == made(*read(records, Ledger(), ReadBack()))


class TestWhatIsKept:
    """Each thing that belongs to an account, or was learnt beside the book, is there again."""

    def test_of_an_account_is_there_again(self):
        order = Order.from_intent(MAKE.intent("A"))
        kept = distinct(
            KeptAccount,
            open=("A",),
            leaves=(("INFY", "BUY", 3),),
            strategy_leaves=(("crossover", "INFY", "BUY", 4),),
            strategy_unanswered={"crossover": 2},
            positions={"INFY": (5, "a", "b", "c", "d")},
            by_strategy={"crossover": {"INFY": (6, "a", "b", "c", "e")}},
            refused={"quantity_max": 1},
            day=distinct(KeptDay, realized_before=("1", "2")),
            brackets=("B",),
            exits={"crossover": ("BS",)},
            unpriced_leaves={"TCS": 7},
            worst={"INFY": 9},
            unknown={"C": "SBIN"},
            named=(("crossover", "INFY", {"CNC": 2}),),
            late={"D": 1},
            sold={"E": 2},
            surplus={"F": 3},
            bare=("G",),
            expired=(("crossover", "ITC", "H"),),
        )
        assert all(msgspec.structs.astuple(kept)), "as no new account has it"

        assert Account.from_kept(kept, {"A": order}).kept() == kept

    def test_beside_the_book_is_there_again(self):
        held, sign = distinct(Held), distinct(Sign)
        kept = distinct(KeptReading, limits={"position_max": "7"}, sent_ns=(8,), held={"quantity_max": held}, sign=sign)
        read_back = ReadBack()
        read_back.go_on(kept)

        assert read_back.kept() == kept
        assert read_back.newest_sequence == kept.sequence


@pytest.fixture
def kept():
    """Past and state of a book with one open order, and one that has ended."""
    facts = [MAKE.intent("A"), MAKE.accepted("A"), MAKE.intent("B"), MAKE.filled("B")]
    records = [
        JournalRecord(sequence=number, recorded_ns=1, correlation_id="", fact=fact)
        for number, fact in enumerate(facts, 1)
    ]
    return made(*read(records, Ledger(), ReadBack()))


class TestBytesThatAreNoCheckpoint:
    """The journal believes none whose sum is wrong; whatever else may come is refused, too, and changes nothing."""

    def refused(self, ended, state):
        ledger, read_back = Ledger(), ReadBack()
        with pytest.raises(CheckpointBrokenError):
            restored(ledger, read_back, ended=ended, state=state)
        assert everything(ledger, read_back) == everything(Ledger(), ReadBack())

    def test_are_refused_at_any_length(self, kept):
        ended, state = kept
        for size in range(len(ended)):
            self.refused(ended[:size], state)
        for size in range(len(state)):
            self.refused(ended, state[:size])

    def test_are_refused_with_another_past(self, kept):
        self.refused(kept[0] + MAKE_ANOTHER_PAST, kept[1])

    def test_lead_to_no_other_fault_with_any_byte_changed(self, kept):
        for part in range(2):
            for place in range(len(kept[part])):
                changed = bytearray(kept[part])
                changed[place] ^= 0x81
                both = [*kept]
                both[part] = bytes(changed)
                try:
                    restored(Ledger(), ReadBack(), ended=both[0], state=both[1])
                except CheckpointBrokenError:
                    continue


MAKE_ANOTHER_PAST = packed([EndedOrder("C", 2, None, MAKE.refusal("C"))])


class TestTheVersion:
    def test_is_another_one_if_a_rule_or_a_message_is(self, tmp_path, monkeypatch):
        def version_of(files):
            for name, text in files.items():
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            monkeypatch.setattr(checkpoint, "__file__", str(tmp_path / "actors" / "orders" / "book" / "checkpoint.py"))
            return checkpoint.version.__wrapped__()

        sources = {"actors/orders/book/book.py": "1", "domain/orders.py": "1", "messages/orders.py": "1"}
        versions = {version_of(sources)} | {version_of(sources | {name: "2"}) for name in sources}

        assert len(versions) == 1 + len(sources)
        assert version_of(sources) in versions

    def test_is_none_where_the_code_is_not_there_as_text(self, tmp_path, monkeypatch):
        monkeypatch.setattr(checkpoint, "__file__", str(tmp_path / "actors" / "orders" / "book" / "checkpoint.pyc"))

        assert checkpoint.version.__wrapped__() == ""


class OnDisk(JournalActor):
    """A journal on a simulated disk."""

    disk = None


class Run:
    """One life of journal and orders over a disk, with a broker played by the test."""

    def __init__(self, system, disk, **limits):
        OnDisk.disk = disk
        self.system, self.broker, self.strategy = system, system.probe("broker"), system.probe("crossover")
        system.probe("events")
        system.start("journal", OnDisk, JournalSettings.default(path=str(DIRECTORY), segment_bytes=65_536))
        self.orders = Spy.of_a_run()
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(system.start, "orders", self.orders, MAKE.limits(lookup_interval_s=60.0, **limits))
            while not starting.done():
                if not self.broker.is_empty() and isinstance(question := self.broker.receive(), FindOrder):
                    answer = OrderFound(client_order_id=question.client_order_id, broker_order_id="B-1", state="OPEN")
                    system.tell("orders", answer, sender=self.broker)
            starting.result(timeout=5)

    def submit(self, client_order_id):
        self.system.tell("orders", MAKE.order(client_order_id), sender=self.strategy)

    def placed(self):
        self.system.request("orders", Ping())
        self.system.request("journal", Ping())
        self.system.request("orders", Ping())
        found = []
        while not self.broker.is_empty():
            found.append(self.broker.receive())
        return [each.client_order_id for each in found if isinstance(each, PlaceOrder)]

    def answered(self):
        return self.strategy.receive(timeout_s=5)

    def stop(self):
        """End as by a power cut; returns the disk that is left."""
        self.system.shutdown()
        return OnDisk.disk.crash(Random(0))


class Spy(OrdersActor):
    """Says which records it was given, and what it logged."""

    @classmethod
    def of_a_run(cls):
        return type("Spied", (cls,), {"logged": [], "asked": []})

    def log(self, event, *, level="info", **fields):
        self.logged.append(event)
        super().log(event, level=level, **fields)

    def ask(self, target, message, *, timeout_s, then):
        def heard(outcome):
            if isinstance(outcome.value, JournalPage):
                self.asked += [record.sequence for record in outcome.value.records]
            then(outcome)

        super().ask(target, message, timeout_s=timeout_s, then=heard)


class TestAStartWithACheckpoint:
    @pytest.fixture
    def disk(self):
        """What a first life has left: one order that was placed, and one that was filled."""
        disk = SimulatedDisk()
        run = Run(InProcessSystem(), disk)
        for client_order_id in ("A-1", "A-2"):
            run.submit(client_order_id)
        assert run.placed() == ["A-1", "A-2"]
        run.system.tell("orders", OrderPlaced(client_order_id="A-2", broker_order_id="B-2"), sender=run.broker)
        run.system.tell(
            "orders",
            MAKE.report(client_order_id="A-2", broker_order_id="B-2", quantity=10, cumulative_quantity=10),
            sender=run.broker,
        )
        run.placed()
        return run.stop()

    @pytest.fixture
    def checkpointed(self, disk):
        run = Run(InProcessSystem(), disk, checkpoint_facts=1)
        run.system.request("journal", Ping())
        while "orders.checkpoint" not in disk.names(DIRECTORY):
            run.system.request("journal", Ping())
        assert run.orders.asked == [1, 2, 3, 4]
        assert "checkpoint.refused" not in run.orders.logged
        return run.stop()

    def test_reads_only_what_is_behind_it_and_sends_nothing_twice(self, checkpointed):
        run = Run(InProcessSystem(), checkpointed, checkpoint_facts=1_000)
        for client_order_id in ("A-1", "A-2"):
            run.submit(client_order_id)

        assert run.placed() == []
        assert [run.answered().client_order_id for _ in range(2)] == ["A-1", "A-2"]
        run.submit("A-3")
        assert run.placed() == ["A-3"]
        assert run.system.request("orders", Ping()).statistics.positions[0].quantity == 10
        run.stop()
        assert min(run.orders.asked) == 5
        assert "checkpoint.refused" not in run.orders.logged

    def test_reads_everything_where_it_is_damaged_and_says_so(self, checkpointed):
        checkpointed.content(DIRECTORY / "orders.checkpoint")[60] ^= 1
        run = Run(InProcessSystem(), checkpointed, checkpoint_facts=1_000)
        run.submit("A-1")

        assert run.placed() == []
        assert run.system.request("orders", Ping()).statistics.positions[0].quantity == 10
        run.stop()
        assert run.orders.asked[0] == 1
        assert "checkpoint.refused" in run.orders.logged


class Poked(CheckpointActor):
    """Is told to look, and to read on, by whoever sends it a tuple."""

    @handles(tuple)
    def poke(self, _, __):
        for message in (LookDue(), ReadOn(), LookDue(), ReadOn()):
            self.send(self.myAddress, message)


class ByHand(CheckpointActor):
    """One whose journal and timers are the test's."""

    settings = CheckpointSettings(facts=3)
    myAddress = None  # noqa: N815  as Thespian names it

    def __init__(self):
        self.asked, self.timers, self.logged = [], [], []
        self.on_start()

    def ask(self, _target, message, *, timeout_s, then):
        self.asked.append(message)
        self.told = then

    def after(self, _seconds, message):
        self.timers.append(message)

    def log(self, event, **fields):
        self.logged.append((event, fields))

    def told_now(self, value=None, error=None):
        self.told(Outcome(value=value, error=error))

    def next(self):
        """Let the next timer fire; return the question that follows."""
        {LookDue: self.look, ReadOn: self.read_on}[type(message := self.timers.pop(0))](message, None)
        return self.asked.pop() if self.asked else None


class TestALookAtTheJournal:
    LOOKS = ReadCheckpoint(name="orders", version=checkpoint.version(), only_looks=True)
    READS = ReadCheckpoint(name="orders", version=checkpoint.version())
    HOW_FAR = ReadJournal(after_sequence=INTEGER_MAX, records_max=1)

    @pytest.fixture
    def by_hand(self):
        """One that knows of a checkpoint up to the fifth record."""
        actor = ByHand()
        assert actor.next() == self.LOOKS
        actor.told_now(CheckpointRead(name="orders", sequence=5))
        return actor

    def looked(self, by_hand, last):
        """Let it look; return the question that follows, if any."""
        assert by_hand.next() == self.HOW_FAR
        by_hand.told_now(JournalPage(records=(), last_sequence=last))
        return by_hand.asked.pop() if by_hand.asked else None

    def test_counts_what_is_behind_the_newest_checkpoint(self, by_hand):
        found = [self.looked(by_hand, last) for last in (7, 7, 8, 8)]

        assert found == [None, None, None, self.READS]

    @pytest.mark.parametrize(("last", "wanted"), [(34, None), (35, READS)])
    def test_of_a_busy_system_makes_none_before_ten_times_as_many_are_behind(self, by_hand, last, wanted):
        assert self.looked(by_hand, last) == wanted

    @pytest.mark.parametrize(("kept", "wanted"), [(8, HOW_FAR), (0, LOOKS)])
    def test_goes_on_from_what_was_kept_and_asks_for_that_again_where_nothing_was(self, by_hand, kept, wanted):
        for last in (8, 8):
            self.looked(by_hand, last)
        by_hand.told_now(CheckpointRead(name="orders"))
        by_hand.told_now(JournalPage(records=(), last_sequence=8))
        by_hand.told_now(CheckpointKept(name="orders", sequence=kept))
        by_hand.asked.clear()

        assert by_hand.next() == wanted

    def test_comes_to_nothing_between_two_pages_and_neither_does_a_page_between_two_looks(self, by_hand, monkeypatch):
        monkeypatch.setattr(keeper, "PAGE_RECORDS", 1)
        by_hand.timers.append(ReadOn())
        for last in (8, 8):
            self.looked(by_hand, last)
            if by_hand.timers and isinstance(by_hand.timers[0], ReadOn):
                assert by_hand.next() is None
        by_hand.told_now(CheckpointRead(name="orders"))
        record = JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=MAKE.intent())
        by_hand.told_now(JournalPage(records=(record,), last_sequence=8))
        by_hand.asked.clear()
        by_hand.timers.insert(0, LookDue())

        assert [by_hand.next(), by_hand.next().after_sequence] == [None, 1]

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            ({"value": Unavailable(actor="journal", reason="breaker open", retry_after_s=1)}, "breaker open"),
            ({"error": TimeoutError("60 s")}, "60 s"),
        ],
        ids=["refused", "none"],
    )
    def test_without_an_answer_is_logged_with_what_came_instead(self, by_hand, answer, told):
        assert by_hand.next() == self.HOW_FAR
        by_hand.told_now(**answer)

        [(event, fields)] = by_hand.logged
        assert (event, told in fields["answer"], by_hand.next()) == ("checkpoint.not_made", True, self.LOOKS)


class TestTheKeeperOfCheckpoints:
    """It is told to look; every such message comes twice, as do those by which it reads on."""

    @pytest.fixture
    def disk(self):
        return SimulatedDisk()

    @pytest.fixture
    def system(self, disk):
        OnDisk.disk = disk
        with InProcessSystem() as system:
            system.probe("events")
            system.start("journal", OnDisk, JournalSettings.default(path=str(DIRECTORY), segment_bytes=65_536))
            system.start("checkpoints", Poked, CheckpointSettings(facts=3))
            yield system
            assert system.base.find("checkpoints").failures == 0

    def write(self, system, *facts):
        system.request("journal", Append(facts=facts))

    def look(self, system, times=1):
        for _ in range(times):
            system.tell("checkpoints", ())
            for _ in range(8):  # its questions, and the journal's answers from another thread
                for name in ("checkpoints", "journal"):
                    system.request(name, Ping())

    def kept(self, disk):
        return checkpoint_on(disk, DIRECTORY)

    def until_kept(self, system, disk, sequence):
        for _ in range(100):
            self.look(system)
            if self.kept(disk).sequence >= sequence:
                return self.kept(disk)
        raise AssertionError(f"a checkpoint of {sequence} wanted, found one of {self.kept(disk).sequence}")

    def test_makes_one_when_enough_is_behind_and_goes_on_with_it(self, system, disk):
        facts = [MAKE.intent("A"), MAKE.accepted("A"), MAKE.intent("B"), MAKE.filled("B"), MAKE.intent("C")]
        self.write(system, *facts)
        first = self.until_kept(system, disk, 5)
        self.write(system, MAKE.filled("A"), MAKE.cancelled("C"), MAKE.refusal("D"))
        second = self.until_kept(system, disk, 8)

        assert list(unlike_the_journal(first, self.records(disk))) == []
        assert list(unlike_the_journal(second, self.records(disk))) == []
        assert second.past.startswith(first.past)
        assert len(second.past) > len(first.past)

    def test_looks_again_by_itself_whatever_came_of_the_look_before(self, disk, monkeypatch):
        """The first finds too little, the second enough, the third a past that is damaged, the fourth enough again."""
        monkeypatch.setattr(keeper, "LOOK_S", 0.001)
        OnDisk.disk = disk
        with InProcessSystem() as system:
            system.probe("events")
            system.start("journal", OnDisk, JournalSettings.default(path=str(DIRECTORY), segment_bytes=65_536))
            system.start("checkpoints", CheckpointActor, CheckpointSettings(facts=3))
            for last, facts in ((3, "AB"), (6, "CD"), (9, "EF")):
                self.write(system, MAKE.intent(facts[0]))
                self.write(system, MAKE.filled(facts[0]), MAKE.intent(facts[1]))
                assert self.by_itself(system, disk, last) == last
                disk.content(DIRECTORY / "orders.past")[9] ^= 1

    def by_itself(self, system, disk, sequence):
        for _ in range(1_000):
            system.request("journal", Ping())
            system.request("checkpoints", Ping())
            if (found := self.kept(disk).sequence) >= sequence:
                return found
        return found

    def test_makes_one_of_all_that_it_has_read_be_it_of_orders_or_not(self, system, disk):
        self.write(system, MAKE.intent("A"), MAKE.accepted("A"), *(a_published(event_id=f"e-{each}") for each in "abc"))

        assert list(unlike_the_journal(self.until_kept(system, disk, 5), self.records(disk))) == []

    def test_asks_first_how_far_the_newest_reaches_and_not_for_all_of_it(self, disk, monkeypatch):
        monkeypatch.setattr(keeper, "LOOK_S", 0.001)
        with InProcessSystem() as system:
            journal = system.probe("journal")
            system.start("checkpoints", CheckpointActor, CheckpointSettings(facts=3))

            assert journal.receive() == ReadCheckpoint(name="orders", version=checkpoint.version(), only_looks=True)

    def test_makes_none_of_less(self, system, disk):
        self.write(system, MAKE.intent("A"), MAKE.accepted("A"))
        self.look(system, times=40)

        assert self.kept(disk).sequence == 0

    def test_logs_what_it_has_kept_and_what_it_has_not(self, system, disk, logged):
        logged()
        self.write(system, MAKE.intent("A"), MAKE.accepted("A"), MAKE.filled("A"))
        self.until_kept(system, disk, 3)
        self.look(system)
        assert [each for each in logged() if each[1].startswith("checkpoint")] == [
            ("INFO", "checkpoint.kept", {"sequence": 3})
        ]
        disk.content(DIRECTORY / "orders.past")[9] ^= 1
        self.write(system, MAKE.intent("B"), MAKE.accepted("B"), MAKE.filled("B"))
        self.until_kept(system, disk, 6)
        self.look(system)
        told = [each for each in logged() if each[1].startswith("checkpoint")]

        assert [each[:2] for each in told] == [("WARNING", "checkpoint.refused"), ("INFO", "checkpoint.kept")]
        assert (bool(told[0][2]["reason"]), told[1][2]) == (True, {"sequence": 6})

    def test_logs_that_the_journal_does_not_answer_and_looks_anew(self, system, disk, logged):
        system.stop("journal")
        logged()
        self.write_nothing(system)
        told = [each for each in logged() if each[1].startswith("checkpoint")]

        assert {each[:2] for each in told} == {("WARNING", "checkpoint.not_made")}
        assert all(each[2]["answer"] for each in told)

    def write_nothing(self, system):
        for _ in range(3):
            system.tell("checkpoints", ())
            for _ in range(4):
                system.request("checkpoints", Ping())

    def test_begins_anew_where_the_one_before_is_damaged(self, system, disk):
        self.write(system, MAKE.intent("A"), MAKE.accepted("A"), MAKE.filled("A"))
        self.until_kept(system, disk, 3)
        disk.content(DIRECTORY / "orders.past")[9] ^= 1
        self.write(system, MAKE.intent("B"), MAKE.accepted("B"), MAKE.filled("B"))

        assert list(unlike_the_journal(self.until_kept(system, disk, 6), self.records(disk))) == []

    def records(self, disk):
        return tail(DIRECTORY, records_max=100, disk=disk)
