"""`natya events tail`: the newest events, and new ones as they come."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ...journals import journal_directory
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import running, tell_answer
from ...terminal import tell

if TYPE_CHECKING:
    from ....client import Connection
    from ....messages.journal import JournalRecord

RECORDS_MAX: Final = 10_000
PAGE: Final = 1_000
LOOK_EVERY_S: Final = 0.25


def command(
    *,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, max=RECORDS_MAX, help="How many of the past.")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those that come, until Ctrl-C.")] = False,
    event_type: Annotated[str, typer.Option("--type", help="Only of this type.", show_default=False)] = "",
    key: Annotated[str, typer.Option(help="Only of this aggregate.", show_default=False)] = "",
    topic: Annotated[str, typer.Option(help="Only of topics such as ticks.NSE_EQ.*", show_default=False)] = "**",
    facts: Annotated[bool, typer.Option("--facts", help="The system's own facts, too.")] = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Print the newest durable events, whoever runs; with --follow those of the running system as they come.

    natya events tail --follow --type ParcelWeighed
    """
    import msgspec

    from ....actors.journal import tools
    from ....domain.events.catalog import event_of
    from ....domain.events.interests import Interest, Interests
    from ....domain.events.topics import PatternInvalidError
    from ...views.events import event_json, event_line

    wanted = Interests()
    try:
        types_wanted, keys = frozenset({event_type} - {""}), frozenset({key} - {""})
        wanted.set("tail", Interest(patterns=(topic,), event_types=types_wanted, keys=keys))
    except PatternInvalidError as fault:
        raise typer.BadParameter(str(fault), param_hint="--topic") from fault
    types = () if facts else ("EventPublished",)

    def fits(record: JournalRecord) -> bool:
        return bool(wanted.of(event_of(record)))

    def show(record: JournalRecord) -> None:
        if fits(record):
            tell_answer(msgspec.json.encode(event_json(record), enc_hook=str), event_line(record), json=json)

    with journal_directory(data_dir, profile, checked=False) as directory:
        last_sequence, shown = tools.stat(directory).last_sequence, 0
        for record in tools.tail(directory, records_max=rows, where=fits, types=types):
            show(record)
            shown += 1
            last_sequence = max(last_sequence, record.sequence)
    if not follow:
        _tell_none(shown, json=json)
        return
    with contextlib.suppress(KeyboardInterrupt), running(data_dir, profile) as system:
        while True:
            records = _read(system, last_sequence, types)
            for record in records:
                last_sequence = record.sequence
                show(record)
            if not records:
                time.sleep(LOOK_EVERY_S)


def _read(system: Connection, after_sequence: int, types: tuple[str, ...]) -> tuple[JournalRecord, ...]:
    """Return the next records, if there are any: fewer if they are too large for one answer, but at least one."""
    from ....actors.control import AskRefusedError
    from ....messages.addresses import JOURNAL
    from ....messages.journal import JournalPage, ReadJournal

    records_max = PAGE
    while True:
        wanted = ReadJournal(after_sequence=after_sequence, records_max=records_max, types=types)
        try:
            page = system.request(JOURNAL, wanted)
        except AskRefusedError as refusal:
            if refusal.kind != "too_large" or records_max == 1:
                raise
            records_max //= 2
        else:
            return page.records if isinstance(page, JournalPage) else ()


def _tell_none(shown: int, *, json: bool) -> None:
    if not (shown or json):
        tell("no events")
