"""Strategies for backtests, and candles to test them on."""

from datetime import datetime

from natya import StrategyActor

HEADER = "date,open,high,low,close,volume"


def write_rows(path, rows, *, symbol=None, start="2025-11-03T09:15:00+05:30", minutes=1):
    """Write candles of the given (open, high, low, close), a minute each; return the path."""
    begin_s = int(datetime.fromisoformat(start).timestamp())
    lines = [HEADER if symbol is None else f"symbol,{HEADER}"]
    for place, prices in enumerate(rows):
        cells = [str(begin_s + 60 * minutes * place), *map(str, prices), "100"]
        lines.append(",".join(cells if symbol is None else [symbol, *cells]))
    path.write_text("\n".join(lines) + "\n")
    return path


class Crossover(StrategyActor):
    """Long above, flat below; by plain means of closes."""

    def on_begin(self):
        self.closes = {}
        self.wanted = {}

    def on_candle(self, candle):
        closes = self.closes.setdefault(candle.symbol, [])
        closes.append(round(candle.close * 100))
        fast, slow = self.parameters.get("fast", 3), self.parameters.get("slow", 8)
        if len(closes) > slow + 1:
            del closes[0]
        if len(closes) < slow:
            return
        spread = sum(closes[-fast:]) * slow - sum(closes[-slow:]) * fast
        is_long = self.wanted.get(candle.symbol, False)
        if spread > 0 and not is_long:
            self.wanted[candle.symbol] = True
            self.buy(candle.symbol, self.parameters.get("quantity", 1))
        elif spread < 0 and is_long:
            self.wanted[candle.symbol] = False
            self.sell(candle.symbol, self.parameters.get("quantity", 1))


class Peeker(StrategyActor):
    """Notes the newest time it can learn of at each moment, beside the time of that moment."""

    SEEN = []  # noqa: RUF012  read by the test when all is over

    def on_begin(self):
        self.SEEN.clear()

    def on_tick(self, tick):
        self.SEEN.append((self.clock.now_ns(), tick.exchange_ns, self.last_price(tick.symbol), tick.price))

    def on_candle(self, candle):
        self.SEEN.append((self.clock.now_ns(), candle.start_ns + candle.interval_ns, candle.close, candle.close))


class Broken(StrategyActor):
    def on_tick(self, tick):
        raise ZeroDivisionError("of the strategy")


class Greedy(StrategyActor):
    """Orders more than the risk gate lets pass."""

    def on_begin(self):
        self.asked = False

    def on_candle(self, candle):
        if not self.asked:
            self.asked = True
            self.buy(candle.symbol, 100_000)
