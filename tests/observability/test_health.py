import msgspec
import pytest
from natya_messages import distinct

from natya.actors.observability import View, health_of
from natya.messages.broker import UpdatesStatistics
from natya.messages.database import DatabaseStatistics
from natya.messages.health import Component, TokenStatistics
from natya.messages.market import FeedStatistics
from natya.messages.order_listing import OrdersStatistics
from natya.messages.system import ActorStatistics

NO_TOKEN = TokenStatistics(alive=False, ends_ns=0, attempts=3)


def component(health, name):
    return next(each for each in health.components if each.name == name)


class TestASystemWhoseActorsAllRun:
    def test_is_live_and_ready(self, a_view):
        health = health_of(a_view())

        assert (health.live, health.ready, health.reason, health.risk_state) == (True, True, "", "NORMAL")
        assert {each.state for each in health.components} == {"ok"}

    def test_is_ready_while_orders_may_only_make_positions_smaller(self, a_view, build):
        assert health_of(a_view(orders=build.orders(risk_state="REDUCING"))).ready

    @pytest.mark.parametrize("state", ["STARTING", "RECONCILING", "HALTED"])
    def test_is_not_ready_while_no_order_passes_and_says_why(self, a_view, build, state):
        health = health_of(a_view(orders=build.orders(risk_state=state, risk_cause="a ghost")))

        assert (health.live, health.ready) == (True, False)
        assert f"{state} (a ghost)" in health.reason

    def test_is_not_ready_before_orders_has_read_the_journal_back(self, a_view, build):
        child = build.child("system/orders", state="RESTARTING")
        health = health_of(a_view(child, orders=ActorStatistics(handled=1, failures=0)))

        assert (health.live, health.ready, health.reason) == (True, False, "orders is down: restarting")

    def test_is_not_ready_while_orders_does_not_answer(self, a_view, build):
        view = a_view(build.child("system/orders"))
        health = health_of(msgspec.structs.replace(view, statistics={}, silent=frozenset({"orders", "feed"})))

        assert (health.live, health.ready, health.risk_state) == (True, False, "")
        assert health.reason == "orders does not answer, so nobody knows whether orders pass"
        reason = "it did not say in time how it is"
        assert component(health, "orders") == Component(name="orders", state="degraded", reason=reason, needed=True)
        assert component(health, "journal").state == "ok"

    def test_is_ready_where_another_does_not_answer_or_orders_are_those_of_another_machine(self, a_view, build):
        door = a_view(build.child("system/orders"), orders=ActorStatistics(handled=1, failures=0))

        assert health_of(msgspec.structs.replace(door, silent=frozenset({"feed"}))).ready


class TestTheContainer:
    def test_is_well_while_no_ping_of_its_services_fails(self, a_view):
        for services in ({}, {"Model": ""}):
            health = health_of(msgspec.structs.replace(a_view(), services=services))

            assert component(health, "container") == Component(name="container", state="ok", needed=False)

    def test_names_each_service_that_does_not_work_and_trading_goes_on(self, a_view):
        services = {"Model": "ConnectionError: refused", "Cache": "", "News": "its ping has not answered for 9 seconds"}
        health = health_of(msgspec.structs.replace(a_view(), services=services))

        reason = "Model: ConnectionError: refused; News: its ping has not answered for 9 seconds"
        assert component(health, "container") == Component(
            name="container", state="degraded", reason=reason, needed=False
        )
        assert health.ready


class TestASystemWhoseRootDoesNotAnswer:
    def test_is_neither_live_nor_ready(self):
        health = health_of(View(tree=None, statistics={}))

        assert (health.live, health.ready) == (False, False)
        assert "root" in health.reason


