"""`natya orders`, `order show`, `positions`, `cancel`: of a running system, and from the journal alone."""

import json
import re
import time
from datetime import datetime, timedelta

import pytest
from natya_builders import BUILDERS, some_limits
from typer.testing import CliRunner

from natya.actors.control import ControlActor, ControlActorSettings
from natya.actors.journal import Journal, JournalActor
from natya.actors.orders import OrdersActor
from natya.actors.runtime import InProcessSystem
from natya.cli.app import app
from natya.cli.views.orders import orders_text
from natya.config.sections.journal import JournalSettings
from natya.domain.booked import EXPIRED, SQUARED_OFF
from natya.messages.broker import FindOrder, LookupFailed, WithdrawOrder
from natya.messages.order_listing import OrdersRead, ReadOrders
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    ModificationIntended,
    ModificationRefused,
    OrderModified,
    OrderUncertain,
)
from natya.messages.reconciliation import OrderLost, OrderMismatch

make = BUILDERS
FACTS = (
    make.intent("A-1", quantity=10, limit_price=99.5, order_type="LIMIT"),
    make.accepted("A-1", "B-1"),
    make.filled("A-1", quantity=4),
    make.refusal("A-2", rule="position_max"),
    make.intent("A-3", symbol="TCS"),
    OrderUncertain(client_order_id="A-3", reason="no answer in 5 s", occurred_ns=2_000),
)


