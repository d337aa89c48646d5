import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from natya_processes import await_that

from natya.actors.control import (
    AskFailedError,
    AskRefusedError,
    AskTimedOutError,
    ConnectionLostError,
    ControlActor,
    ControlActorSettings,
    ControlClient,
    NotRunningError,
    SocketNotOpenedError,
    socket_path,
)
from natya.actors.control import actor as control_actor
from natya.actors.control.http.asking import Operate
from natya.actors.control.operations import BY_REQUEST
from natya.actors.observability.metrics import Metric
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.config.sections.control import ControlSettings
from natya.messages.codec import encode
from natya.messages.control import Ask, AskRefused, ControlStatistics
from natya.messages.database import Abandon, BackUp, Query, Rows
from natya.messages.framing import framed
from natya.messages.health import ReadHealth, ReadMetrics
from natya.messages.log import LogRead, ReadLog
from natya.messages.order_listing import ReadOrders
from natya.messages.orders import SubmitOrder
from natya.messages.profit import ProfitCurve, ReadProfitCurve
from natya.messages.risk_state import Resume
from natya.messages.supervision import ChildStatus, DescribeTree, SupervisionTree
from natya.messages.system import Ping, Pong

COUNTS = ControlStatistics.__struct_fields__


class Secret(msgspec.Struct):
    """A type that has no wire form."""


class Database(RuntimeActor):
    """Answers by what it is asked."""

    @handles(Query)
    def query(self, query, sender):
        match query.sql:
            case "fail":
                raise ValueError("as asked")
            case "stranger":
                self.send(sender, Secret())
            case "silent":
                return
            case text:
                self.send(sender, Rows(columns=("text",), rows=((text,),)))


class Market(RuntimeActor):
    """Takes its steps when all is quiet."""

    def on_start(self):
        self.steps = 0
        self.when_quiet(Ping())

    @handles(Ping)
    def step(self, _, sender):
        if sender == self.myAddress:
            self.steps += 1
            if self.steps < 10:
                self.when_quiet(Ping())
            else:
                self.send("steps", self.steps)


@pytest.fixture
def settings(tmp_path):
    return ControlActorSettings(data_dir=tmp_path, limits=ControlSettings.default())


@pytest.fixture
def system(settings):
    with InProcessSystem() as running:
        running.start("database", Database)
        running.start("control", ControlActor, settings)
        yield running


@pytest.fixture
def client(system, settings):  # noqa: ARG001  the daemon runs first
    with ControlClient(settings.data_dir, monotonic_ns=time.monotonic_ns) as connected:
        yield connected


class TestAMachineThatRunsStrategies:
    """Has a few actors that may be looked at; all else is the broker node's."""

    @pytest.fixture
    def settings(self, tmp_path):
        return ControlActorSettings(
            data_dir=tmp_path, limits=ControlSettings.default(), looks_at=frozenset({"database"})
        )

    def over_http(self, system, actor, message):
        name = BY_REQUEST[type(message)].name
        operate = Operate(operation=name, message=message, actor=actor, timeout_s=5, client="http")
        return system.request("control", operate)

    @pytest.mark.parametrize(
        ("actor", "message"),
        [("orders", Resume(reason="looked at")), ("orders", ReadOrders()), ("database", BackUp())],
        ids=["trades", "of another", "writes"],
    )
    def test_refuses_what_is_elsewhere_however_it_is_asked(self, system, client, actor, message):
        probe = system.probe("orders")
        wanted = "is to be asked of the broker node: this one runs strategies"

        with pytest.raises(AskRefusedError, match=wanted) as refusal:
            client.request(actor, message)
        refused = self.over_http(system, actor, message)

        assert (refusal.value.kind, type(refused), refused.kind) == ("forbidden", AskRefused, "forbidden")
        assert wanted in refused.reason
        assert probe.is_empty()

    @pytest.mark.parametrize(
        ("actor", "message"), [("database", Query(sql="42")), ("strategy", Ping())], ids=["of its own", "of any"]
    )
    def test_is_looked_at(self, system, client, actor, message):
        system.start("strategy", RuntimeActor)

        answers = [client.request(actor, message), self.over_http(system, actor, message)]

        assert {type(answer) for answer in answers} == {BY_REQUEST[type(message)].answers[0]}


