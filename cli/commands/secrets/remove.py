"""`natya secrets remove`: remove a secret that is kept."""

from __future__ import annotations

from ...exit_codes import CANNOT_CREATE, FAILED
from ...keeping import KeyArgument, NothingMore, expect_key, folder_of
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...secret_outcomes import SCHEMA
from ...session import give_up, tell_answer


def command(
    key: KeyArgument,
    more: NothingMore = None,
    *,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Remove a secret that is kept. A running system goes on with it until it ends. Exits with 1 where none is kept."""
    from ....config.secret_files import SecretUnfitError

    expect_key(key, more)
    folder = folder_of(data_dir, profile, config=config)
    try:
        was_there = folder.remove(key)
    except (SecretUnfitError, OSError) as fault:
        give_up(fault, CANNOT_CREATE)
    if not was_there:
        give_up(f"{key} kept in {folder.path} wanted, found none", FAILED)
    tell_answer({"schema": SCHEMA, "key": key}, f"{key} is kept no longer", json=json)
