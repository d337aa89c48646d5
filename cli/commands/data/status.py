"""`natya data status`: which candles there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, instruments_of, owner_of, tell_answer

if TYPE_CHECKING:
    from ....actors.instruments import InstrumentMaster
    from ....domain.history import Hours


def command(
    symbols: Annotated[list[str] | None, typer.Argument(metavar="SYMBOL…", help="Only of these.")] = None,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """List the candles that are stored, by symbol and length: from when to when, how many, and what is missing.

    Missing is what the exchange's hours have room for. A minute in which nothing was traded has no candle.

    natya data status RELIANCE
    """
    from ....client import series
    from ...views import candles as views
    from ...views import rows
    from ...views.tables import show

    with faults(), instruments_of(data_dir, profile) as master, owner_of(data_dir, profile) as owner:
        wanted = [_symbol(master, name) for name in symbols or ()]
        with rows.progress("candles") as on_progress:
            found = list(series(owner, lambda symbol: _hours(master, symbol), symbols=wanted, on_progress=on_progress))
    tell_answer(
        views.series_json(found),
        (lambda: show(views.series_table(found))) if found else "no candles are stored",
        json=json,
    )


def _symbol(master: InstrumentMaster, name: str) -> str:
    """Return the symbol of a name; a name that is no longer listed may still have candles."""
    from ....actors.instruments import NameUnknownError

    try:
        return master.show(name).symbol
    except NameUnknownError:
        return name


def _hours(master: InstrumentMaster, symbol: str) -> Hours:
    """Return when a symbol trades; one that is not listed is taken for a share."""
    from ....actors.instruments import NameUnknownError
    from ....domain.history import Hours

    try:
        found = master.show(symbol)
    except NameUnknownError:
        return Hours.of("NSE_EQ", symbol)
    return Hours.of(found.segment, found.symbol, is_underlying=found.is_underlying)
