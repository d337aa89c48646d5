"""From our symbols to Dhan's segment and security id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .....domain.instruments import Instrument
from .....domain.time import day_of
from .....messages.addresses import INSTRUMENTS
from .....messages.instruments import InstrumentShown, InstrumentUnknown, ShowInstrument
from ...body import BrokerSession

if TYPE_CHECKING:
    from ....runtime import Outcome

ANSWER_S: Final = 2.0


class Listings:
    """Asks the owner of the instruments, once a day for each symbol."""

    def __init__(self, session: BrokerSession, owner: str = INSTRUMENTS) -> None:
        """Know nothing yet; the owner of the instruments is an actor's name."""
        self._session: Final = session
        self._owner: Final = owner
        self._day = 0
        self._known: Final[dict[str, Instrument]] = {}

    def find(self, symbol: str, then: Callable[[Instrument | str], object]) -> None:
        """Find the instrument, or say why there is none; at once if it is known."""
        today = day_of(self._session.clock.now_ns())
        if today != self._day:
            self._day = today
            self._known.clear()
        instrument = self._known.get(symbol)
        if instrument is not None:
            then(instrument)
            return

        def answered(outcome: Outcome) -> None:
            then(self._take(symbol, outcome))

        self._session.ask(self._owner, ShowInstrument(name=symbol), timeout_s=ANSWER_S, then=answered)

    def _take(self, symbol: str, outcome: Outcome) -> Instrument | str:
        answer = outcome.value
        if isinstance(answer, InstrumentUnknown):
            return answer.reason
        if not isinstance(answer, InstrumentShown):
            told = getattr(answer, "reason", "") or str(outcome.error or answer)
            return f"the instrument {symbol!a} wanted, found no answer: {told}"
        instrument = Instrument.of(answer.instrument)
        if instrument.symbol != symbol:
            return f"our symbol of an instrument wanted, found {symbol!a}, which is {instrument.symbol}"
        if not instrument.security_id:
            return f"the exchange's number of {symbol!a} wanted, found none in {answer.of.source}"
        self._known[symbol] = instrument
        return instrument
