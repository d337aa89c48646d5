"""`natya init`: a project to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exit_codes import CANNOT_CREATE
from ..options import JsonOption
from ..session import give_up, tell_answer


def command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where it is made; it is made, too.")],
    *,
    json: JsonOption = False,
) -> None:
    """Make a project: a strategy, its tests, settings, and a notebook. Files that are there stay as they are.

    natya init momentum && cd momentum && natya run
    """
    from ..project import make_project

    try:
        made, kept = make_project(directory)
    except OSError as fault:
        give_up(f"{fault.filename or directory}: {fault.strerror}", CANNOT_CREATE)
    lines = [*(f"made  {path}" for path in made), *(f"kept  {path}, which was there" for path in kept)]
    tell_answer({"made": [*map(str, made)], "kept": [*map(str, kept)]}, "\n".join(lines), json=json)
