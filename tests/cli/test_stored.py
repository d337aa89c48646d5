"""What a database has recorded is played again."""

import datetime as dt
from pathlib import Path

import pytest
from msgspec.structs import replace

from natya.actors.database import DatabaseError, MarketDataRepositoryImpl
from natya.actors.feed import RecordingError, open_recordings
from natya.config.loader import load_settings
from natya.messages.market import Candle, DaySummary, Depth, Tick
from natya.transfer import stored, stored_files

pytestmark = pytest.mark.usefixtures("engines")

IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
SECOND_NS = 10**9
OPEN_NS = int(dt.datetime(2026, 1, 2, 9, 15, tzinfo=IST).timestamp()) * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


def a_book(levels):
    prices = tuple(round(100 - number * 0.05, 2) for number in range(levels))
    quantities = tuple(range(1, levels + 1))
    above = tuple(round(100.05 + number * 0.05, 2) for number in range(levels))
    return Depth(
        bid_prices=prices,
        bid_quantities=quantities,
        bid_orders=quantities,
        ask_prices=above,
        ask_quantities=quantities,
        ask_orders=quantities,
    )


A_DAY = DaySummary(
    open_price=99.5,
    high_price=101.0,
    low_price=99.0,
    close_price=100.0,
    average_price=100.13,
    total_buy_quantity=5_000,
    total_sell_quantity=4_000,
    open_interest=None,
)
SHAPES = [
    (None, None),
    (a_book(5), A_DAY),
    (a_book(20), A_DAY),
    (a_book(2), None),
    (None, replace(A_DAY, open_interest=7)),
]


