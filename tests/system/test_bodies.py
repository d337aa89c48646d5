"""A broker and a source of market data that are added, each with options of its own."""

import json
from typing import Annotated, ClassVar

import msgspec
import pytest
from msgspec import Meta
from typer.testing import CliRunner

from natya.actors.broker import BROKERS
from natya.actors.broker.bodies.paper import PaperBroker
from natya.actors.feed import SOURCES, SourceBody
from natya.cli.app import app
from natya.composition import notes_on, seed_of
from natya.config.errors import SettingsError
from natya.config.loader import load_settings
from natya.messages.market import Tick
from natya.system import TradingSystem


class DiaryOptions(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    pages_max: Annotated[int, Meta(ge=1, le=100)] = 10


class DiaryBroker(PaperBroker):
    """Writes down what it was given."""

    OPTIONS: ClassVar = DiaryOptions
    given: ClassVar = []

    def __init__(self, settings, options, session):
        super().__init__(settings, options, session)
        self.given.append(options)


class StairOptions(msgspec.Struct, frozen=True, kw_only=True):
    steps: int
    symbol: str = "TCS"


class Stair:
    """A price that goes up by a rupee a second."""

    bad_rows = 0
    notes = ()

    def __init__(self, settings, options, surroundings):
        self.options = options
        self.start_ns = surroundings.start_ns

    def chunks(self):
        yield [
            Tick(
                symbol=self.options.symbol,
                price=100.0 + step,
                quantity=1,
                exchange_ns=self.start_ns + step * 1_000_000_000,
                source="stair",
                sequence=step,
            )
            for step in range(1, self.options.steps + 1)
        ]

    def close(self):
        """Nothing is open."""


@pytest.fixture
def added(monkeypatch):
    monkeypatch.setitem(BROKERS, "diary", DiaryBroker)
    monkeypatch.setitem(SOURCES, "stair", SourceBody(Stair, StairOptions))
    monkeypatch.setattr(DiaryBroker, "given", [])


@pytest.fixture
def natya(tmp_path):
    def invoke(*arguments):
        return CliRunner().invoke(app, [*arguments, "--set", f"system.data_dir={tmp_path}"])

    return invoke


@pytest.mark.usefixtures("added")
class TestABodyThatWasAdded:
    def test_gets_its_options_as_its_own_type(self, tmp_path):
        overrides = {
            "system.data_dir": str(tmp_path),
            "broker.name": "diary",
            "broker.options": {"path": "today.txt"},
            "feed.source": "stair",
            "feed.options": {"steps": 3},
            "feed.speed": 0.0,
        }
        with TradingSystem(load_settings(overrides=overrides, environment={})) as system:
            system.await_end(timeout_s=20)
            summary = system.stop()

        assert DiaryBroker.given == [DiaryOptions(path="today.txt", pages_max=10)]
        assert summary.ticks == 3

    def test_refuses_them_before_anything_is_started_by_the_full_names_of_their_keys(self, tmp_path):
        overrides = {
            "system.data_dir": str(tmp_path / "data"),
            "broker.name": "diary",
            "broker.options": {"pages_max": 0, "pathh": "x"},
            "feed.source": "stair",
            "feed.options": {"steps": "three"},
        }
        with pytest.raises(SettingsError) as refusal:
            TradingSystem(load_settings(overrides=overrides, environment={}))

        assert refusal.value.problems == (
            "broker.options.pages_max: wanted a whole number from 1 to 100, found 0",
            "broker.options.pathh: unknown key; did you mean path?",
            "broker.options.path: wanted a value, found none",
            "feed.options.steps: wanted a whole number, found 'three'",
        )
        assert not (tmp_path / "data").exists()

    def test_refuses_numbers_that_are_none_however_the_settings_were_made(self, tmp_path):
        settings = load_settings(overrides={"system.data_dir": str(tmp_path / "data")}, environment={})
        wrong = msgspec.structs.replace(settings.supervision, fail_max=0)
        with pytest.raises(SettingsError, match=r"^supervision\.fail_max: wanted .*, found 0$"):
            TradingSystem(msgspec.structs.replace(settings, supervision=wrong))

        assert not (tmp_path / "data").exists()

    @pytest.mark.parametrize("command", [("run",), ("config", "show"), ("config", "check")])
    def test_refuses_them_on_the_command_line_with_78(self, natya, command):
        found = natya(*command, "--set", "feed.source=stair", "--set", "feed.options={ stepps = 3 }")

        assert found.exit_code == 78
        assert "command line: feed.options.stepps: unknown key; did you mean steps?" in found.output

    def test_is_shown_with_its_options(self, natya):
        found = natya("config", "show", "--json", "--set", "feed.source=stair", "--set", "feed.options={ steps = 3 }")

        assert json.loads(found.output)["settings"]["feed.options"]["value"] == {"steps": 3}


class TestANameThatNoBodyHas:
    @pytest.mark.parametrize(
        ("key", "problem"),
        [
            ("feed.source", "feed.source: wanted one of synthetic, replay, dhan, found 'liv'"),
            ("broker.name", "broker.name: wanted one of paper, dhan, found 'liv'"),
        ],
    )
    def test_is_refused_before_anything_is_started(self, tmp_path, natya, key, problem):
        settings = load_settings(overrides={"system.data_dir": str(tmp_path), key: "liv"}, environment={})
        with pytest.raises(SettingsError, match=problem):
            TradingSystem(settings)
        refused = natya("run", "--set", f"{key}=liv")

        assert refused.exit_code == 78
        assert f"command line: {problem}" in refused.output

    def test_takes_no_options_where_the_body_has_none(self, natya):
        refused = natya("run", "--set", "broker.options={ url = 'x' }")

        assert refused.exit_code == 78
        assert "command line: broker.options.url: unknown key" in refused.output


def test_nothing_is_drawn_from_the_seed_of_the_settings_where_orders_leave_for_a_broker():
    given = {"feed.seed": 11, "broker.client_id": "1"}
    seeds = [seed_of(load_settings(profile, overrides=given)) for profile in ("paper", "live")]

    assert seeds == [11, None]


@pytest.mark.parametrize(
    ("url", "base_url", "notes"),
    [
        ("ws://127.0.0.1:9/feed", "", 1),
        ("ws://127.0.0.1:9/feed", "http://127.0.0.1:9/v2", 0),
        ("wss://api-feed.dhan.co", "", 0),
        ("wss://api-feed.dhan.co", "http://127.0.0.1:9/v2", 0),
    ],
)
def test_prices_of_one_exchange_whose_gaps_another_would_fill_are_told(url, base_url, notes):
    given = {"feed.source": "dhan", "feed.options": {"url": url}, "broker.base_url": base_url}
    who = {"BROKER_CLIENT_ID": "1", "BROKER_ACCESS_TOKEN": "a-token"}
    told = [*notes_on(load_settings(overrides=given, environment=who))]

    assert len(told) == notes
    assert all("BROKER_BASE_URL" in note for note in told)


@pytest.mark.parametrize(
    ("source", "recording", "notes"),
    [("synthetic", "candles.csv", 1), ("replay", "candles.csv", 0), ("synthetic", "", 0)],
)
def test_a_recording_that_is_named_and_not_played_is_told(source, recording, notes):
    told = [*notes_on(load_settings(overrides={"feed.source": source, "feed.recording": recording}))]

    assert len(told) == notes
    assert all("feed.recording is not played: feed.source is synthetic" in note for note in told)
