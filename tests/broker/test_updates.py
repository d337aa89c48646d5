"""The owner of the socket of order updates: in virtual time, at a socket that does as a test tells it."""

import itertools
import threading
from types import SimpleNamespace

import pytest

from natya.actors.broker import UpdatesActor, UpdatesSettings
from natya.actors.broker.updates import NO_SOCKET, PENDING_MAX, Connected, Ending, Ignored, Inbox, Unreadable
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.domain.reconnecting import SETTLED_S, Reconnecting
from natya.domain.time import SECOND_NS
from natya.messages.broker import OrderUpdated, UpdatesConnected, UpdatesLost
from natya.messages.exchange import FindWire, WireFound
from natya.messages.system import Ping

UPDATE = OrderUpdated(broker_order_id="7", status="TRADED", client_order_id="A-1", filled=10)
CLOSED = Ending(reason="closed")
URL = "ws://127.0.0.1:1"


class Far:
    """The connections that a test has written: each tells its events and ends; later ones end at once."""

    def __init__(self, now_ns, *connections):
        self.now_ns = now_ns
        self.connections = list(connections)
        self.urls, self.times_ns, self.tells = [], [], []

    def socket(self, url):
        self.urls.append(url)
        return Socket(self)


class Socket:
    def __init__(self, far):
        self.far = far

    def run(self, tell):
        self.far.times_ns.append(self.far.now_ns())
        self.far.tells.append(tell)
        events, ending = self.far.connections.pop(0) if self.far.connections else ((), CLOSED)
        for event in events:
            tell(event)
        if isinstance(ending, Exception):
            raise ending
        return ending

    def stop(self):
        pass


class Wire(RuntimeActor):
    """Says where the paper exchange is."""

    @handles(FindWire)
    def tell(self, _message, sender):
        self.send(sender, WireFound(rest="http://127.0.0.1:1/v2", client_id="1", order_update=self.settings))


class Stage:
    """The owner in a simulated system; `broker` is a probe."""

    def __init__(self):
        self.base = SimulatedSystemBase(seed=3)
        self.system = InProcessSystem(self.base)
        self.broker = self.system.probe("broker")
        self.far = None

    def start(self, *connections, url=URL, wire=None):
        self.far = Far(self.base.clock.monotonic_ns, *connections)
        if wire is not None:
            self.system.start("streams", Wire, wire)
        self.system.start("broker-updates", UpdatesActor, UpdatesSettings(url=url, new_socket=self.far.socket))
        return self

    def heard(self):
        found = []
        while not self.broker.is_empty():
            found.append(self.broker.receive())
        return found

    def counts(self):
        return self.system.request("broker-updates", Ping(), timeout_s=60).statistics


@pytest.fixture
def stage():
    made = Stage()
    with made.system:
        yield made


class TestWhatComes:
    def test_is_passed_on_and_counted(self, stage):
        by_hand = OrderUpdated(broker_order_id="8", status="PENDING")
        events = (Connected(), UPDATE, UPDATE, by_hand, Ignored(), Unreadable("JSON wanted"))
        stage.start((events, CLOSED))
        stage.base.run_for(0.05)

        assert stage.heard() == [
            UpdatesLost(reason="not yet connected"),
            UpdatesConnected(),
            UPDATE,
            UPDATE,
            by_hand,
            UpdatesLost(reason="closed"),
        ]
        counts = stage.counts()
        assert (counts.updates, counts.without_id, counts.ignored, counts.refused) == (3, 1, 1, 1)
        assert (counts.connected, counts.connections, counts.failures, counts.reason) == (False, 1, 0, "closed")

    def test_by_thousands_is_too_much(self):
        arrived = []
        inbox = Inbox(arrived.append)
        told = [inbox.tell(UPDATE) for _ in range(PENDING_MAX)]

        assert (all(told[:-1]), told[-1]) == (True, False)
        inbox.taken += 2
        assert inbox.tell(UPDATE)

    def test_by_thousands_is_not_too_much_where_it_has_been_taken(self, stage):
        stage.start(([UPDATE] * (PENDING_MAX - 1), CLOSED))
        stage.base.run_for(0.05)

        assert stage.counts().updates == PENDING_MAX - 1
        assert stage.far.tells[0](UPDATE)


