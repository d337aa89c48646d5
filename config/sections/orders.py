"""[orders]: the risk gate and the book of record."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self, TypeAlias

import msgspec
from msgspec import Meta
from msgspec.structs import asdict, replace

from .base import Positive, PositiveSeconds, Seconds, Section

Amount: TypeAlias = Annotated[float, Meta(ge=0, le=1e12)]
Few: TypeAlias = Annotated[int, Meta(ge=0, le=10_000)]
Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]

HALT_AT: Final = 2
"""At this multiple of the loss allowed in a day, trading halts."""


class InstrumentLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits for some instruments that replace those for all; None: the one for all counts."""

    quantity_max: Positive | None = None
    value_max_rupees: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    position_max: Positive | None = None


class OrdersSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The risk gate and the book of record."""

    TABLE: ClassVar[str] = "orders"

    quantity_max: Positive
    """Shares in one order."""

    value_max_rupees: Annotated[float, Meta(gt=0, le=1e12)]
    """Value of one order in rupees, at its limit price or the last price."""

    position_max: Positive
    """Shares of one symbol, long or short, that would be held if every open order filled."""

    price_age_max_s: Seconds
    """Age, in market time, of the last price that a strategy saw when it orders; 0: no limit."""

    orders_a_moment_max: Positive
    """Orders of one strategy between two events of a simulated market."""

    modifications_max: Positive
    """Modifications of one order; Dhan accepts 25."""

    orders_in_flight_max: Positive
    """Orders whose intent is journaled and whose answer from the broker is outstanding."""

    order_age_max_s: Seconds
    """From the moment a strategy submits an order until it is checked; 0: no limit."""

    clock_skew_max_s: Seconds
    """Seconds between our clock and the broker's; beyond it only closing orders pass; 0: no limit."""

    session: Literal["none", "NSE", "BSE"]
    """Orders pass only in the sessions of this exchange, those of contracts of MCX or of currencies in the sessions of
    these; `none`: at any time."""

    no_opens_last_s: Seconds
    """Seconds at the end of a session in which only closing orders pass."""

    price_collar_percent: Percent
    """How much worse than the market's price a limit may be, above it for a BUY, below it for a SELL; 0: no limit."""

    option_collar_percent: Percent
    """The same for options, such as `NIFTY-29Sep2026-29150-CE`."""

    price_band_age_max_s: Seconds
    """Age of the exchange's price band of the day, as the broker gives it. No order passes outside of the band, and no
    opening one without a band or with an older one. 0: not checked."""

    open_value_max_rupees: Amount
    """Value of all open orders; 0: no limit."""

    gross_value_max_rupees: Amount
    """Value of all positions, long and short, if every open order filled; 0: no limit."""

    unknown_orders_max: Few
    """While so many orders are in doubt only closing orders pass, and always in the symbol of one. 0: not checked."""

    day_loss_max_rupees: Amount
    """Loss of a day, realised and open, at which only closing orders pass; at twice that, none. 0: not checked."""

    operator_silence_max_s: Seconds
    """Seconds without a sign of life from a person (a command that changes something, or `natya here`) after which only
    closing orders pass, until there is one; 0: no limit."""

    rejects_max: Few
    """Orders rejected by the broker within 60 s after which only closing orders pass; 0: no limit."""

    order_to_trade_max: Amount
    """Orders, modifications and cancellations of a day for each trade, above which there is an alarm; 0: no limit."""

    margin_use_max_percent: Annotated[float, Meta(ge=0, le=100)]
    """Percent of the funds at the broker that orders may need before the funds are read again; 0: no limit."""

    margin_percent: Annotated[float, Meta(gt=0, le=100)]
    """Percent of its value that a position needs as margin; of a written option, of its value at the strike. Bought
    options, and deliveries, need all of it."""

    repeats_max: Few
    """Identical orders within 10 s; after one more only closing orders pass; 0: no limit."""

    orders_a_second_max: Few
    """Orders within any second; beyond it only closing orders pass; 0: no limit."""

    orders_a_minute_max: Few
    """The same within any minute."""

    orders_an_hour_max: Few
    """The same within any hour."""

    orders_a_day_max: Few
    """The same within a day in India."""

    strategy_orders_a_day_max: Few
    """The same for one strategy."""

    strategy_trades_a_day_max: Few
    """Trades of one strategy in a day after which only its closing orders pass; 0: no limit."""

    absence_horizon_s: PositiveSeconds
    """How long an order in doubt is looked up before it counts as never placed."""

    lookup_interval_s: PositiveSeconds
    """How often an order in doubt is looked up."""

    symbols: tuple[str, ...]
    """Symbols that may be opened: whole, their beginning and a `*`, or `*` for all; empty: none."""

    reconcile_interval_s: PositiveSeconds
    """How often every open order is looked up at the broker, in case a report was lost."""

    account: Literal["auto", "session", "new", "newest"]
    """Account of a run: the one that all sessions share, a new one, or the newest. `auto`: a new one for a replay, else
    that of the sessions."""

    checkpoint_facts: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    """Journal records after the newest checkpoint of the book at which another is written; 0: none is."""

    instruments: dict[str, InstrumentLimits]
    """Limits by symbol, or by its beginning and a `*`; the symbol itself counts first, then the longest beginning."""

    def of_symbol(self, symbol: str) -> Self:
        """Return the limits that count for a symbol: its own, and for the rest those for all."""
        fitting = [
            each
            for each in self.instruments
            if each == symbol or (each.endswith("*") and symbol.startswith(each.removesuffix("*")))
        ]
        if not fitting:
            return self
        own = self.instruments[max(fitting, key=lambda each: (each == symbol, len(each)))]
        return replace(self, **{name: limit for name, limit in asdict(own).items() if limit is not None})

    @property
    def need_prices(self) -> bool:
        """Whether any of these limits needs the market's own prices."""
        return any(
            (
                self.price_age_max_s,
                self.price_collar_percent,
                self.option_collar_percent,
                self.open_value_max_rupees,
                self.gross_value_max_rupees,
                self.day_loss_max_rupees,
                self.margin_use_max_percent,
            )
        )
