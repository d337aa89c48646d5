"""Timers and sessions in the time of a recording."""

from collections import Counter

import pytest
from natya_recordings import write_last_prices

pytestmark = pytest.mark.usefixtures("engines")

CLOSING = "natya_players:AtTheClose"
CALLED = ("close", "a time", "the close", "each minute", "candle 101.0")
AT_THE_CLOSE = {f"15:30:00 {what}": 1 for what in CALLED}
DAYS = 2
MORNING = ["09:15:00 open", "09:57:00 buy", "10:02:00 square off", "15:30:00 close"]


class TestTheLastClose:
    @pytest.mark.parametrize("kind", ["ticks", "candles"])
    def test_is_told_of_a_recording_that_has_a_price_in_the_minute_before(self, tmp_path, plays, kind):
        recording, path = write_last_prices(tmp_path / "recording.csv", kind=kind), tmp_path / "calls"
        plays(tmp_path / "data", recording, {"name": "late", "strategy": CLOSING, "parameters": {"path": str(path)}})

        assert Counter(line for line in path.read_text().splitlines() if line.startswith("15:30")) == AT_THE_CLOSE


class TestAStrategyThatTradesByTheClock:
    @pytest.mark.parametrize("raises", [False, True])
    def test_is_called_at_the_minute_in_the_recordings_time_also_after_a_restart(
        self, tmp_path, mornings, plays, raises
    ):
        strategy = {
            "name": "punctual",
            "strategy": "natya_players:Punctual",
            "parameters": {"path": str(tmp_path / "calls"), "raises": raises},
        }
        play = plays(tmp_path / "data", mornings(DAYS, minutes=30), strategy)
        calls = (tmp_path / "calls").read_text().splitlines()
        told = [line for line in calls if "tick" not in line and "stop" not in line]

        assert told[:5] == ["01 09:55:00 open", *(f"01 {each}" for each in MORNING[1:]), "02 09:15:00 open"]
        assert told[5:] == ["02 09:57:00 buy", "02 10:02:00 square off"]
        assert [(fill.side, fill.quantity) for fill in play.fills] == [("BUY", 10), ("SELL", 10)] * DAYS
        assert play.summary.restarts == (DAYS if raises else 0)
        assert calls[-1].endswith("stop")
