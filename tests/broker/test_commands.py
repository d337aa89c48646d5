"""`natya broker …` as a shell calls it."""

import json
import os

import pytest
from natya_publisher import Publisher
from natya_updates_server import UpdatesServer
from typer.testing import CliRunner

import natya
from natya.cli.app import app

OLD = {"BROKER_ACCESS_TOKEN": "old"}
TOKEN = {"accessToken": "eyJ.new.token"}
SECRETS = {"NATYA_BROKER__PIN": "482913", "NATYA_BROKER__TOTP_SECRET": "JBSWY3DPEHPK3PXP"}


@pytest.fixture
def shell(tmp_path):
    ours = ("NATYA_", "BROKER_", "DATABASE_", "REDIS_")
    without = {name: None for name in os.environ if name.startswith(ours)}

    def call(*arguments):
        given = ["broker", *arguments, "--data-dir", str(tmp_path / "data")]
        return CliRunner().invoke(app, given, env=without | {"BROKER_CLIENT_ID": "1"}, catch_exceptions=False)

    return call


@pytest.fixture
def broker():
    """A broker that knows the paths of tokens and those of an account that holds nothing, and counts the logins."""

    def answer(request):
        path = request.path.partition("?")[0].rpartition("/")[2]
        found = {"generateAccessToken": TOKEN, "RenewToken": TOKEN, "fundlimit": {"availabelBalance": 100_000.0}}
        found |= dict.fromkeys(("orders", "trades", "positions", "holdings"), ())
        body = json.dumps(found.get(path, {"status": 404, "error": "Not Found"})).encode()
        request.send_response(200 if path in found else 404)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    publisher = Publisher(answer)
    publisher.Handler.do_POST = publisher.Handler.do_GET
    yield publisher
    publisher.close()


@pytest.fixture
def running(broker, tmp_path):
    """Start a system that trades live with that broker, as a dry run."""

    def start(**given):
        settings = {
            "system.data_dir": str(tmp_path / "data"),
            "broker.client_id": "1",
            "broker.base_url": f"{broker.url.rpartition('/')[0]}/v2",
            "instruments.refresh": "never",
            "log.path": "-",
        }
        return natya.TradingSystem(natya.load_settings("live", environment=given, overrides=settings))

    return start


class TestWithoutASystem:
    @pytest.mark.parametrize("command", ["status", "login", "renew"])
    def test_ends_with_69(self, shell, command):
        assert shell(command).exit_code == 69


class TestBesideASystemThatCanLogIn:
    def test_shows_the_token_and_gets_another(self, shell, broker, running):
        with running(**SECRETS, **OLD):
            before = json.loads(shell("status", "--json").stdout)
            login = shell("login")
            renewed = shell("renew")

        logins = [path for path, _ in broker.asked if "/generateAccessToken" in path]
        assert (before["state"], before["can_log_in"]) == ("alive", True)
        assert (login.exit_code, "the access token is alive" in login.stdout, len(logins)) == (0, True, 1)
        assert (renewed.exit_code, "is alive, and another one is being asked for" in renewed.stdout) == (1, True)
        assert all(secret not in login.output + renewed.output for secret in ("eyJ", "482913", "JBSWY3"))


class TestBesideASystemThatCannotLogIn:
    def test_says_why_and_ends_with_1(self, shell, running):
        with running(**OLD):
            login = shell("login")
            status = shell("status")

        assert (login.exit_code, "PIN and secret of one-time codes wanted" in login.stdout) == (1, True)
        assert "the access token is alive" in status.stdout
        assert "no order updates: open orders are looked at alone" in status.stdout


def options_of(server):
    return f'{{order_updates = "{server.url}"}}'


class TestBesideASystemWithOrderUpdates:
    def test_shows_whether_they_come(self, shell, running):
        with (
            UpdatesServer("old") as server,
            running(**OLD, NATYA_BROKER__OPTIONS=f'{{order_updates = "{server.url}"}}'),
        ):
            assert server.connected.acquire(timeout=10)
            found = json.loads(shell("status", "--json").stdout)["updates"]
            text = shell("status").stdout

        assert (found["refused"], found["failures"]) == (0, 0)
        assert "updates: 0, of orders without a client's id: 0" in text
