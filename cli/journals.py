"""What several commands do with the files of a journal, whether a system runs or not."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .exit_codes import FAILED
from .session import faults, give_up, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..actors.journal import JournalView
    from ..actors.orders.limits_in_force import Held
    from ..config.settings import Settings
    from ..messages.journal import JournalRecord

JOURNAL_PAGE_RECORDS: Final = 10_000


@contextlib.contextmanager
def journal_directory(data_dir: Path | None, profile: str, *, checked: bool = True) -> Iterator[Path]:
    """Yield the journal's directory, and check all of it afterwards; damage ends the command with 65."""
    from ..actors.journal import tools  # noqa: PLC0415

    directory = journal_path(settings_of(data_dir, profile))
    with faults():
        yield directory
        if checked:
            tools.check(directory)


def journal_of(settings: Settings, *, verified: bool = False) -> JournalView:
    """Open the journal for reading, after checking every record if `verified`; the command ends if there is none."""
    from ..actors.journal import JournalView, tools  # noqa: PLC0415
    from ..actors.journal.disk import RealDisk  # noqa: PLC0415

    directory = journal_path(settings)
    if verified:
        tools.verify(directory)
    return JournalView.of_directory(RealDisk(), directory)


def journal_path(settings: Settings) -> Path:
    """Return the journal's directory; the command ends if there is none."""
    directory = Path(settings.journal.path)
    if not directory.is_dir():
        give_up(f"there is no journal in {directory}", FAILED)
    return directory


def limits_of_journal(settings: Settings) -> tuple[dict[str, Held], dict[str, str]]:
    """Read from the journal, if there is one, the limits that a person has changed, and all limits that it has."""
    from ..actors.orders.limits_in_force import noted  # noqa: PLC0415
    from ..messages.risk import LimitsChanged  # noqa: PLC0415

    held: dict[str, Held] = {}
    written: dict[str, str] = {}
    if Path(settings.journal.path).is_dir():
        with faults():
            for record in journal_of(settings).find(types={LimitsChanged.__name__}):
                if isinstance(record.fact, LimitsChanged):
                    noted(held, record.fact)
                    written |= {each.name: each.after for each in record.fact.changes}
    return held, written


def pages(view: JournalView, on_progress: Callable[[float], object]) -> Iterator[Sequence[JournalRecord]]:
    """Yield all records in pages, and report the part done, from 0 to 1."""
    page: list[JournalRecord] = []
    for record in view.find():
        page.append(record)
        if len(page) == JOURNAL_PAGE_RECORDS:
            yield page
            on_progress(record.sequence / view.last_sequence)
            page = []
    if page:
        yield page
