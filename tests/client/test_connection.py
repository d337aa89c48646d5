"""What a connection asks for in its user's name: each method says to whom, what, and how long it waits."""

import getpass
import inspect
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from natya.actors.control import OPERATIONS, ControlClient, NotRunningError
from natya.actors.database import INLINE_ROWS_MAX
from natya.client import connection as connection_module
from natya.client.connection import ANSWER_S, Connection, QueryFailedError, UnknownOperationError, connect
from natya.config.errors import SettingsError
from natya.messages.database import BackedUp, BackUp, Query, QueryFailed, QueryToFile, Rows, RowsFile
from natya.messages.instruments import FindInstrument
from natya.messages.kill_switch import EngageKillSwitch, Flatten
from natya.messages.order_listing import CancelOrders, SettleOrder, SettlePosition
from natya.messages.risk import ChangeLimits
from natya.messages.risk_state import Resume
from natya.messages.supervision import DescribeTree
from natya.messages.system import Ping
from natya.messages.trace import ReadTrace, TraceRead

ME = getpass.getuser()


class PlayedClient:
    """Notes what is asked, and answers what the test says."""

    daemon_pid = 7

    def __init__(self):
        self.asked, self.answer, self.is_closed = [], None, False

    def request(self, actor, message, *, timeout_s, correlation_id):
        self.asked.append((actor, message, timeout_s, correlation_id))
        return self.answer

    def close(self):
        self.is_closed = True


@pytest.fixture
def client():
    return PlayedClient()


@pytest.fixture
def connection(client):
    return Connection(client)


ASKED = {
    "tree": (lambda to: to.tree(), "system", DescribeTree(), 5.0),
    "tree, later": (lambda to: to.tree(timeout_s=2), "system", DescribeTree(), 2),
    "ping": (lambda to: to.ping(), "system", Ping(), 5.0),
    "ping of one": (lambda to: to.ping("orders", timeout_s=3), "orders", Ping(), 3),
    "cancel all": (
        lambda to: to.cancel_orders_of(everything=True),
        "orders",
        CancelOrders(everything=True, person=ME),
        10.0,
    ),
    "cancel some": (
        lambda to: to.cancel_orders_of(["a-1", "a-2"], timeout_s=4),
        "orders",
        CancelOrders(client_order_ids=("a-1", "a-2"), person=ME),
        4,
    ),
    "cancel of a strategy in a symbol": (
        lambda to: to.cancel_orders_of(strategy="a", symbol="TCS"),
        "orders",
        CancelOrders(strategy="a", symbol="TCS", person=ME),
        10.0,
    ),
    "close positions": (
        lambda to: to.close_positions(strategy="a", symbol="TCS"),
        "flattener",
        Flatten(strategy="a", symbol="TCS", person=ME),
        10.0,
    ),
    "halt": (lambda to: to.halt("odd"), "kill-switch", EngageKillSwitch(reason="odd", person=ME, flatten=False), 10.0),
    "halt and flatten": (
        lambda to: to.halt("odd", flatten=True, timeout_s=1),
        "kill-switch",
        EngageKillSwitch(reason="odd", person=ME, flatten=True),
        1,
    ),
    "resume": (lambda to: to.resume("looked"), "orders", Resume(reason="looked", person=ME), 10.0),
    "settle an order that was absent": (
        lambda to: to.settle_order("a-1", filled=0, reason="looked"),
        "orders",
        SettleOrder(client_order_id="a-1", filled=0, price=None, reason="looked", person=ME),
        10.0,
    ),
    "settle an order that is filled": (
        lambda to: to.settle_order("a-1", filled=5, price=99.5, reason="looked", timeout_s=3),
        "orders",
        SettleOrder(client_order_id="a-1", filled=5, price=99.5, reason="looked", person=ME),
        3,
    ),
    "settle a position": (
        lambda to: to.settle_position("INFY", shares=3, price=99.5, reason="looked"),
        "orders",
        SettlePosition(symbol="INFY", shares=3, price=99.5, reason="looked", person=ME),
        10.0,
    ),
    "set limits": (
        lambda to: to.set_limits({"position_max": 5, "symbols": "TCS"}, "calm", confirmed={"position_max": 5}),
        "orders",
        ChangeLimits(
            values={"position_max": "5", "symbols": "TCS"}, reason="calm", confirmed={"position_max": "5"}, person=ME
        ),
        15.0,
    ),
    "set limits that let no more pass": (
        lambda to: to.set_limits({"position_max": 5}, "calm", timeout_s=2),
        "orders",
        ChangeLimits(values={"position_max": "5"}, reason="calm", confirmed={}, person=ME),
        2,
    ),
    "an operation by its name": (
        lambda to: to.find_instrument(text="NIFTY", rows_max=5),
        "instruments",
        FindInstrument(text="NIFTY", rows_max=5),
        5.0,
    ),
}


