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
"""At so many times the loss of a day that is allowed nothing is traded any more."""


class InstrumentLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one instrument, or of several, instead of those of all; None: as of all."""

    quantity_max: Positive | None = None
    value_max_rupees: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    position_max: Positive | None = None


class OrdersSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The risk gate and the book of record."""

    TABLE: ClassVar[str] = "orders"

    quantity_max: Positive
    """Shares of one order."""

    value_max_rupees: Annotated[float, Meta(gt=0, le=1e12)]
    """Value of one order in rupees, at its limit price or the last price."""

    position_max: Positive
    """Shares of one symbol, long or short, that may be held if every open order fills."""

    price_age_max_s: Seconds
    """Age, in market time, of the last price that a strategy saw when it orders; 0: any age."""

    orders_a_moment_max: Positive
    """Orders of one strategy at one moment: in a simulated market, between two of its events."""

    modifications_max: Positive
    """Changes of one order; Dhan takes 25."""

    orders_in_flight_max: Positive
    """Orders whose intent is journaled and whose answer from the broker is outstanding."""

    order_age_max_s: Seconds
    """From the moment a strategy submits an order until it is checked; 0: any."""

    clock_skew_max_s: Seconds
    """How far our clock and the broker's may be apart before no order passes that opens; 0: any."""

    session: Literal["none", "NSE", "BSE"]
    """Orders pass only in the sessions of this exchange, those of contracts of MCX or of currencies in the sessions of
    these; `none`: at any time."""

    no_opens_last_s: Seconds
    """At the end of a session in which only orders pass that close a position."""

    price_collar_percent: Percent
    """How far a limit may be through the market's price, above it for a BUY, below it for a SELL; 0: any."""

    option_collar_percent: Percent
    """The same of options: `NIFTY-29Sep2026-29150-CE`."""

    price_band_age_max_s: Seconds
    """Age of the exchange's price band of the day, as the broker tells it: outside of it no order passes, and without
    it, or with an older one, none that opens; 0: orders do not go by it."""

    open_value_max_rupees: Amount
    """Value of all open orders; 0: any."""

    gross_value_max_rupees: Amount
    """Value of all positions, long and short, if every open order fills; 0: any."""

    unknown_orders_max: Few
    """While so many orders are in doubt none opens a position, and none ever in a symbol with one in doubt; 0: off."""

    day_loss_max_rupees: Amount
    """Loss of a day, realised and open, at which only orders pass that close; at twice that nothing passes; 0: off."""

    operator_silence_max_s: Seconds
    """Since the last sign of life of a person (what is changed by control, or `natya here`), from which on only orders
    pass that close, until there is one; 0: any."""

    rejects_max: Few
    """Orders that the broker rejects in 60 s, after which only orders pass that close; 0: any."""

    order_to_trade_max: Amount
    """Orders, modifications and cancellations of a day for each trade, above which orders is in trouble; 0: any."""

    margin_use_max_percent: Annotated[float, Meta(ge=0, le=100)]
    """Share of the funds at the broker that may be needed by what was ordered since they were read; 0: any."""

    margin_percent: Annotated[float, Meta(gt=0, le=100)]
    """Of its value: what a position needs; of an option that is sold, of its strike's value. Options that are bought,
    and deliveries, need all of it."""

    repeats_max: Few
    """Orders that are alike in 10 s; after one more only orders pass that close; 0: any."""

    orders_a_second_max: Few
    """Orders in any second, beyond which only those pass that close a position; 0: any."""

    orders_a_minute_max: Few
    """The same in any minute."""

    orders_an_hour_max: Few
    """The same in any hour."""

    orders_a_day_max: Few
    """The same in a day in India."""

    strategy_orders_a_day_max: Few
    """The same of one strategy."""

    strategy_trades_a_day_max: Few
    """Trades of one strategy in a day, after which only its orders pass that close a position; 0: any."""

    absence_horizon_s: PositiveSeconds
    """An uncertain order that the broker does not have counts as never placed only after this long."""

    lookup_interval_s: PositiveSeconds
    """How often an uncertain order is looked up."""

    symbols: tuple[str, ...]
    """Only these may be opened: symbols, the beginning of symbols and a `*`, or `*` for all; empty: nothing may."""

    reconcile_interval_s: PositiveSeconds
    """How often every open order is looked up at the broker, since a report may be lost."""

    account: Literal["auto", "session", "new", "newest"]
    """Which account a run trades on: that of all sessions, a new one, or the newest. `auto`: a replay on a new one,
    any other market on that of the sessions."""

    checkpoint_facts: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    """Records of the journal behind the newest checkpoint of the book, from which on another is kept; 0: none is."""

    instruments: dict[str, InstrumentLimits]
    """Limits by symbol, or by the beginning of symbols and a `*`; the symbol itself counts first, then the longest."""

    def of_symbol(self, symbol: str) -> Self:
        """Return the limits with those that an instrument has of its own."""
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
        """Whether any of these limits is measured by the market's own prices, as orders hears them."""
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
