"""`natya trace`: the path of an order or a request."""

from __future__ import annotations

from typing import Annotated

import typer

from ..exit_codes import UNKNOWN
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import give_up, running
from ..terminal import tell_object


def command(
    correlation_id: Annotated[
        str,
        typer.Argument(help="A client order id, or the number of a conversation; without it, the newest are listed."),
    ] = "",
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Show the path of an order or a request in the running system: each hop, how long it waited, how long it took."""
    from ..views.tables import show
    from ..views.trace import conversations_table, trace_json, trace_table

    with running(data_dir, profile) as system:
        hops = system.trace(correlation_id)
    if json:
        tell_object(trace_json(hops))
    elif not correlation_id:
        show(conversations_table(hops), whole=True)
    elif hops:
        show(trace_table(hops), whole=True)
    else:
        give_up(
            f"nothing is known of {correlation_id!r}: orders and named requests are kept while the system runs, "
            "the newest first",
            UNKNOWN,
        )
