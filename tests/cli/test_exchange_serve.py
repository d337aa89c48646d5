"""What `natya exchange serve` makes of its options; no exchange is served."""

import pytest

from natya.cli.commands.exchange import serve


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