class TestAConnectionThatEnds:
    def test_is_made_again_after_waits_that_grow_to_half_a_minute_and_are_never_a_storm(self, stage):
        stage.start()
        stage.base.run_for(3_600)

        times_s = [time_ns / 1e9 for time_ns in stage.far.times_ns]
        waits = [after - before for before, after in itertools.pairwise(times_s)]
        assert 120 < len(times_s) < 480
        assert max(waits) <= 30.1
        assert sum(waits[:4]) <= 15.1
        assert stage.counts().failures == len(times_s)

    def test_is_told_once_for_each_reason_that_is_another(self, stage, caplog):
        endings = [Ending(reason=reason) for reason in ("reset", "reset", "closed", "closed", "reset")]
        stage.start(*[((), ending) for ending in endings])
        stage.base.run_for(60)
        lost = [each.fields["reason"] for each in caplog.records if each.message == "updates.lost"]

        assert lost == ["reset", "closed", "reset", "closed"]

    def test_because_too_many_were_opened_waits_for_long(self, stage):
        stage.start(*[((), Ending(reason="429", is_told_to_wait=True))] * 20)
        stage.base.run_for(200)

        waits = [(after - before) / 1e9 for before, after in itertools.pairwise(stage.far.times_ns)]
        assert min(waits) >= 15

    def test_for_want_of_a_token_is_tried_again_soon_and_is_no_failure(self, stage):
        stage.start(*[((), Ending(reason="no token", has_no_token=True))] * 5, *[((Connected(),), CLOSED)] * 20)
        stage.base.run_for(11)

        assert UpdatesConnected() in stage.heard()
        assert stage.counts().failures == 0

    def test_with_a_login_in_doubt_says_so(self, stage):
        stage.start(((), Ending(reason="reset", is_login_in_doubt=True)))
        stage.base.run_for(0.05)

        assert stage.heard()[-1] == UpdatesLost(reason="reset", is_login_in_doubt=True)

    def test_is_a_trouble_until_there_is_another(self, stage, caplog):
        caplog.set_level("INFO")
        stage.start(((), Ending(reason="429")), ((Connected(),), CLOSED), ((Connected(),), CLOSED))
        stage.base.run_for(0.05)
        actor = stage.base.find("broker-updates").instance
        assert actor.trouble == "no order updates (429): open orders are looked at more often"
        actor._be_connected()
        assert (actor.trouble, actor.statistics().reason, actor.statistics().connected) == ("", "", True)
        stage.base.run_for(30)
        connected = [each.fields for each in caplog.records if each.getMessage() == "updates.connected"]

        assert connected[:2] == [{"connections": 1}, {"connections": 2}]
        assert actor.trouble == "no order updates (closed): open orders are looked at more often"

    def test_by_a_fault_of_ours_has_the_owner_restarted(self, stage):
        stage.start(((Connected(),), RuntimeError("a bug")), ((Connected(),), CLOSED))
        stage.base.run_for(1)

        heard = stage.heard()
        assert heard.count(UpdatesLost(reason="not yet connected")) == 2
        assert heard.count(UpdatesConnected()) == 2


@pytest.mark.parametrize(("lived_s", "failures"), [(SETTLED_S, 1), (SETTLED_S - 1, 8), (None, 8)])
def test_the_waits_begin_anew_behind_a_connection_that_has_lived_for_long(lived_s, failures):
    now_ns, waits_s = 7 * SECOND_NS, []
    played = SimpleNamespace(
        clock=SimpleNamespace(now_ns=lambda: now_ns, monotonic_ns=lambda: now_ns),
        random=SimpleNamespace(random=lambda: 1.0),
        _connected_ns=None if lived_s is None else now_ns - round(lived_s * SECOND_NS),
        _reconnecting=Reconnecting(7),
        _is_stopping=False,
        _failures=0,
        _reason="",
        log=lambda *_, **__: None,
        send=lambda *_: None,
        after=lambda wait_s, _due: waits_s.append(wait_s),
    )
    UpdatesActor._ended(played, CLOSED)

    assert played._reconnecting.failures == failures
    assert waits_s == [1.0 if failures == 1 else 30.0]


class TestAtThePaperExchange:
    def test_is_asked_where_the_socket_is(self, stage):
        stage.start(url=None, wire="ws://127.0.0.1:9/order-update")
        stage.base.run_for(0.05)

        assert stage.far.urls[0] == "ws://127.0.0.1:9/order-update"

    @pytest.mark.parametrize(
        ("url", "reason"), [("", NO_SOCKET), ("wss://another.example", "a socket of this machine wanted")]
    )
    def test_that_serves_none_or_is_elsewhere_nothing_is_opened(self, stage, url, reason):
        stage.start(url=None, wire=url)
        stage.base.run_for(14)
        assert len(stage.heard()) == 2  # it is asked again after a long wait only
        stage.base.run_for(86)

        assert not stage.far.urls
        assert reason in stage.counts().reason
        wanted = f"no order updates ({stage.counts().reason}): open orders are looked at more often" if url else ""
        assert stage.base.find("broker-updates").instance.trouble == wanted  # where none is served nothing is wrong


def test_a_stop_ends_the_connection():
    """Over threads: one that runs until it is stopped."""

    class Lasting(Socket):
        def __init__(self, far):
            super().__init__(far)
            self.ended = threading.Event()

        def run(self, tell):
            tell(Connected())
            assert self.ended.wait(10)
            return Ending(reason="it was stopped")

        def stop(self):
            self.ended.set()

    with InProcessSystem() as system:
        broker = system.probe("broker")
        system.start("broker-updates", UpdatesActor, UpdatesSettings(url=URL, new_socket=lambda _: Lasting(None)))
        while not isinstance(broker.receive(timeout_s=10), UpdatesConnected):
            pass
        statistics = system.stop("broker-updates")

    assert statistics.connections == 1