class TestAQuestionFromOutside:
    def test_is_answered_by_its_actor(self, client):
        assert client.request("database", Query(sql="42")) == Rows(columns=("text",), rows=(("42",),))

    def test_may_be_for_the_control_room_itself(self, client):
        pong = client.request("control", Ping())

        assert isinstance(pong, Pong)
        assert isinstance(pong.statistics, ControlStatistics)
        assert (pong.statistics.connections, pong.statistics.asks) == (1, 1)

    def test_that_would_change_something_is_refused_and_reaches_nobody(self, system, client):
        probe = system.probe("orders")
        order = SubmitOrder(client_order_id="c", strategy="s", symbol="TCS", side="BUY", quantity=1)

        with pytest.raises(AskRefusedError, match="SubmitOrder"):
            client.request("orders", order)
        assert probe.is_empty()

    def test_that_changes_something_is_logged_with_who_asks_before_it_is_done(self, system, client, caplog):
        def told():
            return [each for each in caplog.records if each.message.startswith("operation.")]

        probe = system.probe("orders")
        with caplog.at_level("INFO", logger="natya"):
            with pytest.raises(AskTimedOutError):
                client.request("orders", Resume(reason="looked at", person="asha"), timeout_s=0.05)
            assert probe.receive() == Resume(reason="looked at", person="asha")
            asked, answered = await_that(lambda: len(told()) == 2 and told())

        assert (asked.fields["operation"], asked.fields["role"]) == ("resume", "trade")
        assert asked.fields["arguments"] == {"reason": "looked at", "person": "asha"}
        assert (asked.fields["user_id"], asked.fields["process_id"]) == (os.geteuid(), os.getpid())
        assert answered.fields["answer"] == "RequestTimedOut"
        assert answered.fields["request"] == asked.fields["request"]

    def test_for_an_actor_that_does_not_run_names_it(self, client):
        with pytest.raises(AskFailedError, match="nobody"):
            client.request("nobody", Ping())

    def test_at_which_the_actor_fails_says_so_and_the_next_is_answered(self, client):
        with pytest.raises(AskFailedError, match="as asked"):
            client.request("database", Query(sql="fail"))

        assert client.request("database", Query(sql="again"))

    def test_that_is_not_answered_times_out(self, client):
        with pytest.raises(AskTimedOutError, match="database"):
            client.request("database", Query(sql="silent"), timeout_s=0.05)

    def test_whose_answer_has_no_wire_form_is_refused(self, client):
        with pytest.raises(AskRefusedError, match="no wire form"):
            client.request("database", Query(sql="stranger"))


