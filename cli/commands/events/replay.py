"""`natya events replay`: events of the past, for one durable subscription again."""

from __future__ import annotations

import time
from typing import Annotated, Final

import typer

from ...events import ask_delivery
from ...exit_codes import FAILED
from ...options import INTEGER_MAX, DataDirOption, JsonOption, ProfileNameOption, SinceOption, UntilOption, finite
from ...session import give_up, running, tell_answer

LOOK_EVERY_S: Final = 0.1


def command(
    subscription: Annotated[str, typer.Argument(help="As `natya events subscriptions` lists it.")],
    *,
    after: Annotated[int, typer.Option(min=0, metavar="SEQUENCE", help="Those behind it in the journal.")] = 0,
    until: Annotated[
        int, typer.Option(min=0, metavar="SEQUENCE", help="The last one.", show_default=False)
    ] = INTEGER_MAX,
    since_ns: SinceOption = 0,
    until_ns: UntilOption = INTEGER_MAX,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only of this type; may be repeated.")] = None,
    keys: Annotated[list[str] | None, typer.Option("--key", help="Only of this aggregate; may be repeated.")] = None,
    correlation_id: Annotated[str, typer.Option(help="Only of this conversation.", show_default=False)] = "",
    pace: Annotated[
        float,
        typer.Option(min=0, callback=finite, help="1: with the pauses of then; 10: ten times as fast; 0: none."),
    ] = 0,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Hand journaled events over to one durable subscription of the running system again, and wait until it is done.

    Its place stays, and no other subscription hears of it. What fails is counted and left out. Nobody can order as a
    consequence. Ctrl-C ends it.

    natya events replay billing --type ParcelWeighed --after 1200
    """
    from msgspec.structs import asdict

    from ....messages.addresses import DELIVERY
    from ....messages.replays import ReplayBegun, ReplayEvents, StopReplay
    from ...views.events import replay_text

    wanted = ReplayEvents(
        subscription=subscription,
        after_sequence=after,
        until_sequence=until,
        since_ns=since_ns,
        until_ns=until_ns,
        event_types=tuple(types or ()),
        keys=tuple(keys or ()),
        correlation_id=correlation_id,
        pace=pace,
    )
    with running(data_dir, profile) as system:
        begun = system.request(DELIVERY, wanted)
        if not isinstance(begun, ReplayBegun):
            give_up(getattr(begun, "reason", str(begun)), FAILED)
        try:
            while True:
                found = [each for each in ask_delivery(system).replays if each.replay_id == begun.replay_id]
                if not found:
                    give_up("delivery was restarted meanwhile: the replay has ended where it was", FAILED)
                if found[0].is_over:
                    break
                time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            status = system.request(DELIVERY, StopReplay(replay_id=begun.replay_id)).status
            found = [status] if status is not None else found
    tell_answer(asdict(found[0]), replay_text(found[0]), json=json)
    if found[0].failed or found[0].error:
        raise typer.Exit(FAILED)
