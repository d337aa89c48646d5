"""The report of a backtest: one structure for the terminal, JSON, notebooks and the page (pure)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from ...domain.calendar import TRADING_DAYS_A_YEAR, Exchange, trading_days
from ...domain.instruments import is_contract, is_index
from ...domain.money import exact_value
from ...domain.time import DAY_NS, date_of, day_of, day_of_number, time_text
from ...domain.wording import counted, some
from ...messages.orders import OrderFilled
from ...messages.orders import Product as HeldAs
from . import measures
from .bars_met import bars_met, doubts_of_bars
from .charging import MODELS, NO_CHARGES, charged, first_day, tariff_of
from .curve import Curve, Marks, curve_of
from .doubts import doubts_of
from .trades import PAISA, Trade, round_trips, trades_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ...domain.charges import Product

_SPOKEN: Final[dict[Product, str]] = {
    "FUTURE": "futures",
    "OPTION": "options",
    "COMMODITY_FUTURE": "futures of commodities",
    "UNTAXED_FUTURE": "futures of commodities without tax",
    "COMMODITY_OPTION": "options of commodities",
}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a month, or of a symbol."""

    name: str
    """`2025-11`, or the symbol."""

    trades: int
    """Closed in it."""

    win_rate: float | None
    profit_rupees: Decimal
    """Of them, before charges."""

    charges_rupees: Decimal
    net_rupees: Decimal
    return_: float | None = msgspec.field(name="return", default=None)
    """Of the account in that month, open positions included; None of a symbol, and behind the loss of the account."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a backtest.

    Amounts are rupees; rates and returns are fractions: 0.01 is one percent. None is what has no meaning here. Trades
    are closed ones; what is still open at the end is in `open_trades`, and in all that is of the account.
    """

    strategy: str
    symbols: tuple[str, ...]
    first_ns: int
    """When the first of what was played happened, or began to: nanoseconds since 1970-01-01 UTC."""

    last_ns: int
    """Time of the last mark."""

    days: int
    """Days with a price."""

    trading_days: int
    """Days on which the exchange traded from the first to the last, of which a year has 252: more than `days` where
    prices are of weeks, or some are missing."""

    ticks: int
    candles: int
    orders: int
    """Submitted, those refused by the risk gate included."""

    fills: int
    refused: dict[str, int]
    """Orders refused by our risk gate, by name of the rule."""

    rejected: int
    """By the exchange."""

    capital_rupees: Decimal
    final_rupees: Decimal
    """The account at the end: capital, profit of all trades, open ones at the last price, less charges."""

    profit_rupees: Decimal
    """Before charges, open trades included."""

    charges_rupees: Decimal
    net_rupees: Decimal
    total_return: float
    cagr: float | None
    """-1.0 if the account was worth nothing or less at a mark; the next four are then None."""

    volatility: float | None
    sharpe: float | None
    sharpe_error: float | None
    """Standard error of `sharpe`, of so few or many days: two of them are the bounds of chance."""

    sortino: float | None
    calmar: float | None
    max_drawdown: float
    """Below 0: of the account at each mark and fill, not only at the end of a day."""

    longest_drawdown_days: float
    """Of the calendar, from a peak until the account was there again, or the end."""

    trades: int
    open_trades: int
    win_rate: float | None
    profit_factor: float | None
    expectancy_rupees: float | None
    """Mean result of a trade, after charges."""

    best_rupees: Decimal | None
    worst_rupees: Decimal | None
    exposure: float | None
    """Fraction of the marks at which, or since the one before, a position was held."""

    turnover_rupees: Decimal
    """Bought and sold."""

    turnover: float
    """The same, in multiples of the capital."""

    charge_model: str
    latency_s: float
    months: tuple[Part, ...]
    by_symbol: tuple[Part, ...]
    positions: dict[str, int]
    """Held at the end: signed shares."""

    notes: tuple[str, ...] = ()
    """What to know before trusting the figures."""

    failed: str = ""
    """How the strategy failed and was begun anew: the figures are then not those of the whole data. Or that its stop
    failed, behind all data."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest produced, from which its report is computed."""

    strategy: str
    fills: tuple[OrderFilled, ...]
    """In the order of the journal."""

    marks: Marks
    ticks: int
    candles: int
    orders: int
    refused: dict[str, int]
    rejected: int
    capital_rupees: float
    charge_model: str
    latency_s: float
    products: dict[str, HeldAs] = {}
    """By client order id, of the orders that named one."""

    exchange: Exchange | None = "NSE"
    """The exchange whose trading days are counted; None: the market never closes."""

    begin_ns: int = 0
    """When the first of what was played happened: nanoseconds since 1970-01-01 UTC; 0: at the first mark."""

    notes: tuple[str, ...] = ()
    failed: str = ""
    """How the strategy failed and was begun anew, or could not stop."""


