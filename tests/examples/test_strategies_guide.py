"""The guide for those who write strategies, and the first one of the README: each is played, and trades."""

from pathlib import Path

from natya_snippets import snippets_of
from natya_swings import write_days

import natya

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "strategies.md"
README = ROOT / "README.md"


def strategies_of(page, monkeypatch, *, which=""):
    """The strategies of a page, of its snippets that have this text."""
    snippets, program = snippets_of(page, monkeypatch)
    for snippet in snippets:
        if which in snippet.parsed:
            snippet.evaluate()
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
