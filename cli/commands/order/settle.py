"""`natya order settle`: a person's word on an order in doubt."""

from __future__ import annotations

from typing import Annotated

import typer

from ...exit_codes import FAILED
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import give_up, running, tell_answer


def command(
    *,
    order_id: Annotated[str, typer.Argument(metavar="ID", help="Client order id.")],
    reason: Annotated[str, typer.Option("--reason", help="How you know; it is journaled under your name.")],
    absent: Annotated[bool, typer.Option("--absent", help="It never was at the broker.")] = False,
    filled: Annotated[
        int | None, typer.Option("--filled", min=1, metavar="SHARES", help="In all; the rest has ended.")
    ] = None,
    price: Annotated[
        float | None, typer.Option("--price", metavar="RUPEES", help="Average, of the shares that are not known yet.")
    ] = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Say how an order in doubt has ended, by what the broker's own terminal shows. Exits with 1 if nothing changed.

    For one that no look-up settles, as of an earlier day, where the broker lists trades without our ids. Nothing is
    sent. It is refused while the order is not in doubt, or may still be on its way.
    """
    from ....messages.order_listing import SettleRefused

    if absent == (filled is not None):
        raise typer.BadParameter("either --absent or --filled wanted")
    with running(data_dir, profile) as system:
        answer = system.settle_order(order_id, filled=filled or 0, price=price, reason=reason)
    if isinstance(answer, SettleRefused):
        give_up(f"nothing changed: {answer.reason}", FAILED)
    found = {"client_order_id": order_id, "state": answer.state, "filled": answer.filled}
    tell_answer(found, f"{order_id} is {answer.state}, {answer.filled} filled", json=json)
