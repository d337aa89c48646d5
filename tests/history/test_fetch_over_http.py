"""`natya data fetch` and `natya data status` as a shell calls them, at a server whose every byte is the test's."""

import json
import os
import signal
import subprocess
from datetime import date

import pytest
from natya_charts import Broker, rows_of_days
from natya_database import with_files
from natya_servers import http
from natya_starts import Natya
from typer.testing import CliRunner

from natya.actors.external import Limiter
from natya.cli.app import app
from natya.cli.exit_codes import FAILED, OK, REFUSED, SETTINGS, UNAVAILABLE, UNKNOWN
from natya.domain.history import INTERVALS

pytestmark = pytest.mark.systems

pytestmark = pytest.mark.usefixtures("engines")

TOKEN = "canary-of-a-token"  # noqa: S105  it opens nothing
OWN = ("NATYA_", "BROKER_", "DATABASE_")
THROTTLED = http('{"errorType":"Rate_Limit","errorCode":"DH-904","errorMessage":"Too many"}', "429 Too Many Requests")
DEAD = http('{"errorType":"x","errorCode":"DH-906","errorMessage":"Invalid Token"}', "400 Bad Request")
TOO_EARLY = http(
    '{"errorType":"x","errorCode":"DH-905","errorMessage":"System is unable to fetch data"}', "400 Bad Request"
)
EMPTY = http(json.dumps({name: [] for name in ("open", "high", "low", "close", "volume", "timestamp")}))


@pytest.fixture
def broker():
    broker = Broker()
    yield broker
    broker.server.close()


@pytest.fixture
def environment(broker):
    return {"BROKER_BASE_URL": broker.server.url, "BROKER_CLIENT_ID": "1100012345", "BROKER_ACCESS_TOKEN": TOKEN}


@pytest.fixture
def data(tmp_path, environment):
    """Call a command of `natya data` in this process, for a data directory of the test."""
    with_files(tmp_path / "data")

    def call(*arguments, **other):
        without = {name: None for name in os.environ if name.startswith(OWN)}
        done = CliRunner().invoke(
            app,
            ["data", *map(str, arguments), "--data-dir", str(tmp_path / "data")],
            env=without | environment | other,
            catch_exceptions=False,
        )
        assert TOKEN not in done.output
        return done

    return call


MONTH = ("INFY", "--interval", "15m", "--from", "2025-12-01", "--to", "2025-12-31")
LONG = ("INFY", "--interval", "15m", "--from", "2025-01-01", "--to", "2025-12-31")


def test_that_no_candles_are_stored_is_said(data):
    assert data("status").stdout == "no candles are stored\n"
    assert json.loads(data("status", "--json").stdout)["series"] == []


class TestAFetch:
    def test_is_there_afterwards_and_is_told(self, data, broker):
        done = data("fetch", *MONTH, "--json")
        (series,) = json.loads(data("status", "INFY", "--json").stdout)["series"]

        assert (done.exit_code, json.loads(done.stdout)["candles"]) == (OK, 22 * 25)
        assert (series["interval"], series["candles"], series["missing"]) == ("15m", 22 * 25, [])
        assert broker.days == [[b"2025-12-01", b"2025-12-31"]]  # a day alone is included

    def test_of_days_ends_before_the_day_that_it_names_to_the_broker(self, data, broker):
        done = data("fetch", "INFY", "--interval", "1d", "--from", "2025-12-01", "--to", "2025-12-31")

        assert (done.exit_code, broker.days) == (OK, [[b"2025-12-01", b"2026-01-01"]])
        assert "INFY 1d: 22 candles, 22 written, 1 request, none missing" in done.output

    def test_of_a_range_of_which_the_middle_comes_empty_once_is_whole(self, data, broker):
        broker.script = {3: EMPTY}
        done = data("fetch", *LONG, "--json")

        assert (done.exit_code, json.loads(done.stdout)["missing"]) == (OK, [])

    def test_says_what_is_missing(self, data, broker):
        broker.script = dict.fromkeys([1, 2], TOO_EARLY)
        done = data("fetch", *MONTH)

        assert done.exit_code == OK
        assert "550 candles missing in 1 gap, 22 whole sessions among them" in done.output

    def test_of_a_name_that_nobody_has_is_refused_with_what_is_near(self, data, broker):
        done = data("fetch", "INFYY", "RELIANC", "--from", "2025-12-01")

        assert done.exit_code == UNKNOWN
        assert "found 'INFYY'; near it: INFY" in done.output
        assert "found 'RELIANC'; near it: RELIANCE" in done.output
        assert broker.server.heard == []

    def test_of_no_day_is_refused(self, data):
        assert "a day from 2025-12-02 to today wanted" in data(
            "fetch", "INFY", "--from", "2025-12-02", "--to", "2025-12-01"
        ).output.replace("\n", " ")

    def test_without_a_token_is_refused(self, data):
        done = data("fetch", *MONTH, BROKER_ACCESS_TOKEN="")

        assert (done.exit_code, "broker.access_token: one wanted" in done.output) == (SETTINGS, True)