class TestAQuestionThatNobodyWaitsForAnyMore:
    @pytest.fixture
    def running(self, settings):
        """The control room, and a probe in the place of the database."""
        with InProcessSystem() as running:
            running.start("control", ControlActor, settings)
            yield running, running.probe("database")

    def ask(self, settings, *questions, timeout_s=30.0):
        """Put questions without waiting for their answers."""
        connection = socket_path.connect(settings.data_dir, timeout_s=5)
        for number, question in enumerate(questions, start=1):
            ask = Ask(request_id=number, actor="database", message=encode(question), timeout_s=timeout_s)
            connection.sendall(framed(encode(ask)))
        return connection

    def test_is_abandoned_by_the_name_it_was_asked_under(self, running, settings):
        _, database = running
        connection = self.ask(settings, Query(sql="1"), Query(sql="2"))
        askers = [database.receive().asker for _ in range(2)]
        connection.close()

        assert {database.receive() for _ in range(2)} == {Abandon(asker=asker) for asker in askers}
        assert len(set(askers)) == 2

    def test_is_abandoned_when_its_time_is_over(self, running, settings):
        _, database = running
        with self.ask(settings, Query(sql="1"), timeout_s=0.05):
            asker = database.receive().asker

            assert database.receive() == Abandon(asker=asker)

    @pytest.mark.parametrize("message", [Query(sql="1"), Ping()], ids=["that can be", "that cannot"])
    def test_over_http_is_abandoned_when_its_time_is_over(self, running, settings, message):
        system, database = running
        name = BY_REQUEST[type(message)].name
        asked = system.request_future(
            "control", Operate(operation=name, message=message, actor="database", timeout_s=0.05, client="http")
        )
        heard = database.receive()

        refusal = asked.result(60)
        assert (type(refusal), refusal.kind) == (AskRefused, "timed_out")
        if isinstance(heard, Query):
            assert database.receive() == Abandon(asker=heard.asker)
            assert heard.asker.startswith("operate-")
        assert database.is_empty()

    def test_over_http_whose_time_is_over_has_its_end_in_the_audit(self, running, caplog):
        system, database = running
        operate = Operate(operation="back-up", message=BackUp(), actor="database", timeout_s=0.05, client="127.0.0.1:7")
        with caplog.at_level("INFO", logger="natya"):
            asked = system.request_future("control", operate)
            database.receive()
            asked.result(60)

        told = [(each.message, each.fields.get("answer")) for each in caplog.records if each.message.startswith("oper")]
        assert told == [("operation.asked", None), ("operation.answered", "RequestTimedOut")]

    def test_is_abandoned_when_the_control_room_stops(self, running, settings):
        system, database = running
        with self.ask(settings, Query(sql="1")), ThreadPoolExecutor(1) as beside:
            asker = database.receive().asker
            asking = database.sender
            stopping = beside.submit(system.stop, "control")

            assert database.receive() == Abandon(asker=asker)
            system.tell(asking, Rows(columns=(), rows=()))
            assert stopping.result(60).asks == 1

    def test_is_not_abandoned_when_it_was_answered(self, running, settings):
        system, database = running
        connection = self.ask(settings, Query(sql="1"))
        database.receive()
        system.tell(database.sender, Rows(columns=(), rows=()))
        connection.recv(1)
        connection.close()
        with self.ask(settings, Ping()) as other:
            assert database.receive() == Ping()
            system.tell(
                database.sender, Pong(actor="database", statistics=ControlStatistics(**dict.fromkeys(COUNTS, 0)))
            )
            other.recv(1)
        system.stop("control")
        assert database.is_empty()

    def test_has_a_name_that_no_asker_can_choose(self, running, settings):
        _, database = running
        with self.ask(settings, Query(sql="1", asker="somebody else's")):
            assert database.receive().asker not in {"", "somebody else's"}

    def test_is_not_abandoned_where_nothing_can_be(self, running, settings):
        system, database = running
        connection = self.ask(settings, Ping())
        for question in range(2):
            assert database.receive() == Ping()
            system.tell(
                database.sender, Pong(actor="database", statistics=ControlStatistics(**dict.fromkeys(COUNTS, 0)))
            )
            if question == 0:
                connection.close()
                connection = self.ask(settings, Ping())
        connection.recv(1)
        connection.close()
        system.stop("control")
        assert database.is_empty()


class TestARunningControlRoom:
    def test_does_not_hold_up_a_market_in_lock_step(self, system):
        steps = system.probe("steps")
        system.start("market", Market)

        assert steps.receive() == 10

    def test_listens_on_no_network(self, client, tcp_listeners):
        client.request("control", Ping())

        assert tcp_listeners() == []


class TestStopping:
    def test_takes_the_socket_away_and_the_connections_down(self, system, client, settings):
        client.request("control", Ping())
        final = system.stop("control")

        with pytest.raises(ConnectionLostError):
            client.request("control", Ping())
        with pytest.raises(NotRunningError):
            socket_path.connect(settings.data_dir, timeout_s=1)
        assert final.accepted == 1


