"""The book of a data directory for people: of the running system, or built from its files where none runs.

Packages are imported inside of functions, so that `--help` loads none of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .journals import journal_of
from .session import faults, settings_of
from .terminal import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config.settings import Settings
    from ..messages.journal import JournalRecord
    from ..messages.order_listing import LastPrice, PositionsRead, ReadOrders, ReadPositions

PRICES_S: Final = 10.0
NEWEST_PRICES: Final = "select symbol, arg_max(price, exchange_ns), max(exchange_ns) from all_ticks"


def read_book(data_dir: Path | None, profile: str, wanted: ReadOrders | ReadPositions) -> Any:
    """Ask orders of the running system, or build the book from the journal if none runs."""
    from ..actors.control import NotRunningError  # noqa: PLC0415
    from ..actors.orders import book_of, listed, positions  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415
    from ..messages.addresses import ORDERS  # noqa: PLC0415
    from ..messages.order_listing import ReadOrders  # noqa: PLC0415

    settings = settings_of(data_dir, profile)
    with faults():
        try:
            with connect(settings.system.data_dir) as system:
                return system.request(ORDERS, wanted)
        except NotRunningError:
            newest_ns = 0

            def noted() -> Iterator[JournalRecord]:
                nonlocal newest_ns
                for record in journal_of(settings).find():
                    newest_ns = max(newest_ns, getattr(record.fact, "occurred_ns", 0))
                    yield record

            book = book_of(noted())
            if isinstance(wanted, ReadOrders):
                return listed(book, wanted, newest_ns)
            return priced(positions(book, {}), settings)


def priced(found: PositionsRead, settings: Settings) -> PositionsRead:
    """Return positions with the newest recorded price of each, where no system runs."""
    import msgspec  # noqa: PLC0415

    symbols = tuple(each.symbol for each in found.positions)
    return msgspec.structs.replace(found, prices=recorded_prices(settings, symbols))


def recorded_prices(settings: Settings, symbols: tuple[str, ...]) -> tuple[LastPrice, ...]:
    """Return the newest recorded price of each symbol, where no system runs; print why, if it cannot be read."""
    from ..actors.database import DatabaseError, OwnFiles  # noqa: PLC0415
    from ..messages.database import Query  # noqa: PLC0415
    from ..messages.order_listing import LastPrice  # noqa: PLC0415

    if not symbols or not Path(settings.database.path).exists():
        return ()
    wanted = ", ".join("?" for _ in symbols)
    sql = f"{NEWEST_PRICES} where symbol in ({wanted}) group by symbol"
    try:
        with OwnFiles(settings, read_only=True) as files:
            rows = files.work(Query(sql=sql, parameters=symbols, rows_max=len(symbols)), timeout_s=PRICES_S).rows
    except DatabaseError as fault:
        note(f"no price is known: {fault}")
        return ()
    return tuple(LastPrice(symbol=symbol, price=price, priced_ns=priced_ns) for symbol, price, priced_ns in rows)