class TestAComponentThatIsDown:
    def test_makes_the_system_not_ready_if_trading_needs_it(self, a_view, build):
        down = build.child("system/journal", state="UNAVAILABLE", last_error="OSError: disk full")
        health = health_of(a_view(down))

        assert not health.ready
        assert health.reason == "journal is down: unavailable, OSError: disk full"

    @pytest.mark.parametrize("path", ["system/database", "system/strategies/dip", "system/mine"])
    def test_is_named_and_no_more_if_trading_does_not(self, a_view, build, path):
        health = health_of(a_view(build.child(path, state="PARKED")))

        assert health.ready
        assert component(health, path.rpartition("/")[2]).state == "down"

    def test_may_be_one_that_runs_and_has_no_files(self, a_view, build):
        database = DatabaseStatistics(
            **dict.fromkeys(("ticks", "candles", "duplicates", "batches", "projected_sequence"), 0),
            **dict.fromkeys(("core_path", "market_path"), ""),
            down="in use by process 4711",
        )
        health = health_of(a_view(build.child("system/database"), database=database))

        assert component(health, "database").reason == "in use by process 4711"


class TestAComponentInTrouble:
    @pytest.mark.parametrize(
        ("name", "changes", "known", "reason"),
        [
            ("broker", {"trouble": "a dry run"}, {}, "a dry run"),
            ("feed", {"mailbox_depth": 100_001}, {}, "100,001 messages wait"),
            ("broker-tokens", {}, {"broker-tokens": NO_TOKEN}, "no good access token"),
        ],
        ids=["trouble", "queue", "token"],
    )
    def test_is_degraded_with_its_reason(self, a_view, build, name, changes, known, reason):  # noqa: PLR0913, PLR0917
        health = health_of(a_view(build.child(f"system/{name}", **changes), **known))

        assert health.ready
        assert component(health, name).state == "degraded"
        assert reason in component(health, name).reason

    def test_may_be_the_disk(self, a_view):
        health = health_of(msgspec.structs.replace(a_view(), disk_free_bytes=100 << 20))

        low = Component(name="disk", state="degraded", reason="100 MiB are free", needed=False)
        assert component(health, "disk") == low

    @pytest.mark.parametrize(("free", "state"), [((1 << 30) - 1, "degraded"), (1 << 30, "ok")])
    def test_is_not_the_disk_with_a_gibibyte(self, a_view, free, state):
        health = health_of(msgspec.structs.replace(a_view(), disk_free_bytes=free))

        assert component(health, "disk").state == state

    def test_is_not_who_has_as_much_to_do_as_may_wait(self, a_view, build):
        health = health_of(a_view(build.child("system/feed", mailbox_depth=100_000)))

        assert component(health, "feed") == Component(name="feed", state="ok", reason="", needed=True)

    @pytest.mark.parametrize(
        ("statistics", "reason"),
        [
            (distinct(FeedStatistics, silent=2), "2 instruments went silent"),
            (distinct(FeedStatistics, silent=0), ""),
            (distinct(TokenStatistics, alive=False), "there is no good access token"),
            (distinct(TokenStatistics, alive=True), ""),
            (distinct(UpdatesStatistics, connected=False, reason="refused"), "refused"),
            (distinct(UpdatesStatistics, connected=True, reason="refused"), ""),
            (distinct(DatabaseStatistics, down="", dropped=1), "not recorded: 1 tick"),
            (distinct(DatabaseStatistics, down="", dropped=0), ""),
            (distinct(OrdersStatistics, uncertain_orders=3), "3 orders may or may not be at the broker"),
            (distinct(OrdersStatistics, uncertain_orders=0), ""),
        ],
    )
    def test_is_who_says_so_of_itself(self, a_view, build, statistics, reason):
        health = health_of(a_view(build.child("system/mine"), mine=statistics))

        state = "degraded" if reason else "ok"
        assert component(health, "mine") == Component(name="mine", state=state, reason=reason, needed=False)

    def test_may_be_the_log(self, a_view):
        health = health_of(msgspec.structs.replace(a_view(), log_lines_lost=1_234, log_fault="PermissionError"))

        assert health.ready
        reason = "it cannot be written (PermissionError); 1,234 lines lost"
        assert component(health, "log") == Component(name="log", state="degraded", reason=reason, needed=False)