class TestConnecting:
    def test_to_a_directory_where_nothing_runs_says_so_of_the_whole_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for directory in (tmp_path / "data", "data"):
            with pytest.raises(NotRunningError, match=str(tmp_path / "data")):
                connect(directory)

    def test_to_that_of_a_user_whom_nobody_knows_is_refused(self):
        with pytest.raises(SettingsError, match="data_dir"):
            connect("~nobody-of-that-name/data")


def waits_of(kind):
    """How long each method of a class waits where nothing is said of it, in seconds."""
    found = {name: inspect.signature(each).parameters for name, each in vars(kind).items() if inspect.isfunction(each)}
    waits = {name: parameters["timeout_s"].default for name, parameters in found.items() if "timeout_s" in parameters}
    return {name: wait for name, wait in waits.items() if wait is not inspect.Parameter.empty}


def test_each_method_waits_as_long_as_its_answer_may_take_where_nothing_is_said():
    assert waits_of(ControlClient) == {"request": 5.0, "ask": 5.0}
    assert waits_of(Connection) == {
        "query": 30.0,
        "snapshot": 600.0,
        "call": None,
        "tree": 5.0,
        "ping": 5.0,
        "trace": 5.0,
        "cancel_orders_of": 10.0,
        "close_positions": 10.0,
        "halt": 10.0,
        "resume": 10.0,
        "settle_order": 10.0,
        "settle_position": 10.0,
        "set_limits": 15.0,
        "request": 5.0,
    }


class TestAMethod:
    @pytest.mark.parametrize("name", ASKED)
    def test_asks_its_actor_in_the_user_s_name_and_returns_what_it_says(self, client, connection, name):
        act, actor, message, timeout_s = ASKED[name]
        client.answer = object()

        assert act(connection) is client.answer
        assert client.asked == [(actor, message, timeout_s, "")]

    def test_returns_the_hops_of_a_trace(self, client, connection):
        client.answer = TraceRead(hops=())

        assert connection.trace("a-1") == ()
        assert client.asked == [("system", ReadTrace(correlation_id="a-1"), 5.0, "")]

    def test_sends_any_message_under_a_correlation_id(self, client, connection):
        connection.request("orders", Ping(), timeout_s=2, correlation_id="c-1")

        assert client.asked == [("orders", Ping(), 2, "c-1")]


