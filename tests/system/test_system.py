"""Who is a child of whom, and the system as its user holds it."""

import asyncio
import contextlib
import logging
import re
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from natya_database import with_files

import natya
from natya.actors.events import EventsSettings
from natya.actors.feed import RecordingError
from natya.actors.runtime import READS_BACK_S, InProcessSystem, RequestTimedOut, SystemStoppedError
from natya.actors.supervision import SystemStopped
from natya.cli import node
from natya.composition import children, subscriptions
from natya.config.heartbeat import HEARTBEAT_NAME, Heartbeat
from natya.messages.broker import OrderNotFound
from natya.messages.system import Ping
from natya.supervised_system import SupervisedSystem

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


@pytest.fixture
def settings(tmp_path):
    overrides = {"system.data_dir": str(tmp_path / "data"), "feed.speed": 0.0, "feed.duration_s": 0.0}
    return natya.load_settings("paper", environment={}, overrides=overrides)


def names(settings):
    return [child.name for child in children(settings)]


def at_another_broker(settings):
    return msgspec.structs.replace(settings, broker=msgspec.structs.replace(settings.broker, name="dhan"))


class TestTheTree:
    def test_is_the_one_that_the_documents_draw(self, settings):
        drawn = re.findall(r"^    [├└]── ([\w-]+) ", ARCHITECTURE.read_text(), re.MULTILINE)

        assert drawn == names(settings)

    def test_begins_with_the_journal_and_ends_with_the_feed(self, settings):
        for each in (settings, at_another_broker(settings)):
            assert (names(each)[0], names(each)[-1]) == ("journal", "feed")

    def test_has_the_paper_exchange_only_where_orders_go_to_it(self, settings):
        assert "exchange" in names(settings)
        assert "exchange" not in names(at_another_broker(settings))
        others = ["orders", "database", "delivery"]
        assert [each.subscriber for each in subscriptions(settings)] == ["exchange", *others]
        assert [each.subscriber for each in subscriptions(at_another_broker(settings))] == others

    @pytest.mark.parametrize("age_max_s", [0.0, 3.0])
    def test_has_every_subscriber_once_with_all_that_it_hears(self, settings, age_max_s):
        limits = msgspec.structs.replace(settings.orders, price_age_max_s=age_max_s)
        found = EventsSettings(subscriptions=subscriptions(msgspec.structs.replace(settings, orders=limits)))

        heard = {each.subscriber: set(each.topics) for each in found.subscriptions}
        assert heard["orders"] == {"OperationAsked"} | ({"Tick"} if age_max_s else set())

    def test_has_no_control_socket_where_none_is_wanted(self, settings):
        control = msgspec.structs.replace(settings.control, enabled=False)

        assert "control" not in names(msgspec.structs.replace(settings, control=control))


@pytest.mark.usefixtures("engines")
class TestASystemOfAProfile:
    def test_runs_when_its_class_has_started_it_and_has_what_a_program_wants_by_one_name(self, tmp_path):
        overrides = {
            "system.data_dir": str(with_files(tmp_path / "data")),
            "feed.speed": 0.0,
            "feed.duration_s": 5.0,
            "feed.symbols": ["TCS"],
            "control.enabled": False,
        }

        async def run():
            trading = natya.TradingSystem.start("paper", overrides=overrides)
            begun = trading.runtime
            async with trading as entered:
                assert (entered, entered.runtime) == (trading, begun)
                assert trading.await_end(30).ticks > 0
                assert trading.tree.children[0].path == "system/journal"
                assert {*trading.market_data.symbols().data} <= {"TCS"}
                assert trading.orders.find().data is not None
                assert isinstance(trading.events, natya.EventPublisher)
                assert (trading.broker.name, trading.broker.is_live) == ("paper", False)
                orders = trading.orders.find().data
                assert trading.broker.statistics().placed == len(orders)
                assert isinstance(trading.broker.find("nobody-s"), OrderNotFound)
                assert isinstance(await trading.broker.find_async("nobody-s"), OrderNotFound)
                assert "order by order" in trading.broker.account(["TCS"]).reason
                assert await trading.broker.account_async() == trading.broker.account()
            return trading

        trading = asyncio.run(run())
        with pytest.raises(SystemStoppedError):
            trading.tree  # noqa: B018  it has ended with the block