def natya(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def data_dir(tmp_path):
    journal = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
    journal.open()
    for fact in FACTS:
        journal.append([fact], correlation_id=fact.client_order_id)
    journal.commit()
    journal.close()
    return tmp_path


@pytest.fixture
def broker(data_dir):
    """A running system, whose broker is played by the test."""
    with InProcessSystem() as system:
        broker = system.probe("broker")
        settings = JournalSettings.default(path=str(data_dir / "journal"), segment_bytes=65_536)
        system.start("journal", JournalActor, settings)
        system.base.start_actor("orders", OrdersActor, some_limits(lookup_interval_s=60))
        for _ in range(2):  # are looked up
            while not isinstance(asked := broker.receive(), FindOrder):
                pass
            failed = LookupFailed(client_order_id=asked.client_order_id, reason="a test")
            system.tell("orders", failed, sender=broker)
        system.start("control", ControlActor, ControlActorSettings(data_dir=data_dir))
        yield broker


def rows(*arguments):
    found = natya(*arguments, "--json")
    assert found.exit_code == 0, found.stderr
    return json.loads(found.stdout)


@pytest.fixture(params=["running", "not running"])
def whoever(request, data_dir):
    if request.param == "running":
        request.getfixturevalue("broker")
    return data_dir


class TestTheLists:
    def test_are_the_same_whoever_runs(self, whoever):
        found = rows("orders", "--all-days", "--data-dir", whoever)["orders"]
        assert [(each["client_order_id"], each["state"]) for each in found] == [
            ("A-3", "UNKNOWN"),
            ("A-2", "REFUSED"),
            ("A-1", "PART_FILLED"),
        ]
        opened = rows("orders", "--open", "--symbol", "TCS", "--data-dir", whoever)["orders"]
        assert [each["client_order_id"] for each in opened] == ["A-3"]
        (held,) = rows("positions", "--data-dir", whoever)["positions"]
        assert (held["symbol"], held["quantity"], held["held_by"]) == ("INFY", 4, {"crossover": 4})
        assert held["unrealized_pnl"] is None

    def test_are_tables_for_people(self, data_dir):
        table = natya("orders", "--all-days", "--data-dir", data_dir).stdout
        assert "BUY 10 LIMIT 99.50" in table
        assert "PART_FILLED 4 of 10" in table
        assert "position_max: too many" in table
        table = natya("positions", "--data-dir", data_dir).stdout
        assert "no price" in table
        assert "before charges" in table
        assert "none is recorded" in " ".join(table.split())

    def test_say_which_account_they_are_of_where_there_are_several(self, capsys):
        orders_text(OrdersRead(orders=(), is_complete=True, account=2, accounts=(0, 1, 2)), ReadOrders(all_days=True))

        assert capsys.readouterr().out == "account 2; orders of others: --account 0, 1\nno orders\n"

    @pytest.mark.parametrize(
        ("wanted", "told"),
        [
            (ReadOrders(), "no orders of the day; those before: --all-days\n"),
            (ReadOrders(all_days=True), "no orders\n"),
            (ReadOrders(open_only=True), "no orders\n"),
        ],
    )
    def test_say_where_those_of_days_before_are_if_the_day_has_none(self, capsys, wanted, told):
        orders_text(OrdersRead(orders=(), is_complete=True, account=0, accounts=(0,)), wanted)

        assert capsys.readouterr().out == told

    def test_of_nothing_say_so(self, tmp_path):
        journal = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        journal.close()

        assert "no orders" in natya("orders", "--data-dir", tmp_path).stdout
        assert "no positions" in natya("positions", "--data-dir", tmp_path).stdout

    def test_where_there_is_no_journal_are_an_error(self, tmp_path):
        assert natya("orders", "--data-dir", tmp_path).exit_code == 1


class TestTheLifeOfAnOrder:
    def test_in_doubt_is_explained_whoever_runs(self, whoever):
        told = natya("order", "show", "A-3", "--data-dir", whoever).stdout

        assert "INTENDED BUY 10 TCS MARKET for crossover: every rule passed" in told
        assert "IN DOUBT: no answer in 5 s; the broker may have it or not" in told
        assert "its 10 shares count in every limit as if filled" in told
        assert "why it is not sent again: the broker may have taken the first request" in told

    def test_in_doubt_names_the_settings_of_its_look_ups_and_no_seconds_that_the_running_system_may_not_have(
        self, data_dir
    ):
        meant = natya("order", "show", "A-3", "--data-dir", data_dir).stdout.rpartition("\nso: ")[2]

        assert "every orders.lookup_interval_s" in meant
        assert "orders.absence_horizon_s have gone by since the request" in meant
        assert "on)" not in meant

    def test_in_doubt_tells_the_seconds_of_the_system_that_has_looked_it_up_and_when_they_are_over(self, data_dir):
        fields = {"again_s": 5.0, "absent_after_s": 120.0}
        calls = (
            {"endpoint": "orders.place", "service": "dhan", "sent": "unknown", "response_time_s": 10.07},
            {"endpoint": "orders.book", "service": "dhan", "sent": "yes", "status_code": 200, "response_time_s": 0.1},
            {"endpoint": "orders.book", "service": "dhan", "sent": "no", "response_time_s": 0.0},
        )
        whole = natya("order", "show", "A-3", "--data-dir", data_dir).stdout
        began = datetime.fromisoformat(whole.splitlines()[0][14:33])
        lines = [{"event": "order.looked_up", "fields": fields}]
        lines += [{"event": "external.called", "fields": each} for each in calls]
        time_text = f"{began + timedelta(seconds=60):%Y-%m-%dT%H:%M:%S}+05:30"
        lines = [each | {"time": time_text, "correlation_id": "A-3"} for each in lines]
        (data_dir / "natya.log").write_text("".join(json.dumps(each) + "\n" for each in lines))
        told = natya("order", "show", "A-3", "--data-dir", data_dir).stdout

        assert "is asked for it every 5 s, and what it shows holds" in told
        assert f"120 s have gone by since the request (from {began + timedelta(seconds=120):%H:%M:%S} IST on)" in told
        assert f"The request left at {began:%H:%M:%S} IST, once, and no certain answer came" in told
        assert "external.called orders.place of dhan: no answer after 10.070 s, it may have arrived" in told
        assert "external.called orders.book of dhan: answered 200 after 0.100 s" in told
        assert "external.called orders.book of dhan: not sent" in told
        assert re.search(r"\+(59|60)\.[0-9]{3} s order.looked_up again_s=5.0", told)
        assert "orders." not in told.rpartition("\nso: ")[2]

    def test_that_was_in_doubt_says_how_long(self, data_dir):
        journal = Journal(data_dir / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        journal.append((BUILDERS.accepted("A-3", "B-3"),), correlation_id="A-3")
        journal.commit()
        journal.close()
        told = natya("order", "show", "A-3", "--data-dir", data_dir).stdout

        assert re.search(r"it was in doubt for [0-9]+\.[0-9] s, until [0-9:]{8} IST, and a look-up or a report", told)
        assert told.endswith("its request was not sent again\n")

    @pytest.mark.parametrize(
        ("ending", "purpose"),
        [
            ("T", "it is the target of the bracket B-1"),
            ("S", "it is the stop loss of the bracket B-1"),
            ("X", "it closes at the market what had no other exit of the bracket B-1"),
            ("M", "it closes at the market what had no other exit of the bracket B-1"),
            ("R", "it gives back what the exits of the bracket B-1 have traded too much"),
        ],
    )
    def test_that_is_an_exit_of_a_bracket_says_what_it_is_for_and_that_no_rule_was_asked(
        self, data_dir, ending, purpose
    ):
        journal = Journal(data_dir / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        for fact in (BUILDERS.intent("B-1", target_price=110.0), BUILDERS.intent(f"B-1{ending}", side="SELL")):
            journal.append((fact,), correlation_id=fact.client_order_id)
        journal.append((BUILDERS.intent("C-1X", side="SELL"),), correlation_id="C-1X")
        journal.commit()
        journal.close()

        told = natya("order", "show", f"B-1{ending}", "--data-dir", data_dir).stdout
        assert f"for crossover: {purpose}, and passes no rule; one request leaves now" in told
        assert "every rule passed" in natya("order", "show", "C-1X", "--data-dir", data_dir).stdout

    @pytest.mark.parametrize(
        ("trade_id", "price", "why"),
        [(SQUARED_OFF, 100.0, "the broker has squared it off"), (EXPIRED, 0.0, "the contract has expired")],
        ids=["squared off", "expired"],
    )
    def test_of_a_position_that_went_without_a_request_says_that_none_has_left(self, data_dir, trade_id, price, why):
        journal = Journal(data_dir / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        trade = BUILDERS.filled("C-9", trade_id, side="SELL", price=price)
        journal.append((BUILDERS.intent("C-9", side="SELL"), trade), correlation_id="C-9")
        journal.commit()
        journal.close()

        told = natya("order", "show", "C-9", "--data-dir", data_dir).stdout
        assert f"for crossover: {why}, and no request has left\n" in told
        assert f"FILLED 10 at {price:.2f} (trade {trade_id}), 10 of 10 so far" in told

    def test_has_each_step_with_its_time_and_its_place_in_the_journal(self, data_dir):
        told = natya("order", "show", "A-1", "--data-dir", data_dir).stdout.splitlines()

        assert [line.split("  ")[2] for line in told[1:4]] == ["#1", "#2", "#3"]
        assert "ACCEPTED by the broker as B-1" in told[2]
        assert "FILLED 4 at 100.00 (trade T-1), 4 of 10 so far" in told[3]
        assert told[-1] == "so: it is open at the broker, 6 of 10 may still be filled"

    def test_tells_of_its_changes_and_of_the_one_that_is_in_doubt(self, data_dir):
        terms = {"client_order_id": "A-1", "quantity": 20, "limit_price": 99.5, "trigger_price": None}
        refusal = {"rule": "quantity_max", "reason": "too many", "occurred_ns": 5}
        facts = (
            ModificationIntended(number=1, occurred_ns=5, **terms),
            OrderModified(number=1, occurred_ns=6, **terms),
            ModificationRefused(client_order_id="A-1", number=0, **refusal),
            ModificationIntended(number=2, occurred_ns=7, **(terms | {"quantity": 30})),
            OrderLost(client_order_id="A-1", since_ns=8, occurred_ns=9),
            OrderMismatch(client_order_id="A-1", ours="filled 4", theirs="filled 5", since_ns=8, occurred_ns=9),
        )
        journal = Journal(data_dir / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        journal.append(facts, correlation_id="A-1")
        journal.commit()
        journal.close()
        told = natya("order", "show", "A-1", "--data-dir", data_dir).stdout

        assert "INTENDED change 1 to 20 at 99.50: every rule passed" in told
        assert "MODIFIED by change 1 to 20 at 99.50" in told
        assert "OPEN HERE, AND NOT LISTED at the broker, at two looks in a row" in told
        assert "OTHERWISE at the broker, at two looks in a row: filled 4 here, filled 5 there" in told
        assert "NOT MODIFIED: a change that never left was refused by quantity_max: too many" in told
        assert "26 of 30 may still be filled; what became of change 2 is not known: it is not sent again" in told
        assert rows("order", "show", "A-1", "--data-dir", data_dir)["order"]["pending"]["quantity"] == 30

    def test_that_is_the_entry_of_a_bracket_names_its_exits(self, data_dir):
        entry = BUILDERS.intent("A-7", target_price=110.0, stop_loss_price=95.0)
        journal = Journal(data_dir / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        journal.append((entry,), correlation_id="A-7")
        journal.commit()
        journal.close()
        told = natya("order", "show", "A-7", "--data-dir", data_dir).stdout

        assert "MARKET, closed by target 110.00 (A-7T) or stop loss 95.00 (A-7S), for crossover" in " ".join(
            told.split()
        )

    def test_tells_who_wanted_it_cancelled_and_what_came_of_each_request(self, data_dir):
        of = {"client_order_id": "A-1", "occurred_ns": 5}
        facts = (
            CancellationIntended(number=1, asked_by="crossover", **of),
            CancellationRefused(number=1, rule="broker", reason="busy", **of),
            CancellationIntended(number=2, asked_by="asha", **of),
            CancellationUncertain(number=2, reason="no answer", **of),
        )
        journal = Journal(data_dir / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        journal.append(facts, correlation_id="A-1")
        journal.commit()
        journal.close()
        told = natya("order", "show", "A-1", "--data-dir", data_dir).stdout

        assert "CANCELLING: cancellation 1, asked for by crossover, leaves now" in told
        assert "NOT CANCELLED: cancellation 1 was refused by broker: busy" in told
        assert "CANCELLING IN DOUBT: cancellation 2: no answer; it is asked for again" in told
        assert "6 of 10 may still be filled; cancellation 2, asked for by asha, has no answer yet" in told
        listed = next(
            each for each in rows("orders", "--data-dir", data_dir)["orders"] if each["client_order_id"] == "A-1"
        )
        assert (listed["cancellation"], listed["cancellation_by"]) == ("IN_DOUBT", "asha")
        assert "PART_FILLED 4 of 10, cancelling" in natya("orders", "--data-dir", data_dir).stdout

    @pytest.mark.parametrize("is_asked_for", [False, True])
    def test_that_somebody_else_cancelled_says_so(self, data_dir, is_asked_for):
        of = {"client_order_id": "A-1", "occurred_ns": 5}
        asked = [CancellationIntended(number=1, asked_by="asha", **of)] if is_asked_for else []
        journal = Journal(data_dir / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        journal.append((*asked, BUILDERS.cancelled("A-1")), correlation_id="A-1")
        journal.commit()
        journal.close()
        told = natya("order", "show", "A-1", "--data-dir", data_dir).stdout

        assert "CANCELLED: " in told
        assert ("nobody here had asked for it" in told) is not is_asked_for

    def test_that_never_left_says_which_rule(self, data_dir):
        told = natya("order", "show", "A-2", "--data-dir", data_dir).stdout

        assert "REFUSED by our own rule position_max: too many; nothing was sent" in told
        assert "it never left" in told

    def test_has_what_the_log_says_of_it_and_of_no_other(self, data_dir):
        lines = [
            {"time": "t1", "event": "lookup.failed", "correlation_id": "A-3", "fields": {"reason": "no\x1b[2Janswer"}},
            {"time": "t2", "event": "order.looked_up", "correlation_id": "A-33", "fields": {"of": "A-3"}},
        ]
        (data_dir / "natya.log.1").write_text("".join(json.dumps(each) + "\n" for each in lines) + '{"cut off A-3')
        told = natya("order", "show", "A-3", "--data-dir", data_dir).stdout
        assert "t1 lookup.failed reason=no?[2Janswer" in told
        assert "t2" not in told
        found = rows("order", "show", "A-3", "--data-dir", data_dir)

        assert told.endswith("the newest look-up that failed: no?[2Janswer\n")
        assert [each["event"] for each in found["log"]] == ["lookup.failed"]
        assert [each["type"] for each in found["facts"]] == ["OrderIntended", "OrderUncertain"]
        assert found["order"]["state"] == "UNKNOWN"

    def test_has_the_machine_s_time_of_what_was_logged_while_a_recording_of_another_day_was_replayed(self, data_dir):
        lines = [
            {"time": f"2031-10-05T06:30:0{second}+00:00", "event": "lookup.failed", "correlation_id": "A-3"}
            for second in (1, 2)
        ]
        (data_dir / "natya.log").write_text("".join(json.dumps(each) + "\n" for each in lines))
        told = natya("order", "show", "A-3", "--data-dir", data_dir).stdout

        assert "  2031-10-05T06:30:01+00:00 lookup.failed (and 1 time more, until 2031-10-05T06:30:02+00:00)\n" in told

    def test_is_told_once_for_all_look_ups_that_show_the_same(self, data_dir):
        def line(number, event, **fields):
            return json.dumps({"time": f"t{number}", "event": event, "correlation_id": "A-3", "fields": fields}) + "\n"

        rounds = [
            line(number, "order.looked_up") + line(number, "lookup.failed", reason="busy", response_time_s=number / 7)
            for number in range(1, 200)
        ]
        (data_dir / "natya.log").write_text("".join(rounds))
        told = natya("order", "show", "A-3", "--data-dir", data_dir).stdout

        assert "t1 order.looked_up (and 198 times more, until t199)" in told
        assert (
            "t1 lookup.failed reason=busy response_time_s=0.14285714285714285 (and 198 times more, until t199)" in told
        )
        assert len(told.splitlines()) == 11

    def test_that_is_not_known_is_said(self, data_dir):
        assert natya("order", "show", "A-9", "--data-dir", data_dir).exit_code == 1


class TestCancelling:
    def test_reaches_the_broker_and_says_what_is_not_open(self, data_dir, broker):
        done = natya("cancel", "A-1", "A-2", "--data-dir", data_dir)

        assert (done.exit_code, "not open: A-2" in done.stderr) == (1, True)
        assert "1 order being cancelled" in done.stdout
        while isinstance(asked := broker.receive(), FindOrder):
            pass
        assert asked == WithdrawOrder(client_order_id="A-1", broker_order_id="B-1")

    def test_of_all_is_all_that_is_open(self, data_dir, broker):
        assert rows("cancel", "--all", "--data-dir", data_dir)["client_order_ids"] == ["A-1", "A-3"]

    def test_of_nothing_in_particular_is_refused(self, tmp_path):
        assert natya("cancel", "--data-dir", tmp_path).exit_code == 2

    def test_without_a_system_is_not_done(self, tmp_path):
        assert natya("cancel", "--all", "--data-dir", tmp_path).exit_code == 69
