"""What several commands do: load settings, connect to a system or open its files, map errors to exit codes, print.

Packages are imported inside of functions, so that `--help` loads none of them.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from ..config.errors import SettingsError
from .exit_codes import BAD_DATA, BUSY, CANNOT_CREATE, FAILED, INTERNAL, UNAVAILABLE, exit_code
from .own_settings import own_settings
from .terminal import complain, note, tell, tell_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import msgspec

    from ..actors.instruments import InstrumentMaster
    from ..client import Connection, Owner
    from ..config.loader import LoadedSettings
    from ..config.settings import Settings

Found = TypeVar("Found")

# Which settings.


def load(
    profile: str,
    overrides: Mapping[str, Any],
    *,
    config: Path | None = None,
    needs_secrets: bool = False,
    only_looks: bool = False,
) -> LoadedSettings:
    """Load the settings and their origins; if they are refused the command ends with 78 and the reasons.

    Secrets behind a passphrase are left out, or, where it needs them, the passphrase is asked for at a terminal.
    """
    with faults():
        return _read(profile, overrides, config=config, needs_secrets=needs_secrets, only_looks=only_looks)


def _read(  # noqa: PLR0913  as `load_with_origins`
    profile: str,
    overrides: Mapping[str, Any],
    *,
    config: Path | None,
    needs_secrets: bool,
    only_looks: bool = False,
    secrets_elsewhere: bool = False,
) -> LoadedSettings:
    from ..config.loader import load_with_origins  # noqa: PLC0415

    return with_passphrase(
        lambda: load_with_origins(
            profile,
            config=config,
            environment=os.environ,
            overrides=dict(overrides),
            locked_left_out=not needs_secrets,
            only_looks=only_looks,
            secrets_elsewhere=secrets_elsewhere,
        )
    )


def with_passphrase(read: Callable[[], Found]) -> Found:
    """Read what may need a passphrase; if it does, ask for it at a terminal, once."""
    try:
        return read()
    except SettingsError:
        if not _took_passphrase():
            raise
        return read()


def _took_passphrase() -> bool:
    """Ask for the passphrase that was wanted, at a terminal; say whether one was given."""
    from ..config.keepers.age import give_passphrase, passphrase_wanted  # noqa: PLC0415
    from ..config.secrets import Secret  # noqa: PLC0415

    path = passphrase_wanted()
    if path is None or not sys.stdin.isatty():
        return False
    given = hidden(f"passphrase of {path} (it is not shown): ")
    if given:
        give_passphrase(path, Secret(given))
    return bool(given)


def hidden(question: str) -> str:
    """Ask at a terminal, without showing what is typed; a terminal that cannot hide it ends the command."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would be shown
        try:
            return getpass.getpass(question)
        except getpass.GetPassWarning:
            give_up("a terminal that can hide what is typed wanted: give the secret on standard input", FAILED)
        except EOFError:
            return ""


def load_to_run(profile: str, overrides: Mapping[str, Any], *, config: Path | None = None) -> LoadedSettings:
    """Do the same, and let the broker and the source of market data check their own options, too."""
    with faults():
        return read_to_run(profile, overrides, config=config)


def load_for_a_service(profile: str, overrides: Mapping[str, Any], *, config: Path | None = None) -> LoadedSettings:
    """Do the same for a system that systemd starts: its secrets are where it runs, neither read here nor missed."""
    with faults():
        return _to_run(_read(profile, overrides, config=config, needs_secrets=False, secrets_elsewhere=True))


def read_to_run(profile: str, overrides: Mapping[str, Any], *, config: Path | None = None) -> LoadedSettings:
    """Load the same.

    Raises:
        SettingsError: with everything that is wrong, a line each.
    """
    return _to_run(_read(profile, overrides, config=config, needs_secrets=True))


def _to_run(loaded: LoadedSettings) -> LoadedSettings:
    from ..bodies import expect_bodies  # noqa: PLC0415

    expect_bodies(loaded.settings, loaded.origins)
    return loaded


def settings_of(data_dir: Path | None, profile: str, *, only_looks: bool = True) -> Settings:
    """Load the settings for a data directory, or where none is given those of `natya.toml` here; or end with 78.

    Who looks at a running system, or stops it, needs none of what a start needs: see `load_settings`.
    """
    if data_dir is not None:
        return load(profile, {"system.data_dir": str(data_dir)}, only_looks=only_looks).settings
    with faults():
        config = own_settings()
    return load(profile, {}, config=config, only_looks=only_looks).settings


def directory_of(data_dir: Path | None, profile: str) -> Path:
    """Return the data directory of a command; or end with 78."""
    return data_dir if data_dir is not None else Path(settings_of(None, profile).system.data_dir)


# Which system.


@contextlib.contextmanager
def running(data_dir: Path | None, profile: str) -> Iterator[Connection]:
    """Connect to the running system; if there is none, or it does not answer, the command ends with 69."""
    from ..client import connect  # noqa: PLC0415

    with faults(), connect(directory_of(data_dir, profile)) as system:
        yield system


def runs(fault: Exception) -> bool:
    """Tell whether something runs in a data directory all the same, where asking it failed so."""
    from ..actors.control import NotRunningError, NotServingError  # noqa: PLC0415

    return isinstance(fault, NotServingError) or not isinstance(fault, NotRunningError)


@contextlib.contextmanager
def owner_of(data_dir: Path | None, profile: str, *, writes: bool = False) -> Iterator[Owner]:
    """Connect to the running system, or open its files if none runs."""
    with owner_by(settings_of(data_dir, profile), writes=writes) as owner:
        yield owner


