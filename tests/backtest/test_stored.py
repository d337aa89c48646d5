"""Market data out of a database that a system has recorded."""

from datetime import timedelta

import natya_backtests
import pytest
from natya_recordings import BEGIN, write_candles

import natya
from natya.actors.journal.tools import tail
from natya.backtest import BacktestRefusedError
from natya.messages.orders import OrderFilled, OrderIntended

pytestmark = pytest.mark.usefixtures("engines")

FREE = {"charges": "none"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A recording, and the data directory of a system that played it."""
    folder = tmp_path_factory.mktemp("recorded")
    recording = write_candles(folder / "walk.csv", 90, seed=8)
    overrides = {
        "system.data_dir": str(folder / "data"),
        "feed.source": "replay",
        "feed.recording": str(recording),
        "feed.symbol": "TCS",
        "feed.speed": 0.0,
        "control.enabled": False,
    }
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)) as system:
        assert system.await_end(50) is not None
    return recording, folder / "data"


def trades(result):
    return [(fill.side, fill.price, fill.occurred_ns) for fill in result.fills]


class TestADatabase:
    @pytest.mark.parametrize(
        ("strategy", "interval"), [(natya_backtests.Crossover, "1m"), (natya_backtests.Watcher, "")]
    )
    def test_gives_the_trades_of_the_recording_that_it_has(self, recorded, strategy, interval):
        recording, data_dir = recorded

        stored = natya.backtest(strategy, data_dir, symbols=["TCS"], interval=interval, **FREE)

        assert trades(stored) == trades(natya.backtest(strategy, recording, symbols=["TCS"], **FREE))
        assert len(stored.fills) > 3

    def test_has_a_timer_meet_the_prices_that_it_meets_in_the_recording(self, recorded, tmp_path):
        """With candles, with ticks, with both: those of its moment come behind it."""
        recording, data_dir = recorded
        written = {}
        for name, data, interval in (("file", recording, ""), ("ticks", data_dir, ""), ("candles", data_dir, "1m")):
            kept = {"data_dir": tmp_path / name}
            natya.backtest(natya_backtests.Quarterly, data, symbols=["TCS"], interval=interval, **kept, **FREE)
            written[name] = [record.fact for record in tail(tmp_path / name / "journal", records_max=1_000)]

        facts = [fact for fact in written["file"] if isinstance(fact, OrderIntended | OrderFilled)]
        assert len(facts) == 2 * 6
        assert written["ticks"] == written["candles"] == written["file"]

    @pytest.mark.parametrize("interval", ["1m", ""])
    def test_gives_the_history_of_before_the_beginning(self, recorded, interval):
        recording, data_dir = recorded
        seen, since = natya_backtests.Rememberer.SEEN, (BEGIN + timedelta(minutes=22)).isoformat()

        natya.backtest(natya_backtests.Rememberer, data_dir, symbols=["TCS"], since=since, interval=interval, **FREE)
        stored = list(seen)

        natya.backtest(natya_backtests.Rememberer, recording, symbols=["TCS"], since=since, **FREE)
        known = {now_ns: minutes[:2] for now_ns, minutes, _ in seen}
        assert stored[0][1][:2] == seen[0][1][:2]
        assert len(seen[0][1][0]) == 22
        assert all(known[now_ns] == minutes[:2] for now_ns, minutes, _ in stored if now_ns in known)

    def test_that_has_no_such_candles_says_which_it_has(self, recorded):
        with pytest.raises(BacktestRefusedError, match="candles of 5m wanted, found 60 s in "):
            natya.backtest(natya_backtests.Crossover, recorded[1], interval="5m")

    def test_is_given_alone(self, recorded):
        with pytest.raises(BacktestRefusedError, match="one database or files"):
            natya.backtest(natya_backtests.Crossover, recorded)
