"""What the log says of one order, from its signal to its fill."""

import json

import pytest

import natya

pytestmark = pytest.mark.usefixtures("engines")


class Signalling(natya.StrategyActor):
    def on_tick(self, tick):
        if not self.open_orders and not self.position(tick.symbol):
            self.log("signal.seen")
            self.buy(tick.symbol, 10)

    def on_fill(self, _fill):
        self.log("fill.seen")


def test_each_line_has_the_order_s_correlation_id_and_the_first_names_its_signal(tmp_path):
    path = tmp_path / "natya.log"
    market = {"feed.symbols": ["TCS"], "feed.duration_s": 1.0, "feed.speed": 0.0}
    overrides = {
        "system.data_dir": str(tmp_path),
        "strategies": [{"name": "signalling", "strategy": Signalling}],
        "log.level": "debug",
        "log.path": str(path),
        **market,
    }
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)) as system:
        system.await_end()

    told = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [each for each in told if each["event"].startswith(("signal.", "order.", "fill."))]
    signal, requested, *later = lines
    assert [each["event"] for each in lines] == [
        *("signal.seen", "order.requested", "order.answered", "order.reported", "fill.seen")
    ]
    assert requested["fields"] == {"request": "SubmitOrder", "signal": signal["correlation_id"]}
    assert {each["correlation_id"] for each in later} == {requested["correlation_id"]}
