"""natya inside a program of your own: trade a recording on paper, then look at what came of it.

python examples/embed.py RECORDING.csv SYMBOL
"""

import sys
import tempfile

import natya


def main(recording: str, symbol: str) -> None:
    """Replay the recording as fast as it goes, with the default strategy, in a directory that is thrown away."""
    with tempfile.TemporaryDirectory() as data_dir:
        market = {"feed.source": "replay", "feed.recording": recording, "feed.symbol": symbol, "feed.speed": 0.0}
        settings = natya.load_settings("paper", overrides={**market, "system.data_dir": data_dir})
        with natya.TradingSystem(settings) as system:
            system.await_end()
            summary = system.stop()
    print(
        f"{summary.ticks:,} ticks, {summary.fills} fills, {summary.realized_pnl + summary.unrealized_pnl:+,.2f} rupees"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
