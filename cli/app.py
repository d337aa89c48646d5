"""The table of commands. Each is a file in `commands/` and a line here, and is loaded when it is called."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from .signals import leave_no_core
from .terminal import ended, prepare, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS: Final = (
    "init",
    "run",
    "backtest",
    "parity",
    "doctor",
    "dashboard",
    "status",
    "health",
    "alarms",
    "metrics",
    "tree",
    "top",
    "ping",
    "orders",
    "order.show",
    "order.settle",
    "position.settle",
    "positions",
    "cancel",
    "flatten",
    "strategies.list",
    "strategies.start",
    "strategies.stop",
    "strategies.swap",
    "strategies.reload",
    "kill-switch.on",
    "kill-switch.off",
    "kill-switch.status",
    "deadman",
    "resume",
    "here",
    "trace",
    "risk.show",
    "risk.set",
    "risk.explain",
    "limits",
    "completion",
    "service.install",
    "service.uninstall",
    "service.show",
    "exchange.serve",
    "reload",
    "config.show",
    "config.check",
    "secrets.set",
    "secrets.list",
    "secrets.test",
    "secrets.keep",
    "secrets.rotate",
    "secrets.remove",
    "audit.list",
    "audit.verify",
    "journal.verify",
    "journal.stat",
    "journal.tail",
    "journal.export",
    "events.tail",
    "events.stats",
    "events.subscriptions",
    "events.replay",
    "events.dlq.list",
    "events.dlq.show",
    "events.dlq.requeue",
    "events.dlq.edit",
    "events.dlq.drop",
    "events.dlq.purge",
    "broker.status",
    "broker.login",
    "broker.renew",
    "instruments.find",
    "instruments.show",
    "instruments.refresh",
    "db.query",
    "db.snapshot",
    "db.backup",
    "db.import",
    "db.export",
    "db.archive",
    "db.check",
    "db.stat",
    "db.compact",
    "db.rebuild",
    "data.fetch",
    "data.status",
    "data.inspect",
)
"""Every command, in the order of the help. The module in `commands/` has the same name (`import_` for `db.import`,
since `import` is a keyword, and `kill_switch` for `kill-switch`), and a function `command`."""

GROUPS: Final = {
    "strategies": "Strategies of the running system: start, stop and swap one while all else runs.",
    "order": "One order: its whole life.",
    "position": "One position: a person's word on it.",
    "kill-switch": "Halt everything: no order leaves, and each open one is cancelled.",
    "risk": "The limits of orders: how much of each is used, and what they said of an order.",
    "service": "natya as a service of systemd.",
    "exchange": "The paper exchange, for any client that speaks Dhan's protocol.",
    "config": "The settings: what is in force, and where it came from.",
    "secrets": "The secrets of the settings: kept in private files, tried, replaced while the system runs.",
    "audit": "Who had the system do what, when, and what came of it.",
    "journal": "The journal: verify, count, read.",
    "events": "Domain events: the newest, who is subscribed, what was given up; replays.",
    "events.dlq": "Dead letters: events that a durable subscription could not handle.",
    "broker": "The access token of the running system's broker.",
    "instruments": "The list of instruments: find one, fetch a new list.",
    "db": "The database: ask it, fill it, copy it, keep it in order.",
    "data": "Market data: fetch candles of the past, list what there is.",
}
"""Groups of commands, and their help."""


class Commands(Mapping[str, "TyperCommand | TyperGroup"]):
    """The commands with a prefix (none: those of `natya` itself), each loaded when it is looked up."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix: Final = prefix
        below = (name.removeprefix(prefix).split(".")[0] for name in COMMANDS if name.startswith(prefix))
        self._names: Final = tuple(dict.fromkeys(below))

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._names:
            raise KeyError(name)
        return _command(f"{self._prefix}{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@functools.cache
def _command(path: str) -> TyperCommand | TyperGroup:
    """Load a command, or make the group of this name."""
    name = path.rpartition(".")[2]
    if path in GROUPS:
        return TyperGroup(
            name=name,
            help=GROUPS[path],
            short_help=GROUPS[path],  # whole: else the list of commands cuts it off
            no_args_is_help=True,
            rich_markup_mode=None,
            commands=cast("dict[str, Any]", Commands(f"{path}.")),
        )
    module = import_module(f".commands.{path.replace('-', '_')}{'_' * iskeyword(name)}", __package__)
    one = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    one.command(name)(module.command)
    command = cast("TyperCommand", get_command(one))
    command.short_help = (command.help or "").partition("\n\n")[0]  # whole, as that of a group
    return command


def _print_version(asked: bool) -> None:  # noqa: FBT001  typer calls it so
    if asked:
        from importlib.metadata import version  # noqa: PLC0415  reading metadata costs more than the rest of --help

        tell(f"natya {version('natya')}")
        raise typer.Exit


def _natya(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A troupe of supervised actors for trading."""


class Natya(TyperGroup):
    """The command `natya`, whose subcommands are those of the table."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": Commands()})


app = typer.Typer(
    name="natya",
    cls=Natya,
    callback=_natya,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def run() -> int:
    """Run the command named by the arguments of this process, and return its exit code."""
    prepare()
    leave_no_core()
    return ended(functools.partial(app, prog_name="natya"))