class TestTheBuiltInInstruments:
    @pytest.mark.parametrize(
        ("live", "base_url", "are_enough"),
        [
            (False, "", True),
            (True, "", False),
            (True, "https://api.dhan.co/v2", False),
            (True, "http://127.0.0.1:8711/v2", True),
        ],
    )
    def test_are_enough_where_no_real_order_leaves(self, settings, live, base_url, are_enough):
        broker = msgspec.structs.replace(settings.broker, name="dhan", live=live, base_url=base_url)
        tree = children(msgspec.structs.replace(settings, broker=broker))
        (instruments,) = (child for child in tree if child.name == "instruments")

        assert instruments.settings.may_be_built_in is are_enough


class TestTheExitAtTheBroker:
    @pytest.mark.parametrize(
        ("name", "live", "times", "expected"),
        [("dhan", True, 3.0, 3.0), ("dhan", False, 3.0, None), ("paper", True, 3.0, None), ("dhan", True, 0.0, None)],
    )
    def test_is_seen_to_where_orders_leave_and_it_is_wanted(self, settings, name, live, times, expected):
        replace = msgspec.structs.replace
        settings = replace(
            settings,
            broker=replace(settings.broker, name=name, live=live),
            kill_switch=replace(settings.kill_switch, loss_exit_times=times, at_broker=True),
        )
        found = [child.settings for child in children(settings) if child.name == "loss-exit"]

        assert [(each.times, each.with_kill_switch) for each in found] == ([(expected, True)] if expected else [])
        assert "loss-exit" not in {each.subscriber for each in subscriptions(settings)}, "it subscribes itself"


class TestTheLimitOfAStrategy:
    def test_reaches_the_gate(self, tmp_path):
        strategy = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"
        strategies = [
            {"name": "small", "strategy": strategy, "position_max": 7, "orders_in_flight_max": 3},
            {"name": "free", "strategy": strategy},
        ]
        overrides = {"system.data_dir": str(tmp_path), "strategies": strategies}
        of_all = natya.load_settings("paper", environment={}, overrides=overrides)
        (orders,) = (child for child in children(of_all) if child.name == "orders")

        assert orders.settings.strategy_position_max == {"small": 7}
        assert orders.settings.position_max == of_all.orders.position_max
        assert orders.settings.strategy_orders_in_flight_max == {"small": 3}
        assert orders.settings.orders_in_flight_max == of_all.orders.orders_in_flight_max


class TestARecordingThatIsNone:
    @pytest.mark.parametrize("text", [None, "", "time,ltp\n", "name,size\na,b\n"])
    def test_is_refused_before_anything_is_made(self, tmp_path, text):
        path = tmp_path / "recording.csv"
        if text is not None:
            path.write_text(text)
        overrides = {"system.data_dir": str(tmp_path / "data"), "feed.source": "replay", "feed.recording": str(path)}
        system = natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides))

        with pytest.raises(RecordingError):
            system.start()

        assert not (tmp_path / "data").exists()


class TestALook:
    def test_imports_no_strategy_again(self, settings, tmp_path, monkeypatch):
        (tmp_path / "looked_at.py").write_text(
            "from natya import StrategyActor\nclass Looked(StrategyActor):\n    pass\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        strategies = [{"name": "looked", "strategy": "looked_at:Looked"}]
        overrides = {"system.data_dir": settings.system.data_dir, "strategies": strategies}
        with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)) as system:
            # A file that is changed or gone while the system runs is none of a look's business.
            (tmp_path / "looked_at.py").unlink()
            monkeypatch.delitem(sys.modules, "looked_at")

            assert {"looked", "journal", "feed", "control", "system"} <= system.look().statistics.keys()


