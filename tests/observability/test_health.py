import msgspec
import pytest
from natya_messages import distinct

from natya.actors import observability
from natya.actors.observability import View
from natya.domain.clock_skew import SKEW_MAX_S
from natya.messages.broker import UpdatesStatistics
from natya.messages.database import DatabaseStatistics
from natya.messages.health import Component, ServiceStatistics, TokenStatistics
from natya.messages.market import FeedStatistics
from natya.messages.order_listing import OrdersStatistics
from natya.messages.system import ActorStatistics

NOW_NS = 1_790_000_000 * 10**9
NO_TOKEN = TokenStatistics(alive=False, ends_ns=0, attempts=3)


def health_of(view):
    return observability.health_of(view, now_ns=NOW_NS)


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

    def test_is_not_ready_while_one_is_down_that_has_no_time_to_say_so(self, a_view, build):
        view = a_view(build.child("system/feed", state="RESTARTING"))
        health = health_of(msgspec.structs.replace(view, silent=frozenset({"feed"})))

        assert (health.ready, health.reason) == (False, "feed is down: restarting")
        assert component(health, "feed") == Component(name="feed", state="down", reason="restarting", needed=True)

    def test_is_ready_where_another_does_not_answer_or_orders_are_those_of_another_machine(self, a_view, build):
        door = a_view(build.child("system/orders"), orders=ActorStatistics(handled=1, failures=0))

        assert health_of(msgspec.structs.replace(door, silent=frozenset({"feed"}))).ready


class TestWhatAnOrderNeeds:
    """Without it the system is not ready, whatever passes still; and the component says the same."""

    def lacking(self, health, name):
        assert health.live
        found = component(health, name)
        assert found.state == "degraded"
        assert (health.ready, health.reason) == (False, found.reason)
        return found.reason

    def test_is_a_good_token(self, a_view, build):
        health = health_of(a_view(build.child("system/broker-tokens"), **{"broker-tokens": NO_TOKEN}))

        reason = "there is no good access token: the broker takes nothing"
        assert self.lacking(health, "broker-tokens") == reason

    @pytest.mark.parametrize(("seconds", "is_ready"), [(1_799, False), (1_800, True), (None, True)])
    def test_is_a_token_that_lasts_half_an_hour_where_its_end_is_known(self, a_view, build, seconds, is_ready):
        ends_ns = 0 if seconds is None else NOW_NS + seconds * 10**9
        token = TokenStatistics(alive=True, ends_ns=ends_ns, attempts=0)
        health = health_of(a_view(build.child("system/broker-tokens"), **{"broker-tokens": token}))

        assert health.ready == is_ready
        if not is_ready:
            assert self.lacking(health, "broker-tokens") == "the access token ends in 29 minutes"

    @pytest.mark.parametrize(
        ("skew_s", "is_ready"),
        [(None, True), (2.0, True), (-2.0, True), (2.1, False), (-9, False), (SKEW_MAX_S + 1, False)],
    )
    def test_is_a_clock_that_is_the_broker_s(self, a_view, build, skew_s, is_ready):
        service = distinct(ServiceStatistics, service="dhan", clock_skew_s=skew_s)
        health = health_of(a_view(build.child("system/dhan"), dhan=service))

        assert health.ready == is_ready
        if not is_ready:
            assert self.lacking(health, "dhan") == f"our clock is {skew_s:+.1f} s off that of dhan"

    @pytest.mark.parametrize(("free", "is_ready"), [((256 << 20) - 1, False), (256 << 20, True), (None, True)])
    def test_is_some_disk(self, a_view, free, is_ready):
        health = health_of(msgspec.structs.replace(a_view(), disk_free_bytes=free))

        assert health.ready == is_ready
        if not is_ready:
            assert component(health, "disk").state == "down"
            assert health.reason == "disk is down: 256 MiB are free"

    def test_is_all_of_it_and_each_is_told(self, a_view, build):
        service = distinct(ServiceStatistics, service="dhan", clock_skew_s=3.0)
        health = health_of(a_view(build.child("system/dhan"), dhan=service, **{"broker-tokens": NO_TOKEN}))

        assert health.reason.split("; ") == [
            "our clock is +3.0 s off that of dhan",
            "there is no good access token: the broker takes nothing",
        ]


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
        ],
        ids=["trouble", "queue"],
    )
    def test_is_degraded_with_its_reason(self, a_view, build, name, changes, known, reason):  # noqa: PLR0913, PLR0917
        health = health_of(a_view(build.child(f"system/{name}", **changes), **known))

        assert health.ready
        assert component(health, name).state == "degraded"
        assert reason in component(health, name).reason

    def test_may_be_the_disk(self, a_view):
        health = health_of(msgspec.structs.replace(a_view(), disk_free_bytes=500 << 20))

        assert component(health, "disk") == Component(name="disk", state="degraded", reason="500 MiB are free")
        assert health.ready

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
