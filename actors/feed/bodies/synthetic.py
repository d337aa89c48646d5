"""A synthetic market: prices of a seeded random walk on the tick grid, with depth and volume."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from ....domain.instruments import PriceGrid
from ....domain.time import SECOND_NS
from ....messages.market import DaySummary, Depth, Tick
from ..source import MESSAGES_A_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from ....config.sections.feed import FeedSettings
    from ....messages.market import MarketMessage
    from ..source import Surroundings

LEVELS: Final = 5
LEVELS_MAX: Final = 20

VOLATILITY: Final = 1e-4
"""Standard deviation of a second's return: annual volatility of 25 %, typical of a large Indian share."""

FIRST_PRICES: Final = (200, 4_000)
"""Rupees."""

SPREAD_TICKS: Final = (1, 1, 1, 2, 2, 3)
LEVEL_QUANTITY_MAX: Final = 2_000
TRADE_QUANTITY_MEAN: Final = 40
TICKS_FROM_ZERO_MIN: Final = 20
TICKS_FROM_ZERO_MAX: Final = 10**7

MESSAGES_IN_FIRST_CHUNK: Final = 20
"""Each next one is twice as long, up to `MESSAGES_A_CHUNK`: a start draws no minutes of a market read slowly."""


class SyntheticOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What this source alone has."""

    levels: Annotated[int, Meta(ge=LEVELS, le=LEVELS_MAX)] = LEVELS
    """Of the book on each side. Those beyond the fifth have the quantities of the first once more: the prices of a seed
    are the same with any number of them."""


def synthetic(settings: FeedSettings, options: SyntheticOptions, surroundings: Surroundings) -> SyntheticMarket:
    """Make the market that the settings describe."""
    return SyntheticMarket(
        settings.symbols,
        ticks_per_s=settings.ticks_per_s,
        tick_size_rupees=settings.tick_size_rupees,
        levels=options.levels,
        start_ns=surroundings.start_ns,
        random=surroundings.random,
        name=f"synthetic-{settings.seed}-{surroundings.start_ns}{_deeper(options)}",
    )


def _deeper(options: SyntheticOptions) -> str:
    return "" if options.levels == LEVELS else f"-{options.levels}"


class SyntheticMarket:
    """Symbols trade in turn, at equal intervals, without end. The same random numbers give the same market.

    `chunks` draws on the generator it was given, so only its first call begins at the beginning.
    """

    bad_rows: Final = 0

    def __init__(  # noqa: PLR0913  each is a property of the market
        self,
        symbols: tuple[str, ...],
        *,
        ticks_per_s: float,
        tick_size_rupees: float,
        levels: int,
        start_ns: int,
        random: Random,
        name: str,
    ) -> None:
        """Take `ticks_per_s` of each symbol; `name` must be another for another seed or start."""
        grid = PriceGrid(tick_size_rupees)
        return_a_tick = VOLATILITY / math.sqrt(ticks_per_s)
        self._shares = [_Share(symbol, grid, return_a_tick, random, name, levels=levels) for symbol in symbols]
        self._step_ns = SECOND_NS / (ticks_per_s * max(1, len(symbols)))
        self._start_ns = start_ns

    @property
    def notes(self) -> tuple[str, ...]:
        """Return none: there is no recording."""
        return ()

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Yield ticks in chunks, the first ones short; none without symbols."""
        turns = zip(itertools.count(), itertools.cycle(self._shares), strict=False)
        length = MESSAGES_IN_FIRST_CHUNK
        while chunk := [self._tick(*turn) for turn in itertools.islice(turns, length)]:
            yield chunk
            length = min(2 * length, MESSAGES_A_CHUNK)

    def close(self) -> None:
        """Release nothing."""

    def _tick(self, turn: int, share: _Share) -> MarketMessage:
        return share.trade(sequence=turn + 1, exchange_ns=self._start_ns + int(turn * self._step_ns))


class _Share:
    """One symbol: its hidden fair price in ticks, and its day so far: high, low, volume."""

    def __init__(  # noqa: PLR0913  each is a property of the share
        self, symbol: str, grid: PriceGrid, return_a_tick: float, random: Random, source: str, *, levels: int
    ) -> None:
        self._symbol = symbol
        self._grid = grid
        self._return = return_a_tick
        self._random = random
        self._source = source
        self._levels = range(levels)
        self._fair_ticks = random.randint(*FIRST_PRICES) / grid.tick_size_rupees
        self._close = self._price(round(self._fair_ticks))
        self._open = self._high = self._low = 0.0
        self._volume = 0
        self._turnover = 0.0

    def trade(self, *, sequence: int, exchange_ns: int) -> Tick:
        """Move the price one random step, and trade at the ask or the bid."""
        random = self._random
        walked = self._fair_ticks * math.exp(random.gauss(0.0, self._return))
        self._fair_ticks = min(max(walked, TICKS_FROM_ZERO_MIN), TICKS_FROM_ZERO_MAX)
        bid = math.floor(self._fair_ticks)
        ask = bid + random.choice(SPREAD_TICKS)
        price = self._price(random.choice((bid, ask)))
        quantity = 1 + int(random.expovariate(1 / TRADE_QUANTITY_MEAN))
        self._count(price, quantity)
        quantities = tuple(random.choices(range(1, LEVEL_QUANTITY_MAX + 1), k=2 * LEVELS))
        bid_quantities = tuple(quantities[level % LEVELS] for level in self._levels)
        ask_quantities = tuple(quantities[LEVELS + level % LEVELS] for level in self._levels)
        return Tick(
            symbol=self._symbol,
            price=price,
            quantity=quantity,
            exchange_ns=exchange_ns,
            source=self._source,
            sequence=sequence,
            volume=self._volume,
            depth=Depth(
                bid_prices=tuple(self._price(bid - level) for level in self._levels),
                bid_quantities=bid_quantities,
                ask_prices=tuple(self._price(ask + level) for level in self._levels),
                ask_quantities=ask_quantities,
            ),
            day=DaySummary(
                open_price=self._open,
                high_price=self._high,
                low_price=self._low,
                close_price=self._close,
                average_price=round(self._turnover / self._volume, 2),
                total_buy_quantity=sum(bid_quantities),
                total_sell_quantity=sum(ask_quantities),
            ),
        )

    def _price(self, ticks: int) -> float:
        return self._grid.nearest(ticks * self._grid.tick_size_rupees)

    def _count(self, price: float, quantity: int) -> None:
        if not self._volume:
            self._open = self._low = price
        self._high = max(self._high, price)
        self._low = min(self._low, price)
        self._volume += quantity
        self._turnover += price * quantity
