"""A crossover on minutes, backtested: candles a second, beside other engines and longer recordings.

    python benchmarks/bench_backtest.py [--candles 15000] [--recording FILE --symbol NAME] [--peers PYTHON]

Each candle is four ticks; averages of 10 and 30 closes, quantity 1, some four orders a hundred candles: risk gate,
journal, broker session and exchange are the real actors. Floors: the same averages over the same file by `csv` and
plain Python, without orders or an account; and, where `--peers` names the Python of an environment that has them,
backtesting.py, backtrader and nautilus_trader 1.221 on the same file in the same run. The first two may not be a
dependency: one is AGPL, one GPL.
Targets: 65,000 candles/s, as the fastest of the peers, which calls a strategy once a candle and fills in place; the
same for ten times the candles within 10 %, since others grow slower with every trade; a peak of memory below 300 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from figures import Figure, report
from recordings import write_candles

CANDLES_PER_S_TARGET = 65_000
OF_LONG_TARGET = 0.9
OF_PLAIN_TARGET = 0.2
PEAK_MEMORY_MB_TARGET = 300

STRATEGY = """
from natya import StrategyActor
from natya.actors.strategy.bodies.averages import CrossingAverages


class Crossover(StrategyActor):
    def on_begin(self):
        self.averages = CrossingAverages(fast=10, slow=30)

    def on_candle(self, candle):
        crossing = self.averages.add(candle.close)
        if crossing == "ABOVE":
            self.buy(candle.symbol, 1)
        elif crossing == "BELOW" and self.position(candle.symbol) > 0:
            self.sell(candle.symbol, 1)
"""

OURS = """
import contextlib, json, resource, sys, time
import natya
from natya.backtest import BacktestRefusedError
path, symbol = sys.argv[1:]
with contextlib.suppress(BacktestRefusedError):  # imports, and there is nothing to play
    natya.backtest("crossover:Crossover", path, symbols=[symbol], until="2000-01-01")
began = time.perf_counter()
result = natya.backtest("crossover:Crossover", path, symbols=[symbol])
taken = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([result.report.candles / taken, result.report.orders, peak]))
"""

PLAIN = """
import csv, json, sys, time
began = time.perf_counter()
with open(sys.argv[1], newline="") as file:
    rows = csv.reader(file)
    close, closes, count, orders, long = next(rows).index("close"), [], 0, 0, False
    for row in rows:
        closes.append(float(row[close]))
        count += 1
        if len(closes) > 30:
            del closes[0]
            above = sum(closes[-10:]) / 10 > sum(closes) / 30
            if above != long:
                long, orders = above, orders + 1
print(json.dumps([count / (time.perf_counter() - began), orders]))
"""

BACKTESTING = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import pandas
from backtesting import Backtest, Strategy
from backtesting.lib import crossover
began = time.perf_counter()
frame = pandas.read_csv(sys.argv[1], parse_dates=["date"], index_col="date").rename(columns=str.title)
mean = lambda values, size: pandas.Series(values).rolling(size).mean()
class Crossing(Strategy):
    def init(self):
        self.fast, self.slow = self.I(mean, self.data.Close, 10), self.I(mean, self.data.Close, 30)
    def next(self):
        if crossover(self.fast, self.slow):
            self.buy(size=1)
        elif crossover(self.slow, self.fast) and self.position:
            self.position.close()
found = Backtest(frame, Crossing, cash=1_000_000).run()
print(json.dumps([len(frame) / (time.perf_counter() - began), 2 * int(found["# Trades"])]))
"""

BACKTRADER = """
import json, sys, time
import backtrader, pandas
began = time.perf_counter()
frame = pandas.read_csv(sys.argv[1], parse_dates=["date"], index_col="date")
frame.index = frame.index.tz_localize(None)
class Crossing(backtrader.Strategy):
    def __init__(self):
        fast, slow = (backtrader.indicators.SMA(self.data.close, period=size) for size in (10, 30))
        self.crossing, self.orders = backtrader.indicators.CrossOver(fast, slow), 0
    def next(self):
        if self.crossing > 0:
            self.buy(size=1); self.orders += 1
        elif self.crossing < 0 and self.position:
            self.close(); self.orders += 1
cerebro = backtrader.Cerebro(stdstats=False)
cerebro.broker.setcash(1_000_000)
cerebro.adddata(backtrader.feeds.PandasData(dataname=frame))
cerebro.addstrategy(Crossing)
(strategy,) = cerebro.run()
print(json.dumps([len(frame) / (time.perf_counter() - began), strategy.orders]))
"""

