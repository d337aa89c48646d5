"""`natya instruments show`: one instrument."""

from __future__ import annotations

from typing import Annotated

import typer

from ...exit_codes import UNKNOWN
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, give_up, instruments_of, tell_answer


def command(
    name: Annotated[str, typer.Argument(help="Symbol, SEGMENT:NUMBER, or a name at the exchange or the broker.")],
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Show what a name means: the instrument, and what an order for it must look like.

    natya instruments show INFY

    natya instruments show NSE_EQ:1594 --json
    """
    from ....actors.instruments import NameUnknownError
    from ...views import instruments as views

    with faults(), instruments_of(data_dir, profile) as master:
        try:
            found = master.show(name)
        except NameUnknownError as unknown:
            give_up(unknown, UNKNOWN)
        tell_answer(views.one_json(found, master.of), views.one_text(found, master.of), json=json)
