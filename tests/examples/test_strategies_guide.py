"""The guide for those who write strategies: each of its classes is played, and does what the text says."""

import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType

import natya

GUIDE = Path(__file__).parents[2] / "docs" / "strategies.md"
SNIPPETS = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPENING = datetime(2026, 1, 1, 9, 15, tzinfo=timezone(timedelta(hours=5, minutes=30)))


def write_days(path, days=2):
    """Write 5-minute candles whose prices swing by some percent, with the hours of trading."""
    lines = ["date,open,high,low,close,volume"]
    for place in range(75 * days):
        moment = OPENING + timedelta(days=place // 75, minutes=place % 75 * 5)
        price = 1_000 + 20 * ((place * 7 + 11) % 23 - 11) / 11
        lines.append(f"{moment.isoformat()},{price:.1f},{price + 4:.1f},{price - 4:.1f},{price + 1:.1f},900")
    path.write_text("\n".join(lines) + "\n")
    return path


def strategies_of(text, monkeypatch):
    program = ModuleType("strategies_guide")
    monkeypatch.setitem(sys.modules, "strategies_guide", program)
    for found in SNIPPETS.finditer(text):
        # Blank lines before it, so that a failure names the line of the guide.
        source = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(source, str(GUIDE), "exec"), program.__dict__)  # noqa: S102  our own text
    return [
        value for value in vars(program).values() if isinstance(value, type) and issubclass(value, natya.StrategyActor)
    ]


def test_every_strategy_in_it_trades_and_none_fails(monkeypatch, tmp_path):
    strategies = strategies_of(GUIDE.read_text(), monkeypatch)
    settings = natya.load_settings(
        "paper",
        environment={},
        overrides={
            "system.data_dir": str(tmp_path / "data"),
            "feed.source": "replay",
            "feed.recording": str(write_days(tmp_path / "candles.csv")),
            "feed.symbol": "TCS",
            "feed.speed": 0.0,
            "control.enabled": False,
            "strategies": [{"name": each.__name__, "strategy": each} for each in strategies],
        },
    )
    with natya.TradingSystem(settings) as system:
        assert system.await_end(30) is not None
        fills = {each: system.request(each.__name__, natya.Ping(), timeout_s=5).statistics.fills for each in strategies}
        summary = system.stop()

    assert len(strategies) >= 2
    assert [each.__name__ for each, count in fills.items() if not count] == []
    assert (summary.restarts, summary.error) == (0, "")
