"""History in a running system: who is started where, and a fetch that goes through the system's own service."""

import json
import os
import time

import pytest
from natya_charts import Broker, told_of
from natya_processes import await_that
from natya_servers import http
from typer.testing import CliRunner

from natya import TradingSystem
from natya.cli.app import app
from natya.composition import children, subscriptions
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.domain.calendar import MINUTE_NS
from natya.messages.addresses import BROKER_SERVICE, BROKER_TOKENS, CHARTS_SERVICE, DATABASE, FEED, HISTORY, JOURNAL
from natya.messages.database import Query
from natya.messages.history import GapFilled
from natya.messages.journal import Append, ReadJournal
from natya.messages.market import FeedGapped

pytestmark = pytest.mark.usefixtures("engines")

TOKEN = "canary-of-a-token"  # noqa: S105  it opens nothing
ACCOUNT = {"BROKER_CLIENT_ID": "1100012345", "BROKER_ACCESS_TOKEN": TOKEN}


def settings_of(profile, tmp_path, environment=ACCOUNT, **given):
    overrides = {"system.data_dir": str(tmp_path / "data")} | given
    return load_settings(profile, environment=environment, overrides=overrides)


class TestWhoReadsCharts:
    def started(self, settings):
        return {child.name: child for child in children(settings)}

    def test_is_nobody_where_nothing_is_real(self, tmp_path):
        assert HISTORY not in self.started(settings_of("paper", tmp_path))

    def test_asks_the_service_of_the_broker_session_where_orders_are_real(self, tmp_path):
        found = self.started(settings_of("live", tmp_path, **{"feed.symbols": ["INFY"]}))

        assert found[HISTORY].settings.service == BROKER_SERVICE
        assert CHARTS_SERVICE not in found

    def test_has_a_service_of_its_own_where_only_the_feed_is_live(self, tmp_path):
        settings = settings_of("paper", tmp_path, **{"feed.source": "dhan", "feed.symbols": ["INFY"]})
        found = self.started(settings)
        names = list(found)

        assert names.index(CHARTS_SERVICE) + 1 == names.index(HISTORY) < names.index("strategies")
        assert (found[HISTORY].settings.service, found[HISTORY].settings.fills_gaps) == (CHARTS_SERVICE, True)
        assert HISTORY in {each.subscriber for each in subscriptions(settings)}


class TestWhoKeepsTheAccessToken:
    def names(self, settings):
        return [child.name for child in children(settings)]

    def test_is_nobody_where_none_is_used(self, tmp_path):
        assert BROKER_TOKENS not in self.names(settings_of("paper", tmp_path))

    def test_is_the_session_s_own_where_orders_are_real(self, tmp_path):
        assert BROKER_TOKENS not in self.names(settings_of("live", tmp_path, **{"feed.symbols": ["INFY"]}))

    @pytest.mark.parametrize("wire", [False, True])
    def test_is_one_for_feed_and_charts_where_orders_are_on_paper(self, tmp_path, wire):
        """A token ends each night: a run of weeks on live prices would end with it."""
        given = {"feed.source": "dhan", "feed.symbols": ["INFY"], "broker.wire": wire}
        found = {child.name: child for child in children(settings_of("paper", tmp_path, **given))}
        keeper = found[BROKER_TOKENS].settings
        keeper.token.replace(Secret("another-token"))

        assert found[FEED].settings.token() == "another-token"
        charts = found[CHARTS_SERVICE].settings.headers()
        assert (charts["access-token"], charts["client-id"]) == ("another-token", "1100012345")
        assert keeper.new_source(time.time_ns).can_mint is False


@pytest.fixture
def broker():
    broker = Broker()
    yield broker
    broker.server.close()


def test_a_fetch_beside_a_running_system_goes_through_it_without_a_token_of_its_own(tmp_path, broker):
    settings = settings_of(
        "live",
        tmp_path,
        environment=ACCOUNT | {"BROKER_BASE_URL": broker.server.url},
        **{"feed.source": "synthetic", "feed.symbols": ["RELIANCE"], "feed.duration_s": 0.0},
    )
    without = {name: None for name in os.environ if name.startswith(("NATYA_", "BROKER_", "DATABASE_"))}
    with TradingSystem(settings):
        done = CliRunner().invoke(
            app,
            [
                *("data", "fetch", "INFY", "--interval", "15m", "--from", "2025-12-01", "--to", "2025-12-31"),
                *("--json", "--data-dir", str(tmp_path / "data")),
            ],
            env=without,
            catch_exceptions=False,
        )
        status = CliRunner().invoke(
            app, ["data", "status", "INFY", "--json", "--data-dir", str(tmp_path / "data")], env=without
        )

    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["written"] == 22 * 25
    assert json.loads(status.stdout)["series"][0]["candles"] == 22 * 25
    charts = [request for request in broker.server.heard if b"/charts/intraday" in request]
    assert len(charts) == 1
    assert TOKEN.encode() in charts[0]


def test_a_gap_of_a_live_feed_is_filled_over_a_restart_from_charts_and_told(tmp_path, broker):
    settings = settings_of(
        "paper",
        tmp_path,
        environment=ACCOUNT | {"BROKER_BASE_URL": broker.server.url},
        **{
            "feed.source": "dhan",
            "feed.symbols": ["INFY"],
            "feed.options": {"url": broker.server.url.replace("http", "ws")},
            "control.enabled": False,
        },
    )
    begin_ns = (time.time_ns() // MINUTE_NS - 30) * MINUTE_NS
    end_ns = begin_ns + 3 * MINUTE_NS
    gap = FeedGapped(
        source="dhan-1", symbols=("INFY",), start_ns=begin_ns, end_ns=end_ns, cause="stale", occurred_ns=end_ns
    )
    minutes = list(range(begin_ns, end_ns + MINUTE_NS, MINUTE_NS))
    broker.usual = lambda _: http("", "503 Service Unavailable")
    with TradingSystem(settings) as first:
        first.request(JOURNAL, Append(facts=(gap,)), timeout_s=10)
        await_that(lambda: any(b"/charts/intraday" in request for request in broker.server.heard))
    broker.usual = lambda request: told_of(minutes) if b"/charts/" in request else http("[]")
    with TradingSystem(settings) as second:
        wanted = ReadJournal(types=("GapFilled",))
        records = await_that(lambda: second.request(JOURNAL, wanted, timeout_s=10).records)
        rows = second.request(DATABASE, Query(sql="select start_ns from candles order by 1"), timeout_s=10).rows

    (fact,) = [record.fact for record in records]
    assert (type(fact), fact.symbol, fact.start_ns, fact.end_ns) == (GapFilled, "INFY", begin_ns, end_ns)
    assert [start for (start,) in rows] == minutes[:3]
