"""`natya instruments refresh`: a new list."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ....domain.wording import counted
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, instruments_of, settings_of, tell_answer, tell_running
from ...terminal import note


def command(
    *,
    file: Annotated[Path | None, typer.Option(help="Read this file, as Dhan publishes it, instead.")] = None,
    url: Annotated[str, typer.Option(help="Fetch it from here, instead.", show_default=False)] = "",
    may_shrink: Annotated[
        bool,
        typer.Option(
            "--may-shrink",
            help="Accept less than half of the instruments in use, or numbers that were those of others.",
        ),
    ] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Fetch the list of instruments and use it, also in a running system; a broken one is refused, the old one kept.

    natya instruments refresh

    natya instruments refresh --file api-scrip-master.csv
    """
    if file is not None and url:
        raise typer.BadParameter("one of --file and --url wanted, found both")
    from ....messages.instruments import ReopenInstruments
    from ...views import instruments as views

    limits = settings_of(data_dir, profile).instruments
    began = time.monotonic()
    with faults(), instruments_of(data_dir, profile) as master:
        if file is None:
            found = master.refresh(
                url or limits.url,
                rows_min=limits.rows_min,
                may_shrink=may_shrink,
                timeout_s=limits.timeout_s,
                bytes_max=limits.bytes_max,
            )
        else:
            found = master.take(file, rows_min=limits.rows_min, may_shrink=may_shrink)
        of = master.of
    took_s = time.monotonic() - began
    for example in found.examples:
        note(f"left out: {example}")
    is_told = tell_running(data_dir, profile, ReopenInstruments())
    where = ", the running system uses it" if is_told else ""
    text = f"{counted(of.instruments, 'instrument')} from {of.source} in {took_s:.1f} s{where}"
    told = {"list": views.list_json(of), "took_s": took_s, "examples": found.examples, "running": is_told}
    tell_answer(told, text, json=json)