class Figures(msgspec.Struct, frozen=True):
    """A report, and the columns behind it."""

    report: Report
    trades: tuple[Trade, ...]
    curve: Curve
    costs: tuple[Decimal, ...]
    """Charges of each fill."""


def figures_of(played: Played) -> Figures:
    """Compute everything."""
    fills = played.fills
    costs = charged(fills, played.charge_model, played.products)
    trades = trades_of(fills, costs, played.marks.last_prices, played.products)
    curve = curve_of(played.marks, fills, costs, capital_rupees=played.capital_rupees)
    days, daily = curve.daily()
    ruined_ns = curve.ruined_ns
    # The days of an account that was lost are no sample: those before the loss look good, those after it never happen.
    returns = measures.returns_of(daily, played.capital_rupees) if ruined_ns is None else np.zeros(0)
    first_ns = played.begin_ns or (int(curve.times_ns[0]) if len(curve.times_ns) else 0)
    last_ns = int(curve.times_ns[-1]) if len(curve.times_ns) else 0
    traded_days = max(len(days), trading_days(first_ns, last_ns, played.exchange)) if len(days) else 0
    a_year = measures.returns_a_year(len(days), traded_days)
    closed = [trade for trade in trades if not trade.is_open]
    nets = [trade.net for trade in closed]
    capital = Decimal(repr(played.capital_rupees))
    profit = sum((trade.profit for trade in trades), Decimal(0))
    total_costs = sum(costs, Decimal(0))
    turnover = sum((exact_value(fill.price, fill.quantity) for fill in fills), Decimal(0))
    deepest = measures.max_drawdown(curve.equity, played.capital_rupees)
    growth = measures.cagr(returns, a_year) if ruined_ns is None else -1.0
    positions = _positions(fills)
    report = Report(
        strategy=played.strategy,
        symbols=tuple(sorted(played.marks.times)),
        first_ns=first_ns,
        last_ns=last_ns,
        days=len(days),
        trading_days=traded_days,
        ticks=played.ticks,
        candles=played.candles,
        orders=played.orders,
        fills=len(fills),
        refused=dict(sorted(played.refused.items())),
        rejected=played.rejected,
        capital_rupees=_paisa(capital),
        final_rupees=_paisa(capital + profit - total_costs),
        profit_rupees=_paisa(profit),
        charges_rupees=_paisa(total_costs),
        net_rupees=_paisa(profit - total_costs),
        total_return=float((profit - total_costs) / capital),
        cagr=growth,
        volatility=measures.volatility(returns, a_year),
        sharpe=measures.sharpe(returns, a_year),
        sharpe_error=measures.sharpe_error(returns, a_year),
        sortino=measures.sortino(returns, a_year),
        calmar=measures.calmar(growth, deepest),
        max_drawdown=deepest,
        longest_drawdown_days=measures.longest_drawdown_ns(curve.times_ns, curve.equity, played.capital_rupees)
        / DAY_NS,
        trades=len(closed),
        open_trades=len(trades) - len(closed),
        win_rate=measures.win_rate(nets),
        profit_factor=measures.profit_factor(nets),
        expectancy_rupees=measures.expectancy(nets),
        best_rupees=_paisa(max(nets)) if nets else None,
        worst_rupees=_paisa(min(nets)) if nets else None,
        exposure=curve.exposure,
        turnover_rupees=_paisa(turnover),
        turnover=float(turnover / capital),
        charge_model=played.charge_model,
        latency_s=played.latency_s,
        months=_months(closed, days, daily, played.capital_rupees, ruined_ns),
        by_symbol=_by_symbol(closed),
        positions=positions,
        notes=(
            *([played.failed] if played.failed else []),
            *played.notes,
            *_of_charges(played, trades, last_ns),
            *doubts_of(trades, played.marks, last_ns),
            *doubts_of_bars(bars_met(played.fills, played.marks)),
            *_beyond_means(curve, trades, last_ns),
            *_flatters(trades, len(days), traded_days),
        ),
        failed=played.failed,
    )
    return Figures(report, tuple(trades), curve, tuple(costs))


