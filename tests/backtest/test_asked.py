"""What a backtest was asked for, as its page says it: each by its name, or what holds where nothing was asked."""

from pathlib import Path

from natya.backtest.pages.asked import asked
from natya.backtest.plan import Plan
from natya.domain.time import SECOND_NS

STRATEGY = "natya_backtests:Crossover"
AT_NS = 1_790_567_100 * SECOND_NS  # 2026-09-28 09:15:00 in India


def test_has_each_of_the_settings_by_its_name():
    plan = Plan(
        strategy=STRATEGY,
        data=(Path("a.csv"), Path("b.csv")),
        symbols=("INFY", "TCS"),
        since_ns=AT_NS,
        until_ns=AT_NS + 60 * SECOND_NS,
        interval="5m",
        parameters={"fast": 3, "slow": 7},
        latency_s=0.25,
        slippage_percent=0.5,
        slippage_ticks=2,
        charges="none",
        capital_rupees=123_456.0,
        settings={"orders.quantity_max": 7},
        config=Path("natya.toml"),
    )
    found = dict(asked(plan))

    assert found == {
        "strategy": STRATEGY,
        "data": "a.csv, b.csv",
        "symbols": "INFY, TCS",
        "from": "2026-09-28 09:15:00 IST",
        "to": "2026-09-28 09:16:00 IST",
        "interval": "5m",
        "latency": "250 ms",
        "slippage": "0.5 % and 2 ticks",
        "charges": "none",
        "capital": "123,456.00 rupees",
        "parameter fast": "3",
        "parameter slow": "7",
        "orders.quantity_max": "7",
        "file of settings": "natya.toml",
    }
    assert found.keys() - dict(asked(plan, varied=["fast"])).keys() == {"parameter fast"}


def test_says_what_holds_where_nothing_was_asked():
    found = dict(asked(Plan(strategy=STRATEGY, data=(Path("a.csv"),))))

    assert (found["symbols"], found["from"], found["to"]) == ("all of the data", "the beginning", "the end")
    assert not {"interval", "file of settings"} & found.keys()