NAUTILUS = """
import json, sys, time
import pandas
from decimal import Decimal
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model import Bar, BarType, Money, Venue
from nautilus_trader.model.currencies import INR
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy
began = time.perf_counter()
frame = pandas.read_csv(sys.argv[1], parse_dates=["date"], index_col="date")
name = InstrumentId.from_str("BENCH.NSE")
share = Equity(name, Symbol("BENCH"), INR, 2, Price.from_str("0.05"), Quantity.from_int(1), 0, 0)
kind = BarType.from_str("BENCH.NSE-1-MINUTE-LAST-EXTERNAL")
bars = BarDataWrangler(kind, share).process(frame[["open", "high", "low", "close", "volume"]].astype(float))
class Crossing(Strategy):
    def on_start(self):
        self.fast, self.slow, self.above, self.orders = SimpleMovingAverage(10), SimpleMovingAverage(30), None, 0
        self.register_indicator_for_bars(kind, self.fast)
        self.register_indicator_for_bars(kind, self.slow)
        self.subscribe_bars(kind)
    def on_bar(self, bar):
        if not self.slow.initialized:
            return
        before, self.above = self.above, self.fast.value > self.slow.value
        if before is None or before == self.above:
            return
        if self.above or not self.portfolio.is_flat(name):
            side = OrderSide.BUY if self.above else OrderSide.SELL
            self.submit_order(self.order_factory.market(name, side, Quantity.from_int(1)))
            self.orders += 1
engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
engine.add_venue(Venue("NSE"), OmsType.NETTING, AccountType.CASH, [Money(1_000_000, INR)])
engine.add_instrument(share)
engine.add_data(bars)
strategy = Crossing()
engine.add_strategy(strategy)
engine.run()
print(json.dumps([len(frame) / (time.perf_counter() - began), strategy.orders]))
"""

PEERS = {"backtesting.py": BACKTESTING, "backtrader": BACKTRADER, "nautilus_trader": NAUTILUS}


def measured(python: str, program: str, *arguments: str, folder: Path) -> list[float] | None:
    """Run a program; what it prints, or None where its imports are not there."""
    command = [python, "-c", program, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder)} if python == sys.executable else os.environ
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        raise SystemExit(f"a benchmark that ends well is wanted, found {done.stderr[-2000:]}")
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure; 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candles", type=int, default=15_000, help="of the made-up recording")
    parser.add_argument("--recording", type=Path, help="instead of a made-up one")
    parser.add_argument("--symbol", default="BENCH", help="of the recording")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; the median counts")
    parser.add_argument("--peers", help="Python of an environment with backtesting.py, backtrader and nautilus_trader")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "crossover.py").write_text(STRATEGY)
        short = options.recording or write_candles(folder / "short.csv", rows=options.candles)
        long = write_candles(folder / "long.csv", rows=10 * options.candles)

        def median(python: str, program: str, *given: str) -> list[float] | None:
            found = [measured(python, program, *given, folder=folder) for _ in range(options.runs)]
            return None if found[0] is None else [statistics.median(each) for each in zip(*found, strict=True)]

        ours = median(sys.executable, OURS, str(short), options.symbol)
        longer = median(sys.executable, OURS, str(long), options.symbol)
        plain = median(sys.executable, PLAIN, str(short))
        peers = {
            name: median(options.peers, program, str(short)) if options.peers else None
            for name, program in PEERS.items()
        }
    assert ours is not None, "natya is installed"
    assert longer is not None, "the same"
    assert plain is not None, "it needs nothing"
    name = f"backtest with {ours[1]:,.0f} orders"
    unit = "candles/s"
    figures = [
        Figure(name=name, value=ours[0], unit=unit, target=CANDLES_PER_S_TARGET, at_least=True),
        Figure(
            name="  beside plain Python",
            value=ours[0],
            unit=unit,
            floor=plain[0],
            floor_name="csv and averages",
            target=OF_PLAIN_TARGET,
            at_least=True,
        ),
        Figure(
            name="  of ten times the candles",
            value=longer[0],
            unit=unit,
            floor=ours[0],
            floor_name="of these",
            target=OF_LONG_TARGET,
            at_least=True,
        ),
        Figure(name="  its peak of memory", value=longer[2], unit="MB", target=PEAK_MEMORY_MB_TARGET),
    ]
    for peer, found in peers.items():
        if found is None:
            print(f"{peer} is left out: --peers names a Python that has it", file=sys.stderr)
        else:
            figures.append(
                Figure(
                    name=f"  beside {peer}",
                    value=ours[0],
                    unit=unit,
                    floor=found[0],
                    floor_name=f"with {found[1]:,.0f} orders",
                    target=1.0 if peer == "backtesting.py" else 10.0,
                    at_least=True,
                )
            )
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
