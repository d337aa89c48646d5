"""`natya dashboard`: the page of the running system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exit_codes import UNAVAILABLE
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import faults, give_up, running, tell_answer


def command(
    *,
    browse: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Print the address of the dashboard, with the token that lets you in: whoever has it may do what the token may."""
    from ...actors.control.http.token_file import read_token

    with running(data_dir, profile) as system:
        shown = system.show_http()
    if not shown.url:
        give_up(f"the system serves no HTTP: {shown.reason} (natya run --set control.http=true)", UNAVAILABLE)
    with faults():
        url = f"{shown.url}/#token={read_token(Path(shown.token_file).parent).reveal()}"
    tell_answer({"url": url}, url, json=json)
    if browse:
        import webbrowser

        webbrowser.open(url)