class TestARestart:
    def test_opens_the_socket_anew(self, system, client, settings):
        actor = system.base.find("control").instance
        actor._server._on_ask = None  # the next question is its end
        with pytest.raises(ConnectionLostError):
            client.request("control", Ping())

        def asked_anew():
            try:
                with ControlClient(settings.data_dir, monotonic_ns=time.monotonic_ns) as again:
                    return again.request("control", Ping())
            except (NotRunningError, ConnectionLostError):  # it is down, or lets go of the old socket this moment
                return None

        assert await_that(asked_anew).actor == "control"


class TestAStart:
    def test_in_a_directory_that_is_missing_fails_and_names_it(self):
        with InProcessSystem() as system, pytest.raises(SocketNotOpenedError, match="/missing"):
            system.start("control", ControlActor, ControlActorSettings(data_dir=Path("/missing")))


class Root(RuntimeActor):
    """Describes a tree of two actors, one of which runs."""

    @handles(DescribeTree)
    def describe(self, _, sender):
        fields = {"host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0, "last_error": "KeyError: x"}
        children = [("database", "RUNNING"), ("orders", "RESTARTING")]
        told = tuple(ChildStatus(path=f"system/{name}", state=state, **fields) for name, state in children)
        self.send(sender, SupervisionTree(children=told))


class TestASystemThatIsAskedHowItIs:
    @pytest.fixture
    def troupe(self, system):
        system.start("system", Root)
        return system

    def test_says_of_each_component_how_it_is(self, troupe, client):
        health = client.request("control", ReadHealth())

        found = {each.name: (each.state, each.reason) for each in health.components}
        assert (health.live, health.ready) == (True, False)
        assert found["database"] == ("ok", "")
        assert found["orders"] == ("down", "restarting, KeyError: x")

    def test_is_not_live_if_its_root_does_not_answer(self, system, client):
        assert not client.request("control", ReadHealth()).live

    def test_gives_all_that_is_counted(self, troupe, client):
        text = client.request("control", ReadMetrics()).text

        assert 'natya_actor_state{actor="orders",state="RESTARTING"} 1.0' in text
        assert "natya_disk_free_bytes " in text

    def test_answers_many_at_once_by_one_look(self, troupe, settings):
        def ask(_):
            with ControlClient(settings.data_dir, monotonic_ns=time.monotonic_ns) as connected:
                return connected.request("control", ReadHealth())

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(8)))

        assert {each.live for each in answers} == {True}

    def test_goes_on_where_a_metric_cannot_be_read(self, troupe, client, monkeypatch):
        broken = Metric(name="broken", help="Broken.", kind="gauge", read=lambda _: 1 / 0)
        monkeypatch.setattr("natya.actors.observability.counting.METRICS", (broken,))

        with pytest.raises(AskFailedError, match="ZeroDivisionError"):
            client.request("control", ReadMetrics())
        assert client.request("control", ReadHealth()).live

    def test_goes_on_where_what_is_counted_cannot_be_kept_and_says_so(self, settings, caplog, monkeypatch):
        monkeypatch.setattr("natya.actors.control.actor.take", lambda *_: 1 / 0)
        monkeypatch.setattr("natya.actors.control.actor.LOOK_EVERY_S", 0.01)
        with InProcessSystem() as system:
            system.start("control", ControlActor, settings)
            while not (told := [each for each in caplog.records if each.message.startswith("look.failed")]):
                assert isinstance(system.request("control", Ping()), Pong)

            assert (told[0].fields["request"], told[0].fields["error"]) == ("LookDue", "ZeroDivisionError")
            assert not system.request("control", ReadHealth()).live


def test_how_the_profit_has_gone_is_told(client):
    assert isinstance(client.request("control", ReadProfitCurve()), ProfitCurve)


def test_why_the_log_cannot_be_read_is_told(system, settings, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a line without end")

    monkeypatch.setattr(control_actor, "newest_lines", broken)
    system.stop("control")
    system.start("control", ControlActor, msgspec.structs.replace(settings, log_path="natya.log"))
    told = system.request("control", ReadLog())

    assert isinstance(told, LogRead)
    assert "a line without end" in told.reason