def _months(
    closed: Sequence[Trade],
    days: measures.Integers,
    daily: measures.Floats,
    capital_rupees: float,
    ruined_ns: int | None,
) -> tuple[Part, ...]:
    last_of: dict[str, float] = {}
    for day, value in zip(days.tolist(), daily.tolist(), strict=True):
        last_of[_month(day)] = value
    returns = measures.returns_of(np.array(list(last_of.values())), capital_rupees)
    last = "9999" if ruined_ns is None else _month(day_of(ruined_ns))
    found = {name: of for name, of in zip(last_of, returns.tolist(), strict=False) if name <= last}
    by_month: dict[str, list[Trade]] = {name: [] for name in last_of}
    for trade in closed:
        by_month[_month(day_of(trade.exit_ns or 0))].append(trade)
    return tuple(_part(name, trades, of=found.get(name)) for name, trades in by_month.items())


def _by_symbol(closed: Iterable[Trade]) -> tuple[Part, ...]:
    found: dict[str, list[Trade]] = {}
    for trade in closed:
        found.setdefault(trade.symbol, []).append(trade)
    return tuple(_part(name, found[name], of=None) for name in sorted(found))


def _part(name: str, trades: Sequence[Trade], *, of: float | None) -> Part:
    profit = sum((trade.profit for trade in trades), Decimal(0))
    costs = sum((trade.charges for trade in trades), Decimal(0))
    return Part(
        name=name,
        trades=len(trades),
        win_rate=measures.win_rate([trade.net for trade in trades]),
        profit_rupees=_paisa(profit),
        charges_rupees=_paisa(costs),
        net_rupees=_paisa(profit - costs),
        return_=of,
    )


def _positions(fills: Iterable[OrderFilled]) -> dict[str, int]:
    held: dict[str, int] = {}
    for fill in fills:
        held[fill.symbol] = held.get(fill.symbol, 0) + (fill.quantity if fill.side == "BUY" else -fill.quantity)
    return {symbol: quantity for symbol, quantity in sorted(held.items()) if quantity}


def _of_charges(played: Played, trades: Sequence[Trade], last_ns: int) -> Iterable[str]:
    tariffs = {trade.symbol: tariff_of(trade.symbol, played.charge_model) for trade in trades}
    charged_as = {
        (symbol, held_as): tariff_of(symbol, played.charge_model, held_as)
        for symbol, held_as in ((trade.symbol, trade.product) for trade in trades)
    }
    known_since = first_day(charged_as.values())
    if known_since is not None and date_of(played.fills[0].occurred_ns) < known_since:
        yield f"the rates of charges are known from {known_since} on: earlier trades are charged as on that day"
    for tariff, spoken in _SPOKEN.items():
        named = sorted(symbol for symbol, of in tariffs.items() if of == tariff != MODELS[played.charge_model])
        if named:
            yield f"charged as {spoken}, by their names: {some(named)}"
    delivered = sum(charged_as[trade.symbol, trade.product] == "DELIVERY" for trade in trades)
    if delivered and MODELS[played.charge_model] != "DELIVERY":
        yield f"{delivered:,} of {len(trades):,} trades were opened as CNC, and are charged as delivered shares"
    of_a_day = [trade for trade in trades if charged_as[trade.symbol, trade.product] == "INTRADAY"]
    overnight = sum(_is_overnight(trade, last_ns) for trade in of_a_day)
    if overnight:
        yield (
            f"{overnight:,} of {len(of_a_day):,} trades were held overnight, and are charged as intraday: "
            'a broker would have closed them (--charges dhan-equity-delivery, or product="CNC" of their orders)'
        )
    if trades and played.charge_model == NO_CHARGES:
        yield "no charges are counted: a broker and the state would have taken theirs"
    if trades and not played.latency_s:
        yield "orders have no latency: each trades at the price that it was decided on, which flatters"


