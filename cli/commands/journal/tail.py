"""`natya journal tail`: the newest records."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ...journals import journal_directory
from ...options import (
    INTEGER_MAX,
    DataDirOption,
    JsonOption,
    KeyOption,
    ProfileNameOption,
    SinceOption,
    TypesOption,
    UntilOption,
    filters,
)
from ...terminal import tell_json, tell_list

RECORDS_MAX: Final = 10_000


def command(
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    records: Annotated[int, typer.Option("--records", "-n", min=1, max=RECORDS_MAX, help="How many.")] = 10,
    since_ns: SinceOption = 0,
    until_ns: UntilOption = INTEGER_MAX,
    types: TypesOption = None,
    key: KeyOption = "",
    json: JsonOption = False,
) -> None:
    """Print the newest records that fit, one JSON object a line; with --json all of them as one object."""
    from ....actors.journal import tools

    wanted = filters(since_ns=since_ns, until_ns=until_ns, types=types, key=key)
    with journal_directory(data_dir, profile) as directory:
        lines = (tools.to_json_line(record) for record in tools.tail(directory, records_max=records, **wanted))
        if json:
            tell_list("records", lines)
            return
        for line in lines:
            tell_json(line, end=b"")
