"""`natya data fetch`: candles of the past, from the broker's charts."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ...exit_codes import BUSY, FAILED, REFUSED, UNAVAILABLE, UNKNOWN
from ...options import DataDirOption, ProfileNameOption
from ...session import faults, give_up, instruments_of, owner_of, settings_of, tell_answer
from ...terminal import complain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ....client import Owner
    from ....domain.instruments import Instrument
    from ....transfer import Charts


class Interval(StrEnum):
    """Length of candles."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "1d"


def command(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="Or any other name of an instrument.")],
    *,
    start: Annotated[dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.")],
    end: Annotated[
        dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day; else today.")
    ] = None,
    interval: Annotated[Interval, typer.Option(help="Length of the candles.")] = Interval.MINUTE,
    again: Annotated[bool, typer.Option("--again", help="Ask for what was fetched before, too.")] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a symbol.")] = False,
) -> None:
    """Fetch candles into the database, within the broker's limits; what was fetched before is not asked for again.

    It goes on where it was when it is interrupted, however that was. Prices are adjusted for splits and bonus issues as
    of the newest fetch: where earlier ones turn out to have been adjusted since, all of the symbol is fetched again.
    What the exchange's hours have room for and is not there is told. Through the system that runs in the data
    directory, if one does.

    natya data fetch RELIANCE INFY --from 2026-01-01

    natya data fetch NIFTY --interval 1d --from 2015-01-01 --to 2025-12-31
    """
    from ....domain.history import INTERVALS
    from ....domain.time import IST
    from ....transfer import FetchStoppedError, Want, fetch
    from ...views import candles as views
    from ...views import rows

    today = dt.datetime.now(IST).date()
    first, last = start.date(), min(today if end is None else end.date(), today)
    if last < first:
        raise typer.BadParameter(f"a day from {first} to today wanted, found {last}", param_hint="--to")
    instruments = _named(symbols, data_dir, profile)
    want = Want(interval=interval.value, interval_ns=INTERVALS[interval.value], first=first, last=last)
    refused = False
    with faults(), owner_of(data_dir, profile, writes=True) as owner, _charts(owner, data_dir, profile) as charts:
        try:
            with rows.progress(f"{interval.value} candles") as on_progress:
                fetched = fetch(
                    instruments,
                    want,
                    owner=owner,
                    charts=charts,
                    now_ns=time.time_ns,
                    again=again,
                    on_progress=on_progress,
                )
                for done in fetched:
                    tell_answer(views.fetch_json(done), partial(views.tell_fetch, done), json=json)
                    refused = refused or bool(done.error)
        except FetchStoppedError as stopped:
            complain("stopped; what was fetched is kept, and the same command goes on from there")
            give_up(stopped, {"token": REFUSED, "later": BUSY}.get(stopped.answer.why, UNAVAILABLE))
    if refused:
        raise typer.Exit(FAILED)


def _named(names: Sequence[str], data_dir: Path | None, profile: str) -> list[Instrument]:
    """Find the instruments; nothing is fetched if one is not known."""
    from ....actors.instruments import NameUnknownError

    found: dict[str, Instrument] = {}
    is_complete = True
    with faults(), instruments_of(data_dir, profile) as master:
        for name in names:
            try:
                instrument = master.show(name)
            except NameUnknownError as fault:
                near = () if fault.symbols else master.near(name)
                complain(f"{fault}; near it: {', '.join(near)}" if near else str(fault))
                is_complete = False
                continue
            if not instrument.security_id:
                complain(f"an instrument with a number at the broker wanted, found {instrument.symbol!a}")
                is_complete = False
            found[instrument.symbol] = instrument
    if not is_complete:
        raise typer.Exit(UNKNOWN)
    return list(found.values())


@contextlib.contextmanager
def _charts(owner: Owner, data_dir: Path | None, profile: str) -> Iterator[Charts]:
    """Let the running system read the charts, if it can; else this process."""
    from ....client import Connection
    from ....messages.addresses import HISTORY
    from ....transfer import BrokerCharts, SystemCharts

    if isinstance(owner, Connection) and any(each.path.endswith(f"/{HISTORY}") for each in owner.tree().children):
        yield SystemCharts(owner)
        return
    settings = settings_of(data_dir, profile, only_looks=False)
    with BrokerCharts(settings.broker, settings.system.data_dir) as charts:
        yield charts
