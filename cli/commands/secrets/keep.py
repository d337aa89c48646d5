"""`natya secrets keep`: in files, encrypted by age, or in the desktop's keyring."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...exit_codes import CANNOT_CREATE, FAILED
from ...keeping import folder_of, new_passphrase
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...secret_outcomes import SCHEMA
from ...session import give_up, tell_answer


class How(StrEnum):
    """The ways."""

    FILES = "files"
    AGE = "age"
    KEYRING = "keyring"


def command(
    how: Annotated[How, typer.Argument(help="In which way secrets are kept from now on, and those there are, too.")],
    *,
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", metavar="FILE", help="Of age: your key, made where there is none."),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Keep the secrets of a data directory as files of mode 600, encrypted by age, or in the keyring of the desktop.

    Age encrypts for the key in a file, which you keep elsewhere, or for one that a passphrase opens: asked for at a
    terminal when a system is started, or the credential natya.passphrase of systemd. Wants the libraries of
    natya[secrets]. A running system goes on with what it has.
    """
    from ....config.keepers import Keeper, age
    from ....config.secret_files import SecretUnfitError

    if key_file is not None and how is not How.AGE:
        raise typer.BadParameter("--key-file is of age")
    folder = folder_of(data_dir, profile, config=config)
    key_behind = b""
    try:
        now = folder.keeper()
        if how is How.AGE and now.kind == how.value:
            give_up("they are encrypted by age already; for another key keep them as files first", FAILED)
        if how is How.FILES:
            keeper = Keeper()
        elif how is How.KEYRING:
            keeper = now if now.kind == how.value else Keeper(kind="keyring", service=f"natya {folder.path}")
        elif key_file is None:
            recipient, key_behind = age.new_key_behind(new_passphrase())
            keeper = Keeper(kind="age", recipient=recipient)
        else:
            path = key_file.expanduser().absolute()
            recipient = age.recipient_of(path) if path.exists() else age.new_key_file(path)
            keeper = Keeper(kind="age", recipient=recipient, key_file=str(path))
        kept = folder.keep_by(keeper, key_behind)
    except (SecretUnfitError, OSError) as fault:
        give_up(fault, CANNOT_CREATE)
    where = {How.FILES: f"as files in {folder.path}", How.AGE: f"in {folder.path}, encrypted by age"}
    told = f"secrets are kept {where.get(how, 'in the keyring of the desktop')}: {', '.join(kept) or 'none yet'}"
    if how is How.AGE:
        reads = keeper.key_file or f"a passphrase, which {folder.path / age.KEY_NAME} wants"
        told += f"\nwithout {reads} nobody reads them any more"
    tell_answer({"schema": SCHEMA, "kept_by": how.value, "keys": kept, "key_file": keeper.key_file}, told, json=json)
