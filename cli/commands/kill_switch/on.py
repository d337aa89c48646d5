"""`natya kill-switch on`: halt, and cancel every open order."""

from __future__ import annotations

from typing import Annotated

import typer

from ...exit_codes import CANNOT_CREATE, UNAVAILABLE
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import tell_answer
from ...switching import engage
from ...terminal import complain


def command(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is journaled under your name.")] = "",
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Close all positions, too, by limit orders that follow the market.")
    ] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Let no order leave from now on, and cancel every open one; it holds until `off` and `natya resume --reason`.

    Works without the running system, too: the file HALT in its data directory is written first, and looked for before
    each order leaves. Exits with 69 where a system runs and did not confirm, with 73 where the file cannot be written.
    """
    done = engage(data_dir, profile, reason=reason, flatten=flatten)
    tell_answer(done, done.in_words(), json=json)
    if done.problem:
        complain(done.problem)
    if not done.written:
        raise typer.Exit(CANNOT_CREATE)
    if done.system == "silent":
        raise typer.Exit(UNAVAILABLE)