@contextlib.contextmanager
def owner_by(settings: Settings, *, writes: bool = False) -> Iterator[Owner]:
    """Do the same with settings that are loaded already."""
    from ..actors.control import NotRunningError  # noqa: PLC0415
    from ..actors.database import OwnFiles  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415

    with contextlib.ExitStack() as held:
        try:
            owner: Owner = held.enter_context(connect(settings.system.data_dir))
        except NotRunningError:
            owner = held.enter_context(OwnFiles(settings, read_only=not writes))
            _tell_lag(owner, settings)
        yield owner


@contextlib.contextmanager
def instruments_of(data_dir: Path | None, profile: str) -> Iterator[InstrumentMaster]:
    """Open the newest list of instruments, or the built-in one; beside a running system, too."""
    from ..actors.instruments import InstrumentMaster  # noqa: PLC0415

    with InstrumentMaster(settings_of(data_dir, profile).instruments.path) as master:
        for fault in master.faults:
            note(fault)
        yield master


def tell_running(data_dir: Path | None, profile: str, message: msgspec.Struct) -> bool:
    """Send a message to the owner of the instruments of the running system, and tell whether one runs and answered."""
    from ..actors.control import ControlError  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415
    from ..messages.addresses import INSTRUMENTS  # noqa: PLC0415

    try:
        with connect(directory_of(data_dir, profile)) as system:
            system.request(INSTRUMENTS, message)
    except ControlError as fault:
        if runs(fault):
            note(f"the running system was not told: {fault}")
        return False
    return True


def _tell_lag(owner: Owner, settings: Settings) -> None:
    """Note on standard error how many facts the files lack: a killed system had only journaled them."""
    from ..actors.journal.disk import RealDisk  # noqa: PLC0415
    from ..actors.journal.mark import read_mark  # noqa: PLC0415
    from ..client.owner import projected_sequence  # noqa: PLC0415
    from ..domain.wording import counted  # noqa: PLC0415

    directory = Path(settings.journal.path)
    if not directory.is_dir():
        return
    with contextlib.suppress(OSError):  # a journal that cannot be read is for `natya journal verify`
        # The mark is exact after a kill, and read at once; walking a full segment takes half a second.
        mark, projected = read_mark(RealDisk(), directory), projected_sequence(owner)
        if mark is not None and 0 < projected < mark.sequence:  # a file without facts was made just now
            unknown = counted(mark.sequence - projected, "fact")
            note(f"the journal has {unknown} that these answers do not know: they are added at the next start")


@contextlib.contextmanager
def alone(data_dir: Path | None, profile: str) -> Iterator[Settings]:
    """Lock the data directory, so that no system starts there meanwhile."""
    from ..config.data_directory import DataDirectory  # noqa: PLC0415

    settings = settings_of(data_dir, profile)
    directory = DataDirectory(settings.system.data_dir)
    directory.take()
    try:
        yield settings
    finally:
        directory.release()


# Errors.


@contextlib.contextmanager
def faults() -> Iterator[None]:
    """Print an expected error in one line, and end with its exit code; an unexpected one is raised."""
    try:
        yield
    except Exception as fault:
        code = _code_of(fault)
        if code is None:
            raise
        give_up(fault, code)


def _code_of(fault: Exception) -> int | None:  # noqa: PLR0911  a table
    from ..actors.control import ControlError  # noqa: PLC0415
    from ..actors.database import DatabaseError, DatabaseMissing  # noqa: PLC0415
    from ..actors.feed import RecordingError  # noqa: PLC0415
    from ..actors.instruments import InstrumentsError, ListNotHadError, ListRefusedError  # noqa: PLC0415
    from ..actors.journal import JournalError  # noqa: PLC0415
    from ..actors.strategy import StrategyError  # noqa: PLC0415
    from ..backtest.errors import BacktestError, BacktestFailedError  # noqa: PLC0415
    from ..client import QueryFailedError  # noqa: PLC0415
    from ..config.data_directory import DataDirectoryError  # noqa: PLC0415

    match fault:
        case QueryFailedError():
            return {"DatabaseDamaged": BAD_DATA, "PoolExhausted": BUSY}.get(fault.error, FAILED)
        case ControlError() | DatabaseMissing() | ListNotHadError():
            return UNAVAILABLE
        case SettingsError() | DatabaseError() | DataDirectoryError() | JournalError():
            code = exit_code(fault)
            return FAILED if code == INTERNAL else code
        case BacktestFailedError():
            return INTERNAL
        case BacktestError() | RecordingError() | StrategyError():
            return exit_code(fault)
        case ListRefusedError():
            return BAD_DATA
        case InstrumentsError() | OSError():
            return CANNOT_CREATE
        case _:
            return None


def give_up(fault: object, code: int) -> NoReturn:
    """Print why, and end with this exit code."""
    complain(fault)
    raise typer.Exit(code)


def expect_database(settings: Settings) -> None:
    """End the command if there is no core file."""
    if not Path(settings.database.path).exists():
        give_up(f"there is no database {settings.database.path}", UNAVAILABLE)


# Answers.


def tell_answer(found: object, shown: str | Callable[[], object], *, json: bool) -> None:
    """Print an answer.

    Args:
        found: printed as one JSON object with `json`, with the version of its form.
        shown: printed for people without it: a text, or a function that prints.
        json: which of both.
    """
    import msgspec  # noqa: PLC0415

    if json:
        tell_object(found if isinstance(found, bytes) else msgspec.json.encode(found))
    elif isinstance(shown, str):
        tell(shown)
    else:
        shown()
