"""`natya secrets set`: keep a secret."""

from __future__ import annotations

import os

from ...exit_codes import FAILED
from ...keeping import (
    FIXED,
    KeyArgument,
    NothingMore,
    expect_form,
    expect_key,
    folder_of,
    secret_from_person,
    shadow_of,
    store,
)
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...secret_outcomes import SCHEMA
from ...session import give_up, tell_answer
from ...terminal import note


def command(
    key: KeyArgument,
    more: NothingMore = None,
    *,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Keep a secret: asked for without being shown, or read from standard input; never an argument.

    It is a file of mode 600, named as its key, in the folder `secrets` of the data directory, and ranks above your own
    settings file and credentials of systemd, below the environment. The running system finds a token within seconds;
    `natya secrets rotate` tries it first, and says when it is in use.
    """
    expect_key(key, more)
    folder = folder_of(data_dir, profile, config=config)
    if key in FIXED and folder.version(key) is not None:
        give_up(f"{key} is kept already, and what was written with it cannot be read with another", FAILED)
    secret = secret_from_person(key)
    expect_form(key, secret)
    told = store(folder, key, secret)
    if variable := shadow_of(key, dict(os.environ)):
        note(f"{variable} in the environment ranks above it: unset it")
    tell_answer({"schema": SCHEMA, "key": key, "path": str(folder.path_of(key))}, told, json=json)
