"""What several commands ask of the broker session of the running system: its access token, its order updates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from .exit_codes import FAILED
from .session import give_up, running, tell_answer

if TYPE_CHECKING:
    from pathlib import Path

    import msgspec

    from ..client import Connection
    from ..messages.broker import UpdatesStatistics
    from ..messages.tokens import TokenStatus

TOKEN_S: Final = 60.0
"""Seconds that an attempt to get an access token may take."""


def ask_keeper(data_dir: Path | None, profile: str, message: msgspec.Struct) -> TokenStatus:
    """Ask the keeper of the running system's access token; a system without one ends the command with 1."""
    from ..messages.addresses import BROKER_TOKENS  # noqa: PLC0415
    from ..messages.tokens import TokenStatus  # noqa: PLC0415

    with running(data_dir, profile) as system:
        if not _runs(system, BROKER_TOKENS):
            give_up("the running system keeps no access token: it trades on paper, or on another machine", FAILED)
        answer = system.request(BROKER_TOKENS, message, timeout_s=TOKEN_S)
    if not isinstance(answer, TokenStatus):
        give_up(f"the running system did not say how its access token stands: {answer}", FAILED)
    return answer


def ask_updates(data_dir: Path | None, profile: str) -> UpdatesStatistics | None:
    """Ask what the owner of the socket of order updates counts; None: the running system has none."""
    from ..messages.addresses import BROKER_UPDATES  # noqa: PLC0415
    from ..messages.broker import UpdatesStatistics  # noqa: PLC0415
    from ..messages.system import Ping, Pong  # noqa: PLC0415

    with running(data_dir, profile) as system:
        if not _runs(system, BROKER_UPDATES):
            return None
        answer = system.request(BROKER_UPDATES, Ping())
    found = answer.statistics if isinstance(answer, Pong) else None
    return found if isinstance(found, UpdatesStatistics) else None


def tell_token(status: TokenStatus, *, json: bool) -> None:
    """Print the outcome of a request for a new access token; if there is no token, the command ends with 1."""
    from .views.tokens import token_json, token_text  # noqa: PLC0415

    tell_answer(token_json(status), token_text(status), json=json)
    if status.state != "alive" or status.reason:
        raise typer.Exit(FAILED)


def _runs(system: Connection, name: str) -> bool:
    return any(child.path.rpartition("/")[2] == name for child in system.tree().children)
