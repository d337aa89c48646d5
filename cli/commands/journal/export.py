"""`natya journal export`: all records."""

from __future__ import annotations

from typing import Annotated

import typer

from ...options import (
    INTEGER_MAX,
    DataDirOption,
    KeyOption,
    ProfileNameOption,
    SinceOption,
    TypesOption,
    UntilOption,
    filters,
)
from ...session import journal_directory
from ...terminal import tell_json


def command(
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    after: Annotated[int, typer.Option(min=0, help="Only records after this sequence.")] = 0,
    since_ns: SinceOption = 0,
    until_ns: UntilOption = INTEGER_MAX,
    types: TypesOption = None,
    key: KeyOption = "",
) -> None:
    """Print all records that fit, one JSON object a line."""
    from ....actors.journal import tools

    wanted = filters(since_ns=since_ns, until_ns=until_ns, types=types, key=key)
    with journal_directory(data_dir, profile) as directory:
        for line in tools.export(directory, after_sequence=after, **wanted):
            tell_json(line, end=b"")