class TestAStart:
    def test_is_over_although_an_actor_holds_the_loop_from_its_first_message_on(self, settings, monkeypatch):
        """The system runs, and who looks at it is told of the stall: see `tests/cli/test_foreground.py`."""
        request = InProcessSystem.request

        def held(runtime, target, message, **options):
            if isinstance(message, Ping):
                raise RequestTimedOut("no answer in 5 s")
            return request(runtime, target, message, **options)

        monkeypatch.setattr(InProcessSystem, "request", held)
        with natya.TradingSystem(settings) as system:
            assert {child.state for child in system.look().tree.children} == {"RUNNING"}

    def test_takes_as_long_as_its_actors_do_and_the_log_says_for_whom_it_waits(self, settings, monkeypatch):
        told = threading.Event()

        class Reading(natya.RuntimeActor):
            blocking = True

            def on_start(self):
                assert told.wait(20)

        class Hearing(logging.Handler):
            def emit(self, record):
                if record.getMessage() == "system.starting" and record.fields["waits_for"] == "system/reading":
                    told.set()

        monkeypatch.setattr("natya.system.START_TOLD_S", 0.01)
        hearing = Hearing()
        logging.getLogger("natya").addHandler(hearing)
        try:
            with natya.TradingSystem(settings, actors=[natya.ChildSpec("reading", Reading)]) as system:
                assert {child.state for child in system.look().tree.children} == {"RUNNING"}
        finally:
            logging.getLogger("natya").removeHandler(hearing)

    def test_of_those_who_read_back_what_grows_is_no_failure_because_it_is_long(self, settings):
        at_length = {child.name for child in children(settings) if child.start_s == READS_BACK_S}

        assert at_length == {"journal", "database", "exchange", "orders"}


def test_a_stop_that_fails_is_told_in_the_summary_and_the_others_stop_in_order(settings):
    class Unwilling(natya.RuntimeActor):
        def on_stop(self):
            raise ValueError("too late")

    system = natya.TradingSystem(settings, actors=[natya.ChildSpec("unwilling", Unwilling)])
    with system:
        pass

    (told,) = system.stop().stop_failures
    assert told.startswith("unwilling failed when it stopped: ValueError: too late at ")


def test_a_machine_of_strategies_tells_whose_stop_failed(monkeypatch, settings, capsys):
    class Stopped(SupervisedSystem):
        KIND = "node"
        runtime = SimpleNamespace(request_future=None)

        def start(self):
            self.stop_failures = ("crossover failed when it stopped: ValueError: too late",)

    monkeypatch.setattr(node, "NodeSystem", Stopped)
    monkeypatch.setattr(node, "Interrupts", lambda **_: SimpleNamespace(heard=contextlib.nullcontext, asked=True))

    assert (node.perform(settings), capsys.readouterr().err) == (
        70, "natya: crossover failed when it stopped: ValueError: too late\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ValueError("no play of that name"), "natya: no play of that name\n"),
        (ValueError(), "natya: ValueError\n"),
    ],
)
def test_a_machine_of_strategies_tells_in_words_why_it_did_not_start(monkeypatch, settings, capsys, fault, told):
    class Broken(SupervisedSystem):
        KIND = "node"

        def start(self):
            raise fault

    monkeypatch.setattr(node, "NodeSystem", Broken)
    monkeypatch.setattr(node, "Interrupts", lambda **_: SimpleNamespace(heard=contextlib.nullcontext, asked=True))

    assert (node.perform(settings) != 0, capsys.readouterr().err) == (True, told)


@pytest.mark.parametrize(("exit_code", "in_order"), [(0, True), (70, False)])
def test_a_system_that_gave_up_has_not_ended_in_order_for_its_dead_mans_switch(settings, exit_code, in_order):
    heart = Heartbeat(Path(settings.system.data_dir) / HEARTBEAT_NAME)
    heart.path.parent.mkdir()
    system = natya.TradingSystem(settings)
    system._root_end = Future()
    system._root_end.set_result(SystemStopped(exit_code=exit_code, reason="", statistics=()))
    system._tell_deadman()
    assert heart.read() is None
    heart.begin(pid=1)
    system._tell_deadman()

    assert heart.read().ended is in_order
