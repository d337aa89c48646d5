"""`natya cancel`: have the running system cancel open orders."""

from __future__ import annotations

from typing import Annotated

import typer

from ...domain.wording import counted
from ..exit_codes import FAILED
from ..options import DataDirOption, JsonOption, ProfileNameOption, StrategyOption, SymbolOption
from ..session import give_up, running, tell_answer
from ..terminal import complain


def command(
    *,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Client order ids.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every open order.")] = False,
    strategy: StrategyOption = "",
    symbol: SymbolOption = "",
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Cancel open orders: by ID, or those of a strategy, of a symbol, or all. Exits with 1 if one named is not open.

    Where the system does not answer: `natya kill-switch on`, whose file it finds by itself.
    """
    if not (ids or everything or strategy or symbol):
        raise typer.BadParameter("ids, --all, --strategy or --symbol wanted, found none")
    with running(data_dir, profile) as system:
        answer = system.cancel_orders_of(ids or (), everything=everything, strategy=strategy, symbol=symbol)
    if answer.problem:
        give_up(answer.problem, FAILED)
    told = f"{counted(len(answer.client_order_ids), 'order')} being cancelled"
    tell_answer(
        {"client_order_ids": answer.client_order_ids, "not_open": answer.not_open},
        "\n".join([told, *(f"  {each}" for each in answer.client_order_ids)]),
        json=json,
    )
    if answer.not_open:
        complain(f"not open: {', '.join(answer.not_open)}")
        raise typer.Exit(FAILED)
