"""Whatever a strategy or a caller sends to whomever: a dead letter or a refusal; no owner fails, and no neighbour."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import DOUBLE
from natya_messages import ill_typed, messages
from natya_processes import await_that
from natya_strategies import Kill, Send
from thespian.actors import ActorExitRequest, WakeupMessage

import natya
from natya.actors.control.actor import Arrived, Gone
from natya.actors.runtime import InProcessSystem, InProcessSystemBase, lifecycle
from natya.actors.runtime.offload import Outcome, OutcomeArrived
from natya.actors.supervision import ChildrenStopped, StopChildren, Supervisor, SupervisorSettings
from natya.composition import children
from natya.messages.codec import MESSAGE_TYPES
from natya.messages.control import Ask
from natya.messages.events import Subscribe, Unsubscribe
from natya.messages.journal import Append, ReadJournal
from natya.messages.orders import OrderCancelled, SubmitOrder
from natya.messages.supervision import DescribeTree
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("forked_starts")

OWNERS = ("journal", "database", "events", "exchange", "broker", "orders", "control", "feed", "strategies", "system")
TRADERS = ("good", "hosted")
EVERYONE = (*OWNERS, *TRADERS)
TRADES_WITHIN_S = 20

CONFIGURATION = """
[[strategies]]
name = "good"
strategy = "natya_strategies:Good"

[[strategies]]
name = "bad"
strategy = "natya_strategies:Bad"

[[strategies]]
name = "hosted"
strategy = "natya_strategies:Good"
host = "process"
"""


class Orderly(SubmitOrder, frozen=True, kw_only=True, gc=False, array_like=True, tag="Orderly"):
    """A subclass of what orders takes."""


class Running:
    """The whole paper system: a strategy that trades, one in a process, and a bad one beside them."""

    def __init__(self, system):
        self.system = system

    def say(self, message):
        """Have the bad strategy say it to everyone, and say it from outside; everyone has handled it by the end."""
        self.system.request("bad", Send(EVERYONE, message), timeout_s=10)
        for name in EVERYONE:
            self.system.tell(name, message)
        for name in EVERYONE:
            self.system.request(name, Ping(), timeout_s=10)

    def harm(self):
        """Who has failed or been restarted, and who does not trade any more."""
        tree = self.system.request("system", DescribeTree(), timeout_s=10)
        hurt = [each for each in tree.children if each.state != "RUNNING" or each.restarts or each.last_error]
        return hurt or [name for name in TRADERS if not self._trades(name)]

    def _trades(self, name):
        before = self._fills_of(name)
        return await_that(lambda: self._fills_of(name) > before, timeout_s=TRADES_WITHIN_S)

    def _fills_of(self, name):
        return self.system.request(name, Ping(), timeout_s=10).statistics.fills


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    here = tmp_path_factory.mktemp("running")
    path = here / "natya.toml"
    path.write_text(CONFIGURATION)
    of_all = natya.load_settings(
        config=path, environment={}, overrides={"system.data_dir": str(here / "data"), "feed.speed": 500.0}
    )
    root = SupervisorSettings(children=children(of_all), policy=of_all.supervision, root=True)
    with InProcessSystem(InProcessSystemBase()) as system:
        system.start("system", Supervisor, root, timeout_s=30)
        yield Running(system)
        system.request("system", StopChildren(), timeout_s=30)


class TestWhoeverIsToldWhatItCannotUse:
    def test_goes_on_whatever_a_field_holds(self, running):
        @settings(max_examples=DOUBLE, deadline=None)
        @given(message=st.sampled_from(MESSAGE_TYPES).flatmap(ill_typed))
        def say(message):
            running.say(message)

        say()

        assert running.harm() == []

    def test_goes_on_whatever_a_strategy_claims(self, running):
        """All well-formed: facts, answers, commands among owners."""

        @settings(max_examples=DOUBLE, deadline=None)
        @given(message=st.sampled_from(MESSAGE_TYPES).flatmap(messages))
        def say(message):
            running.system.request("bad", Send(EVERYONE, message), timeout_s=10)

        say()

        assert running.harm() == []

    @pytest.mark.parametrize(
        "message",
        [
            None, object(), "stop", 1, int, ValueError("none"), lambda: None, {"a": 1}, [Ping()], WakeupMessage(1),
            Orderly(client_order_id="x-1-1", strategy="bad", symbol="INFY", side="BUY", quantity=1),
            Arrived(None), Arrived("asked"), Gone(None), Gone("1-1"),
            Ask(request_id=1, actor="x", message=b"", timeout_s=1.0),
        ],
    )  # fmt: skip
    def test_goes_on_when_it_is_no_message_of_ours(self, running, message):
        running.say(message)

        assert running.harm() == []


class TestAStrategyThatMeansHarm:
    @pytest.mark.parametrize(
        "message",
        [
            StopChildren(), ChildrenStopped(statistics=()), ActorExitRequest(), lifecycle.Stop(), lifecycle.Kill(),
            lifecycle.Restart(), lifecycle.Suspend(), lifecycle.Reject(retry_after_s=60.0), lifecycle.Start(name="x"),
            OutcomeArrived(then=print, outcome=Outcome(), life=0),
        ],
    )  # fmt: skip
    def test_stops_nobody_by_a_message(self, running, message):
        running.system.request("bad", Send(EVERYONE, message), timeout_s=10)

        assert running.harm() == []

    @pytest.mark.parametrize("name", EVERYONE)
    def test_reports_nobodys_end(self, running, name):
        victim = running.system.base.find(name)
        error = ValueError("it never failed")
        for report in (
            lifecycle.Stopped(name=name, address=victim),
            lifecycle.StartFailed(name=name, address=victim, error=error),
            lifecycle.ChildHandlerFailed(name=name, address=victim, error=error),
        ):
            running.system.request("bad", Send(("system", "strategies"), report), timeout_s=10)

        assert running.harm() == []

    def test_steers_nobody(self, running):
        assert "a child that was started here is wanted" in running.system.request("bad", Kill("journal"), timeout_s=10)

        assert running.harm() == []

    def test_ends_no_neighbours_subscription(self, running):
        for message in (
            Unsubscribe(subscriber="good"),
            Unsubscribe(subscriber="database"),
            Subscribe(subscriber="good", topics=("Tick",), symbols=("NONE",)),
        ):
            running.system.request("bad", Send(("events",), message), timeout_s=10)

        assert running.harm() == []

    def test_orders_in_nobodys_name(self, running):
        for number, strategy in enumerate(("good", "hosted", "nobody")):
            order = SubmitOrder(
                client_order_id=f"forged-0-{number}", strategy=strategy, symbol="INFY", side="BUY", quantity=1
            )
            running.system.request("bad", Send(("orders",), order), timeout_s=10)
            page = running.system.request("journal", ReadJournal(key=order.client_order_id), timeout_s=10)

            assert page.records == ()

    def test_writes_no_fact(self, running):
        fact = OrderCancelled(client_order_id="never-0-1", reason="none", occurred_ns=1)

        running.system.request("bad", Send(("journal",), Append(facts=(fact,))), timeout_s=10)
        page = running.system.request("journal", ReadJournal(key="never-0-1"), timeout_s=10)

        assert page.records == ()


class TestACallerFromOutside:
    def test_is_told_what_was_wrong(self, running):
        order = SubmitOrder(client_order_id="x-1-1", strategy="x", symbol=None, side="BUY", quantity=1)

        answer = running.system.request("orders", order, timeout_s=5)

        assert (answer.actor, answer.message_type, answer.error) == ("orders", "SubmitOrder", "MessageRefusedError")
        assert "`str`" in answer.reason
