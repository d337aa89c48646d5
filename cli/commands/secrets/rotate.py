"""`natya secrets rotate`: replace a secret, also in the running system."""

from __future__ import annotations

import os
from typing import Annotated

import msgspec
import typer

from ...exit_codes import FAILED, UNAVAILABLE
from ...keeping import (
    CODES,
    FIXED,
    KeyArgument,
    NothingMore,
    expect_form,
    expect_key,
    folder_of,
    secret_from_person,
    shadow_of,
    store,
    taken_by_system,
    tried,
)
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...secret_outcomes import SCHEMA, Tried
from ...session import give_up, load, tell_answer
from ...terminal import note


def command(
    key: KeyArgument,
    more: NothingMore = None,
    *,
    untested: Annotated[
        bool, typer.Option("--untested", help="Do not ask the broker first whether it takes the token.")
    ] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Replace a secret: tried at the broker, kept, and taken into use by the running system without a restart.

    It is asked for without being shown, or read from standard input. Exits with 77 where the broker refuses it, and
    with 69 where the broker is not reached: then nothing is changed. With 69, too, where it is kept and the running
    system did not confirm, and with 1 where that goes on with another.
    """
    expect_key(key, more)
    if key in FIXED:
        give_up(f"{key} is not replaced: what was written with it cannot be read with another", FAILED)
    settings = load(
        profile, {} if data_dir is None else {"system.data_dir": str(data_dir)}, config=config, needs_secrets=True
    ).settings
    secret = secret_from_person(key)
    expect_form(key, secret)
    untried = Tried(key=key, verdict="not_tried", told="it was not tried at the broker")
    found = untried if untested else tried(settings, key, secret)
    if code := CODES.get(found.verdict):
        hint = "" if found.verdict == "refused" else "; --untested keeps it all the same"
        give_up(f"nothing is changed: {found.told}{hint}", code)
    folder = folder_of(data_dir, profile, config=config)
    kept = store(folder, key, secret)
    if variable := shadow_of(key, dict(os.environ)):
        note(f"{variable} in the environment ranks above it at the next start: unset it")
    use = taken_by_system(folder.path.parent, profile, key)
    answer = {"schema": SCHEMA, "key": key, "path": str(folder.path_of(key)), "tried": found.verdict}
    text = f"{key}: {found.told}\n{kept}\n{use.told}"
    tell_answer({**answer, **msgspec.structs.asdict(use)}, text, json=json)
    if use.system in {"silent", "kept"}:
        raise typer.Exit(UNAVAILABLE if use.system == "silent" else FAILED)
