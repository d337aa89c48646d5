"""What every database command needs: who has the database, what may go wrong, and how it is told."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

from .exit_codes import BAD_DATA, BUSY, CANNOT_CREATE, FAILED, INTERNAL, SETTINGS, UNAVAILABLE, exit_code
from .terminal import complain, note, tell, tell_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .actors.journal import JournalView
    from .config.settings import Settings
    from .database_owner import Owner
    from .messages.journal import JournalRecord

JOURNAL_PAGE_RECORDS: Final = 10_000


def _settings(data_dir: Path | None, profile: str) -> Settings:
    from .config.loader import load_settings  # noqa: PLC0415

    return load_settings(profile, overrides={} if data_dir is None else {"system.data_dir": str(data_dir)})


@contextlib.contextmanager
def owner_of(data_dir: Path | None, profile: str, *, writes: bool = False) -> Iterator[Owner]:
    """Find the system that runs there; where none does, open its files."""
    from .actors.control import NotRunningError  # noqa: PLC0415
    from .actors.database import OwnFiles  # noqa: PLC0415
    from .remote import connect  # noqa: PLC0415

    settings = _settings(data_dir, profile)
    with contextlib.ExitStack() as held:
        try:
            owner: Owner = held.enter_context(connect(settings.system.data_dir))
        except NotRunningError:
            owner = held.enter_context(OwnFiles(settings, read_only=not writes))
        yield owner


@contextlib.contextmanager
def alone(data_dir: Path | None, profile: str) -> Iterator[Settings]:
    """Take the data directory, so that no system starts there meanwhile."""
    from .config.data_directory import DataDirectory  # noqa: PLC0415

    settings = _settings(data_dir, profile)
    directory = DataDirectory(settings.system.data_dir)
    directory.take()
    try:
        yield settings
    finally:
        directory.release()


@contextlib.contextmanager
def faults() -> Iterator[None]:
    """Say what went wrong in one line, and end with its exit code."""
    from .actors.control import ControlError  # noqa: PLC0415
    from .actors.database import DatabaseError, DatabaseMissing  # noqa: PLC0415
    from .actors.journal import JournalError  # noqa: PLC0415
    from .config.data_directory import DataDirectoryError  # noqa: PLC0415
    from .config.errors import SettingsError  # noqa: PLC0415
    from .remote import QueryFailedError  # noqa: PLC0415

    named = {"DatabaseDamaged": BAD_DATA, "PoolExhausted": BUSY}
    try:
        yield
    except SettingsError as fault:
        give_up(fault, SETTINGS)
    except QueryFailedError as fault:
        give_up(fault, named.get(fault.error, FAILED))
    except (ControlError, DatabaseMissing) as fault:
        give_up(fault, UNAVAILABLE)
    except (DatabaseError, DataDirectoryError, JournalError) as fault:
        code = exit_code(fault)
        give_up(fault, FAILED if code == INTERNAL else code)
    except OSError as fault:
        give_up(fault, CANNOT_CREATE)


def give_up(fault: object, code: int) -> NoReturn:
    """Say why, and end with this exit code."""
    complain(fault)
    raise typer.Exit(code)


def expect_new(file: Path) -> None:
    """Raise an OSError unless the file can be made, and is not there."""
    if file.exists():
        raise FileExistsError(f"{file} is there already")
    if not file.absolute().parent.is_dir():
        raise FileNotFoundError(f"there is no directory {file.absolute().parent}")


def expect_database(settings: Settings) -> None:
    """End the command where there is no core file."""
    if not Path(settings.database.path).exists():
        give_up(f"there is no database {settings.database.path}", UNAVAILABLE)


def journal_of(settings: Settings, *, verified: bool = False) -> JournalView:
    """Open the journal for reading, when every record was read if `verified`; without one the command ends."""
    from .actors.journal import JournalView, tools  # noqa: PLC0415
    from .actors.journal.disk import RealDisk  # noqa: PLC0415

    directory = Path(settings.journal.path)
    if not directory.is_dir():
        give_up(f"there is no journal in {directory}", FAILED)
    if verified:
        tools.verify(directory)
    return JournalView.of_directory(RealDisk(), directory)


def pages(view: JournalView, on_progress: Callable[[float], object]) -> Iterator[Sequence[JournalRecord]]:
    """Give all records, a page at a time, and tell how far that is of 1."""
    page: list[JournalRecord] = []
    for record in view.find():
        page.append(record)
        if len(page) == JOURNAL_PAGE_RECORDS:
            yield page
            on_progress(record.sequence / view.last_sequence)
            page = []
    if page:
        yield page


def say(found: dict[str, Any], text: str, *, json: bool, err: bool = False) -> None:
    """Print what was done: one JSON object, or a text."""
    import msgspec  # noqa: PLC0415

    if json:
        tell_json(msgspec.json.encode(found))
    elif err:
        note(text)
    else:
        tell(text)
