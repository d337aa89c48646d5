"""The guide for those who write strategies, and the first one of the README: each is played, and trades."""

import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType

import natya

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "strategies.md"
README = ROOT / "README.md"
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


def strategies_of(page, monkeypatch, *, which=""):
    """The strategies of a page, of its snippets that have this text."""
    program = ModuleType(f"strategies_{page.stem}")
    monkeypatch.setitem(sys.modules, program.__name__, program)
    text = page.read_text(encoding="utf-8")
    for found in SNIPPETS.finditer(text):
        if which in found[1]:
            # Blank lines before it, so that a failure names the line of the page.
            source = "\n" * text.count("\n", 0, found.start(1)) + found[1]
            exec(compile(source, str(page), "exec"), program.__dict__)  # noqa: S102  our own text
    return [
        value for value in vars(program).values() if isinstance(value, type) and issubclass(value, natya.StrategyActor)
    ]


def test_every_strategy_in_it_trades_and_none_fails(monkeypatch, tmp_path):
    classes = strategies_of(GUIDE, monkeypatch) + strategies_of(README, monkeypatch, which="natya.StrategyActor")
    strategies = {f"{each.__name__}{place}": each for place, each in enumerate(classes)}
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
            "strategies": [{"name": name, "strategy": each} for name, each in strategies.items()],
        },
    )
    with natya.TradingSystem(settings) as system:
        assert system.await_end(30) is not None
        fills = {name: system.request(name, natya.Ping(), timeout_s=5).statistics.fills for name in strategies}
        summary = system.stop()

    assert len(strategies) >= 3
    assert [name for name, count in fills.items() if not count] == []
    assert (summary.restarts, summary.error) == (0, "")
