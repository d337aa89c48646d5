"""The view of a running system: a screen for a terminal, one line for anything else.

Pure: a view in, text out. Rates and colours compare with an earlier view.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...domain.positions import unrealized
from ...messages.addresses import DATABASE
from ...messages.database import DatabaseStatistics
from ...messages.journal import JournalStatistics
from ...messages.market import FeedStatistics
from ...messages.order_listing import OrdersStatistics
from ...messages.system import StrategyStatistics
from ...summary import restarts_of
from ..failures import name_of, trouble_of
from ..terminal import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...messages.holdings import Position
    from ...system import SystemView


SYMBOLS_MAX: Final = 11
"""Symbols in a line."""

TROUBLES_MAX: Final = 4
"""Troubles shown at once."""

TROUBLE_LENGTH_MAX: Final = 220
"""Characters: three lines of eighty columns."""

BORDER_ROWS: Final = 8
BORDER_COLUMNS: Final = 30
"""A smaller terminal is drawn without a border, which takes two rows and four columns."""

SYMBOL_COLUMNS_MIN: Final = 8
"""Width of the column of symbols; other columns are dropped, the least important first, before it gets narrower."""

COLUMN_GAP: Final = 2
"""Columns of the terminal between two of the table."""

ROWS_FOR_REST: Final = 3
"""A table with fewer rows has no row for the number of symbols left out."""

GAP: Final = "   "

NO_AMOUNT: Final = Decimal("0.00")

Owner = TypeVar("Owner")


def screen(profile: str, now: SystemView, before: SystemView, *, width: int = 80, height: int = 24) -> RenderableType:
    """Draw the system in `width` columns and `height` lines; in a small terminal only what matters most is shown.

    That is trouble, orders and profit first; then the rate of the market, positions, restarts, and the rest.
    """
    bordered = height >= BORDER_ROWS and width >= BORDER_COLUMNS
    columns, rows = (width - 4, height - 2) if bordered else (width, height)
    title = f"natya · {profile} · {_clock(now.running_s)}"
    first = [] if bordered else _flowed([[Text(title, "bold")]], columns)
    trouble = [part for each in _trouble(now) for part in _wrapped(each, columns)]
    trading = _flowed(_trading(now), columns)
    trouble = trouble[: max(1, rows - len(first) - len(trading))]
    trading = trading[: max(0, rows - len(trouble))]
    first = first[: max(0, rows - len(trading) - len(trouble))]
    market, restarts, journal = (_flowed([parts(now, before)], columns) for parts in (_market, _restarted, _journal))
    left = rows - len(first) - len(trouble) - len(trading)
    of_symbols = min(2, 1 + len(_symbol_names(now)))
    shown = []
    for block in (market, restarts, journal):
        fits = len(block) <= left - of_symbols
        shown.append(block if fits else [])
        left -= len(block) if fits else 0
    above, *below = shown
    table = [_symbols(now, before, columns=columns, rows=left)] if left > 1 else []
    parts: list[RenderableType] = [
        *first,
        *above,
        *table,
        *trading,
        *(part for block in below for part in block),
        *trouble,
    ]
    if not bordered:
        return Group(*parts)
    return Panel(
        Group(*parts),
        title=Text(title),
        subtitle=Text("Ctrl-C stops in order"),
        title_align="left",
        subtitle_align="right",
        width=width,
    )


def line(now: SystemView, before: SystemView) -> str:
    """Return the same in one line."""
    feed, orders = _of(FeedStatistics, now), _of(OrdersStatistics, now)
    parts = [_clock(now.running_s), f"ticks/s {_rate(now, before)}"]
    if feed is not None:
        parts.append(f"ticks {feed.ticks}")
        parts.extend(f"{plain(symbol)} {price:.2f}" for symbol, price in list(feed.last_prices.items())[:SYMBOLS_MAX])
    if orders is not None:
        realized, open_profit = _profit(orders.positions, feed)
        parts.append(f"orders {orders.orders} fills {orders.fills} rejected {orders.rejected}")
        if orders.refused_by_rule:
            parts.append(f"refused by rule: {_by_rule(orders)}")
        parts.append(f"P&L {realized + open_profit:+.2f}")
    parts.append(f"restarts {restarts_of(now.statistics)}")
    parts.append(f"dead letters {now.dead_letters}")
    if now.stalls:
        parts.append(f"stalls {now.stalls}{_holder(now)}")
    parts.extend(text.plain for text in _trouble(now))
    return "  ".join(parts)


def _market(now: SystemView, before: SystemView) -> list[Text]:
    feed, database = _of(FeedStatistics, now), _of(DatabaseStatistics, now)
    parts = [Text(f"{_rate(now, before)} ticks/s", "bold")]
    if feed is not None:
        counts = {"ticks": feed.ticks, "candles": feed.candles, "bad rows": feed.bad_rows}
        parts += [Text(f"{name} {count:,}") for name, count in counts.items()]
    if database is not None:
        parts.append(Text(f"recorded {database.ticks:,}"))
    return parts


def _symbol_names(now: SystemView) -> list[str]:
    """Return the symbols that have a price or a position, those with a position first."""
    feed, orders = _of(FeedStatistics, now), _of(OrdersStatistics, now)
    held = {position.symbol for position in orders.positions if position.quantity} if orders is not None else set()
    traded = {position.symbol for position in orders.positions} if orders is not None else set()
    priced = set(feed.last_prices) if feed is not None else set()
    return [*sorted(held), *sorted((priced | traded) - held)]


def _symbols(now: SystemView, before: SystemView, *, columns: int, rows: int) -> Table:
    """Make a table of the symbols, a row each, in at most `rows` rows, the heading included."""
    feed, orders = _of(FeedStatistics, now), _of(OrdersStatistics, now)
    earlier = _of(FeedStatistics, before)
    prices = feed.last_prices if feed is not None else {}
    earlier_prices = earlier.last_prices if earlier is not None else {}
    positions = {position.symbol: position for position in orders.positions} if orders is not None else {}
    profits = unrealized(positions.values(), prices)
    names = _symbol_names(now)
    fits_all = len(names) < rows
    says_rest = not fits_all and rows >= ROWS_FOR_REST  # the last row says how many are left out
    fitting = len(names) if fits_all else rows - 1 - says_rest
    cells = []
    for symbol in sorted(names[:fitting]):
        price, position = prices.get(symbol), positions.get(symbol)
        facts = _position(position, profits.get(symbol)) if position is not None else {}
        cells.append((symbol, {"last": _price(price, earlier_prices.get(symbol)), **facts}))
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    table.add_column("symbol", no_wrap=True, overflow="ellipsis", ratio=1)
    headings = _headings_that_fit(cells, columns)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for symbol, facts in cells:
        table.add_row(Text(plain(symbol)), *(facts.get(heading, Text()) for heading in headings))
    if says_rest:
        table.add_row(Text(f"and {len(names) - fitting} more", style="dim"))
    return table


def _headings_that_fit(cells: list[tuple[str, dict[str, Text]]], columns: int) -> list[str]:
    """Choose the columns beside the symbol: as many as fit, by importance, each as wide as its widest cell."""
    chosen, left = set(), columns - SYMBOL_COLUMNS_MIN
    for heading in ("position", "unrealized", "last", "realized", "average"):
        widths = [facts[heading].cell_len for _, facts in cells if heading in facts]
        left -= COLUMN_GAP + max([len(heading), *widths])
        if left < 0:
            break
        chosen.add(heading)
    return [heading for heading in ("last", "position", "average", "unrealized", "realized") if heading in chosen]


def _price(price: float | None, earlier: float | None) -> Text:
    if price is None:
        return Text("-")
    if earlier is None or price == earlier:
        return Text(f"{price:,.2f}")
    return Text(f"{price:,.2f}", style="green" if price > earlier else "red")


def _position(position: Position, profit: Decimal | None) -> dict[str, Text]:
    return {
        "position": Text(f"{position.quantity:+,}" if position.quantity else "0"),
        "average": Text(f"{position.average_price:,.2f}" if position.quantity else "-"),
        "unrealized": Text("-") if profit is None else _amount(profit),
        "realized": _amount(position.realized_pnl),
    }


def _trading(now: SystemView) -> list[list[Text]]:
    orders, feed = _of(OrdersStatistics, now), _of(FeedStatistics, now)
    if orders is None:
        return [[Text("orders: busy", style="dim")]]
    realized, open_profit = _profit(orders.positions, feed)
    counts = {"orders": orders.orders, "fills": orders.fills, "rejected": orders.rejected}
    state = [
        *(Text(f"{name} {count:,}", style="bold") for name, count in counts.items()),
        Text(f"open {orders.open_orders:,}"),
        Text(f"in doubt {orders.uncertain_orders:,}", style="red" if orders.uncertain_orders else ""),
        Text(orders.risk_state),
    ]
    profit = [
        Text("P&L realized ").append_text(_amount(realized)),
        Text("unrealized ").append_text(_amount(open_profit)),
    ]
    refused = [Text(f"refused by rule: {_by_rule(orders)}", style="yellow")] if orders.refused_by_rule else []
    return [state, profit, refused]


def _by_rule(orders: OrdersStatistics) -> str:
    return plain(", ".join(f"{rule} {count:,}" for rule, count in sorted(orders.refused_by_rule.items())))


def _journal(now: SystemView, _before: SystemView) -> list[Text]:
    journal = _of(JournalStatistics, now)
    strategies = [each for each in now.statistics.values() if isinstance(each, StrategyStatistics)]
    parts = [] if journal is None else [Text(f"journal {journal.records:,} facts")]
    if strategies:
        p50 = max(strategy.tick_to_strategy_us_p50 for strategy in strategies)
        p99 = max(strategy.tick_to_strategy_us_p99 for strategy in strategies)
        parts.append(Text(f"tick to strategy {p50:,.0f} us, p99 {p99:,.0f} us"))
    return parts


def _restarted(now: SystemView, _before: SystemView) -> list[Text]:
    counts = {"restarts": restarts_of(now.statistics), "dead letters": now.dead_letters}
    parts = [Text(f"{name} {count:,}", style="yellow" if count else "") for name, count in counts.items()]
    return [*parts, Text(f"stalls {now.stalls:,}{_holder(now)}", style="yellow")] if now.stalls else parts


def _holder(now: SystemView) -> str:
    return f", held by {plain(now.held_by)}" if now.held_by else ""


def _flowed(lines: list[list[Text]], columns: int) -> list[Text]:
    """Lay out the parts of each line in rows, with a new row where no more fit."""
    rows = []
    for parts in lines:
        row = Text(no_wrap=True, overflow="ellipsis")
        for part in parts:
            if row and row.cell_len + len(GAP) + part.cell_len > columns:
                rows.append(row)
                row = Text(no_wrap=True, overflow="ellipsis")
            row = row.append(GAP if row else "").append_text(part)
        if row:
            rows.append(row)
    return rows


def _wrapped(text: Text, columns: int) -> list[Text]:
    """Wrap a text into rows of `columns`: after a space if there is one near the end, else anywhere."""
    rows = []
    while text.cell_len > columns:
        cut = text.plain.rfind(" ", columns // 2, columns) + 1 or columns
        rows.append(text[:cut])
        text = text[cut:]
    return [*rows, text]


def _trouble(now: SystemView) -> list[Text]:
    """Return why the database is down, if it is, and the trouble of every other actor."""
    database = _of(DatabaseStatistics, now)
    told = []
    if database is not None and database.down:
        told.append(f"database down, {database.lag:,} facts behind: {database.down}")
    others = [child for child in now.tree.children if name_of(child) != DATABASE] if now.tree is not None else []
    told += filter(None, map(trouble_of, others))
    if len(told) > TROUBLES_MAX:
        told[TROUBLES_MAX:] = [f"and {len(told) - TROUBLES_MAX} more: natya tree"]
    return [Text(plain(each)[:TROUBLE_LENGTH_MAX], "red") for each in told]


def _profit(positions: tuple[Position, ...], feed: FeedStatistics | None) -> tuple[Decimal, Decimal]:
    """Return realised and unrealised profit in rupees; a position without a last price counts 0."""
    open_profits = unrealized(positions, feed.last_prices if feed is not None else {})
    realized = sum((position.realized_pnl for position in positions), NO_AMOUNT)
    return realized, sum(open_profits.values(), NO_AMOUNT)


def _of(kind: type[Owner], view: SystemView) -> Owner | None:
    """Return the statistics of this type; None when its actor was busy or down."""
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


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"