class TestABrokerThatFails:
    @pytest.mark.parametrize(
        ("answer", "code"),
        [(DEAD, REFUSED), (http("", "503 Service Unavailable"), UNAVAILABLE)],
        ids=["dead token", "503"],
    )
    def test_stops_the_fetch_with_what_it_was(self, data, broker, answer, code):
        broker.script = dict.fromkeys(range(1, 99), answer or (lambda _: b"\0"))
        done = data("fetch", *MONTH)

        assert done.exit_code == code
        assert "the same command goes on from there" in done.output

    @pytest.mark.parametrize(
        "body",
        ['{"open":[1.0],"timestamp":[]}', '"text"', '{"open":[1e999],"timestamp":[1]}'],
        ids=["lengths", "text", "endless"],
    )
    def test_with_an_answer_that_is_no_chart_is_told_and_keeps_nothing(self, data, broker, body):
        broker.script = dict.fromkeys(range(1, 99), http(body))
        done = data("fetch", *MONTH)

        assert (done.exit_code, "0 written" in done.output) in {(FAILED, True), (OK, True)}
        assert json.loads(data("status", "--json").stdout)["series"] == []

    def test_since_there_were_too_many_is_waited_for(self, data, broker):
        broker.script = {1: THROTTLED}
        done = data("fetch", *MONTH)

        assert (done.exit_code, "550 written" in done.output) == (OK, True)


def test_a_fetch_that_is_killed_goes_on_where_it_was(tmp_path, broker, environment, data):
    broker.script = {5: None}  # it is asked for when the first piece is kept, and never answered
    without = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    command = ["data", "fetch", *LONG, "--data-dir", str(tmp_path / "data")]
    with Natya(command, env=without | environment, stdout=subprocess.DEVNULL) as process:
        assert broker.reached.wait(60)
        process.send_signal(signal.SIGKILL)
    before = len(broker.server.heard)
    broker.script = {}

    done = json.loads(data("fetch", *LONG, "--json").stdout)

    assert len(broker.server.heard) - before <= 4
    assert (done["missing"], done["days_there"] > 0) == ([], True)
    assert json.loads(data("status", "--json").stdout)["series"][0]["candles"] == len(
        rows_of_days(date(2025, 1, 1), date(2026, 1, 1), INTERVALS["15m"])
    )


def test_what_was_asked_before_counts_against_the_limit_of_the_day_refused_or_not(data, broker, monkeypatch):
    data("fetch", *MONTH)
    broker.script = {len(broker.server.heard) + 1: TOO_EARLY}
    data("fetch", *MONTH, "--again")
    sent, counted = len(broker.server.heard), []
    monkeypatch.setattr(Limiter, "restore", lambda _, kind, times_ns: counted.append((kind, len(times_ns))))

    data("fetch", *MONTH, "--again")

    assert sent > 1
    assert counted == [("data", sent)]
