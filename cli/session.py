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
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import typer

from ..config.errors import SettingsError
from .exit_codes import BAD_DATA, BUSY, CANNOT_CREATE, FAILED, INTERNAL, UNAVAILABLE, exit_code
from .own_settings import own_settings
from .terminal import complain, note, tell, tell_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import msgspec

    from ..actors.instruments import InstrumentMaster
    from ..actors.journal import JournalView
    from ..actors.orders.limits_in_force import Held
    from ..client import Connection, Owner
    from ..client.deadman import Account
    from ..config.loader import LoadedSettings
    from ..config.secrets import Secret
    from ..config.settings import Settings
    from ..messages.broker import UpdatesStatistics
    from ..messages.journal import JournalRecord
    from ..messages.tokens import TokenStatus

Found = TypeVar("Found")

JOURNAL_PAGE_RECORDS: Final = 10_000
TOKEN_S: Final = 60.0
"""An attempt to get an access token takes no longer."""

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


def _read(
    profile: str,
    overrides: Mapping[str, Any],
    *,
    config: Path | None,
    needs_secrets: bool,
    only_looks: bool = False,
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
        )
    )


def with_passphrase(read: Callable[[], Found]) -> Found:
    """Read what may want a passphrase: asked for at a terminal if it does, once."""
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


def read_to_run(profile: str, overrides: Mapping[str, Any], *, config: Path | None = None) -> LoadedSettings:
    """Load the same.

    Raises:
        SettingsError: with everything that is wrong, a line each.
    """
    from ..bodies import expect_bodies  # noqa: PLC0415

    loaded = _read(profile, overrides, config=config, needs_secrets=True)
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
    """Return the data directory that is meant; or end with 78."""
    return data_dir if data_dir is not None else Path(settings_of(None, profile).system.data_dir)


# Which system.


@contextlib.contextmanager
def running(data_dir: Path | None, profile: str) -> Iterator[Connection]:
    """Connect to the running system; if there is none, or it does not answer, the command ends with 69."""
    from ..client import connect  # noqa: PLC0415

    with faults(), connect(directory_of(data_dir, profile)) as system:
        yield system


@contextlib.contextmanager
def owner_of(data_dir: Path | None, profile: str, *, writes: bool = False) -> Iterator[Owner]:
    """Connect to the running system, or open its files if none runs."""
    from ..actors.control import NotRunningError  # noqa: PLC0415
    from ..actors.database import OwnFiles  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415

    settings = settings_of(data_dir, profile)
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
    from ..actors.control import ControlError, NotRunningError  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415
    from ..messages.addresses import INSTRUMENTS  # noqa: PLC0415

    try:
        with connect(directory_of(data_dir, profile)) as system:
            system.request(INSTRUMENTS, message)
    except NotRunningError:
        return False
    except ControlError as fault:
        note(f"the running system was not told: {fault}")
        return False
    return True


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


def _runs(system: Connection, name: str) -> bool:
    return any(child.path.rpartition("/")[2] == name for child in system.tree().children)


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
    """Print what came of the wish for a new access token; if there is none, the command ends with 1."""
    from .views.tokens import token_json, token_text  # noqa: PLC0415

    tell_answer(token_json(status), token_text(status), json=json)
    if status.state != "alive" or status.reason:
        raise typer.Exit(FAILED)


def _tell_lag(owner: Owner, settings: Settings) -> None:
    """Say on standard error what the files do not know: facts that a system which was killed had only journaled."""
    from ..actors.journal.disk import RealDisk  # noqa: PLC0415
    from ..actors.journal.mark import read_mark  # noqa: PLC0415
    from ..client.owner import projected_sequence  # noqa: PLC0415
    from ..domain.wording import counted  # noqa: PLC0415

    directory = Path(settings.journal.path)
    if not directory.is_dir():
        return
    with contextlib.suppress(OSError):  # a journal that cannot be read is for `natya journal verify`
        # The mark: exact after a kill, and read at once, where a walk takes half a second for a full segment.
        mark, projected = read_mark(RealDisk(), directory), projected_sequence(owner)
        if mark is not None and 0 < projected < mark.sequence:  # one that knows none was made just now
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
    """Read from the journal, if there is one, which limits a person has changed, and all that are written down."""
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


@contextlib.contextmanager
def deadmans_account(settings: Settings) -> Iterator[Account]:
    """Connect to the account for a dead-man's switch: with the token of the settings, later with the newest.

    That is what a person has stored since, or the system has had of the broker by itself.
    """
    from ..actors.broker.adapters import BrokerCredentials, DhanBrokerAdapter  # noqa: PLC0415
    from ..client.dhan_account import DhanAccount  # noqa: PLC0415

    of, data_dir = settings.broker, Path(settings.system.data_dir)
    credentials = BrokerCredentials(client_id=of.client_id, access_token=of.access_token)
    with DhanBrokerAdapter(of.client_id, of.access_token, base_url=of.base_url) as broker:
        yield DhanAccount(broker, credentials, newest=lambda: newest_token(data_dir))


def newest_token(data_dir: Path) -> Secret | None:
    """Read the access token that came last to a data directory; None: there is none, or it cannot be read."""
    from ..config.secret_files import SecretUnfitError  # noqa: PLC0415
    from ..config.secret_folder import OBTAINED_TOKEN, SecretFolder  # noqa: PLC0415

    try:
        return SecretFolder(data_dir).newest_of(OBTAINED_TOKEN, "broker.access_token")
    except SecretUnfitError:
        return None


def ours_of(settings: Settings, say: Callable[[str], object]) -> Callable[[str], bool]:
    """Return how to tell the system's orders: by its journal, and where that cannot be read by having an id at all."""
    from ..actors.journal import JournalError  # noqa: PLC0415
    from ..actors.orders import OrdersError, book_of  # noqa: PLC0415

    try:
        book = book_of(journal_of(settings).find())
    except (JournalError, OrdersError, OSError, typer.Exit) as fault:
        say(f"the journal cannot be read, so every order with a client order id is taken for the system's: {fault}")
        return bool
    return lambda client_order_id: client_order_id in book


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
    from ..actors.instruments import InstrumentsError, ListRefusedError  # noqa: PLC0415
    from ..actors.journal import JournalError  # noqa: PLC0415
    from ..actors.strategy import StrategyError  # noqa: PLC0415
    from ..backtest.errors import BacktestError, BacktestFailedError  # noqa: PLC0415
    from ..client import QueryFailedError  # noqa: PLC0415
    from ..config.data_directory import DataDirectoryError  # noqa: PLC0415

    match fault:
        case QueryFailedError():
            return {"DatabaseDamaged": BAD_DATA, "PoolExhausted": BUSY}.get(fault.error, FAILED)
        case ControlError() | DatabaseMissing():
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
