"""`natya flatten`: have the running system close positions."""

from __future__ import annotations

from typing import Annotated

import typer

from ..exit_codes import FAILED
from ..options import DataDirOption, JsonOption, ProfileNameOption, StrategyOption, SymbolOption
from ..session import give_up, running, tell_answer
from ..terminal import complain


def command(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every position.")] = False,
    strategy: StrategyOption = "",
    symbol: SymbolOption = "",
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Close positions by limit orders that follow the market, until they are flat; open orders in them are cancelled.

    In HALTED, too. Otherwise a strategy that goes on may open again: `natya kill-switch on --flatten` keeps it from
    that. What is left to close is shown by `natya positions`, and why it waits by `natya tree`.
    """
    from ...messages.kill_switch import FlatteningBegun

    if not (everything or strategy or symbol):
        raise typer.BadParameter("--all, --strategy or --symbol wanted, found none")
    with running(data_dir, profile) as system:
        answer = system.close_positions(strategy=strategy, symbol=symbol)
    if not isinstance(answer, FlatteningBegun):
        give_up(f"nothing is being closed: {answer}", FAILED)
    if answer.not_written:
        complain(f"positions are being closed, but a restart would not know of it yet: {answer.not_written}")
    tell_answer({"begun": True}, "positions are being closed: natya positions", json=json)
