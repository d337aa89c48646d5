"""Secrets from a person: read without being shown, stored, tried at the broker, taken into use by the running system.

A secret is never an argument, which every user of the machine can read, nor printed, nor part of an error.
Packages are imported inside of functions, so that `--help` loads none of them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from .broker_session import TOKEN_S
from .exit_codes import CANNOT_CREATE, REFUSED, SETTINGS, UNAVAILABLE
from .secret_outcomes import InUse, Tried
from .session import directory_of, faults, give_up, hidden, runs

if TYPE_CHECKING:
    from ..config.secret_folder import SecretFolder
    from ..config.secrets import Secret
    from ..config.settings import Settings
    from .secret_outcomes import Verdict

IN_USE_NOW: Final = "the running system uses it from now on"

ACCESS_TOKEN: Final = "broker.access_token"  # noqa: S105  its key
FIXED: Final = frozenset({"database.encryption_key", "journal.seal_key"})
"""Secrets that cannot be replaced: what was written with one cannot be read, or verified, with another."""

ANSWER_S: Final = 60.0

KeyArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="KEY", help="Of the settings, such as broker.access_token.", show_default=False)
]
NothingMore: TypeAlias = Annotated[list[str] | None, typer.Argument(hidden=True)]
"""What follows the key is refused here: the parser's error would quote it, and it may be the secret."""

CODES: Final = {"refused": REFUSED, "not_reached": UNAVAILABLE}
"""Exit codes by verdict."""


# From a person.


def expect_key(key: str, more: list[str] | None) -> None:
    """Refuse an argument that is no key of a secret, and a secret on the command line; neither is quoted."""
    from ..config.keys import SECRET_KEYS, near  # noqa: PLC0415

    if more or "=" in key:
        raise typer.BadParameter(
            "the key alone wanted, found more: a secret on the command line is read by every user of this machine, and "
            "may be in the history of your shell; take another one. It is asked for, or read from standard input"
        )
    if key not in SECRET_KEYS:
        raise typer.BadParameter(f"one of {', '.join(sorted(SECRET_KEYS))} wanted{near(key, sorted(SECRET_KEYS))}")


def secret_from_person(key: str) -> Secret:
    """Ask for a secret on the terminal, without showing it; without a terminal it is read from standard input."""
    return _secret_of(key, f"{key} (it is not shown): ")


def new_passphrase() -> Secret:
    """Ask for a new passphrase in the same way, on a terminal twice: a typing error could not be found later."""
    return _secret_of("the passphrase", "a passphrase (it is not shown): ", "once more: ")


def _secret_of(what: str, *prompts: str) -> Secret:
    from ..config.secret_files import SIZE_MAX_BYTES, SecretUnfitError, secret_text  # noqa: PLC0415
    from ..config.secrets import Secret  # noqa: PLC0415

    if sys.stdin.isatty():
        given, *again = [hidden(prompt) for prompt in prompts]
        if again not in ([], [given]):
            give_up("the same passphrase twice wanted, found two", SETTINGS)
        content = given.encode("utf-8", "surrogateescape")
    else:
        content = sys.stdin.buffer.read(SIZE_MAX_BYTES + 1)
    try:
        return Secret(secret_text(content))
    except SecretUnfitError as fault:
        give_up(f"{what}: {fault}", SETTINGS)


def expect_form(key: str, secret: Secret) -> None:
    """End the command if a secret does not have the form of its key."""
    from .doctor.forms import FORMS  # noqa: PLC0415

    for finding in FORMS.get(key, lambda _: ())(secret.reveal()):
        if finding.state == "fault":
            give_up(f"{key}: {finding.found}: {finding.mend}", SETTINGS)


# The folder.


def folder_of(data_dir: Path | None, profile: str, *, config: Path | None = None) -> SecretFolder:
    """Return where secrets are kept, also if the settings lack something that a start needs, such as a secret."""
    from ..config.errors import SettingsError  # noqa: PLC0415
    from ..config.loader import load_settings  # noqa: PLC0415
    from ..config.secret_folder import SecretFolder  # noqa: PLC0415
    from .own_settings import own_settings  # noqa: PLC0415

    if data_dir is not None:
        return SecretFolder(data_dir.expanduser().absolute())
    with faults():
        try:
            settings = load_settings(profile, config=own_settings(config), locked_left_out=True, only_looks=True)
            return SecretFolder(Path(settings.system.data_dir))
        except SettingsError as fault:
            raise SettingsError(
                (*fault.problems, "name the data directory, so that its secrets are found: --data-dir")
            ) from fault


