"""`natya position settle`: a person's word on shares that the broker has no more."""

from __future__ import annotations

from typing import Annotated

import typer

from ....domain.wording import counted
from ...exit_codes import FAILED
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import give_up, running, tell_answer


def command(
    *,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="Whose position differs from the broker's.")],
    shares: Annotated[
        int, typer.Option("--shares", help="What the broker's terminal shows, negative if short.", show_default=False)
    ],
    price: Annotated[float, typer.Option("--price", metavar="RUPEES", help="Average, at which the others went.")],
    reason: Annotated[str, typer.Option("--reason", help="How you know; it is journaled under your name.")],
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Say at what price shares went that the broker has no more, by its own terminal. Exits with 1 if nothing changed.

    For what was closed there while no system ran, so that the broker lists the trades no more. The book holds what the
    broker has then, each strategy's part closed at that price, and the limit ends with the next comparison. Nothing is
    sent. It is refused where the books agree, or the broker has more than ours; of a contract that has expired, where
    --shares is not 0, as the broker has it no more.
    """
    from ....messages.order_listing import SettleRefused

    with running(data_dir, profile) as system:
        answer = system.settle_position(symbol, shares=shares, price=price, reason=reason)
    if isinstance(answer, SettleRefused):
        give_up(f"nothing changed: {answer.reason}", FAILED)
    ids = list(answer.client_order_ids)
    told = f"{symbol}: {shares} shares, as the broker has; closed in the book by {counted(len(ids), 'order')}: "
    tell_answer({"symbol": symbol, "shares": shares, "client_order_ids": ids}, told + " ".join(ids), json=json)
