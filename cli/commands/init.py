"""`natya init`: a project to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exit_codes import FAILED
from ..session import give_up
from ..terminal import tell


def command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where it is made; it is made, too.")],
) -> None:
    """Make a project: a strategy, its tests, settings, and a notebook. Files that are there stay as they are.

    natya init momentum && cd momentum && natya run --config natya.toml
    """
    from ..project import make_project

    try:
        made, kept = make_project(directory)
    except OSError as fault:
        give_up(f"{fault.filename or directory}: {fault.strerror}", FAILED)
    for path in made:
        tell(f"made  {path}")
    for path in kept:
        tell(f"kept  {path}, which was there")
