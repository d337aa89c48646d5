"""`natya instruments find`: instruments of a kind."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, instruments_of, tell_answer


class Segment(StrEnum):
    """An exchange, and what is traded there."""

    IDX_I = "IDX_I"
    NSE_EQ = "NSE_EQ"
    NSE_FNO = "NSE_FNO"
    NSE_CURRENCY = "NSE_CURRENCY"
    NSE_COMM = "NSE_COMM"
    BSE_EQ = "BSE_EQ"
    BSE_FNO = "BSE_FNO"
    BSE_CURRENCY = "BSE_CURRENCY"
    MCX_COMM = "MCX_COMM"


class Option(StrEnum):
    """A call or a put."""

    CE = "CE"
    PE = "PE"


def command(
    words: Annotated[list[str] | None, typer.Argument(help="All of them stand in its names, in any case.")] = None,
    *,
    segment: Annotated[Segment | None, typer.Option(help="Of this exchange and kind.")] = None,
    underlying: Annotated[str, typer.Option(help="Contracts on this.", show_default=False)] = "",
    kind: Annotated[str, typer.Option("--type", help="EQUITY, INDEX, FUTIDX, OPTIDX, …", show_default=False)] = "",
    expiry: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Contracts of this day.")] = None,
    option: Annotated[Option | None, typer.Option(help="Calls or puts.")] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Those that have expired, too.")] = False,
    rows_max: Annotated[int, typer.Option(min=1, max=10_000, help="So many are shown.")] = 20,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Find instruments by words of their names, and by what they are.

    natya instruments find nifty 29150 call

    natya instruments find --underlying BANKNIFTY --type FUTIDX
    """
    from ....messages.instruments import FindInstrument
    from ...views import instruments as views
    from ...views.tables import show

    exact: dict[str, Any] = {
        "segment": None if segment is None else segment.value,
        "option_type": None if option is None else option.value,
        "expiry": None if expiry is None else expiry.date(),
    }
    wanted = FindInstrument(
        text=" ".join(words or ()),
        underlying=underlying,
        instrument_type=kind,
        is_expired=expired,
        rows_max=rows_max,
        **exact,
    )
    with faults(), instruments_of(data_dir, profile) as master:
        found, total = master.find(wanted)
        of = master.of
    tell_answer(views.some_json(found, total, of), lambda: show(views.table(found, total, of)), json=json)
