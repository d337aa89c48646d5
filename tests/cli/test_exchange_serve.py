"""What `natya exchange serve` makes of its options; no exchange is served."""

import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from natya.cli.commands.exchange import serve
from natya.cli.serving import perform
from natya.config.secrets import Secret
from natya.messages.exchange import WireFound

SYNTHETIC = {"feed.source": "synthetic", "feed.options": {"levels": serve.BOOK_LEVELS}}
WAITING = ("--consent-redirect", "http://127.0.0.1:5000/back")


class Loaded(Exception):  # noqa: N818  ends the command where settings would be loaded
    """With what was asked for."""


@pytest.fixture
def given(natya, monkeypatch):
    def loaded(_profile, given):
        raise Loaded(given)

    monkeypatch.setattr(serve, "load_to_run", loaded)

    def asked(*options):
        ended = natya("exchange", "serve", "--data-dir", "here", *options)
        assert isinstance(ended.exception, Loaded), ended.output
        return ended.exception.args[0]

    return asked


class TestSymbols:
    def test_of_a_synthetic_market_are_as_many_as_were_named(self, given):
        assert given("--symbol", "INFY", "--symbol", "NIFTY")["feed.symbols"] == ["INFY", "NIFTY"]
        assert "feed.symbols" not in given("--synthetic", "7")

    def test_of_a_recording_are_one(self, given, natya):
        told = given("--replay", "day.csv", "--symbol", "INFY")
        assert (told["feed.symbol"], "feed.symbols" in told) == ("INFY", False)

        refused = natya("exchange", "serve", "--replay", "day.csv", "--symbol", "INFY", "--symbol", "TCS")
        assert refused.exit_code == 2
        assert "one --symbol of a recording wanted, found 2" in " ".join(refused.output.split())


class TestTheMarket:
    @pytest.mark.parametrize(
        ("options", "found"),
        [
            ((), SYNTHETIC),
            (("--synthetic", "7"), SYNTHETIC | {"feed.seed": 7}),
            (("--by-hand",), {"feed.source": "synthetic"}),
            (("--feed", "dhan"), {"feed.source": "dhan"}),
            (("--replay", "a.csv"), {"feed.source": "replay", "feed.recording": "a.csv"}),
            (
                ("--replay", "a.csv", "--replay", "b.csv", "--speed", "2"),
                {"feed.source": "replay", "feed.recording": ["a.csv", "b.csv"], "feed.speed": 2.0},
            ),
            (
                ("--port", "0", "--instruments", "lists", "--always-open"),
                SYNTHETIC | {"web.port": 0, "instruments.path": "lists", "exchange.always_open": True},
            ),
        ],
    )
    def test_is_the_one_that_was_asked_for(self, given, options, found):
        assert given(*options) == {"system.data_dir": "here", **found}

    @pytest.mark.parametrize(
        "options",
        [("--synthetic", "0", "--by-hand"), ("--feed", "dhan", "--by-hand"), ("--replay", "a", "--feed", "b")],
    )
    def test_is_one(self, natya, options):
        refused = natya("exchange", "serve", *options)

        assert (refused.exit_code, "found several" in " ".join(refused.output.split())) == (2, True)


class TestWhereAnApplicationWaits:
    @pytest.mark.parametrize("address", ["http://127.0.0.1:5000/back?for=me", "https://example.org"])
    def test_is_an_address(self, given, address):
        assert given("--consent-redirect", address) == {"system.data_dir": "here", **SYNTHETIC}

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "here",
            "ftp://host",
            "http://",
            "http://[",
            "http://a b",
            "http://a\r\nset-cookie: b",
            "http://a/\x07",
            "http://ä",
        ],
    )
    def test_is_nothing_else(self, natya, address):
        refused = natya("exchange", "serve", "--consent-redirect", address)

        assert (refused.exit_code, "an http address wanted" in " ".join(refused.output.split())) == (2, True)


@pytest.mark.usefixtures("given")
def test_its_account_is_beside_that_of_what_runs_and_its_instruments_are_the_same(natya, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = natya("exchange", "serve").exception.args[0]
    here = Path(found["system.data_dir"])
    folder = natya("exchange", "serve", "--instruments", "mine").exception.args[0]["instruments.path"]

    assert here.name.endswith("-exchange")
    assert found["instruments.path"] == str(here.with_name(here.name.removesuffix("-exchange")) / "instruments")
    assert folder == "mine"


@pytest.mark.parametrize(
    ("options", "market", "faults", "limits"),
    [((), True, False, True), (("--by-hand", "--faults", "--unlimited", *WAITING), False, True, False)],
)
def test_is_served_as_safely_as_the_options_leave_it(natya, monkeypatch, options, market, faults, limits):  # noqa: PLR0913, PLR0917  what may be left
    made = []
    monkeypatch.setattr(serve, "load_to_run", lambda *_: SimpleNamespace(settings=None))
    monkeypatch.setattr("natya.exchange_system.ExchangeSystem", lambda _, serving: made.append(serving))
    monkeypatch.setattr("natya.cli.serving.perform", lambda make, _token, json: make() or 7 + json)
    codes = [
        natya("exchange", "serve", "--data-dir", "here", *options, *more).exit_code
        for more in (("--token", "mine", "--client-id", "9"), (), ("--json",))
    ]
    own, first, second = made

    assert codes == [7, 7, 8]
    assert (own.has_market, own.has_faults, own.is_limited) == (market, faults, limits)
    assert own.consent_redirect == ("" if limits else WAITING[1])
    assert (own.token.reveal(), own.client_id, first.client_id) == ("mine", "9", "1000000001")
    assert first.token.reveal() != second.token.reveal()
    assert len(first.token.reveal()) > 32


@pytest.mark.parametrize(
    ("is_terminal", "is_wanted", "is_json"), [(False, False, True), (True, True, True), (True, False, False)]
)
def test_where_it_is_served_is_an_object_of_json_but_for_a_person_at_a_terminal(
    monkeypatch, capsysbinary, is_terminal, is_wanted, is_json
):
    class Ended:
        notes = stop_failures = ()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def found(self):
            return WireFound(rest="http://127.0.0.1:8711/v2", client_id="9")

        def expect_running(self, _for_s):
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)

    code = perform(Ended, Secret("word"), json=is_wanted)
    told = capsysbinary.readouterr().out.decode()

    assert code == 0
    if is_json:
        assert json.loads(told)["rest"] == "http://127.0.0.1:8711/v2"
        assert json.loads(told).keys() >= {"schema", "token"}
    else:
        assert "rest          http://127.0.0.1:8711/v2\n" in told
        assert "token         word\n" in told