def _is_overnight(trade: Trade, last_ns: int) -> bool:
    return day_of(trade.entry_ns) != day_of(trade.exit_ns or last_ns)


def _beyond_means(curve: Curve, trades: Sequence[Trade], last_ns: int) -> Iterable[str]:
    """Yield what no broker would have let the account do."""
    indices = sorted({trade.symbol for trade in trades if is_index(trade.symbol)})
    if indices:
        yield f"nobody can buy or sell an index, and its contracts have prices of their own: {some(indices)}"
    shares = [trade for trade in trades if not (is_contract(trade.symbol) or is_index(trade.symbol))]
    short = sum(trade.direction == "SHORT" and _is_overnight(trade, last_ns) for trade in shares)
    if short:
        yield (
            f"{short:,} of {len(shares):,} trades in shares were short overnight: shares that one does not "
            "have are to be bought back on the same day, else the exchange does it at its auction; a future can be held"
        )
    leverage = curve.leverage_max
    if curve.ruined_ns is not None:
        yield (
            f"the account was lost on {time_text(curve.ruined_ns)}: no broker lets it trade on, and it has no "
            "volatility, Sharpe and Sortino"
        )
    elif leverage is not None and leverage > 1:
        yield (
            f"what was held came to up to {leverage:,.2f} times the account, and nothing has asked for its margin: "
            "a broker does, and closes what has none"
        )


def _flatters(trades: Sequence[Trade], days: int, traded_days: int) -> Iterable[str]:
    """Yield what makes the figures look better than they are, though nothing was left out."""
    open_ = [trade.net for trade in trades if trade.is_open]
    if open_:
        yield "what is held at the end counts at its last price: the charges of closing it are not in the figures"
        yield (
            "win rate, profit factor, expectancy, best and worst trade, months and symbols are of closed trades: "
            f"without what is held, {counted(len(open_), 'trade')} at {sum(open_):+,.2f} rupees"
        )
    yield from _in_parts(trades)
    if trades and days < traded_days:
        yield (
            f"there are prices of {days:,} of {counted(traded_days, 'trading day')}: figures a year are of all of them"
        )
    if trades and 0 < traded_days < TRADING_DAYS_A_YEAR:
        yield (
            f"figures a year (CAGR, volatility, Sharpe, Sortino, Calmar) are those of {counted(traded_days, 'day')}, "
            f"extrapolated {TRADING_DAYS_A_YEAR / traded_days:,.3g} times: the fewer days, the more of them is chance"
        )


def _in_parts(trades: Sequence[Trade]) -> Iterator[str]:
    """Yield how many positions won, where fewer did than of the trades that they were opened or closed in."""
    closed = [trade.net for trade in trades if not trade.is_open]
    positions = round_trips(trades)
    won, of_trades = measures.win_rate(positions), measures.win_rate(closed)
    if won is not None and of_trades is not None and won < of_trades:
        yield (
            f"win rate is of {counted(len(closed), 'trade')}, each what one order opened and one order closed: of the "
            f"{counted(len(positions), 'position')} from flat to flat that these are parts of {won:.2%} won"
        )


def _month(day: int) -> str:
    return f"{day_of_number(day):%Y-%m}"


def _paisa(amount: Decimal) -> Decimal:
    return amount.quantize(PAISA, ROUND_HALF_EVEN)
