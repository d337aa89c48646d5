"""`natya orders`: list orders."""

from __future__ import annotations

from typing import Annotated

import typer

from ..book import read_book
from ..options import DataDirOption, JsonOption, ProfileNameOption, StrategyOption, SymbolOption
from ..session import tell_answer


def command(
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that may still be filled.")] = False,
    all_days: Annotated[bool, typer.Option("--all-days", help="Those of all days, too.")] = False,
    strategy: StrategyOption = "",
    symbol: SymbolOption = "",
    account: Annotated[
        int | None,
        typer.Option(min=0, metavar="NUMBER", help="Of this account: each replay has one.", show_default="the newest"),
    ] = None,
    at_most: Annotated[int, typer.Option("--at-most", min=1, max=10_000, help="How many.")] = 1_000,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """List the orders of the day, and those that are open, newest first: of the running system, or from its journal.

    Sessions share account 0, each replay has an account of its own; where there are several, the list says which is
    shown.
    """
    from ...messages.order_listing import ReadOrders
    from ..views.orders import orders_json, orders_text

    wanted = ReadOrders(
        open_only=open_only,
        all_days=all_days,
        strategy=strategy,
        symbol=symbol,
        orders_max=at_most,
        account=account,
    )
    found = read_book(data_dir, profile, wanted)
    tell_answer(orders_json(found), lambda: orders_text(found, wanted), json=json)
