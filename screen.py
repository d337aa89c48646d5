"""What a running system looks like: one screen for a terminal, one line for anything else.

Pure: a view in, text out. Rates and colours compare with an earlier view.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .domain.positions import unrealized
from .messages.database import DatabaseStatistics
from .messages.journal import JournalStatistics
from .messages.market import FeedStatistics
from .messages.orders import OrdersStatistics
from .messages.supervision import SupervisorStatistics
from .messages.system import StrategyStatistics

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .messages.orders import Position
    from .system import SystemView

ROOT: Final = "system"
"""Name of the supervisor that counts for all."""

ROWS_MAX: Final = 11
"""Symbols shown, so that a screen of 24 lines holds everything."""

TROUBLE_LENGTH_MAX: Final = 220
"""Three lines."""

NO_AMOUNT: Final = Decimal("0.00")

Owner = TypeVar("Owner")


def screen(profile: str, now: SystemView, before: SystemView) -> RenderableType:
    """Draw the system as it is now, within 80 columns and 24 lines."""
    return Panel(
        Group(_market(now, before), _symbols(now, before), _trading(now), _house(now), *_trouble(now)),
        title=Text(f"natya · {profile} · {_clock(now.running_s)}"),
        subtitle=Text("Ctrl-C stops in order"),
        title_align="left",
        subtitle_align="right",
    )


def line(now: SystemView, before: SystemView) -> str:
    """Say the same in one line."""
    feed, orders = _of(FeedStatistics, now), _of(OrdersStatistics, now)
    parts = [_clock(now.running_s), f"ticks/s {_rate(now, before)}"]
    if feed is not None:
        parts.append(f"ticks {feed.ticks}")
        parts.extend(f"{_plain(symbol)} {price:.2f}" for symbol, price in list(feed.last_prices.items())[:ROWS_MAX])
    if orders is not None:
        realized, open_profit = _profit(orders.positions, feed)
        parts.append(f"orders {orders.orders} fills {orders.fills} rejected {orders.rejected}")
        parts.append(f"P&L {realized + open_profit:+.2f}")
    parts.append(f"restarts {_restarts(now)}")
    parts.append(f"dead letters {now.dead_letters}")
    if now.stalls:
        parts.append(f"stalls {now.stalls}")
    parts.extend(text.plain for text in _trouble(now))
    return "  ".join(parts)


def _market(now: SystemView, before: SystemView) -> Text:
    feed, database = _of(FeedStatistics, now), _of(DatabaseStatistics, now)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{_rate(now, before)} ticks/s", style="bold")
    if feed is not None:
        text.append(f"   ticks {feed.ticks:,}   candles {feed.candles:,}   bad rows {feed.bad_rows:,}")
    if database is not None:
        text.append(f"   recorded {database.ticks:,}")
    return text


def _symbols(now: SystemView, before: SystemView) -> Table:
    feed, orders = _of(FeedStatistics, now), _of(OrdersStatistics, now)
    earlier = _of(FeedStatistics, before)
    prices = feed.last_prices if feed is not None else {}
    earlier_prices = earlier.last_prices if earlier is not None else {}
    positions = {position.symbol: position for position in orders.positions} if orders is not None else {}
    profits = unrealized(positions.values(), prices)
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    table.add_column("symbol", no_wrap=True, overflow="ellipsis", ratio=1)
    for heading in ("last", "position", "average", "unrealized", "realized"):
        table.add_column(heading, justify="right", no_wrap=True)
    symbols = sorted({*prices, *positions})
    for symbol in symbols[:ROWS_MAX]:
        price, position = prices.get(symbol), positions.get(symbol)
        table.add_row(
            Text(_plain(symbol)),
            _price(price, earlier_prices.get(symbol)),
            *(_position(position, profits.get(symbol)) if position is not None else ()),
        )
    if len(symbols) > ROWS_MAX:
        table.add_row(Text(f"and {len(symbols) - ROWS_MAX} more", style="dim"))
    return table


def _price(price: float | None, earlier: float | None) -> Text:
    if price is None:
        return Text("-")
    if earlier is None or price == earlier:
        return Text(f"{price:,.2f}")
    return Text(f"{price:,.2f}", style="green" if price > earlier else "red")


def _position(position: Position, profit: Decimal | None) -> tuple[Text, ...]:
    return (
        Text(f"{position.quantity:+,}" if position.quantity else "0"),
        Text(f"{position.average_price:,.2f}" if position.quantity else "-"),
        Text("-") if profit is None else _amount(profit),
        _amount(position.realized_pnl),
    )


def _trading(now: SystemView) -> Text:
    orders, feed = _of(OrdersStatistics, now), _of(FeedStatistics, now)
    if orders is None:
        return Text("orders: busy", style="dim")
    realized, open_profit = _profit(orders.positions, feed)
    text = Text()
    text.append(f"orders {orders.orders:,}   fills {orders.fills:,}   rejected {orders.rejected:,}", style="bold")
    text.append(f"   open {orders.open_orders:,}   ")
    text.append(f"in doubt {orders.uncertain_orders:,}", style="red" if orders.uncertain_orders else "")
    text.append(f"   {orders.risk_state}\nP&L realized ")
    text.append_text(_amount(realized)).append("   unrealized ").append_text(_amount(open_profit))
    return text


def _house(now: SystemView) -> Text:
    journal = _of(JournalStatistics, now)
    strategies = [each for each in now.statistics.values() if isinstance(each, StrategyStatistics)]
    text = Text()
    if journal is not None:
        text.append(f"journal {journal.records:,} facts   ")
    if strategies:
        p50 = max(strategy.tick_to_strategy_us_p50 for strategy in strategies)
        p99 = max(strategy.tick_to_strategy_us_p99 for strategy in strategies)
        text.append(f"tick to strategy {p50:,.0f} us, p99 {p99:,.0f} us")
    restarts = _restarts(now)
    text.append(f"\nrestarts {restarts}", style="yellow" if restarts else "")
    text.append(f"   dead letters {now.dead_letters:,}", style="yellow" if now.dead_letters else "")
    if now.stalls:
        text.append(f"   stalls {now.stalls:,}", style="yellow")
    return text


def _trouble(now: SystemView) -> list[Text]:
    """Say why the database is down, if it is; the trading goes on meanwhile."""
    database = _of(DatabaseStatistics, now)
    if database is None or not database.down:
        return []
    told = _plain(f"database down, {database.lag:,} facts behind: {database.down}")
    return [Text(told[:TROUBLE_LENGTH_MAX], "red", overflow="fold")]


def _profit(positions: tuple[Position, ...], feed: FeedStatistics | None) -> tuple[Decimal, Decimal]:
    """Return realized and open profit in rupees; a position whose price is not known counts as unchanged."""
    open_profits = unrealized(positions, feed.last_prices if feed is not None else {})
    realized = sum((position.realized_pnl for position in positions), NO_AMOUNT)
    return realized, sum(open_profits.values(), NO_AMOUNT)


def _of(kind: type[Owner], view: SystemView) -> Owner | None:
    """Return what the owner that counts in this type said; None when it was busy."""
    return next((each for each in view.statistics.values() if isinstance(each, kind)), None)


def _amount(amount: Decimal) -> Text:
    style = "green" if amount > 0 else "red" if amount < 0 else ""
    return Text(f"{amount:+,.2f}" if amount else "0.00", style=style)


def _rate(now: SystemView, before: SystemView) -> int:
    feed, earlier = _of(FeedStatistics, now), _of(FeedStatistics, before)
    seconds = now.running_s - before.running_s
    if feed is None or earlier is None or seconds <= 0:
        return 0
    return round(max(0, feed.ticks - earlier.ticks) / seconds)


def _restarts(now: SystemView) -> int:
    root = now.statistics.get(ROOT)
    return root.restarts if isinstance(root, SupervisorStatistics) else 0


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
