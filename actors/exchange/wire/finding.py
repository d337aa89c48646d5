"""Instruments that are listed at the exchange when somebody needs them, from the list of all that was read.

The few that are part of natya are not meant: an exchange that is served by itself lists them from the beginning.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from ....domain.time import day_of, number_of_day
from ....messages.addresses import INSTRUMENTS
from ....messages.instruments import FindInstrument, InstrumentsFound, InstrumentShown, ShowInstrument

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....messages.exchange import Instrument as InstrumentKey
    from ....messages.instruments import InstrumentDefinition
    from ...runtime import Outcome
    from .market import MarketShown

FIND_TIMEOUT_S: Final = 30.0
OPTIONS_MAX: Final = 10_000
"""Of one underlying, the nearest expiries first."""


class Finder:
    """Lists an instrument by symbol or number, or all options of an underlying; what no list knows stays unlisted.

    The list is a foreign actor's: each method asks it, and calls `then` later, in a turn of the actor it works for.
    """

    def __init__(
        self,
        market: MarketShown,
        *,
        ask: Callable[..., None],
        now_ns: Callable[[], int],
        listed: Callable[[InstrumentDefinition], None],
    ) -> None:
        """List nothing yet.

        Args:
            market: where instruments are listed.
            ask: `RuntimeActor.ask`.
            now_ns: the exchange's time: nanoseconds since 1970-01-01 UTC.
            listed: called with each instrument that is listed by symbol or number.
        """
        self._market: Final = market
        self._ask: Final = ask
        self._now_ns: Final = now_ns
        self._listed: Final = listed
        self._asked_on: dict[InstrumentKey, int] = {}
        """The day in India whose options of an underlying are listed."""

    def symbol(self, symbol: str, then: Callable[[], None]) -> None:
        """List the instrument of a symbol."""
        if self._market.listings.of_symbol(symbol) is not None:
            then()
        else:
            self._find(symbol, then)

    def number(self, key: InstrumentKey, then: Callable[[], None]) -> None:
        """List the instrument of a segment and security id."""
        if self._market.listings.find(key) is not None:
            then()
        else:
            self._find(":".join(key), then)

    def options(self, underlying: InstrumentKey, then: Callable[[], None]) -> None:
        """List the options of an underlying, once a day, and until there is a list of the day."""
        today = day_of(self._now_ns())
        if self._asked_on.get(underlying) == today:
            then()
        else:
            self.number(underlying, functools.partial(self._find_options, underlying, today, then))

    def _find(self, name: str, then: Callable[[], None]) -> None:
        self._ask(
            INSTRUMENTS,
            ShowInstrument(name=name),
            timeout_s=FIND_TIMEOUT_S,
            then=functools.partial(self._hear, name, then),
        )

    def _hear(self, name: str, then: Callable[[], None], outcome: Outcome) -> None:
        told = outcome.value
        is_read = isinstance(told, InstrumentShown) and told.of.day is not None
        if is_read and _is_named(told.instrument, name) and self._add(told.instrument):
            self._listed(told.instrument)
        then()

    def _find_options(self, underlying: InstrumentKey, today: int, then: Callable[[], None]) -> None:
        listing = self._market.listings.find(underlying)
        if listing is None:
            then()
            return
        name = listing.reference.trading_symbol or listing.symbol
        self._ask(
            INSTRUMENTS,
            FindInstrument(underlying=name, is_expired=True, rows_max=OPTIONS_MAX),
            timeout_s=FIND_TIMEOUT_S,
            then=functools.partial(self._hear_options, underlying, today, then),
        )

    def _hear_options(self, underlying: InstrumentKey, today: int, then: Callable[[], None], outcome: Outcome) -> None:
        told: Any = outcome.value
        if isinstance(told, InstrumentsFound):
            if told.of.day is None or number_of_day(told.of.day) >= today:
                self._asked_on[underlying] = today
            for definition in told.instruments:
                if definition.instrument_type.startswith("OPT"):
                    self._add(definition)
        then()

    def _add(self, definition: InstrumentDefinition) -> bool:
        try:
            self._market.list_instrument(definition)
        except ValueError:  # another was listed under its symbol or number: by hand, or in an earlier run
            return False
        return True


def _is_named(definition: InstrumentDefinition, name: str) -> bool:
    """Tell whether it is the symbol or the number of an instrument, and not only a name that it has, too."""
    return name in {definition.symbol, f"{definition.segment}:{definition.security_id}"}