def some_ticks(count, source="dhan-1", *, since_ns=OPEN_NS, step_ns=DAY_NS // 40):
    """Ticks of two symbols and of several days, of every shape that a tick has; pairs of them are of one time."""
    return [
        Tick(
            symbol=("NIFTY", "TCS")[number % 2],
            price=100 + number * 0.05,
            quantity=number,
            exchange_ns=since_ns + number // 2 * step_ns,
            source=source,
            sequence=number + 1,
            received_ns=since_ns + number,
            volume=10 * number,
            depth=SHAPES[number % len(SHAPES)][0],
            day=SHAPES[number % len(SHAPES)][1],
        )
        for number in range(count)
    ]


def some_candles(count, seconds):
    return [
        Candle(
            symbol="TCS",
            interval_ns=seconds * SECOND_NS,
            start_ns=OPEN_NS + number * 3 * seconds * SECOND_NS,  # sparse: their distances do not tell their length
            open=100.0,
            high=101.0,
            low=99.5,
            close=100.5,
            volume=number,
            source="charts",
        )
        for number in range(count)
    ]


@pytest.fixture
def store(tmp_path):
    """Make a database of these ticks and candles; return its data directory."""

    def make(*ticks, candles=()):
        with MarketDataRepositoryImpl(tmp_path / "data" / "natya.duckdb", create=True) as repository:
            for each in ticks:
                assert repository.save_ticks(each).success
            assert repository.save_candles(list(candles)).success
        return tmp_path / "data"

    (tmp_path / "data").mkdir()
    return make


@pytest.fixture
def play(tmp_path):
    """Play what a database has; return the messages."""

    def read(place, name="stored", **wanted):
        files = stored_files(place, tmp_path / name, **wanted)
        overrides = {"feed.source": "replay", "feed.recording": list(map(str, files)), "feed.exchange": "none"}
        settings = load_settings("paper", environment={}, overrides=overrides).feed
        return [message for chunk in open_recordings(settings).chunks() for message in chunk]

    return read


def same(tick):
    """Leave out where a tick came from, and when."""
    return replace(tick, source="", sequence=1, received_ns=0)


class TestRecordedTicks:
    def test_play_again_equal_with_the_same_name_whichever_file_is_named(self, store, play):
        ticks = some_ticks(100)
        place = store(ticks)

        played = play(place)

        assert list(map(same, played)) == list(map(same, ticks))
        assert [tick.sequence for tick in played] == list(range(1, 101))
        assert play(place / "natya-market.duckdb", "again") == played

    def test_are_of_the_symbols_and_the_time_that_are_wanted(self, store, play):
        ticks = some_ticks(90, step_ns=SECOND_NS)
        since_ns, until_ns = ticks[10].exchange_ns, ticks[70].exchange_ns

        played = play(store(ticks), symbols=["TCS"], since_ns=since_ns, until_ns=until_ns)

        wanted = [each for each in ticks if each.symbol == "TCS" and since_ns <= each.exchange_ns < until_ns]
        assert list(map(same, played)) == list(map(same, wanted))

    def test_of_two_sources_one_after_the_other_are_one_market(self, store, play):
        first = some_ticks(20)
        second = some_ticks(20, "dhan-2", since_ns=first[-1].exchange_ns + 1)

        assert list(map(same, play(store(first, second)))) == list(map(same, [*first, *second]))

    def test_of_two_sources_at_one_time_are_refused_unless_one_is_named(self, store, play):
        first, second = some_ticks(20), some_ticks(20, "dhan-2", since_ns=OPEN_NS + 1)
        place = store(first, second)

        with pytest.raises(RecordingError, match="found NIFTY of dhan-1 and of dhan-2"):
            play(place)
        assert list(map(same, play(place, source="dhan-2"))) == list(map(same, second))

    def test_of_two_sources_at_the_same_moment_are_refused_too(self, store, play):
        with pytest.raises(RecordingError, match="of dhan-1 and of dhan-2"):
            play(store(some_ticks(1), some_ticks(1, "dhan-2")))

    def test_are_not_doubled_by_what_a_replay_of_them_recorded(self, store, play):
        ticks = some_ticks(20)
        place = store(ticks, some_ticks(20, "replay-0123456789abcdef"))

        assert list(map(same, play(place))) == list(map(same, ticks))

    def test_are_read_with_the_key_of_the_environment(self, store, play, monkeypatch):
        """This DuckDB writes no encrypted file, so a plain one shows that the key reaches it: it is of no use there."""
        place = store(some_ticks(4))
        monkeypatch.setenv("NATYA_DATABASE__ENCRYPTION_KEY", "a key of thirty-two bytes, or so")

        with pytest.raises(DatabaseError, match="encrypt"):
            play(place)


class TestStoredCandles:
    def test_play_again_with_their_length(self, store, play):
        candles = some_candles(30, 60)

        played = [each for each in play(store(candles=candles)) if isinstance(each, Candle)]

        assert [replace(each, source="charts") for each in played] == candles

    def test_of_several_lengths_are_those_that_are_named(self, store, play):
        place = store(candles=[*some_candles(9, 60), *some_candles(5, 300)])

        with pytest.raises(RecordingError, match="found 60 s and 300 s"):
            play(place)
        with pytest.raises(RecordingError, match="candles of 15m wanted, found 60 s and 300 s"):
            play(place, "again", interval="15m")
        played = [each for each in play(place, "last", interval="5m") if isinstance(each, Candle)]
        assert [each.interval_ns for each in played] == [300 * SECOND_NS] * 5


class TestWhoseTicksArePlayed:
    """Of spans of a symbol and a source each, by symbol and by the time of the first tick."""

    @pytest.mark.parametrize(
        ("spans", "found"),
        [
            ([], ()),
            ([("X", "a", 0, 10), ("X", "b", 11, 20)], ("a", "b")),
            ([("X", "b", 0, 10), ("Y", "a", 5, 6)], ("a", "b")),
            ([("X", "a", 0, 30), ("X", "replay-z", 5, 6)], ("a",)),
            ([("X", "replay-y", 0, 5), ("X", "replay-z", 6, 7)], ("replay-y", "replay-z")),
            ([("X", "replay-z", 0, 30), ("X", "a", 5, 10), ("X", "b", 11, 12)], ("a", "b")),
        ],
    )
    def test_are_those_of_each_that_was_not_played_itself(self, spans, found):
        assert stored._sources(Path("x"), spans) == found

    @pytest.mark.parametrize(
        "spans",
        [
            [("X", "a", 0, 10), ("X", "b", 10, 20)],
            [("X", "a", 0, 30), ("X", "b", 5, 6)],
            [("X", "replay-y", 0, 30), ("X", "replay-z", 5, 6)],
            [("W", "b", 0, 90), ("X", "a", 0, 10), ("X", "b", 9, 9)],
        ],
    )
    def test_are_of_one_source_at_a_time(self, spans):
        with pytest.raises(RecordingError, match=r"found X of .* and of "):
            stored._sources(Path("x"), spans)


class TestTheCommands:
    def test_run_plays_a_database_and_its_files_are_gone_afterwards(self, store, monkeypatch, natya):
        seen = []

        def perform(settings, _make_system, *, summary_format):  # noqa: ARG001  as it is called
            chunks = open_recordings(settings.feed).chunks()
            seen.append((settings, [message for chunk in chunks for message in chunk]))
            return 0

        monkeypatch.setattr("natya.cli.foreground.perform", perform)
        of_currency = [replace(each, price=84.2525 + 0.0025 * each.sequence) for each in some_ticks(10, step_ns=1)]
        place = store(of_currency)

        done = natya("run", "--replay", place, "--symbol", "TCS", "--symbol", "NIFTY", "--to", "2026-01-02")

        assert done.exit_code == 0, done.output
        ((settings, played),) = seen
        assert [each.price for each in played] == [round(each.price, 4) for each in of_currency]
        assert not Path(settings.feed.recordings[0]).exists()

    def test_run_refuses_what_only_a_database_has(self, tmp_path, natya):
        refused = natya("run", "--replay", tmp_path / "a.csv", "--from", "2026-01-02")

        assert refused.exit_code == 2
        assert "of a database" in refused.output

    def test_run_refuses_a_database_beside_a_file(self, store, tmp_path, natya):
        refused = natya("run", "--replay", store(some_ticks(1)), "--replay", tmp_path / "a.csv")

        assert (refused.exit_code, "one database or files wanted" in refused.output) == (2, True)

    def test_run_says_that_a_database_has_nothing_of_a_time(self, store, natya):
        refused = natya("run", "--replay", store(some_ticks(10)), "--from", "2027-01-01")

        assert refused.exit_code == 65
        assert "found none" in refused.output

    def test_inspect_shows_what_a_database_has(self, store, natya):
        shown = natya("data", "inspect", store(some_ticks(10, step_ns=1), candles=some_candles(4, 60)))

        assert shown.exit_code == 0, shown.output
        assert "data: ticks-2026-01-02" in shown.stdout
        assert "data: candles-60s" in shown.stdout
        assert "interval  1m" in shown.stdout
