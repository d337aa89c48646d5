"""`natya risk set`: other limits, while the system runs."""

from __future__ import annotations

from typing import Annotated

import typer

from ...exit_codes import FAILED
from ...options import DataDirOption, JsonOption, ProfileNameOption, assignments
from ...session import give_up, running, tell_answer


def command(
    limits: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help="Of [orders], as position_max=50.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is journaled under your name.")],
    confirm: Annotated[
        list[str], typer.Option("--confirm", metavar="NAME=VALUE", help="Once more, where more may pass; repeatable.")
    ] = [],
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Change limits of the running system, all or none: in force at once, journaled, and after a restart, too.

    What lets more pass is wanted once more, with quantity_max, value_max_rupees, position_max and orders_in_flight_max
    as they will be. It holds until the setting itself is changed. Exits with 1 where nothing was changed.
    """
    from ....messages.risk import LimitsKept
    from ...views.risk import changed_json, changed_text

    form = "NAME=VALUE"
    values, confirmed = assignments(limits, form), assignments(confirm, form)
    with running(data_dir, profile) as system:
        answer = system.set_limits(values, reason, confirmed=confirmed)
    if isinstance(answer, LimitsKept):
        give_up("nothing is loosened:\n" + "\n".join(f"  {problem}" for problem in answer.problems), FAILED)
    tell_answer(changed_json(answer), changed_text(answer), json=json)