def store(folder: SecretFolder, key: str, secret: Secret) -> str:
    """Store a secret, and return where it is kept; or end the command with 73."""
    from ..config.secret_files import SecretUnfitError  # noqa: PLC0415

    try:
        folder.write(key, secret)
    except (SecretUnfitError, OSError) as fault:
        give_up(fault, CANNOT_CREATE)
    path, kind = folder.path_of(key), folder.keeper().kind
    where = {"age": f"in {path}, encrypted by age", "keyring": f"in the keyring of the desktop, by the note in {path}"}
    return f"{key} is kept {where.get(kind, f'in {path}')}"


def shadow_of(key: str, environment: dict[str, str]) -> str:
    """Name the variable of this environment that ranks above a stored secret; empty: none."""
    from ..config.layers import NAMED_VARIABLES, VARIABLES  # noqa: PLC0415

    names = [name for name, of in (VARIABLES | NAMED_VARIABLES).items() if of == key and environment.get(name)]
    return names[0] if names else ""


# At the broker, and in the running system.


def tried(settings: Settings, key: str, secret: Secret, *, origin: str = "") -> Tried:
    """Ask the broker for the account's profile with an access token; for other secrets return how they are tried."""
    others = {
        "broker.pin": "only a login tries it, which ends the token in use: natya broker login",
        "broker.totp_secret": "only a login tries it, which ends the token in use: natya broker login",
        "database.encryption_key": "the start of a system tries it",
        "journal.seal_key": "natya audit verify tries it",
    }
    if key != ACCESS_TOKEN:
        told = others.get(key, "natya alarms --test tries it, by the running system")
        return Tried(key=key, verdict="not_tried", told=told, origin=origin)
    if not settings.broker.client_id:
        told = "no broker to ask: wanted broker.client_id, the number of the account, found none"
        return Tried(key=key, verdict="not_tried", told=told, origin=origin)
    from ..actors.broker.adapters import DhanBrokerAdapter  # noqa: PLC0415

    of = settings.broker
    with DhanBrokerAdapter(of.client_id, secret, base_url=of.base_url) as broker:
        try:
            result = broker.get_profile().result(ANSWER_S)
        except TimeoutError:
            told = f"no answer in {ANSWER_S:g} s"
            return Tried(key=key, verdict="not_reached", told=told, origin=origin)
    if result.success and result.data.dhan_client_id != of.client_id:
        told = f"the token of account {of.client_id} wanted, found that of {result.data.dhan_client_id}"
        return Tried(key=key, verdict="refused", told=told, origin=origin)
    if result.success:
        until = result.data.token_validity
        valid_until = "" if until is None else until.isoformat()
        return Tried(
            key=key,
            verdict="taken",
            told=f"the broker takes it{f', until {valid_until}' if valid_until else ''}",
            origin=origin,
            valid_until=valid_until,
        )
    is_refused = result.status_code is not None and 400 <= result.status_code < 500 and result.status_code != 429  # noqa: PLR2004
    verdict: Verdict = "refused" if is_refused else "not_reached"
    return Tried(key=key, verdict=verdict, told=result.error or "no answer", origin=origin)


def taken_by_system(data_dir: Path | None, profile: str, key: str) -> InUse:
    """Have the running system use what is stored now."""
    from ..actors.control import ControlError  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415
    from ..config.in_force import RELOADABLE  # noqa: PLC0415

    take = _take_of_broker if key.startswith("broker.") else _take_of_settings if key in RELOADABLE else None
    if take is None:
        return InUse(system="not_asked", told="the system uses it from its next start on")
    try:
        with connect(directory_of(data_dir, profile)) as system:
            return take(system, key)
    except ControlError as fault:
        if not runs(fault):
            return InUse(system="absent", told="no system runs there: it is used from the next start on")
        return InUse(system="silent", told=f"the running system did not confirm; it looks for itself, too: {fault}")


def _take_of_broker(system: Any, key: str) -> InUse:
    if not _has_keeper(system):
        told = "the running system does not trade with it: it is used from the next start on"
        return InUse(system="kept", told=told)
    status = system.take_secrets(timeout_s=TOKEN_S)
    if key in status.taken:
        return InUse(system="taken", told=IN_USE_NOW)
    told = "the running system uses this one already" if not status.reason else status.reason
    return InUse(system="taken" if not status.reason else "kept", told=told)


def _take_of_settings(system: Any, _key: str) -> InUse:
    from ..messages.settings import ReloadRefused  # noqa: PLC0415

    answer = system.reload_settings(timeout_s=TOKEN_S)
    if isinstance(answer, ReloadRefused):
        return InUse(system="kept", told=f"the running system goes on as before: {answer.problems[0]}")
    return InUse(system="taken", told=IN_USE_NOW)


def _has_keeper(system: Any) -> bool:
    from ..messages.addresses import BROKER_TOKENS  # noqa: PLC0415

    return any(child.path.rpartition("/")[2] == BROKER_TOKENS for child in system.tree().children)
