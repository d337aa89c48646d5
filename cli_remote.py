"""Commands that ask a running system: `natya tree`, `ping`, `resume`, `trace`. They exit with 69 when none answers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from .exit_codes import FAILED, SETTINGS, UNAVAILABLE, UNKNOWN
from .terminal import complain, tell, tell_json

if TYPE_CHECKING:
    from .remote import Connection

DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Where the system works; else what the profile says.")
]
ProfileNameOption = Annotated[str, typer.Option("--profile", help="Whose settings name the data directory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def tree(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show every actor of the running system: its state, where it runs, its restarts and its last error."""
    from .actors.control import ControlError  # noqa: PLC0415  --help loads neither rich nor rooms
    from .tables import show  # noqa: PLC0415
    from .tree_view import tree_json, tree_table  # noqa: PLC0415

    with _connect(data_dir, profile) as system:
        try:
            found = system.tree()
        except ControlError as fault:
            _give_up(fault)
    if json:
        tell_json(tree_json(found))
    else:
        show(tree_table(found))


def ping(
    actor: Annotated[str, typer.Argument(help="Name of the actor.")] = "system",
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Ask an actor of the running system whether it is well, and what it counts."""
    import msgspec  # noqa: PLC0415  as in `tree`

    from .actors.control import ControlError  # noqa: PLC0415

    with _connect(data_dir, profile) as system:
        asked_ns = time.monotonic_ns()
        try:
            pong = system.ping(actor)
        except ControlError as fault:
            _give_up(fault)
        answered_ms = (time.monotonic_ns() - asked_ns) / 1e6
    counts = msgspec.structs.asdict(pong.statistics)
    if json:
        tell_json(msgspec.json.encode({"actor": pong.actor, "answered_ms": answered_ms, "statistics": counts}))
    else:
        tell(f"{pong.actor} answered in {answered_ms:.1f} ms")
        for name, count in counts.items():
            tell(f"  {name} {count}")


def resume(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why trading may go on; it is journaled under your name.")],
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
) -> None:
    """Let orders pass again after the risk state was HALTED. Exits with 1 where there is nothing to resume."""
    from .actors.control import ControlError  # noqa: PLC0415  as in `tree`
    from .messages.orders import ResumeRefused  # noqa: PLC0415

    with _connect(data_dir, profile) as system:
        try:
            answer = system.resume(reason)
        except ControlError as fault:
            _give_up(fault)
    if isinstance(answer, ResumeRefused):
        complain(f"nothing changed: {answer.reason}")
        raise typer.Exit(FAILED)
    tell(f"orders pass again; they were halted because {answer.halted_because}")


def trace(
    correlation_id: Annotated[
        str,
        typer.Argument(help="A client order id, or the number of a conversation; without it, the newest are listed."),
    ] = "",
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Show where an order or a request went in the running system: each hop, how long it waited, how long it took."""
    from .actors.control import ControlError  # noqa: PLC0415  as in `tree`
    from .tables import show  # noqa: PLC0415
    from .trace_view import conversations_table, trace_json, trace_table  # noqa: PLC0415

    with _connect(data_dir, profile) as system:
        try:
            hops = system.trace(correlation_id)
        except ControlError as fault:
            _give_up(fault)
    if json:
        tell_json(trace_json(hops))
    elif not correlation_id:
        show(conversations_table(hops), whole=True)
    elif hops:
        show(trace_table(hops), whole=True)
    else:
        complain(
            f"nothing is known of {correlation_id!r}: orders and named requests are kept while the system runs, "
            "the newest first"
        )
        raise typer.Exit(UNKNOWN)


def _connect(data_dir: Path | None, profile: str) -> Connection:
    from .actors.control import ControlError  # noqa: PLC0415
    from .config.errors import SettingsError  # noqa: PLC0415
    from .remote import connect  # noqa: PLC0415

    try:
        return connect(data_dir, profile=profile)
    except ControlError as fault:
        _give_up(fault)
    except SettingsError as fault:
        complain(fault)
        raise typer.Exit(SETTINGS) from fault


def _give_up(fault: Exception) -> NoReturn:
    complain(fault)
    raise typer.Exit(UNAVAILABLE) from fault
