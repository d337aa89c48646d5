"""Commands that ask a running system, which is a double here, and print what it says."""

import contextlib
import json
import webbrowser
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.control import AskTimedOutError
from natya.actors.control.http.token_file import token_of
from natya.actors.instruments import NameUnknownError
from natya.actors.journal.tools import VerifyReport
from natya.cli.commands import dashboard, ping
from natya.cli.commands.data import fetch
from natya.cli.commands.risk import explain
from natya.cli.session import alone
from natya.client import QueryFailedError
from natya.config.data_directory import DataDirectory, DataDirectoryBusyError
from natya.messages.health import Timing
from natya.messages.holdings import Position
from natya.transfer import Fetch


class Counted(msgspec.Struct):
    orders: int = 1_234
    is_open: bool = True
    is_late: bool = False
    error: str = ""
    place: str = "here"
    parts: tuple[str, ...] = ("a", "b")
    missed: tuple[str, ...] = ()
    refused_by_rule: dict[str, int] = msgspec.field(default_factory=lambda: {"price_band": 1_000, "lot_size": 2})
    age_s: float = 0.000_123_456_789
    none_s: float = 0.0
    spent: float = 1_234.567_8
    skew_s: float | None = None
    ack: Timing = Timing(counts=(3, *((0,) * (len(Timing().counts) - 1))), sum_s=0.006)
    never: Timing = Timing()
    held: tuple[Position, ...] = (
        Position(
            symbol="TCS",
            quantity=-1_500,
            average_price=Decimal("3501.2345"),
            realized_pnl=Decimal("0.00"),
            cost=Decimal("-5251851.750000000000000000"),
        ),
    )


@pytest.fixture
def says(monkeypatch):
    """Let the system that a command asks be this one."""

    def play(command, **system):
        monkeypatch.setattr(command, "running", lambda *_: contextlib.nullcontext(SimpleNamespace(**system)))

    return play


class TestTheDashboard:
    @pytest.mark.parametrize("options", [(), ("--open",)], ids=["shown", "opened"])
    def test_is_told_with_the_token_that_lets_in(self, natya, says, tmp_path, monkeypatch, options):
        token, opened = token_of(tmp_path).reveal(), []
        monkeypatch.setattr(webbrowser, "open", opened.append)
        shown = SimpleNamespace(url="http://127.0.0.1:8000", token_file=str(tmp_path / "control.token"), reason="")
        says(dashboard, show_http=lambda: shown)

        told = natya("dashboard", *options)

        assert (told.exit_code, told.stdout) == (0, f"http://127.0.0.1:8000/#token={token}\n")
        assert opened == [told.stdout.strip()] * len(options)

    def test_of_a_system_without_one_is_not_available_and_why(self, natya, says):
        says(dashboard, show_http=lambda: SimpleNamespace(url="", token_file="", reason="it is switched off"))

        told = natya("dashboard")

        assert told.exit_code == 69
        assert "it is switched off" in told.stderr


def test_a_ping_writes_what_an_actor_counts_as_people_do(natya, says):
    says(ping, ping=lambda actor: SimpleNamespace(actor=actor, statistics=Counted()))

    first, *lines = natya("ping", "orders").stdout.splitlines()

    assert first.startswith("orders answered in ")
    assert lines == [
        "  orders 1,234",
        "  is_open yes",
        "  is_late no",
        "  error none",
        "  place here",
        "  parts a, b",
        "  missed none",
        "  refused_by_rule price_band 1,000, lot_size 2",
        "  age_s 0.000123",
        "  none_s 0",
        "  spent 1,234.57",
        "  skew_s none",
        "  ack 3 times, 2.000 ms on average",
        "  never 0 times",
        "  held",
        "    symbol TCS, quantity -1,500, average_price 3,501.23, realized_pnl 0, cost -5,251,851.75",
    ]
    found = json.loads(natya("ping", "--json").stdout)
    assert 0 <= found["answered_ms"] < 10_000
    assert "-5251851.750000000000000000" in json.dumps(found["statistics"]["held"])