class TestACall:
    @pytest.mark.parametrize(("options", "work_s"), [({}, 30.0), ({"timeout_s": 2.0}, 2.0)])
    def test_of_work_waits_as_long_as_that_may_take_and_for_its_answer(self, client, connection, options, work_s):
        client.answer = Rows(columns=(), rows=())

        assert connection.call("query", sql="select 1", **options) is client.answer
        ((actor, message, timeout_s, _),) = client.asked
        assert (actor, type(message), message.timeout_s, timeout_s) == ("database", Query, work_s, work_s + ANSWER_S)

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            ({}, ("system", 5.0)),
            ({"actor": "orders"}, ("orders", 5.0)),
            ({"timeout_s": 2.0}, ("system", 2.0)),
        ],
    )
    def test_of_any_actor_asks_the_one_that_is_named(self, client, connection, options, found):
        usual = next(each.actor for each in OPERATIONS if each.name == "ping")
        connection.call("ping", **options)

        ((actor, message, timeout_s, _),) = client.asked
        assert (actor, message, timeout_s) == (found[0] if "actor" in options else usual, Ping(), found[1])

    def test_of_no_operation_is_refused_with_those_there_are_and_nothing_is_sent(self, client, connection):
        with pytest.raises(UnknownOperationError, match=r"an operation is one of .*query.*, found 'nothing'"):
            connection.call("nothing")
        with pytest.raises(AttributeError, match="'Connection' object has no attribute 'nothing'"):
            connection.nothing()
        assert client.asked == []

    def test_is_a_method_for_each_operation_beside_the_others(self, connection):
        assert {each.method for each in OPERATIONS} | {"call", "query", "halt", "close"} <= set(dir(connection))


class TestWork:
    def test_that_failed_is_an_error_with_its_name(self, client, connection):
        client.answer = QueryFailed(error="QueryTooSlow", reason="as asked")

        with pytest.raises(QueryFailedError, match="QueryTooSlow: as asked") as failed:
            connection.work(BackUp(), timeout_s=3)
        assert failed.value.error == "QueryTooSlow"
        assert client.asked == [("database", BackUp(), 3 + ANSWER_S, "")]

    def test_of_a_query_is_a_file_of_all_its_rows_or_these_themselves(self, client, connection):
        client.answer = RowsFile(path="", names=("a",), types=("BIGINT",), rows=1, inline=((7,),))

        with connection.query("select ?", [7], timeout_s=3, rows_max=9) as result:
            assert result.rows == ((7,),)
        query = QueryToFile(sql="select ?", parameters=(7,), timeout_s=3, rows_max=9, inline_rows_max=INLINE_ROWS_MAX)
        assert client.asked == [("database", query, 3 + ANSWER_S, "")]
        connection.query("select 1").close()
        assert (client.asked[-1][1].timeout_s, client.asked[-1][1].rows_max) == (30.0, 10_000_000)

    def test_of_a_snapshot_is_taken_from_where_it_was_written(self, client, connection, tmp_path, monkeypatch):
        taken = []
        monkeypatch.setattr("natya.actors.database.take", lambda *paths: taken.append(paths))
        monkeypatch.chdir(tmp_path)
        client.answer = BackedUp(paths=("/scratch/one", "/scratch/two"))

        assert connection.snapshot("new.duckdb", timeout_s=7) == tmp_path / "new.duckdb"
        assert taken == [(Path("/scratch/one"), tmp_path / "new.duckdb")]
        assert client.asked == [("database", BackUp(single_file=True, timeout_s=7), 7 + ANSWER_S, "")]

    def test_of_a_snapshot_replaces_nothing(self, client, connection, tmp_path):
        (tmp_path / "there").write_text("theirs")

        with pytest.raises(FileExistsError, match="is there already"):
            connection.snapshot(tmp_path / "there")
        assert client.asked == []


def test_a_connection_is_closed_at_the_end_of_its_block(client, connection):
    with connection as entered:
        assert entered is connection
        assert (entered.pid, client.is_closed) == (7, False)
    assert client.is_closed


def test_is_made_to_the_system_of_the_profile_whose_secrets_nobody_has_to_give(monkeypatch, tmp_path):
    asked = []

    def load_settings(profile, **how):
        asked.append((profile, how))
        return SimpleNamespace(system=SimpleNamespace(data_dir=str(tmp_path)))

    monkeypatch.setattr(connection_module, "load_settings", load_settings)
    monkeypatch.setattr(
        connection_module, "ControlClient", lambda directory, *, monotonic_ns: (directory, monotonic_ns)
    )

    assert connect(profile="live")._client == (tmp_path, time.monotonic_ns)
    assert connect(tmp_path / "other")._client == (tmp_path / "other", time.monotonic_ns)
    assert asked == [("live", {"locked_left_out": True})]
