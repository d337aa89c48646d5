"""What the commands about dead letters share: choosing them, and asking the running system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from .exit_codes import FAILED, UNKNOWN
from .session import give_up, running, tell_answer

if TYPE_CHECKING:
    from pathlib import Path

    from ..client import Connection
    from ..messages.delivery import DeadLettersListed, EventDeadLettered, ListDeadLetters

PAGE: Final = 1_000


class Found(NamedTuple):
    """The part of a dead letter by which it is chosen: there may be 100,000, with a traceback each."""

    letter_id: str
    sequence: int
    last_failed_ns: int


LetterIdsArgument = Annotated[list[str], typer.Argument(help="As they are listed: billing-17.", show_default=False)]
LetterIdArgument = Annotated[str, typer.Argument(help="As it is listed: billing-17.", show_default=False)]
SubscriptionOption = Annotated[str, typer.Option(help="Of this durable subscription.", show_default=False)]
EventTypeOption = Annotated[str, typer.Option("--type", help="Events of this type.", show_default=False)]
ErrorOption = Annotated[str, typer.Option(help="That failed with this type of error.", show_default=False)]
EveryLetterOption = Annotated[bool, typer.Option("--all", help="Those that no other option chooses, too.")]
LetterKeyOption = Annotated[str, typer.Option("--key", help="Of this aggregate.", show_default=False)]


def ask_letters(system: Connection, wanted: ListDeadLetters) -> DeadLettersListed:
    """Ask for a page of dead letters."""
    from ..messages.addresses import DELIVERY  # noqa: PLC0415

    listed: DeadLettersListed = system.request(DELIVERY, wanted)
    return listed


def all_letters(data_dir: Path | None, profile: str, wanted: ListDeadLetters) -> list[Found]:
    """Ask for all dead letters, page by page; return them in the order of the journal, each once."""
    from msgspec.structs import replace  # noqa: PLC0415

    found: dict[str, Found] = {}  # a page begins anew where the last letter of the one before is gone
    with running(data_dir, profile) as system:
        page = ask_letters(system, replace(wanted, rows_max=PAGE)).letters
        while page:
            found |= {each.letter_id: Found(each.letter_id, each.sequence, each.last_failed_ns) for each in page}
            page = ask_letters(system, replace(wanted, rows_max=PAGE, after=page[-1].letter_id)).letters
    return sorted(found.values(), key=lambda letter: letter.sequence)


def one_letter(system: Connection, letter_id: str) -> tuple[EventDeadLettered, bool]:
    """Ask for one dead letter, and whether it is on its way again; the command ends if there is none of this id."""
    from ..messages.delivery import ListDeadLetters  # noqa: PLC0415

    listed = ask_letters(system, ListDeadLetters(letter_id=letter_id))
    if not listed.letters:
        give_up(f"there is no dead letter {letter_id!r}; `natya events dlq list` lists them", UNKNOWN)
    return listed.letters[0], letter_id in listed.requeued


def change(  # noqa: PLR0913  what a command is given
    data_dir: Path | None,
    profile: str,
    letter_ids: list[str],
    *,
    requeues: bool,
    json: bool,
    fields: bytes | None = None,
) -> None:
    """Requeue or drop dead letters, and print how many; one that is on its way again, or gone, is left out."""
    from ..domain.wording import counted  # noqa: PLC0415
    from ..messages.addresses import DELIVERY  # noqa: PLC0415
    from ..messages.delivery import ChangeDeadLetters  # noqa: PLC0415

    changed = 0
    with running(data_dir, profile) as system:
        for start in range(0, len(letter_ids), PAGE):
            request = ChangeDeadLetters(
                letter_ids=tuple(letter_ids[start : start + PAGE]),
                change="requeued" if requeues else "dropped",
                payload=fields,
            )
            done = system.request(DELIVERY, request)
            if done.refusal:
                give_up(done.refusal, FAILED)
            changed += done.changed
    told = f"{counted(changed, 'dead letter')} {'requeued' if requeues else 'dropped'}"
    if left := len(dict.fromkeys(letter_ids)) - changed:
        told += f"; {left:,} named that {'is' if left == 1 else 'are'} none, or on the way again already"
    tell_answer({"changed": changed}, told, json=json)