class TestPricesOfADecision:
    DECISION = SimpleNamespace(fact=SimpleNamespace(occurred_ns=100 * 86_400 * 10**9), symbols=("TCS", "INFY"))

    def prices(self, monkeypatch, rows_of):
        noted = []
        monkeypatch.setattr(explain, "owner_by", lambda *_: contextlib.nullcontext("owner"))
        monkeypatch.setattr("natya.client.owner.rows_of", rows_of)
        monkeypatch.setattr(explain, "note", noted.append)
        return explain._prices(self.DECISION, None), noted

    def test_are_those_of_its_day_and_symbols(self, monkeypatch):
        asked = []
        rows = [("TCS", 100.0, 1), ("INFY", 200.0, 2)]
        found = self.prices(monkeypatch, lambda *arguments: asked.append(arguments) or rows)

        assert found == ({"TCS": (100.0, 1), "INFY": (200.0, 2)}, [])
        assert asked == [("owner", explain.PRICES, [100 * 86_400 * 10**9, 99 * 86_400 * 10**9, "TCS\nINFY"])]

    def test_that_are_missing_are_named(self, monkeypatch):
        found = self.prices(monkeypatch, lambda *_: [("TCS", 100.0, 1)])

        assert found == ({"TCS": (100.0, 1)}, ["the database has no price of that time of INFY"])

    def test_that_cannot_be_read_are_none_and_why_is_told(self, monkeypatch):
        def fails(*_):
            raise QueryFailedError("DatabaseDown", "no space")

        found, (noted,) = self.prices(monkeypatch, fails)

        assert found == {}
        assert "no prices of that time: " in noted
        assert "no space" in noted


def test_a_journal_that_is_verified_is_told_figure_by_figure(natya, tmp_path, monkeypatch):
    found = VerifyReport(
        segments=3,
        records=40,
        oldest_sequence=11,
        last_sequence=50,
        last_hash="ab12",
        torn_bytes=0,
        of_type={"OperationAsked": 7, "OperationAnswered": 6, "OrderIntended": 27},
        sealed_days=2,
        sealed_day="2026-11-27",
        sealed_sequence=45,
        hmacs=1,
    )
    (tmp_path / "journal").mkdir()
    monkeypatch.setattr("natya.actors.journal.tools.verify", lambda *_, **__: found)

    told = json.loads(natya("audit", "verify", "--data-dir", tmp_path, "--json").stdout)
    lines = natya("audit", "verify", "--data-dir", tmp_path).stdout.splitlines()

    del told["schema"]
    assert told == {
        "asked": 7,
        "answered": 6,
        "records": 40,
        "last_sequence": 50,
        "last_hash": "ab12",
        "sealed_days": 2,
        "sealed_day": "2026-11-27",
        "sealed_sequence": 45,
        "hmacs": 1,
        "hmacs_checked": False,
    }
    assert lines == [
        "40 records are whole, up to sequence 50: 7 operations, 6 of them with an outcome",
        f"sealed: 2 days, the last 2026-11-27 with sequence 45: {tmp_path / 'journal' / 'days.seals'}",
        "1 seal of them with an HMAC, not proved: no journal.seal_key is given",
        "hash of the last record: ab12",
    ]


def test_a_command_that_wants_a_directory_alone_holds_it_until_it_ends(tmp_path):
    def take():
        directory = DataDirectory(str(tmp_path))
        directory.take()
        directory.release()

    with alone(tmp_path, "paper"), pytest.raises(DataDirectoryBusyError):
        take()
    take()


@pytest.mark.parametrize("command", [("orders",), ("positions",)], ids=str)
def test_a_system_that_hangs_is_not_answered_for_from_its_journal(natya, monkeypatch, tmp_path, command):
    def hangs(_):
        raise AskTimedOutError("no answer in 5 s")

    monkeypatch.setattr("natya.client.connect", hangs)
    told = natya(*command, "--data-dir", tmp_path)

    assert (told.exit_code, told.stdout) == (69, "")


def test_candles_of_several_names_that_nobody_knows_are_refused_by_each_name(natya, monkeypatch):
    def show(name):
        raise NameUnknownError(f"an instrument wanted, found {name}")

    master = SimpleNamespace(show=show, near=lambda _: [])
    monkeypatch.setattr(fetch, "instruments_of", lambda *_: contextlib.nullcontext(master))
    told = natya("data", "fetch", "NOPE", "NEITHER", "--from", "2026-01-01")

    assert told.exit_code == 1
    assert [line.rpartition(" ")[2] for line in told.stderr.splitlines()] == ["NOPE", "NEITHER"]


def test_candles_that_the_broker_refuses_of_one_symbol_end_the_command_with_1_whatever_comes_behind(
    natya, monkeypatch, tmp_path
):
    day = date(2026, 1, 1)
    outcomes = [Fetch(symbol=symbol, interval="1m", first=day, last=day, error=error)
                for symbol, error in (("TCS", ""), ("INFY", "DH-905"), ("HDFC", ""))]  # fmt: skip
    for name in ("instruments_of", "owner_of", "_charts"):
        monkeypatch.setattr(fetch, name, lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(fetch, "_named", lambda *_: [])
    monkeypatch.setattr("natya.transfer.fetch", lambda *_, **__: iter(outcomes))
    told = natya("data", "fetch", "TCS", "INFY", "HDFC", "--from", "2026-01-01", "--data-dir", tmp_path)

    assert told.exit_code == 1
    assert [each in told.stdout + told.stderr for each in ("TCS", "INFY", "HDFC")] == [True] * 3
