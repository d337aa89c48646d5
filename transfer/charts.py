"""Two ways to a broker's charts: by the system that runs, within its limits and with its token; or by this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from ..actors.broker.adapters import DhanBrokerAdapter
from ..actors.broker.bodies.dhan.endpoints import LIVE_URL
from ..config.data_directory import tally_folder
from ..config.errors import SettingsError
from ..domain.dhan.writing import InvalidRequestError
from ..messages.addresses import HISTORY
from ..messages.history import ChartNotRead, ChartRead, ReadChart

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from types import TracebackType

    from ..client import Connection
    from ..config.sections.broker import BrokerSettings
    from ..domain.instruments import Instrument
    from .symbol_fetch import Answer

ANSWER_S: Final = 90.0
"""Seconds that a running system has for one request: more than the request may take."""


class SystemCharts:
    """The charts that a running system reads."""

    at_once = 1

    def __init__(self, system: Connection) -> None:
        self._system: Final = system

    def begin(self, instrument: Instrument, interval_ns: int, since: date, until: date) -> Answer:
        """Ask, and wait: a connection has one request at a time."""
        wanted = ReadChart(symbol=instrument.symbol, interval_ns=interval_ns, since=since, until=until)
        answer: ChartRead | ChartNotRead = self._system.request(HISTORY, wanted, timeout_s=ANSWER_S)
        return lambda: answer


class BrokerCharts:
    """The charts of the broker that the settings name, read by this process; a context manager.

    Args:
        settings: of the broker.
        data_dir: of natya, where requests of the day are counted.

    Raises:
        SettingsError: there is no access token.
    """

    at_once = 4

    def __init__(self, settings: BrokerSettings, data_dir: str | Path) -> None:
        missing = [name for name in ("client_id", "access_token") if not getattr(settings, name)]
        if missing:
            raise SettingsError(
                tuple(f"broker.{name}: one wanted (BROKER_{name.upper()}), found none" for name in missing)
            )
        self._broker: Final = DhanBrokerAdapter(
            settings.client_id,
            settings.access_token,
            base_url=settings.base_url or LIVE_URL,
            tally_folder=tally_folder(data_dir),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._broker.close()

    def begin(self, instrument: Instrument, interval_ns: int, since: date, until: date) -> Answer:
        """Ask."""
        try:
            return self._broker.read_chart(instrument, interval_ns, since, until).result
        except InvalidRequestError as fault:
            refused = ChartNotRead(why="refused", reason=str(fault))
            return lambda: refused
